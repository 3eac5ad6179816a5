"""Puts the home into words for the model: one entity a line, a group in a sum, the whole home, its index. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property

from ..hass.home import Area, Home, Registries, State
from ..tokens import estimate
from .attributes import attribute_words
from .directory import Directory
from .facts import (
    kind_of,
    kind_words,
    lasting_words,
    needs_class,
    number_of,
    plural,
    quoted,
    state_word,
)
from .moments import start_of
from .tally import Tally


class HomeWriter:
    """Tells of the entities of a directory as they are now."""

    def __init__(self, home: Home, directory: Directory, now: datetime) -> None:
        self._home = home
        self.directory = directory
        self._now = now

    @cached_property
    def _started(self) -> float | None:
        """When Home Assistant started, where that shows."""
        return start_of(state.last_changed for state in self._home.states.values())

    def state(self, number: int) -> State | None:
        """What is known of an entity now; exposure is asked for again, whatever the directory holds."""
        entity_id = self.directory.ids[number]
        return self._home.states.get(entity_id) if self._home.is_exposed(entity_id) else None

    def measure(self, number: int) -> float:
        """The number it measures; a thermostat measures a temperature."""
        state = self.state(number)
        if state is None:
            return float("-inf")
        current = state.attributes.get("current_temperature") if state.domain == "climate" else None
        found = float(current) if isinstance(current, int | float) else number_of(state)
        return float("-inf") if found is None else found

    def is_measured(self, numbers: Sequence[int]) -> bool:
        """Whether these are compared by numbers."""
        domains = {self.directory.kinds[number][0] for number in numbers}
        return "sensor" in domains and domains <= {"sensor", "climate", "number", "input_number"}

    def by_size(self, numbers: Sequence[int]) -> list[int]:
        """The highest first; of batteries the lowest, which are what people ask for."""
        is_battery = all(self.directory.kinds[number][1] == "battery" for number in numbers)
        known = sorted(numbers, key=self.measure, reverse=not is_battery)
        return sorted(known, key=lambda number: self.measure(number) == float("-inf"))

    def entity_line(self, number: int, *, area: bool = True, lasting: bool = False) -> str:
        """One entity on one line: `- name (area): state, what else matters`; "" if it is gone."""
        state = self.state(number)
        if state is None:
            return ""
        words = [state_word(self._home, state, self._now), *attribute_words(self._home, state, self._now)]
        if lasting and (since := lasting_words(state, self._now, self._started)):
            words.append(since)
        notes = ", ".join(self._notes(number, state, area))
        return f"- {quoted(state.name)}{f' ({notes})' if notes else ''}: {', '.join(words)}"

    def _notes(self, number: int, state: State, with_area: bool) -> Iterator[str]:
        """What tells it apart: its kind, its area, and for complete twins the id."""
        area = self.directory.areas[number]
        clash = self.directory.clashes.get(number, frozenset())
        domain, device_class = kind_of(state)
        if clash or needs_class(state):
            yield (device_class or domain).replace("_", " ")
        if "domain" in clash and device_class:
            yield domain.replace("_", " ")
        if area is not None and with_area and (clash or area.name.casefold() not in state.name.casefold()):
            yield quoted(area.name)
        if "id" in clash:
            yield state.entity_id

    # ---- groups

    def summaries(
        self, members: Sequence[int], asked: frozenset[str], place: str = "", name: str = "", *, named: bool = True
    ) -> Iterator[str]:
        """For each kind among the members: how many there are in which state, exceptions by name. Complete."""
        states = [state for number in members if (state := self.state(number)) is not None]
        return Tally(self._home, self.directory, self._now, named).lines(states, asked, place, name)

    # ---- the home

    def whole_home(self) -> str:
        """Every exposed entity with its state, by area."""
        by_area: defaultdict[Area | None, list[int]] = defaultdict(list)
        for number, area in enumerate(self.directory.areas):
            by_area[area].append(number)
        parts = []
        for area in sorted(by_area, key=self._area_order):
            records = [self.entity_line(number, area=False) for number in by_area[area]]
            parts.append("\n".join((self._heading(area), *filter(None, records))))
        return "\n".join(parts)

    def _area_order(self, area: Area | None) -> tuple[bool, str]:
        return area is None, f"{area.floor_id or '~'} {area.name}" if area else ""

    def _heading(self, area: Area | None) -> str:
        if area is None:
            return "No area:"
        floor = self._home.registries.floors.get(area.floor_id or "")
        also = "".join(f", {quoted(alias)}" for alias in area.aliases[:3])
        return f"{quoted(area.name)}{also}{f' ({quoted(floor.name)})' if floor else ''}:"


def index_text(directory: Directory, budget: int) -> str:
    """Floors, areas, and how many of which kind are there; less of it where the budget is too small."""
    counts: defaultdict[str | None, Counter[str]] = defaultdict(Counter)
    for kind, area in zip(directory.kinds, directory.areas, strict=True):
        counts[area.id if area else None][_index_kind(kind)] += 1
    total = sum(counts.values(), Counter())
    head = f"The home has {len(directory.ids)} entities: {_counted(total)}."
    fitting = ""
    for kinds in (0, 1, 4, 8, 20):  # the shortest first: of a large home the others are never made
        text = "\n".join((head, *_floors(directory.registries, counts, kinds)))
        if estimate(text) > budget:
            return fitting or _cut(text, budget)
        fitting = text
    return fitting


def _cut(text: str, budget: int) -> str:
    """As many of the words as the budget allows."""
    kept: list[str] = []
    left = budget - estimate(" …")
    for word in text.split(" "):
        left -= estimate(word + " ")
        if left < 0:
            return " ".join((*kept, "…"))
        kept.append(word)
    return text


def _index_kind(kind: tuple[str, str]) -> str:
    domain, device_class = kind
    return kind_words(domain, device_class if domain in ("binary_sensor", "sensor") else "")


def _counted(counts: Counter[str], most: int = 20) -> str:
    told = [f"{count} {kind if count == 1 else plural(kind)}" for kind, count in counts.most_common(most)]
    rest = sum(counts.values()) - sum(count for _, count in counts.most_common(most))
    return ", ".join([*told, *([f"{rest} others"] if rest else [])])


def _floors(registries: Registries, counts: dict[str | None, Counter[str]], kinds: int) -> Iterator[str]:
    """The areas of each floor, with their `kinds` most frequent kinds; with 1 their size, with 0 their names alone."""
    floors = registries.floors
    by_floor: defaultdict[str, list[Area]] = defaultdict(list)
    for area in registries.areas.values():
        by_floor[area.floor_id if area.floor_id and area.floor_id in floors else ""].append(area)
    for floor_id, areas in sorted(by_floor.items(), key=lambda item: item[0] == ""):
        name = f"Floor {quoted(floors[floor_id].name)}" if floor_id else ("Areas" if not floors else "No floor")
        if kinds > 1:
            yield f"{name}:"
            yield from (f"- {quoted(area.name)}: {_counted(counts[area.id], kinds) or 'nothing'}" for area in areas)
        else:
            told = (
                f"{quoted(area.name)} {sum(counts[area.id].values())}" if kinds else quoted(area.name) for area in areas
            )
            yield f"{name}: {', '.join(told)}"
