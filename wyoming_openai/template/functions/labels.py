"""Labels, and what carries them."""

from typing import Any

from ..names import normalized
from ..rendering import HomeFunction, Rendering
from ..states import is_entity_id
from .table import TemplateFunction


def labels(rendering: Rendering, lookup_value: Any = None) -> list[str]:
    """All, or those of an entity, a device or an area."""
    registries = rendering.home.registries
    if lookup_value is None:
        return list(registries.labels)
    key = str(lookup_value)
    if is_entity_id(key.lower()) and (entity := registries.entities.get(key)) is not None:
        return list(entity.labels)
    labelled = registries.devices.get(key) or registries.areas.get(key)
    return [] if labelled is None else list(labelled.labels)


def label_id(rendering: Rendering, lookup_value: Any) -> str | None:
    """By name; an id is none."""
    return rendering.names.labels.get(normalized(str(lookup_value)))


def label_name(rendering: Rendering, lookup_value: Any) -> str | None:
    label = rendering.home.registries.labels.get(lookup_value)
    return None if label is None else label.name


def label_description(rendering: Rendering, lookup_value: Any) -> str | None:
    label = rendering.home.registries.labels.get(lookup_value)
    return None if label is None else label.description


def _resolved(rendering: Rendering, label_id_or_name: Any) -> str:
    if label_name(rendering, label_id_or_name) is not None:
        return str(label_id_or_name)
    return label_id(rendering, label_id_or_name) or ""


def label_areas(rendering: Rendering, label_id_or_name: Any) -> list[str]:
    return list(rendering.names.areas_by_label.get(_resolved(rendering, label_id_or_name), ()))


def label_devices(rendering: Rendering, label_id_or_name: Any) -> list[str]:
    return list(rendering.names.devices_by_label.get(_resolved(rendering, label_id_or_name), ()))


def label_entities(rendering: Rendering, label_id_or_name: Any) -> list[str]:
    entities = rendering.home.registries.entities_by_label.get(_resolved(rendering, label_id_or_name), ())
    return [entity.entity_id for entity in entities]


FUNCTIONS = (
    TemplateFunction("labels", HomeFunction(labels), "GF"),
    TemplateFunction("label_id", HomeFunction(label_id), "GF"),
    TemplateFunction("label_name", HomeFunction(label_name), "GF"),
    TemplateFunction("label_description", HomeFunction(label_description), "GF"),
    TemplateFunction("label_areas", HomeFunction(label_areas), "GF"),
    TemplateFunction("label_devices", HomeFunction(label_devices), "GF"),
    TemplateFunction("label_entities", HomeFunction(label_entities), "GF"),
)
