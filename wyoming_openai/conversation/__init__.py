"""Answers one utterance, and remembers the conversation it belongs to."""
