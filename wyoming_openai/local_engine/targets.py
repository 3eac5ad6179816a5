"""Which entities a sentence is about, by the rules of Home Assistant's own intents. Pure; exposed entities only."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..hass.home import Area, Home, State

_CONTACTS = {"window": "window", "door": "door", "garage": "garage_door"}
"""Device class of a cover → the one of a sensor that tells the same of a window that nothing moves."""

_CONTACT_STATES = {"open": "on", "closed": "off"}


@dataclass(frozen=True, slots=True)
class TargetFilter:
    """What the entities must be like; what is empty or None does not matter."""

    entity_ids: tuple[str, ...] | None = None
    area_ids: frozenset[str] | None = None
    floor_ids: frozenset[str] | None = None
    domains: frozenset[str] = frozenset()
    device_classes: frozenset[str] = frozenset()

    @property
    def is_limited(self) -> bool:
        """Whether it leaves out anything at all."""
        return bool(self.domains or self.device_classes) or self._is_placed or self.entity_ids is not None

    @property
    def _is_placed(self) -> bool:
        return self.area_ids is not None or self.floor_ids is not None


def find_targets(home: Home, wanted: TargetFilter, preferred: Area | None = None) -> tuple[State, ...]:
    """The exposed entities that fit, in Home Assistant's order.

    Of several that bear the name that was said, those in the `preferred` area, if there are any.
    """
    found = tuple(state for state in _candidates(home, wanted) if _fits(home, state, wanted))
    if wanted.entity_ids is None or len(found) < 2 or preferred is None:
        return found
    return in_area(home, found, preferred) or found


def in_area(home: Home, states: Iterable[State], area: Area) -> tuple[State, ...]:
    return tuple(state for state in states if home.registries.area_of(state.entity_id) == area)


def with_contacts(wanted: TargetFilter) -> TargetFilter | None:
    """The sensors that answer a question about covers of a kind ("are any windows open"), or the other way round."""
    classes: dict[str, str] = {}
    if wanted.domains == {"cover"}:
        domain, classes = "binary_sensor", _CONTACTS
    elif wanted.domains == {"binary_sensor"}:
        domain, classes = "cover", {sensor: cover for cover, sensor in _CONTACTS.items()}
    found = frozenset(classes[each] for each in wanted.device_classes if each in classes)
    if not found or wanted.entity_ids is not None:
        return None
    return TargetFilter(None, wanted.area_ids, wanted.floor_ids, frozenset({domain}), found)


def contact_states(states: frozenset[str]) -> frozenset[str]:
    """The same states in the words of the other kind: open is on, on is open."""
    other = {**_CONTACT_STATES, **{sensor: cover for cover, sensor in _CONTACT_STATES.items()}}
    return frozenset(other[state] for state in states if state in other)


def _candidates(home: Home, wanted: TargetFilter) -> Iterable[State]:
    if wanted.entity_ids is not None:
        return [home.states[entity_id] for entity_id in wanted.entity_ids if entity_id in home.states]
    if wanted.domains:
        return [state for domain in sorted(wanted.domains) for state in home.states_in(domain).values()]
    return home.states.values()


def _fits(home: Home, state: State, wanted: TargetFilter) -> bool:
    if not home.is_exposed(state.entity_id):
        return False
    if wanted.domains and state.domain not in wanted.domains:
        return False
    if wanted.device_classes and state.attributes.get("device_class") not in wanted.device_classes:
        return False
    if wanted.area_ids is None and wanted.floor_ids is None:
        return True
    area = home.registries.area_of(state.entity_id)
    if area is None or (wanted.area_ids is not None and area.id not in wanted.area_ids):
        return False
    return wanted.floor_ids is None or area.floor_id in wanted.floor_ids
