"""Who may come in, and how much of us each may use: connections, events, memory, turns.

Wyoming knows no passwords: a caller may be anybody on the network, and Home Assistant must be served all the same.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from ..messages import CannotAnswer

Network = IPv4Network | IPv6Network

MAX_ADDRESSES = 1000
"""Whose pace is remembered."""


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """Enough for every honest client, bearable from every other. Seconds, bytes, counts; no seconds mean for ever."""

    first_byte: float | None = 30.0
    idle: float | None = 120.0
    """Between two events, while no question is open."""
    frame: float | None = 10.0
    """From the first byte of an event to its last."""
    write: float | None = 10.0
    stop: float = 7.5
    """For what is being answered when the program is told to stop."""

    header: int = 16 * 1024
    data: int = 256 * 1024
    payload: int = 64 * 1024
    """Audio that a client sends by mistake: skipped, never kept."""
    depth: int = 32
    large_frames: int = 8 * 1024 * 1024
    """Unfinished events over the size of a header, together. A header and a chunk for each connection add 4 MiB."""
    large_frames_per_second: float = 10.0
    """Reading the worst of them takes 50 ms."""

    connections: int = 128
    """A quarter of them is for those we trust: strangers who do not read their answers keep theirs for long."""
    connections_per_address: int = 64
    spare_descriptors: int = 64
    """Kept free for the home, the model and files."""
    events_per_second: float = 50.0
    events_at_once: float = 100.0
    address_events_per_second: float = 200.0
    address_events_at_once: float = 400.0

    turns: int = 4
    """Questions that are answered at the same time; half of them may be those of strangers, all together."""
    turns_per_address: int = 2
    """For an address that is not trusted."""
    waiting: int = 8
    """Half of them may be strangers' questions."""
    waiting_per_address: int = 4
    """For an address that is not trusted."""


LIMITS = AdmissionLimits()
UNLIMITED = AdmissionLimits(
    first_byte=None, idle=None, frame=None, write=None, waiting=10**6,
    large_frames_per_second=1e6, events_per_second=1e6, address_events_per_second=1e6,
)  # fmt: skip
"""For the standard input and output: whoever started the program."""


class ClientRefused(Exception):
    """A client gets no more of what it wants; the text is fit for a log, and short."""


class Admission:
    """The door: admits connections and sends idle ones away. One for all listeners of the process.

    With a list of networks only those are let in. They, this machine and the `trusted` ones may use all turns,
    and are never sent away for a stranger.
    """

    def __init__(
        self, limits: AdmissionLimits = LIMITS, *, allow: Sequence[Network] = (), trusted: Sequence[Network] = ()
    ) -> None:
        self.limits = limits
        self.update_networks(allow=allow, trusted=trusted)
        self._guests: set[ClientQuota] = set()
        self._buckets: OrderedDict[str | None, Bucket] = OrderedDict()
        self._turns = Turns(limits)
        self._large_frames = LargeFrames(limits)

    def admit(self, address: str | None) -> "ClientQuota":
        """A place for one more connection; an address of None is a Unix socket or a pipe. Raises `ClientRefused`."""
        ip = ip_address(address) if address is not None else None
        named = ip is not None and _within(ip, (*self._allow, *self._trusted))
        if ip and self._allow and not named:
            raise ClientRefused("an address that is not on the list")
        trusted = ip is None or ip.is_loopback or named
        if not trusted and self._bucket(address).is_overdrawn:
            raise ClientRefused("an address that connects too often")
        self._make_room(address, trusted=trusted)
        guest = ClientQuota(
            address,
            trusted=trusted,
            limits=self.limits,
            bucket=self._bucket(address),
            turns=self._turns,
            large_frames=self._large_frames,
        )
        self._guests.add(guest)
        return guest

    def update_networks(self, *, allow: Sequence[Network], trusted: Sequence[Network]) -> None:
        """From now on other networks."""
        self._allow, self._trusted = allow, trusted

    def release(self, guest: "ClientQuota") -> None:
        """The connection has ended."""
        self._guests.discard(guest)

    def _make_room(self, address: str | None, *, trusted: bool) -> None:
        own = [guest for guest in self._guests if guest.address == address]
        strangers = [guest for guest in self._guests if not guest.trusted]
        if len(own) >= self.limits.connections_per_address:
            self._send_away(own)
        elif not trusted and len(strangers) >= self.limits.connections - self.limits.connections // 4:
            self._send_away(strangers)
        elif len(self._guests) >= self.limits.connections:
            self._send_away(guest for guest in self._guests if trusted or not guest.trusted)

    def _send_away(self, guests: "Iterable[ClientQuota]") -> None:
        """End the connection that has been idle longest; who waits for an answer is not idle."""
        idle = min(
            (guest for guest in guests if not guest.open_questions), key=lambda guest: guest.active, default=None
        )
        if idle is None:
            raise ClientRefused("more connections than can be served")
        self.release(idle)
        idle.send_away()

    def _bucket(self, address: str | None) -> "Bucket":
        limits = self.limits
        bucket = self._buckets.setdefault(
            address, Bucket(limits.address_events_per_second, limits.address_events_at_once)
        )
        self._buckets.move_to_end(address)
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return bucket


class ClientQuota:
    """One connection, and what it may use of us."""

    def __init__(
        self,
        address: str | None,
        *,
        trusted: bool,
        limits: AdmissionLimits,
        bucket: "Bucket",
        turns: "Turns",
        large_frames: "LargeFrames",
    ) -> None:
        self.limits = limits
        self.address = address
        self.trusted = trusted
        self.open_questions = 0
        """Read and not yet answered."""
        self.active = time.monotonic()
        self.send_away: Callable[[], object] = lambda: None
        """Ends the connection at once."""
        self.large_frame = large_frames.hold
        self._bucket = Bucket(limits.events_per_second, limits.events_at_once)
        self._bucket_of_address = bucket
        self._is_new = True
        self._turns = turns
        self._end = float("inf")
        self._clock: asyncio.Timeout | None = None

    @property
    def is_untrusted(self) -> str | None:
        """The address of somebody who is not trusted."""
        return None if self.trusted else self.address

    async def pace(self) -> bool:
        """Let the next event in when it may come; gives whether it had to wait.

        The first one comes at once, at the cost of those that follow: Home Assistant sends one event on a connection,
        which must not wait behind whoever else is at its address.
        """
        waited = False
        if self._is_new:
            self._is_new = False
            self._bucket_of_address.borrow()
        else:
            waited = await self._bucket.take() | await self._bucket_of_address.take()
        self.active = time.monotonic()
        return waited

    @asynccontextmanager
    async def turn(self, until: float, *, line: float | None = None) -> AsyncIterator[None]:
        """A turn to answer a question, to be over at a time of the event loop's clock, and begun by that of `line`.

        Raises `CannotAnswer`: too many are asking, it took too long, or the program stops.
        """
        try:
            async with asyncio.timeout_at(min(until, self._end)) as clock:
                self._clock = clock  # waiting in line is part of it
                async with self._turns.turn(self, line):
                    yield
        except TimeoutError:
            if not clock.expired():
                raise  # somebody else's
            raise CannotAnswer("restarting" if self._end < float("inf") else "too_slow") from None
        finally:
            self._clock = None

    def stop_waiting_soon(self) -> None:
        """The program stops: no turn lasts longer than that allows."""
        self._end = asyncio.get_running_loop().time() + self.limits.stop
        if self._clock is not None and not self._clock.expired():
            self._clock.reschedule(min(self._end, self._clock.when() or self._end))


class Bucket:
    """Tokens that come back with time. Who finds none waits, first come, first served."""

    def __init__(self, rate: float, most: float) -> None:
        self._rate = rate
        self._most = most
        self._tokens = most
        self._counted = time.monotonic()
        self._line = asyncio.Lock()

    async def take(self) -> bool:
        """Take one token; gives whether there was none."""
        async with self._line:
            if (missing := 1 - self._count()) > 0:
                await asyncio.sleep(missing / self._rate)
            self._tokens -= 1
            return missing > 0

    @property
    def is_overdrawn(self) -> bool:
        """Whether so many are owed that no more may be."""
        return self._count() <= 1 - self._most

    def borrow(self) -> None:
        """Take one token that may not be there yet."""
        self._tokens = max(self._count() - 1, -self._most)

    def _count(self) -> float:
        now = time.monotonic()
        self._tokens = min(self._most, self._tokens + (now - self._counted) * self._rate)
        self._counted = now
        return self._tokens


class LargeFrames:
    """Events larger than anybody needs: little memory and little time for all of them together."""

    def __init__(self, limits: AdmissionLimits) -> None:
        self._limits = limits
        self._held = 0
        self._bucket = Bucket(limits.large_frames_per_second, limits.large_frames_per_second)

    @asynccontextmanager
    async def hold(self, size: int) -> AsyncIterator[None]:
        """Memory for an event while it arrives. Raises `ClientRefused`."""
        if self._held + size > self._limits.large_frames:
            raise ClientRefused("more large events than can be held")
        self._held += size
        try:
            await self._bucket.take()
            yield
        finally:
            self._held -= size


class Turns:
    """Questions that are answered at the same time, and the line of those that wait for that."""

    def __init__(self, limits: AdmissionLimits) -> None:
        self._limits = limits
        self._running: Counter[str | None] = Counter()
        self._strangers = 0
        """Of those that are running."""
        self._line: list[tuple[ClientQuota, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, guest: ClientQuota, line: float | None = None) -> AsyncIterator[None]:
        """Wait in line for a turn, at most until then. Raises `CannotAnswer`, at once where the line is too long."""
        if self._is_free(guest):
            self._begin(guest)
        else:
            try:
                async with asyncio.timeout_at(line):
                    await self._wait(guest)
            except TimeoutError:
                raise CannotAnswer("busy", "the questions before took too long") from None
        try:
            yield
        finally:
            self._end(guest)

    def _is_free(self, guest: ClientQuota) -> bool:
        limits = self._limits
        if guest.trusted:
            return self._running.total() < limits.turns
        free = self._strangers < max(1, limits.turns // 2) and self._running.total() < limits.turns
        return free and self._running[guest.address] < limits.turns_per_address

    async def _wait(self, guest: ClientQuota) -> None:
        limits, strangers = self._limits, [other for other, _ in self._line if not other.trusted]
        beside = sum(other.address == guest.address for other in strangers)
        too_many = beside >= limits.waiting_per_address or len(strangers) >= max(1, limits.waiting // 2)
        if len(self._line) >= limits.waiting or (not guest.trusted and too_many):
            raise CannotAnswer("busy", f"{len(self._line)} questions are waiting")
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append((guest, called))
        try:
            await called
        except asyncio.CancelledError:
            if called.cancelled():
                self._line.remove((guest, called))
            else:
                self._end(guest)  # was called in the same moment
            raise

    def _begin(self, guest: ClientQuota) -> None:
        self._running[guest.address] += 1
        self._strangers += not guest.trusted

    def _end(self, guest: ClientQuota) -> None:
        self._strangers -= not guest.trusted
        self._running[guest.address] -= 1
        if not self._running[guest.address]:
            del self._running[guest.address]
        self._call_next()

    def _call_next(self) -> None:
        for place in sorted(self._line, key=lambda place: not place[0].trusted):
            guest, called = place
            if not called.done() and self._is_free(guest):
                self._line.remove(place)
                self._begin(guest)
                called.set_result(None)
                return


def _within(ip: IPv4Address | IPv6Address, networks: Iterable[Network]) -> bool:
    return any(ip in network for network in networks)
