"""Integrations that were set up, and their entities."""

from typing import Any

from ..errors import TemplateError
from ..rendering import HomeFunction, Rendering
from .table import TemplateFunction

_ATTRIBUTES = frozenset({"domain", "title", "state", "source", "disabled_by", "pref_disable_polling"})


def integration_entities(rendering: Rendering, entry_name: Any) -> list[str]:
    """Those of all entries with this title, else the loaded ones of this domain."""
    if not isinstance(entry_name, str) or not entry_name:
        return []
    by_entry = rendering.home.registries.entities_by_config_entry
    entries = rendering.names.config_entries_by_title.get(entry_name, ())
    found = [entity.entity_id for entry in entries for entity in by_entry.get(entry, ())]
    return found or list(rendering.names.entities_by_source.get(entry_name, ()))


def config_entry_id(rendering: Rendering, entity_id: Any) -> str | None:
    entity = rendering.home.registries.entities.get(entity_id)
    return None if entity is None else entity.config_entry_id


def config_entry_attr(rendering: Rendering, config_entry_id: Any, attr_name: Any) -> Any:
    if not isinstance(config_entry_id, str):
        raise TemplateError("Must provide a config entry ID")
    if attr_name not in _ATTRIBUTES:
        raise TemplateError("Invalid config entry attribute")
    entry = rendering.home.registries.config_entries.get(config_entry_id)
    return None if entry is None else getattr(entry, attr_name)


FUNCTIONS = (
    TemplateFunction("integration_entities", HomeFunction(integration_entities), "GF"),
    TemplateFunction("config_entry_id", HomeFunction(config_entry_id), "GF"),
    TemplateFunction("config_entry_attr", HomeFunction(config_entry_attr), "GF"),
)
