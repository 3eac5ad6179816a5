"""Areas, and what is in them."""

from typing import Any

from ..names import normalized
from ..rendering import HomeFunction, Rendering
from ..states import is_entity_id
from .table import TemplateFunction


def has_entity_form(value: Any) -> bool:
    """Whether it could be an entity id, in capitals or not."""
    return value is not None and not isinstance(value, list | dict) and is_entity_id(str(value).lower())


def own_or_inherited_area(rendering: Rendering, device_id: Any) -> str | None:
    """The area id of a device, else of its parent, even of an area that is gone."""
    devices = rendering.home.registries.devices
    device = devices.get(device_id)
    if device is not None and device.area_id is None and device.parent_device_id is not None:
        device = devices.get(device.parent_device_id)
    return None if device is None else device.area_id


def _area_of_entity(rendering: Rendering, entity_id: Any) -> str | None:
    entity = rendering.home.registries.entities.get(entity_id) if has_entity_form(entity_id) else None
    if entity is None:
        return None
    return entity.area_id or (own_or_inherited_area(rendering, entity.device_id) if entity.device_id else None)


def areas(rendering: Rendering) -> list[str]:
    return list(rendering.home.registries.areas)


def area_id(rendering: Rendering, lookup_value: Any) -> str | None:
    """By the area's name or alias (not its id), an entity or a device."""
    name = normalized(str(lookup_value))
    found = rendering.names.areas.get(name) or rendering.names.area_aliases.get(name)
    if found is not None:
        return found
    found = _area_of_entity(rendering, lookup_value)
    return own_or_inherited_area(rendering, lookup_value) if found is None else found


def area_name(rendering: Rendering, lookup_value: Any) -> str | None:
    """By the area's id (not its name), an entity or a device."""
    areas = rendering.home.registries.areas
    if (area := areas.get(lookup_value)) is not None:
        return area.name
    found = _area_of_entity(rendering, lookup_value) or own_or_inherited_area(rendering, lookup_value)
    if not found:
        return None
    if found not in areas:
        raise AssertionError  # what Home Assistant says of an area that is gone
    return areas[found].name


def resolved_area(rendering: Rendering, area_id_or_name: Any) -> str | None:
    """What `area_name` knows is taken as an id, all else as a name."""
    if area_name(rendering, area_id_or_name) is not None:
        return str(area_id_or_name)
    return area_id(rendering, area_id_or_name)


def area_entities(rendering: Rendering, area_id_or_name: Any) -> list[str]:
    found = resolved_area(rendering, area_id_or_name)
    return [] if found is None else list(rendering.names.entities_in_area(found))


def area_devices(rendering: Rendering, area_id_or_name: Any) -> list[str]:
    found = resolved_area(rendering, area_id_or_name)
    return [] if found is None else [device.id for device in rendering.names.devices_in_area(found)]


FUNCTIONS = (
    TemplateFunction("areas", HomeFunction(areas), "G"),
    TemplateFunction("area_id", HomeFunction(area_id), "GF"),
    TemplateFunction("area_name", HomeFunction(area_name), "GF"),
    TemplateFunction("area_entities", HomeFunction(area_entities), "GF"),
    TemplateFunction("area_devices", HomeFunction(area_devices), "GF"),
)
