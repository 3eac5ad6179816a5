"""Python's collector of cycles stops all threads while it looks through everything there is: kept from large homes."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Make much that has no cycles, such as the rows of a registry, without having it looked through time and again.

    With 10,000 entities that takes 60 ms each time. For any thread, and for several at once.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
