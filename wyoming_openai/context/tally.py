"""Adds up a group: how many are so, which are not, of which nobody knows. Complete, whatever their number."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..hass.home import Area, Home, State
from .directory import Directory
from .facts import kind_words, number_of, plural, quoted, state_word
from .sums import (
    GONE,
    Measured,
    added_up,
    by_thing,
    consumption,
    in_one_unit,
    is_low,
    lowest_first,
    plain_state,
    room_temperatures,
)

TOO_MANY = 40
"""Entities in one state that nobody tells one by one: then the areas with most of them are told."""

NAMED = 5
"""Exceptions that are told by name."""

MAX_STATES = 6
MAX_AREAS = 12

_PAIRS = (
    ("on", "off"), ("open", "closed", "opening", "closing"), ("unlocked", "locked", "jammed"), ("home", "not_home"),
)  # fmt: skip
"""States that answer each other; the first is what people ask for."""

_WITHOUT_ON = frozenset({"climate", "media_player", "water_heater"})
_OFF = frozenset({"off", "standby"})

QUIET = frozenset(
    {"off", "closed", "locked", "idle", "standby", "paused", "not_home", "docked", "disarmed", "unknown", "unavailable"}
)
"""States that nobody asks for by asking whether there is any."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Tells what the states of a home add up to."""

    home: Home
    directory: Directory
    now: datetime
    named: bool = True
    """Whether exceptions are told by name; not where they are listed anyway."""

    def lines(self, states: Sequence[State], asked: frozenset[str], place: str = "", name: str = "") -> Iterator[str]:
        """A line for each kind of thing among them, groups not counted beside their members."""
        number, kinds = self.directory.number, self.directory.kinds
        known = {state.entity_id: kinds[number[state.entity_id]] for state in states}
        things = by_thing(added_up(self.home, states), known)
        thermostats = things.get(("climate", "", ""), [])
        for (domain, device_class, _), members in things.items():
            if device_class == "temperature" and len(members) + len(thermostats) > 1:
                members = [*members, *thermostats]  # noqa: PLW2901
            if len(members) < 2:
                continue
            words = name or _plural_of(domain, device_class)
            start = f"In {place}: {words}" if place else words[:1].upper() + words[1:]
            yield from self._told(start, device_class, members, asked)

    def _told(self, start: str, device_class: str, states: list[State], asked: frozenset[str]) -> Iterator[str]:
        measured, unit = in_one_unit(states)
        if device_class == "battery":
            yield f"{start} {self._batteries(states)}"
        elif device_class == "temperature" and unit:
            yield from self._temperatures(start, states)
        elif len(measured) < 2 or not unit:
            yield f"{start} {self._counts(states, asked)}"
        elif device_class in ("power", "energy"):
            yield f"{start}: {self._consumption(states)}"
        else:
            yield f"{start}: {len(measured)}, {self._range(measured, unit)}{self._not_known(states)}"

    # ---- states

    def _counts(self, states: list[State], asked: frozenset[str]) -> str:
        """`on: 3 of 12 (A, B, C); off: 9`, the state asked for first, also where nothing is in it."""
        by_state: defaultdict[str, list[State]] = defaultdict(list)
        for state in states:
            if state.state not in GONE:
                by_state[plain_state(state)].append(state)
        pair = _pair(by_state, states[0].domain)
        wanted = _wanted(asked, states[0], {*by_state, *pair})
        order = _in_order(by_state, wanted, pair, is_asked=bool(asked))
        if not order:
            return f"not known: {len(states)}{_in_brackets(self._names(states))}"
        first, *rest = (self._count(value, by_state, states[0]) for value in order[:MAX_STATES])
        head, bracket, names = first.partition(" (")
        count, known = (sum(len(by_state.get(value, ())) for value in values) for values in (wanted, by_state))
        extent = _extent(count, known, len(states)) if wanted else ""
        return f"{'; '.join((f'{head} of {len(states)}{extent}{bracket}{names}', *rest))}{self._not_known(states)}"

    def _count(self, value: str, by_state: Mapping[str, list[State]], example: State) -> str:
        """How many are in a state; which, where they are few of many, and where, if they are very many."""
        states = by_state.get(value, [])
        word = state_word(self.home, replace(states[0] if states else example, state=_raw(value, example)), self.now)
        others = sum(len(each) for each in by_state.values()) - len(states)
        is_exception = bool(states) and (len(states) < others or (len(states) <= NAMED and value not in QUIET))
        named = self._names(states) if is_exception and len(states) <= TOO_MANY else self._areas(states, value)
        return f"{word}: {len(states)}{_in_brackets(named)}"

    def _names(self, states: Sequence[State]) -> str:
        """The first of them by name, with the room where the name does not tell it."""
        if not self.named:
            return ""
        told = [self._name(state) for state in states[:NAMED]]
        return ", ".join(told) + (f" and {len(states) - NAMED} more" if len(states) > NAMED else "")

    def _name(self, state: State) -> str:
        number = self.directory.number[state.entity_id]
        area = self.directory.areas[number]
        is_clear = number not in self.directory.clashes or area is None
        return quoted(state.name) if is_clear or area is None else f"{quoted(state.name)} in {quoted(area.name)}"

    def _areas(self, states: Sequence[State], value: str) -> str:
        """Where they are, when there are too many to be told one by one."""
        if len(states) <= TOO_MANY or value in QUIET:
            return ""
        areas = (self._area(state) for state in states)
        most = Counter(area.name for area in areas if area is not None).most_common(MAX_AREAS)
        told = ", ".join(f"{quoted(name)}: {count}" for name, count in most if count > 1)
        return f"most in {told}" if told else ""

    def _not_known(self, states: Sequence[State]) -> str:
        gone = [state for state in states if state.state in GONE]
        return f"; not known: {len(gone)}{_in_brackets(self._names(gone))}" if gone else ""

    # ---- numbers

    def _range(self, measured: list[Measured], unit: str) -> str:
        low, high = min(measured, key=_value), max(measured, key=_value)
        mean = sum(value for value, _ in measured) / len(measured)
        ends = f"highest {self._value(high, unit)}, lowest {self._value(low, unit)}"
        return f"{ends}, mean {mean:.1f} {unit}"

    def _value(self, measured: Measured, unit: str) -> str:
        """A number in the unit of the sum, with its name."""
        value, state = measured
        own = str(state.attributes.get("unit_of_measurement") or "")
        told = (
            state_word(self.home, state, self.now)
            if own == unit and state.domain == "sensor"
            else f"{value:.4g} {unit}"
        )
        return f"{told} ({self._name(state)})"

    def _temperatures(self, start: str, states: Sequence[State]) -> Iterator[str]:
        """Rooms apart from freezers, ovens and the garden."""
        found = room_temperatures(self.home, states, self._area)
        others = sorted(found.others, key=_value)
        if len(found.rooms) > 1:
            rooms = start.replace("emperature sensors", "emperatures of rooms")
            elsewhere = start.replace("emperature sensors", "emperatures elsewhere")
            yield f"{rooms}: {len(found.rooms)}, {self._range(found.rooms, found.unit)}{self._not_known(states)}"
            if others:
                yield f"{elsewhere}: {self._values(others, found.unit)}"
        elif found.rooms or others:
            yield f"{start}: {self._values([*found.rooms, *others], found.unit)}{self._not_known(states)}"

    def _values(self, measured: Sequence[Measured], unit: str) -> str:
        """Those that cannot be added up, one by one; of many the ends."""
        if len(measured) <= 2 * NAMED:
            return ", ".join(self._value(each, unit) for each in measured)
        ends = [self._value(each, unit) for each in (*measured[:NAMED], *measured[-NAMED:])]
        return f"{', '.join(ends)} and {len(measured) - len(ends)} between"

    def _consumption(self, states: Sequence[State]) -> str:
        """The sum of the consumers; what measures the whole home or is made stands apart."""
        found = consumption(states)
        parts = []
        if found.consumers:
            highest = self._value(max(found.consumers, key=_value), found.unit)
            together = f", together {found.total:.5g} {found.unit}" if len(found.consumers) > 1 else ""
            parts.append(f"{len(found.consumers)}{together}, highest {highest}")
        for words, measured in (("of the whole home", found.whole), ("made or stored", found.made)):
            if measured:
                parts.append(f"{words}: {self._values(measured, found.unit)}")
        return "; ".join(parts) + self._not_known(states)

    def _batteries(self, states: Sequence[State]) -> str:
        low = list(lowest_first(states))
        known = [state for state in states if is_low(state) is not None]
        more = f" and {len(low) - 2 * NAMED} more" if len(low) > 2 * NAMED else ""
        names = ", ".join(self._percent(state) for state in low[: 2 * NAMED])
        least = min((state for state in known if number_of(state) is not None), key=_percent, default=None)
        rest = f"; lowest {self._percent(least)}" if least is not None and not low else ""
        return f"low: {len(low)} of {len(known)}{_in_brackets(names + more)}{rest}{self._not_known(states)}"

    def _percent(self, state: State) -> str:
        return f"{self._name(state)} {state_word(self.home, state, self.now)}"

    def _area(self, state: State) -> Area | None:
        return self.directory.areas[self.directory.number[state.entity_id]]


def _plural_of(domain: str, device_class: str) -> str:
    """What such things are called: "windows", "batteries", "lights"."""
    if domain == "battery":
        return "batteries"
    return plural(kind_words("binary_sensor" if domain == "opening" else domain, device_class))


def _pair(by_state: Mapping[str, list[State]], domain: str) -> tuple[str, ...]:
    """The states that answer those there are; a thermostat has no "on" beside its "off"."""
    pairs = _PAIRS[1:] if domain in _WITHOUT_ON else _PAIRS
    return next((pair for pair in pairs if any(value in pair for value in by_state)), ())


def _wanted(asked: frozenset[str], example: State, there: set[str]) -> set[str]:
    """The states asked for, as far as such things can be in them."""
    if example.domain in _WITHOUT_ON and "on" in asked:
        return {value for value in there if value not in _OFF}
    return {plain_state(replace(example, state=raw)) for raw in asked} & there


def _in_order(
    by_state: Mapping[str, list[State]], wanted: set[str], pair: Sequence[str], *, is_asked: bool
) -> list[str]:
    """The states asked for first, also where nothing is in them, then what is not at rest, then the most frequent."""
    order = sorted(by_state, key=lambda value: (value not in wanted, value in QUIET, -len(by_state[value])))
    if wanted and not wanted & by_state.keys():
        return [next((value for value in pair if value in wanted), min(wanted)), *order]
    if not is_asked and order and order[0] in QUIET and pair and pair[0] not in by_state:
        return [pair[0], *order]
    return order


def _extent(count: int, known: int, total: int) -> str:
    """What counts leave to be worked out, where a state was asked for; what is not known is neither so nor not so."""
    if 0 < count < known:
        return ", not all"
    return f", {'all' if count else 'none'}{'' if known == total else ' that are known'}"


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _raw(value: str, example: State) -> str:
    """The state as the example's kind writes it."""
    if example.domain != "binary_sensor":
        return value
    return {"open": "on", "closed": "off"}.get(value, value)


def _value(measured: Measured) -> float:
    return measured[0]


def _percent(state: State) -> float:
    return number_of(state) or 0.0
