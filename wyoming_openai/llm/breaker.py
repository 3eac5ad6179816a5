"""When a model is left alone: after failures in a row, or at once when it says no for a reason that stays. Pure."""

import math
from dataclasses import dataclass

from .types import BadCredentials, ModelError, QuotaExceeded, RequestRefused, UnknownModel

FAILURES = 5  # in a row, until a model is left alone
PAUSE = 30.0  # seconds that it is left alone; then one call is a probe
LONG_PAUSE = 300.0  # for a reason that only its owner can remove; new settings begin afresh
SHORT = 2.0  # seconds that a server may ask us to wait while we still take it for a passing failure

_LASTING = (BadCredentials, QuotaExceeded, UnknownModel)


@dataclass(slots=True)
class Breaker:
    """Closed, it lets every call pass; open, none; after a pause one, whose end decides.

    Every call that `admit` lets pass ends with `succeeded`, `failed` or `abandoned`. Times are seconds of any clock
    that never goes back.
    """

    failures: int = 0
    """In a row."""
    open_until: float = -math.inf
    probing: bool = False

    @property
    def closed(self) -> bool:
        """Whether nothing is known to be wrong."""
        return self.open_until == -math.inf

    def admits(self, now: float) -> bool:
        """Whether a call would pass."""
        return self.closed or (now >= self.open_until and not self.probing)

    def admit(self, now: float) -> bool:
        """Whether a call passes; while a probe is on its way no other does."""
        admitted = self.admits(now)
        self.probing = self.probing or (admitted and not self.closed)
        return admitted

    def succeeded(self) -> None:
        """A call came to its end: nothing is wrong any more."""
        self.failures, self.open_until, self.probing = 0, -math.inf, False

    def failed(self, now: float, pause: float | None) -> None:
        """A call failed; with a pause the next would fail, too."""
        self.failures += 1
        self.probing = False
        if pause is None and (self.failures >= FAILURES or not self.closed):
            pause = PAUSE
        if pause is not None:
            self.open_until = max(self.open_until, now + pause)

    def abandoned(self) -> None:
        """Nobody waited for the end of a call: nothing is known."""
        self.probing = False


def blames_the_model(error: ModelError) -> bool:
    """Whether a failure says something about the calls to come; what is wrong with one request does not."""
    return not isinstance(error, RequestRefused) and error.sentence_key != "loop_limit"


def pause_after(error: ModelError) -> float | None:
    """Seconds in which the same failure is sure to come again; None if it may have passed by then."""
    if isinstance(error, _LASTING):
        return LONG_PAUSE
    if error.retry_after is not None and error.retry_after > SHORT:
        return min(error.retry_after, LONG_PAUSE)
    return None
