"""Home Assistant's template language, rendered from the mirror: the same names, sandbox, types and errors. Pure."""

from .compiled import Template, compile_template
from .errors import NeedsHomeAssistant, TemplateError, UnknownFunction
from .jsonl import answer_line
from .variables import exposed_entities

__all__ = [
    "NeedsHomeAssistant",
    "Template",
    "TemplateError",
    "UnknownFunction",
    "answer_line",
    "compile_template",
    "exposed_entities",
]
