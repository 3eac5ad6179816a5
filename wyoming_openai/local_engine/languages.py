"""What is loaded when a language is first spoken: few are kept, each is loaded once however many ask for it.

Anybody in the network may ask in any language, and one takes megabytes and a good part of a second.
"""

import asyncio
import gc
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..gc_pauses import gc_paused

MOST = 4
"""Languages that are kept; a family speaks fewer."""

_LOGGER = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(eq=False)
class Loader:
    """Loads languages for everybody, one after the other, and new ones in the place of others not too often."""

    at_once: float = 64
    seconds: float = 60.0
    """After which one more may take the place of another."""
    clock: Callable[[], float] = time.monotonic
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "language"))
    _free: float = field(init=False)
    _counted: float = field(init=False)
    _replaced: bool = False

    def __post_init__(self) -> None:
        self._free, self._counted = self.at_once, self.clock()

    def may_replace(self) -> bool:
        """Whether one more language may take the place of another; if so, that is counted."""
        now = self.clock()
        self._free = min(self.at_once, self._free + (now - self._counted) / self.seconds)
        self._counted = now
        if self._free < 1:
            return False
        self._free -= 1
        self._replaced = True
        return True

    def tidy(self) -> None:
        """Collect what was left over in cycles when something was loaded, after which nobody looks for it."""
        if self._replaced:
            self._replaced = False
            gc.unfreeze()
            gc.collect()
            gc.freeze()

    async def run(self, load: Callable[[], T]) -> T:
        """Load in the thread; who is cancelled meanwhile leaves it to end by itself."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _loaded, load)


def _loaded(load: Callable[[], T]) -> T:
    """What was loaded is nothing for the collector of cycles: looking through it would hold everybody up."""
    with gc_paused():
        loaded = load()
        gc.freeze()
    return loaded


class Languages(Generic[T]):
    """Something of each language, for those that were spoken last.

    With a `Loader` a language is loaded by `prepare` alone, and `get` never waits; without, `get` loads it, too.
    """

    def __init__(
        self, load: Callable[[str], T], loader: Loader | None = None, forget: Callable[[T], None] = lambda kept: None
    ) -> None:
        self._load = load
        self._loader = loader
        self._forget = forget
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._loading: dict[str, asyncio.Future[T]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def prepare(self, tag: str, lasting: Collection[str] = ()) -> None:
        """Load a language, if it may be loaded now, without holding others up; `lasting` ones are never replaced."""
        if tag in self._kept:
            self._kept.move_to_end(tag)
            return
        if tag not in self._loading:
            full = len(self._kept) + len(self._loading) >= MOST
            if self._loader is not None and full and tag not in lasting and not self._loader.may_replace():
                return
            work = self._loader.run(lambda: self._load(tag)) if self._loader else asyncio.to_thread(self._load, tag)
            self._loading[tag] = asyncio.ensure_future(work)
            self._loading[tag].add_done_callback(lambda loaded: self._take(tag, loaded, lasting))
        try:
            await asyncio.shield(self._loading[tag])
        except Exception:
            _LOGGER.exception("The language %s could not be loaded", tag)

    def get(self, tag: str) -> T | None:
        """What there is of a language."""
        if tag not in self._kept and self._loader is None:
            self._keep(tag, self._load(tag))
        return self._kept.get(tag)

    def _take(self, tag: str, loaded: "asyncio.Future[T]", lasting: Collection[str]) -> None:
        del self._loading[tag]
        if not loaded.cancelled() and loaded.exception() is None:
            self._keep(tag, loaded.result(), lasting)

    def _keep(self, tag: str, value: T, lasting: Collection[str] = ()) -> None:
        self._kept[tag] = value
        for old in list(self._kept):
            if len(self._kept) > MOST and old != tag and old not in lasting:
                self._forget(self._kept.pop(old))
