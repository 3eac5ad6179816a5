"""How big the values of a rendering are, and how big they may become.

A list that holds another one twice is twice as big: that is what comparing, hashing or showing it costs, and twenty
such steps make a million of one. Sizes count that way. Values of templates never change, so the last few sizes are
kept: a list that grows by one entry at a time is not counted over and over.
"""

import os
from collections import deque
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

TEXT = 4 * 1024 * 1024
"""Characters of one text; Home Assistant shows no more than 262144."""
WEIGHT = 16 * 1024 * 1024
"""Of one list, tuple, set or dictionary: `PER_ITEM` for everything in it, and the characters of its texts."""
PER_ITEM = 16
BITS = 1024 * 1024
"""Of one integer."""
MEMORY = 256 * 1024 * 1024
"""Bytes that the service may grow by while it renders."""

_STATM = Path("/proc/self/statm")
_LOOK_AFTER = 8 * 1024 * 1024
_TEXTS = frozenset({str, bytes, bytearray})
_HOLDERS = frozenset({list, tuple, set, frozenset, dict})
MEASURED = _TEXTS | _HOLDERS
"""The types of values that have a size."""


class Sizes:
    """The sizes of what one rendering makes."""

    def __init__(self) -> None:
        self._recent: deque[tuple[Any, int]] = deque(maxlen=8)
        self._made = 0
        self._memory: int | None = None

    def check(self, value: Any) -> None:
        """Raise `OverflowError` or `MemoryError` if this value is one too much."""
        kind = type(value)
        if kind in _TEXTS:
            self.text(len(value))
        elif kind in _HOLDERS:
            self.holder(self.of(value))

    def text(self, length: int) -> None:
        """A text of this length is made."""
        if length > TEXT:
            _refuse(f"texts of up to {TEXT} characters")
        self._count(length)

    def holder(self, weight: int) -> None:
        """A list or the like of this weight is made."""
        if weight > WEIGHT:
            _refuse(f"lists of up to {WEIGHT // PER_ITEM} items")
        self._count(weight)

    def integer(self, bits: int) -> None:
        if bits > BITS:
            _refuse(f"integers of up to {BITS} bits")

    def keep(self, value: Any, size: int) -> None:
        """The size of a value that was not counted but calculated."""
        if type(value) in _HOLDERS:
            self._recent.append((value, size))

    def of(self, value: Any) -> int:
        """Characters of a text, the weight of a list; nothing else has a size."""
        kind = type(value)
        if kind in _TEXTS:
            return len(value)
        if kind not in _HOLDERS or not value:
            return 0
        for known, size in self._recent:
            if known is value:
                return size
        size = self._weight(list(chain(value.keys(), value.values())) if isinstance(value, dict) else value)
        if size > 64 * PER_ITEM:
            self._recent.append((value, size))
        return size

    def _weight(self, items: Any) -> int:
        weight = len(items) * PER_ITEM
        kinds = set(map(type, items))
        if kinds == {str}:
            return weight + sum(map(len, items))
        if not kinds & _TEXTS and not kinds & _HOLDERS:
            return weight
        for item in items:
            weight += self.of(item)
            if weight > WEIGHT:
                _refuse(f"lists of up to {WEIGHT // PER_ITEM} items")
        return weight

    def _count(self, size: int) -> None:
        """Now and then see what of all this is still there."""
        self._made += size
        if self._made < _LOOK_AFTER or not _STATM.exists():
            return
        self._made = 0
        memory = int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGESIZE")
        if self._memory is None:
            self._memory = memory
        if memory - self._memory > MEMORY:
            raise MemoryError(f"Template took more than {MEMORY >> 20} MB of memory")


def _refuse(allowed: str) -> NoReturn:
    raise OverflowError(f"Value too big. A template may make {allowed}.")
