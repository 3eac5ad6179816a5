"""Parts of `speech.py`: words of the languages, ends of sentences, reasoning, inline markup. All pure."""
