"""What the entity registry tells of an entity."""

from typing import Any

from ..rendering import HomeFunction, Rendering
from ..states import TemplateState, find_state
from .table import TemplateFunction


def entity_name(rendering: Rendering, entity_id: Any, *, fallback: bool = False) -> str | None:
    """Its own name, without that of its device; empty if it has none and no `fallback` to the device is wanted."""
    registries = rendering.home.registries
    entity = registries.entities.get(entity_id)
    if entity is None:
        state = find_state(rendering, entity_id)
        return None if state is None else TemplateState(state).name
    name = entity.original_name or "" if entity.name is None else entity.name
    device = registries.devices.get(entity.device_id or "")
    if name or not fallback or entity.area_id is not None or device is None:
        return name
    return device.name


def is_hidden_entity(rendering: Rendering, entity_id: Any) -> bool:
    entity = rendering.home.registries.entities.get(entity_id)
    return entity is not None and entity.hidden_by is not None


FUNCTIONS = (
    TemplateFunction("entity_name", HomeFunction(entity_name), "GF"),
    TemplateFunction("is_hidden_entity", HomeFunction(is_hidden_entity), "GT"),
)
