"""Counts what language models cost, and keeps it within budgets."""
