"""Answers questions about the home without a language model."""
