"""Who is who at home: the exposed entities, numbered, by name, kind and place. Built once, asked often. Pure."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..hass.home import Area, Home, Registries, State
from .facts import kind_of
from .relevance import NameIndex
from .vocabulary import words

_UNIT_CLASSES = {
    "°C": "temperature",
    "°F": "temperature",
    "K": "temperature",
    "W": "power",
    "kW": "power",
    "Wh": "energy",
    "kWh": "energy",
    "lx": "illuminance",
    "V": "voltage",
    "A": "current",
    "hPa": "pressure",
}
"""What a sensor measures whose integration does not say so."""

_RELATED: Mapping[str, tuple[str, ...]] = {
    ":door": (":garage_door",),
    ":garage": (":garage_door",),
    ":window": (":opening",),
    ":motion": (":occupancy", ":presence"),
    ":occupancy": (":presence", ":motion"),
    ":presence": (":occupancy",),
    ":temperature": ("climate",),
    "climate": ("water_heater",),
    "lock": (":lock",),
    "switch": ("input_boolean",),
    "weather": ("sun",),
    "person": ("device_tracker", ":presence", ":occupancy"),
}
"""What else may be meant. A door is first of all a door."""

_COVERS = frozenset({":awning", ":blind", ":curtain", ":damper", ":shade", ":shutter"})
"""Words that people mix: without a single shutter, blinds are meant."""


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the home that people name: an area, a floor, or whatever has a label."""

    kind: str
    id: str
    name: str


class Directory:
    """The exposed entities of a home, numbered, with what they can be found by."""

    def __init__(self, home: Home) -> None:
        self.registries = registries = home.registries
        states = list(home.exposed_states())
        self.ids: tuple[str, ...] = tuple(state.entity_id for state in states)
        self.number = {entity_id: number for number, entity_id in enumerate(self.ids)}
        self.names = NameIndex([home.names(entity_id) for entity_id in self.ids])
        self.areas: tuple[Area | None, ...] = tuple(registries.area_of(entity_id) for entity_id in self.ids)
        self.kinds: tuple[tuple[str, str], ...] = tuple(map(_kind, states))
        self.by_kind = _by_kind(self.kinds)
        self.places = tuple(_places(registries))
        self.place_names = NameIndex([names for _, names in self.places])
        self.kind_words = _words_of_kinds(self.kinds, home.translations)
        """What Home Assistant calls the kinds of this home."""
        self.state_words = _words_of_states(home.translations)
        """What Home Assistant calls states: the raw ones by folded word."""

    @cached_property
    def clashes(self) -> Mapping[int, frozenset[str]]:
        """For entities that share a name with others: what it takes to tell them apart ("kind", "domain", "id")."""
        return dict(pair for docs in self.names.same_names() for pair in self._told_apart(docs))

    def _told_apart(self, docs: Sequence[int]) -> Iterator[tuple[int, frozenset[str]]]:
        kinds = Counter(self.kinds[doc] for doc in set(docs))
        notes = Counter(device_class or domain for domain, device_class in kinds)
        places = Counter((self.kinds[doc], self.areas[doc]) for doc in set(docs))
        for doc in set(docs):
            domain, device_class = self.kinds[doc]
            needed = {
                "kind": True,
                "domain": notes[device_class or domain] > 1,
                "id": places[self.kinds[doc], self.areas[doc]] > 1,
            }
            yield doc, frozenset(need for need, is_needed in needed.items() if is_needed)

    @cached_property
    def _by_area(self) -> Mapping[str, tuple[int, ...]]:
        found: defaultdict[str, list[int]] = defaultdict(list)
        for number, area in enumerate(self.areas):
            if area is not None:
                found[area.id].append(number)
        return {area_id: tuple(numbers) for area_id, numbers in found.items()}

    def in_area(self, area_id: str) -> tuple[int, ...]:
        return self._by_area.get(area_id, ())

    def within(self, places: Sequence[Place]) -> frozenset[int]:
        """The entities of these places: of any of two rooms, but of a room that is on the floor."""
        together: frozenset[int] | None = None
        for kind in dict.fromkeys(place.kind for place in places):
            members = frozenset(number for place in places if place.kind == kind for number in self._members(place))
            together = members if together is None else together & members or together
        return together or frozenset()

    def _members(self, place: Place) -> frozenset[int]:
        if place.kind == "area":
            return frozenset(self.in_area(place.id))
        if place.kind == "floor":
            areas = self.registries.areas_by_floor.get(place.id, ())
            return frozenset(number for area in areas for number in self.in_area(area.id))
        return frozenset(self._labelled(place.id))

    def _labelled(self, label: str) -> Iterator[int]:
        """Labelled themselves, or through their device or area."""
        registries = self.registries
        found = list(registries.entities_by_label.get(label, ()))
        for device in registries.devices.values():
            if label in device.labels:
                found += registries.entities_by_device.get(device.id, ())
        yield from (self.number[entity.entity_id] for entity in found if entity.entity_id in self.number)
        for area in registries.areas.values():
            if label in area.labels:
                yield from self.in_area(area.id)

    def of_kinds(self, kinds: Iterable[str]) -> tuple[int, ...]:
        """The entities of these kinds, and of those that are meant too."""
        wanted = list(kinds)
        if not any(kind in self.by_kind for kind in wanted) and _COVERS & set(wanted):
            wanted.append("cover")
        related = [other for kind in wanted for other in _RELATED.get(kind, ())]
        return tuple(dict.fromkeys(number for kind in (*wanted, *related) for number in self.by_kind.get(kind, ())))


def _kind(state: State) -> tuple[str, str]:
    domain, device_class = kind_of(state)
    if not device_class and domain != "number":
        device_class = _UNIT_CLASSES.get(str(state.attributes.get("unit_of_measurement")), "")
    return domain, device_class


def _by_kind(kinds: Sequence[tuple[str, str]]) -> dict[str, tuple[int, ...]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, (domain, device_class) in enumerate(kinds):
        found[domain].append(number)
        if device_class:
            found[f":{device_class}"].append(number)
    return {kind: tuple(numbers) for kind, numbers in found.items()}


def _places(registries: Registries) -> Iterator[tuple[Place, tuple[str, ...]]]:
    for area in registries.areas.values():
        yield Place("area", area.id, area.name), (area.name, *area.aliases)
    for floor in registries.floors.values():
        yield Place("floor", floor.id, floor.name), (floor.name, *floor.aliases)
    for label in registries.labels.values():
        yield Place("label", label.id, label.name), (label.name,)


_TRANSLATION = re.compile(r"component\.(\w+)\.entity_component\.(\w+)\.(name|state\.(\w+))")


def _words_of_kinds(kinds: Iterable[tuple[str, str]], translations: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """What Home Assistant calls the kinds of this home: in English, and in its own language."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    present = {(domain, device_class) for domain, device_class in kinds}
    for domain, device_class in present:
        for word in words((device_class or domain).replace("_", " ")):
            found[word].add(f":{device_class}" if device_class else domain)
    for key, text in translations.items():
        match = _TRANSLATION.fullmatch(key)
        if match and match[3] == "name" and (match[1], match[2] if match[2] != "_" else "") in present:
            for word in words(text):
                found[word].add(match[1] if match[2] == "_" else f":{match[2]}")
    return {word: frozenset(of) for word, of in found.items() if len(word) > 2 and len(of) < 4}


def _words_of_states(translations: Mapping[str, str]) -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for key, text in translations.items():
        match = _TRANSLATION.fullmatch(key)
        if match and match[4] and len(words(text)) == 1:
            found[words(text)[0]].add(match[4])
    return {word: frozenset(states) for word, states in found.items() if len(states) < 4}
