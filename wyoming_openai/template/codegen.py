"""The Python code that templates become: Jinja's, with a look at the clock and at the size of what is made."""

import math
from collections.abc import Callable, Iterable
from io import StringIO
from keyword import iskeyword
from typing import Any

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.idtracking import VAR_LOAD_RESOLVE

_NEVER_GROWS = frozenset(
    {"abs", "area_id", "area_name", "bool", "capitalize", "count", "d", "default", "device_attr", "device_name"}
    | {"first", "float", "has_value", "int", "is_number", "last", "length", "lower", "max", "min", "round"}
    | {"state_attr", "states", "string", "title", "trim", "upper"}
)
"""Filters whose result is no bigger than their input."""


class Generator(CodeGenerator):
    """Python code in which every block looks at the clock, and whatever makes a value has it measured.

    Nothing is evaluated at compile time: Jinja would do so without our limits.
    """

    def __init__(self, environment: Environment, source: StringIO, bound: frozenset[str]) -> None:
        super().__init__(environment, None, None, source, optimized=False)
        self._bound = bound
        self.uses: set[str] = set()
        """Names that are not set by the template itself."""

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        if not frame.soft_frame:  # an `if` alone takes no time
            self.writeline("environment.check_time()")
        super().blockvisit(nodes, frame)

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        """Functions of the home that are bound already are called without the sandbox's ado."""
        name = plainly_called(node)
        if forward_caller or name not in self._bound:
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.write(f"{frame.symbols.ref(name)}(")
        for argument in (*node.args, *node.kwargs):
            self.visit(argument, frame)
            self.write(", ")
        self.write(")")

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:  # noqa: N802
        if isinstance(node.value, float) and math.isinf(node.value):
            self.write('float("inf")')
        else:
            super().visit_Const(node, frame)

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:  # noqa: N802
        if node.name in _NEVER_GROWS:
            super().visit_Filter(node, frame)
        else:
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


def plainly_called(call: nodes.Call) -> str:
    """The name that is called with arguments that Python takes as they are, if it is such a call."""
    if call.dyn_args is not None or call.dyn_kwargs is not None or any(iskeyword(item.key) for item in call.kwargs):
        return ""
    return call.node.name if isinstance(call.node, nodes.Name) else ""
