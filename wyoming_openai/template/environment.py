"""Jinja with Home Assistant's names, sandbox and limits; templates compiled once for every home."""

import logging
import math
from collections.abc import Callable, Iterable
from functools import cache
from io import StringIO
from time import monotonic
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.idtracking import VAR_LOAD_RESOLVE
from jinja2.runtime import AsyncLoopContext, Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from . import limits
from .errors import NeedsHomeAssistant
from .functions import FUNCTIONS
from .rendering import HomeFunction, current
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


class _Generator(CodeGenerator):
    """Python code in which every block looks at the clock, and whatever makes a value has it measured.

    Nothing is evaluated at compile time: Jinja would do so without our limits.
    """

    def __init__(self, environment: "Environment", source: StringIO) -> None:
        super().__init__(environment, None, None, source, optimized=False)
        self.uses: set[str] = set()
        """Names that are not set by the template itself."""

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        self.writeline("environment.check_time()")
        super().blockvisit(nodes, frame)

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:  # noqa: N802
        if isinstance(node.value, float) and math.isinf(node.value):
            self.write('float("inf")')
        else:
            super().visit_Const(node, frame)

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:  # noqa: N802
        self._measured(super().visit_Filter, node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        self._measured(super().visit_Concat, node, frame)

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        self._measured(super().visit_List, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        if node.ctx == "load":
            self._measured(super().visit_Tuple, node, frame)
        else:
            super().visit_Tuple(node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
        self._measured(super().visit_Dict, node, frame)

    def _measured(self, visit: Callable[..., None], node: nodes.Expr, frame: Frame) -> None:
        self.write("environment.measured(")
        visit(node, frame)
        self.write(")")

    def enter_frame(self, frame: Frame) -> None:
        super().enter_frame(frame)
        self.uses.update(name for action, name in frame.symbols.loads.values() if action == VAR_LOAD_RESOLVE and name)

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)


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

    def compiled(self, tree: nodes.Template) -> tuple[jinja2.Template, frozenset[str]]:
        """The template, and the names that it takes from outside."""
        source = StringIO()
        generator = _Generator(self, source)
        generator.visit(tree)
        code = compile(source.getvalue(), FILENAME, "exec")
        return jinja2.Template.from_code(self, code, self.globals), frozenset(generator.uses)

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
        if type(obj) is TemplateState and attribute in STATE_ITEMS:  # a shortcut: most templates do little else
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def is_safe_callable(self, obj: Any) -> bool:
        return isinstance(obj, AllStates) or super().is_safe_callable(obj)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, AllStates | DomainStates | TemplateState | LoopContext | AsyncLoopContext):
            return attr[0] != "_"
        return isinstance(obj, Namespace) or super().is_safe_attribute(obj, attr, value)


environment = cache(Environment)
"""One for all homes: it is never changed."""
