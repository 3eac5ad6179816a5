"""Floors, and what is on them."""

from typing import Any

from ..names import normalized
from ..rendering import HomeFunction, Rendering
from .areas import area_id
from .table import TemplateFunction


def floors(rendering: Rendering) -> list[str]:
    return list(rendering.home.registries.floors)


def floor_id(rendering: Rendering, lookup_value: Any) -> str | None:
    """By the floor's name or alias, else by whatever `area_id` knows."""
    name = normalized(str(lookup_value))
    found = rendering.names.floors.get(name) or rendering.names.floor_aliases.get(name)
    return _floor_of_area(rendering, lookup_value) if found is None else found


def floor_name(rendering: Rendering, lookup_value: Any) -> str | None:
    """By the floor's id, else by whatever `area_id` knows."""
    floors = rendering.home.registries.floors
    floor = floors.get(lookup_value) or floors.get(_floor_of_area(rendering, lookup_value) or "")
    return None if floor is None else floor.name


def floor_areas(rendering: Rendering, floor_id_or_name: Any) -> list[str]:
    """What `floor_name` knows is taken as an id, so the name of an area has none."""
    known = floor_name(rendering, floor_id_or_name) is not None
    found = floor_id_or_name if known else floor_id(rendering, floor_id_or_name)
    return [] if found is None else [area.id for area in rendering.home.registries.areas_by_floor.get(found, ())]


def floor_entities(rendering: Rendering, floor_id_or_name: Any) -> list[str]:
    areas = floor_areas(rendering, floor_id_or_name)
    return [entity_id for area in areas for entity_id in rendering.names.entities_in_area(area)]


def _floor_of_area(rendering: Rendering, lookup_value: Any) -> str | None:
    area = rendering.home.registries.areas.get(area_id(rendering, lookup_value) or "")
    return None if area is None else area.floor_id


FUNCTIONS = (
    TemplateFunction("floors", HomeFunction(floors), "G"),
    TemplateFunction("floor_id", HomeFunction(floor_id), "GF"),
    TemplateFunction("floor_name", HomeFunction(floor_name), "GF"),
    TemplateFunction("floor_areas", HomeFunction(floor_areas), "GF"),
    TemplateFunction("floor_entities", HomeFunction(floor_entities), "GF"),
)
