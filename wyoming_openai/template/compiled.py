"""Templates: compiled once, rendered for any home."""

import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property, lru_cache
from types import TracebackType
from typing import Any

import jinja2
from jinja2 import nodes

from ..hass.home import Home
from . import limits
from .environment import FILENAME, environment
from .errors import NeedsHomeAssistant, TemplateError, TooMuchOutput, UnknownFunction
from .native import parsed
from .rendering import Rendering, begin, end, rendering_of
from .variables import area_variables, uses_areas_as_variable

_UNDEFINED = re.compile(r"'(\w+)' is undefined\Z")
_UNKNOWN = re.compile(r"No (?:filter|test) named ")


class Template:
    """A template that can be rendered for any home, as often as wanted."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.is_static = not any(mark in self.text for mark in ("{{", "{%", "{#"))
        """Nothing to render: the text itself is the answer."""
        try:
            with limits.interrupted():
                tree = environment().parse(self.text)
                self._bound = environment().bindable(tree)
                self._template, self.uses = environment().compiled(tree, self._bound)
        except Exception as error:
            raise _failure_to_compile(error) from error
        self._bound &= self.uses
        self._calls = self.uses & frozenset(_called(tree))
        self._takes_areas = "areas" in self.uses and uses_areas_as_variable(tree)

    uses: frozenset[str]
    """Names that the template takes from outside: functions of Home Assistant, variables of the turn."""

    def render(self, home: Home, variables: Mapping[str, Any] | None = None, *, now: datetime | None = None) -> str:
        """The text, stripped. Raises `TemplateError`, or `NeedsHomeAssistant` where the home can't tell."""
        if self.is_static:
            return self.text
        given = dict(variables or {})
        if self._takes_areas and "areas" not in given:
            given["areas"] = area_variables(home)
        rendering = rendering_of(self.text, home, now, time.monotonic() + limits.SECONDS)
        token = begin(rendering)
        try:
            with limits.interrupted():
                return self._output(rendering, given).strip()
        except Exception as error:
            raise self._failure(error, given) from error
        finally:
            end(token)

    def render_native(
        self, home: Home, variables: Mapping[str, Any] | None = None, *, now: datetime | None = None
    ) -> tuple[Any, str]:
        """The value that Home Assistant's websocket gives, and the text."""
        text = self.render(home, variables, now=now)
        return (text if self.is_static else parsed(text)), text

    def _output(self, rendering: Rendering, given: dict[str, Any]) -> str:
        if self._bound.isdisjoint(given):
            template = self._template
            given |= environment().bound(self._bound, rendering)
        else:  # a variable takes the place of a function
            template = self._unbound_template
        pieces: list[str] = []
        size = 0
        for piece in template.root_render_func(template.new_context(given)):
            pieces.append(piece)
            size += len(piece)
            if size > limits.OUTPUT:
                raise TooMuchOutput(f"Template output exceeded maximum size of {limits.OUTPUT} characters")
        return "".join(pieces)

    @cached_property
    def _unbound_template(self) -> jinja2.Template:
        return environment().compiled(environment().parse(self.text), frozenset())[0]

    def _failure(self, error: Exception, given: Mapping[str, Any]) -> TemplateError:
        line = _line(error.__traceback__)
        match error:
            case TooMuchOutput() | NeedsHomeAssistant():
                return type(error)(str(error), line)
            case jinja2.UndefinedError() if name := _UNDEFINED.match(str(error)):
                unknown = name[1] in self._calls and name[1] not in given
            case _:
                unknown = isinstance(error, jinja2.TemplateRuntimeError) and bool(_UNKNOWN.match(str(error)))
        return (UnknownFunction if unknown else TemplateError)(f"{type(error).__name__}: {error}", line)


@lru_cache(maxsize=256)
def compile_template(text: str) -> Template:
    """The template of this text, kept for the next time. Raises `TemplateError`."""
    return Template(text)


def _failure_to_compile(error: Exception) -> TemplateError:
    if not isinstance(error, jinja2.TemplateSyntaxError):
        return TemplateError(f"{type(error).__name__}: {error}")
    kind = UnknownFunction if _UNKNOWN.match(error.message or "") else TemplateError
    return kind(f"{type(error).__name__}: {error.message}", error.lineno)


def _line(traceback: TracebackType | None) -> int | None:
    """Of the innermost place in the template that the error came through."""
    line = None
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_filename == FILENAME:
            line = frame.f_globals["__jinja_template__"].get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line


def _called(tree: nodes.Template) -> Iterator[str]:
    """Names that are called, or of which something is."""
    for call in tree.find_all(nodes.Call):
        node: nodes.Node = call.node
        while isinstance(node, nodes.Getattr | nodes.Getitem):
            node = node.node
        if isinstance(node, nodes.Name):
            yield node.name
