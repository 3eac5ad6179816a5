"""A conversation agent for voice-controlled homes: Wyoming in, Home Assistant and OpenAI behind."""

__version__ = "0.1.0"

PROJECT = "wyoming_openai"
"""By which our servers are known among others."""
