"""What keeps a template from hanging or bloating the service.

Three nets, the finer first: operators, methods and filters that can make much out of little are refused before they
do; everything that a template makes is measured (`sizes.py`), and every block of it looks at the clock; and what runs
too long inside one call, such as a regular expression that backtracks without end, is interrupted by the operating
system. The last net needs Unix and the main thread; elsewhere the others hold.
"""

import re
import signal
import string
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from types import BuiltinMethodType, FrameType, FunctionType
from typing import Any

from .sizes import PER_ITEM, Sizes

SECONDS = 3.0
OUTPUT = 262144  # characters; Home Assistant's own limit

_PRINTF = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(\*|\d+)?(?:\.(\*|\d+))?")
_DIGITS = re.compile(r"\d+")


def check_operation(sizes: Sizes, operator: str, left: Any, right: Any) -> int:
    """The size of what the operation will give, where it can grow. Raises `OverflowError` or `MemoryError`."""
    return _OPERATIONS[operator](sizes, left, right)


def check_call(sizes: Sizes, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    """The arguments to call it with, unless it is a method that would make too much out of them."""
    if not isinstance(function, BuiltinMethodType | FunctionType) or function.__name__ not in _METHODS:
        return args
    # the sandbox wraps `format`
    text = getattr(getattr(function, "__wrapped__", function), "__self__", None)
    if not isinstance(text, str | bytes | int):
        return args
    if function.__name__ == "join" and len(args) == 1:
        args = (listed(args[0]),)
    _METHODS[function.__name__](sizes, text, *args, *kwargs.values())
    return args


def listed(values: Any) -> Any:
    """What can be measured, also of a generator."""
    return values if isinstance(values, Sequence | Mapping | Set) else list(values)


def check_width(sizes: Sizes, text: Any, *widths: Any) -> None:
    """Widths, counts and the like: so many characters or items."""
    sizes.holder(PER_ITEM * sum(abs(width) for width in widths if isinstance(width, int)))


def check_replace(sizes: Sizes, text: Any, old: Any, new: Any, *_: Any) -> None:
    sizes.text(len(text) + text.count(old) * max(0, len(new) - len(old)))


def check_join(sizes: Sizes, separator: Any, values: Any) -> None:
    sizes.text(len(separator) * len(values) + sizes.of(values))


def check_percent(sizes: Sizes, text: Any, values: Any) -> int:
    """`text % values`: the widths and precisions it asks for, also those given as values."""
    if not isinstance(text, str | bytes):
        return 0
    plain = text if isinstance(text, str) else text.decode("latin-1")
    widths = [width for pair in _PRINTF.findall(plain) for width in pair if width]
    given = values if isinstance(values, tuple) else (values,)
    size = len(plain) + sum(int(width) for width in widths if width != "*")
    if "*" in widths:
        size += sum(abs(value) for value in given if isinstance(value, int))
    sizes.text(size + plain.count("%") * max(map(sizes.of, given), default=0))
    return 0


def _check_braces(sizes: Sizes, text: Any, *values: Any) -> None:
    """`text.format(…)`: the same for its format specifications."""
    fields = [(name, spec or "") for _, name, spec, _ in string.Formatter().parse(text) if name is not None]
    size = len(text) + sum(int(number) for _, spec in fields for number in _DIGITS.findall(spec))
    if any("{" in spec for _, spec in fields):
        size += sum(int(number) for value in values for number in _DIGITS.findall(str(value)[:64]))
    sizes.text(size + len(fields) * max(map(sizes.of, values), default=0))


def _check_tabs(sizes: Sizes, text: Any, size: Any = 8) -> None:
    sizes.text(len(text) + text.count("\t" if isinstance(text, str) else b"\t") * abs(int(size)))


def _check_translate(sizes: Sizes, text: Any, table: Any, *_: Any) -> None:
    if isinstance(table, Mapping):
        sizes.text(len(text) * max((len(new) for new in table.values() if isinstance(new, str)), default=1))


def _check_add(sizes: Sizes, left: Any, right: Any) -> int:
    if isinstance(left, int | float):
        return 0
    size = sizes.of(left) + sizes.of(right)
    (sizes.text if isinstance(left, str | bytes) else sizes.holder)(size)
    return size


def _check_multiply(sizes: Sizes, left: Any, right: Any) -> int:
    if isinstance(left, int) and isinstance(right, int):
        sizes.integer(left.bit_length() + right.bit_length())
        return 0
    if isinstance(left, int):
        left, right = right, left
    if not isinstance(right, int) or isinstance(left, float):
        return 0
    size = sizes.of(left) * max(right, 0)
    (sizes.text if isinstance(left, str | bytes) else sizes.holder)(size)
    return size


def check_power(sizes: Sizes, left: Any, right: Any) -> int:
    if isinstance(left, int) and isinstance(right, int) and right > 0:
        sizes.integer(left.bit_length() * right)
    return 0


_OPERATIONS: dict[str, Callable[[Sizes, Any, Any], int]] = {
    "+": _check_add,
    "*": _check_multiply,
    "**": check_power,
    "%": check_percent,
}
OPERATORS = frozenset(_OPERATIONS)

_METHODS: dict[str, Callable[..., None]] = {
    "center": check_width,
    "expandtabs": _check_tabs,
    "format": _check_braces,
    "format_map": _check_braces,
    "join": check_join,
    "ljust": check_width,
    "replace": check_replace,
    "rjust": check_width,
    "to_bytes": check_width,
    "translate": _check_translate,
    "zfill": check_width,
}


@contextmanager
def interrupted() -> Iterator[None]:
    """Have the operating system stop what runs within for too long.

    By processor time rather than the clock: a busy machine is not the template's fault.
    """
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGPROF, _ring)
    # rings again in case that the first one is swallowed by an `except`
    timer = signal.setitimer(signal.ITIMER_PROF, SECONDS, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, *timer)
        signal.signal(signal.SIGPROF, handler)


def _ring(_signal: int, _frame: FrameType | None) -> None:
    raise took_too_long()


def took_too_long() -> TimeoutError:
    return TimeoutError(f"Template took longer than {SECONDS:g} seconds")
