"""Who is called what: names and aliases of areas, floors, labels and devices, indexed once for each `Registries`."""

from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache

from ..hass.home import Area, Device, Floor, Registries


def normalized(name: str) -> str:
    """Names are compared without case and blanks."""
    return name.casefold().replace(" ", "")


class RegistryNames:
    """The ids behind names, and what belongs where, as Home Assistant's templates see it."""

    def __init__(self, registries: Registries) -> None:
        self.registries = registries

    @cached_property
    def areas(self) -> Mapping[str, str]:
        return _by_name((area.name, area.id) for area in self.registries.areas.values())

    @cached_property
    def area_aliases(self) -> Mapping[str, str]:
        return _by_alias(self.registries.areas.values())

    @cached_property
    def floors(self) -> Mapping[str, str]:
        return _by_name((floor.name, floor.id) for floor in self.registries.floors.values())

    @cached_property
    def floor_aliases(self) -> Mapping[str, str]:
        return _by_alias(self.registries.floors.values())

    @cached_property
    def labels(self) -> Mapping[str, str]:
        return _by_name((label.name, label.id) for label in self.registries.labels.values())

    @cached_property
    def devices(self) -> Mapping[str, str]:
        """By exact name; of several the first, main devices before their children."""
        devices = sorted(self.registries.devices.values(), key=lambda device: device.parent_device_id is not None)
        return {device.name: device.id for device in reversed(devices) if device.name}

    @cached_property
    def areas_by_label(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped((label, area.id) for area in self.registries.areas.values() for label in area.labels)

    @cached_property
    def devices_by_label(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped((label, device.id) for device in self.registries.devices.values() for label in device.labels)

    @cached_property
    def config_entries_by_title(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped((entry.title, entry.id) for entry in self.registries.config_entries.values())

    @cached_property
    def entities_by_source(self) -> Mapping[str, tuple[str, ...]]:
        """Loaded entities by integration."""
        return _grouped((domain, entity_id) for entity_id, domain in self.registries.sources.items())

    def devices_in_area(self, area_id: str) -> list[Device]:
        """Those of the area itself, main devices first, then children that inherit it from one of them."""
        own = self.registries.devices_by_own_area.get(area_id, ())
        main = [device for device in own if device.parent_device_id is None]
        children = [device for device in own if device.parent_device_id is not None]
        inherited = [
            child
            for device in main
            for child in self.registries.children_by_parent.get(device.id, ())
            if child.area_id is None
        ]
        return main + children + inherited

    @cached_property
    def _entities_by_area(self) -> dict[str, tuple[str, ...]]:
        return {}

    def entities_in_area(self, area_id: str) -> tuple[str, ...]:
        """Those with the area itself, also disabled ones; then enabled ones of its devices without an own area."""
        known = self._entities_by_area.get(area_id)
        if known is None:
            known = self._entities_by_area[area_id] = tuple(self._find_entities(area_id))
        return known

    def _find_entities(self, area_id: str) -> Iterable[str]:
        for entity in self.registries.entities_by_own_area.get(area_id, ()):
            yield entity.entity_id
        for device in self.devices_in_area(area_id):
            for entity in self.registries.entities_by_device.get(device.id, ()):
                if entity.area_id is None and entity.disabled_by is None:
                    yield entity.entity_id


class _Same:
    """Stands for one object, not for what it is equal to."""

    def __init__(self, registries: Registries) -> None:
        self.registries = registries

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.registries is other.registries

    def __hash__(self) -> int:
        return id(self.registries)


def names_of(registries: Registries) -> RegistryNames:
    return _names_of(_Same(registries))


@lru_cache(maxsize=2)  # a rendering can meet the registries before and after an update
def _names_of(same: _Same) -> RegistryNames:
    return RegistryNames(same.registries)


def _by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {normalized(name): value for name, value in pairs}


def _by_alias(things: Iterable[Area] | Iterable[Floor]) -> dict[str, str]:
    """Of several with one alias, the first."""
    aliases: dict[str, str] = {}
    for thing in things:
        for alias in thing.aliases:
            aliases.setdefault(normalized(alias), thing.id)
    return aliases


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in groups.items()}
