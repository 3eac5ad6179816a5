"""The program's source, taken apart."""

import ast
from functools import cache
from pathlib import Path

from wyoming_openai.gc_pauses import gc_paused


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file.

    The collector is paused: what it finalizes may print a traceback, which parses source, too, and Python 3.11 counts
    the depth of both together (https://github.com/python/cpython/issues/106905).
    """
    with gc_paused():
        return ast.parse(path.read_text(encoding="utf-8"))
