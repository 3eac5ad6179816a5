"""Devices, and what the registry tells of them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from ...hass.home import Device
from ..errors import TemplateError
from ..rendering import HomeFunction, Rendering
from .areas import has_entity_form
from .table import TemplateFunction


def device_entities(rendering: Rendering, _device_id: Any) -> list[str]:
    """Enabled ones only."""
    entities = rendering.home.registries.entities_by_device.get(_device_id, ())
    return [entity.entity_id for entity in entities if entity.disabled_by is None]


def device_id(rendering: Rendering, entity_id_or_device_name: Any) -> str | None:
    """By an entity, else by the exact name."""
    entity = rendering.home.registries.entities.get(entity_id_or_device_name)
    if entity is not None:
        return entity.device_id
    return rendering.names.devices.get(str(entity_id_or_device_name))


def device_name(rendering: Rendering, lookup_value: Any) -> str | None:
    registries = rendering.home.registries
    device = registries.devices.get(lookup_value)
    if device is None and has_entity_form(lookup_value) and (entity := registries.entities.get(lookup_value)):
        device = registries.devices.get(entity.device_id or "")
    return None if device is None else device.name


def device_attr(rendering: Rendering, device_or_entity_id: Any, attr_name: Any) -> Any:
    """Whatever the registry's entry knows; None for what it does not."""
    if not isinstance(device_or_entity_id, str):
        raise TemplateError("Must provide a device or entity ID")
    key = device_or_entity_id if "." not in device_or_entity_id else device_id(rendering, device_or_entity_id)
    device = rendering.home.registries.devices.get(key or "")
    if device is None:
        return None
    if not isinstance(attr_name, str):
        raise TypeError(f"attribute name must be string, not '{type(attr_name).__name__}'")
    read = _READERS.get(attr_name)
    return device.row.get(attr_name) if read is None else read(device)


def is_device_attr(rendering: Rendering, device_or_entity_id: Any, attr_name: Any, attr_value: Any) -> bool:
    return bool(device_attr(rendering, device_or_entity_id, attr_name) == attr_value)


def _read(name: str, convert: Callable[[Any], Any]) -> Callable[[Device], Any]:
    """An attribute whose type JSON loses."""
    return lambda device: None if (value := device.row.get(name)) is None else convert(value)


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def _pairs(values: list[list[str]]) -> set[tuple[str, ...]]:
    return {tuple(value) for value in values}


def _as_dictionary(device: Device) -> dict[str, Any]:
    pairs = {name: list(_pairs(device.row[name])) for name in ("connections", "identifiers") if name in device.row}
    return {**device.row, **pairs}


_READERS: dict[str, Callable[[Device], Any]] = {
    "config_entries": lambda device: {device.row.get("config_entry_id")},
    "config_entries_subentries": lambda device: {
        device.row.get("config_entry_id"): {device.row.get("config_subentry_id")}
    },
    "connections": _read("connections", _pairs),
    "created_at": _read("created_at", _moment),
    "dict_repr": _as_dictionary,
    "disabled": lambda device: device.disabled_by is not None,
    "has_composite_identifiers": lambda device: False if device.parent_device_id is None else None,
    "identifiers": _read("identifiers", _pairs),
    "is_composite_device": lambda _device: False,
    "json_repr": lambda device: orjson.dumps(device.row),
    "labels": _read("labels", set),
    "modified_at": _read("modified_at", _moment),
    "primary_config_entry": lambda device: device.row.get("config_entry_id"),
}

FUNCTIONS = (
    TemplateFunction("device_entities", HomeFunction(device_entities), "GF"),
    TemplateFunction("device_id", HomeFunction(device_id), "GF"),
    TemplateFunction("device_name", HomeFunction(device_name), "GF"),
    TemplateFunction("device_attr", HomeFunction(device_attr), "GF"),
    TemplateFunction("is_device_attr", HomeFunction(is_device_attr), "GT"),
)
