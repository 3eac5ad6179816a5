"""Jinja with Home Assistant's names, sandbox and limits; templates compiled once for every home."""

import logging
import warnings
from collections.abc import Iterable
from functools import cache
from io import StringIO
from time import monotonic
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.runtime import AsyncLoopContext, Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from . import limits
from .codegen import Generator, plainly_called
from .errors import NeedsHomeAssistant
from .functions import FUNCTIONS
from .rendering import HomeFunction, Rendering, current
from .sizes import MEASURED
from .states import STATE_ITEMS, AllStates, DomainStates, TemplateState

_LOGGER = logging.getLogger(__name__)

FILENAME = "<template>"

_SHORT = 1024


class LoggingUndefined(Undefined):
    """Something that is not there: empty where it is shown, an error where it is used further."""

    def __str__(self) -> str:
        self._log()
        return super().__str__()

    def __iter__(self) -> Any:
        self._log()
        return super().__iter__()

    def __bool__(self) -> bool:
        self._log()
        return super().__bool__()

    def _log(self) -> None:
        _LOGGER.debug("Template variable: %s", self._undefined_message)


class _CustomTemplates(jinja2.BaseLoader):
    """Templates of other files lie on Home Assistant's disk."""

    def get_source(self, environment: jinja2.Environment, template: str) -> NoReturn:
        raise NeedsHomeAssistant(f"'{template}' is a file in Home Assistant's custom_templates folder")


class Environment(ImmutableSandboxedEnvironment):
    """What a template can do."""

    intercepted_binops = limits.OPERATORS

    def __init__(self) -> None:
        super().__init__(
            undefined=LoggingUndefined,
            loader=_CustomTemplates(),
            cache_size=0,
            extensions=("jinja2.ext.loopcontrols", "jinja2.ext.do"),
        )
        self.finalize = self.measured
        for row in FUNCTIONS:
            for form, names in (("G", self.globals), ("F", self.filters), ("T", self.tests)):
                if form in row.forms:
                    names[row.name] = row.function
        self._of_home = {name: value for name, value in self.globals.items() if isinstance(value, HomeFunction)}

    def parse(self, *args: Any, **kwargs: Any) -> nodes.Template:
        """The tree of a text. An unknown escape such as `\\d` stays as it is; Python's warning is of no use here."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return super().parse(*args, **kwargs)

    def bindable(self, tree: nodes.Template) -> frozenset[str]:
        """Functions of the home that the template does nothing with but call them."""
        called = {id(call.node) for call in tree.find_all(nodes.Call) if plainly_called(call)}
        others = {name.name for name in tree.find_all(nodes.Name) if id(name) not in called}
        others |= {macro.name for macro in tree.find_all(nodes.Macro)}
        return frozenset(self._of_home.keys() - others)

    def compiled(self, tree: nodes.Template, bound: frozenset[str]) -> tuple[jinja2.Template, frozenset[str]]:
        """The template, and the names that it takes from outside, of which the `bound` ones will be plain functions."""
        source = StringIO()
        generator = Generator(self, source, bound)
        generator.visit(tree)
        code = compile(source.getvalue(), FILENAME, "exec")
        return jinja2.Template.from_code(self, code, self.globals), frozenset(generator.uses)

    def bound(self, names: Iterable[str], rendering: Rendering) -> dict[str, Any]:
        """These functions of the home as they are called in one rendering."""
        return {name: self._of_home[name].bound(rendering) for name in names}

    def check_time(self) -> None:
        if monotonic() > current().deadline:
            raise limits.took_too_long()

    def measured(self, value: Any) -> Any:
        """The value, if it is not too big."""
        kind = type(value)
        if kind in MEASURED and (kind is not str or len(value) > _SHORT):
            current().sizes.check(value)
        return value

    def concat(self, pieces: Iterable[str]) -> str:
        """What a macro, a block or a `set` made."""
        pieces = list(pieces)
        current().sizes.text(sum(map(len, pieces)))
        return "".join(pieces)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        sizes = current().sizes
        size = limits.check_operation(sizes, operator, left, right)
        result = super().call_binop(context, operator, left, right)
        sizes.keep(result, size)
        return result

    def call_filter(self, *args: Any, **kwargs: Any) -> Any:
        return self.measured(super().call_filter(*args, **kwargs))

    def call(
        __self,  # noqa: N805
        __context: Context,
        __obj: Any,
        *args: Any,
        _loop_vars: Any = None,
        _block_vars: Any = None,
        **kwargs: Any,
    ) -> Any:
        if isinstance(__obj, HomeFunction):
            return __obj(__context, *args, **kwargs)
        args = limits.check_call(current().sizes, __obj, args, kwargs)
        result = super().call(__context, __obj, *args, _loop_vars=_loop_vars, _block_vars=_block_vars, **kwargs)
        return __self.measured(result)

    def getattr(self, obj: Any, attribute: str) -> Any:
        # shortcuts: most templates do little else
        if type(obj) is TemplateState and attribute in STATE_ITEMS:
            return getattr(obj, attribute)
        if type(obj) is Namespace:
            try:
                return getattr(obj, attribute)
            except AttributeError:
                pass
        return super().getattr(obj, attribute)

    def is_safe_callable(self, obj: Any) -> bool:
        return isinstance(obj, AllStates) or super().is_safe_callable(obj)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, AllStates | DomainStates | TemplateState | LoopContext | AsyncLoopContext):
            return attr[0] != "_"
        return isinstance(obj, Namespace) or super().is_safe_attribute(obj, attr, value)


environment = cache(Environment)
"""One for all homes: it is never changed."""
