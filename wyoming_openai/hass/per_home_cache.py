"""What takes long to work out of a home, such as the indexes of its names: kept for each home until these change.

It depends on the registries, the names, and the words for kinds and states; on the states it does not.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from ..gc_pauses import gc_paused
from .home import Home

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    """A value, and of what it is."""

    value: T
    cache_key: tuple[object, ...]
    prepared: bool

    def is_of(self, home: Home) -> bool:
        return all(old is new for old, new in zip(self.cache_key, home.cache_key, strict=True))


class PerHomeCache(Generic[T]):
    """One value for each home.

    A home for which it is prepared gets a new value from `prepare` alone, worked out in a thread and swapped in as a
    whole: the event loop never stands still for it. For any other home it is worked out when it is asked for.

    It may be older than the home, by what happened since `prepare`: whether an entity is exposed is asked of the home.
    """

    def __init__(self, derive: Callable[[Home], T]) -> None:
        """`derive` may run in a thread: its home is one that does not change, and it must not keep it."""
        self._derive = derive
        self._kept: WeakKeyDictionary[Home, _Kept[T]] = WeakKeyDictionary()
        self._builds: WeakKeyDictionary[Home, asyncio.Future[_Kept[T]]] = WeakKeyDictionary()

    def of(self, home: Home) -> T:
        """The value of a home."""
        kept = self._kept.get(home)
        if kept is None or not (kept.prepared or kept.is_of(home)):
            kept = self._kept[home] = self._worked_out(home, prepared=False)
        return kept.value

    async def prepare(self, home: Home) -> None:
        """Have the value of the home as it is now, or newer. Who asks meanwhile shares the work: one at a time."""
        if not self._is_prepared(home) and home in self._builds:
            await asyncio.shield(self._builds[home])  # begun before: it may be of an older home
        if not self._is_prepared(home):
            await asyncio.shield(self._builds.get(home) or self._begin(home))

    def _is_prepared(self, home: Home) -> bool:
        kept = self._kept.get(home)
        return kept is not None and kept.prepared and kept.is_of(home)

    def _begin(self, home: Home) -> "asyncio.Future[_Kept[T]]":
        work = partial(self._worked_out, home.snapshot(), prepared=True)
        build = self._builds[home] = asyncio.get_running_loop().run_in_executor(None, work)
        build.add_done_callback(partial(self._take, home))
        return build

    def _worked_out(self, home: Home, *, prepared: bool) -> _Kept[T]:
        with gc_paused():
            return _Kept(self._derive(home), home.cache_key, prepared)

    def _take(self, home: Home, build: "asyncio.Future[_Kept[T]]") -> None:
        del self._builds[home]
        if not build.cancelled() and build.exception() is None:
            self._kept[home] = build.result()
