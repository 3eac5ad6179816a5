"""Devices, and what the registry tells of them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from ...hass.home import Device
from ..errors import TemplateError
from ..rendering import HomeFunction, Rendering
from .areas import has_entity_form
from .table import Row


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
    key: str | None = device_or_entity_id
    if "." in device_or_entity_id:
        key = device_id(rendering, device_or_entity_id)
    device = rendering.home.registries.devices.get(key or "")
    return None if device is None else _of_entry(device, attr_name)


def is_device_attr(rendering: Rendering, device_or_entity_id: Any, attr_name: Any, attr_value: Any) -> bool:
    return bool(device_attr(rendering, device_or_entity_id, attr_name) == attr_value)


def _of_entry(device: Device, name: Any) -> Any:
    if not isinstance(name, str):
        raise TypeError(f"attribute name must be string, not '{type(name).__name__}'")
    if name in _COMPUTED:
        return _COMPUTED[name](device)
    value = device.row.get(name)
    return value if value is None or name not in _RESTORED else _RESTORED[name](value)


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def _pairs(values: list[list[str]]) -> set[tuple[str, ...]]:
    return {tuple(value) for value in values}


def _as_dictionary(device: Device) -> dict[str, Any]:
    pairs = {name: list(_pairs(device.row[name])) for name in ("connections", "identifiers") if name in device.row}
    return {**device.row, **pairs}


_RESTORED: dict[str, Callable[[Any], Any]] = {
    "connections": _pairs,
    "created_at": _moment,
    "identifiers": _pairs,
    "labels": set,
    "modified_at": _moment,
}
_COMPUTED: dict[str, Callable[[Device], Any]] = {
    "config_entries": lambda device: {device.row.get("config_entry_id")},
    "config_entries_subentries": lambda device: {
        device.row.get("config_entry_id"): {device.row.get("config_subentry_id")}
    },
    "dict_repr": _as_dictionary,
    "disabled": lambda device: device.disabled_by is not None,
    "has_composite_identifiers": lambda _device: False,
    "is_composite_device": lambda _device: False,
    "json_repr": lambda device: orjson.dumps(device.row),
    "primary_config_entry": lambda device: device.row.get("config_entry_id"),
}

FUNCTIONS = (
    Row("device_entities", HomeFunction(device_entities), "GF"),
    Row("device_id", HomeFunction(device_id), "GF"),
    Row("device_name", HomeFunction(device_name), "GF"),
    Row("device_attr", HomeFunction(device_attr), "GF"),
    Row("is_device_attr", HomeFunction(is_device_attr), "GT"),
)
