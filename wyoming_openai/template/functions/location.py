"""Distances, the closest of several, and groups and zones opened to what is in them."""

import math
from collections.abc import Iterable
from typing import Any

from ..rendering import HomeFunction, Rendering
from ..states import TemplateState, find_state, is_entity_id
from .table import TemplateFunction

_METERS_PER_MILE = 0.0254 * 12 * 3 * 1760

# WGS 84
_AXIS = 6378137
_FLATTENING = 1 / 298.257223563
_MINOR_AXIS = 6356752.314245

Point = tuple[float, float]


def expand(rendering: Rendering, *args: Any) -> list[TemplateState]:
    """The states behind ids, groups and zones; the last argument first, what is not found left out."""
    sources = rendering.home.registries.sources
    stack = list(args)
    found: dict[str, TemplateState] = {}
    while stack:
        thing = stack.pop()
        state = _state_of(rendering, thing)
        if state is None:
            if isinstance(thing, Iterable) and not isinstance(thing, str):
                stack += thing  # not `extend`: what is undefined must raise
        elif state.entity_id in found:
            continue
        elif state.domain == "group" or sources.get(state.entity_id) == "group":
            stack.extend(state.attributes.get("entity_id") or ())
        elif state.domain == "zone":
            stack.extend(state.attributes.get("persons") or ())
        else:
            found[state.entity_id] = state
    return list(found.values())


def closest(rendering: Rendering, *args: Any) -> TemplateState | None:
    """`closest(things)`, `closest(state, things)` or `closest(latitude, longitude, things)`."""
    *place, things = args[:3]
    start = _start(rendering, place)
    if start is None:
        return None
    candidates = [state for state in expand(rendering, things) if _coordinates(state) is not None]
    return min(candidates, key=lambda state: meters(_coordinates(state), start) or 0, default=None)


def closest_filter(rendering: Rendering, things: Any, *place: Any) -> TemplateState | None:
    return closest(rendering, *place, things)


def distance(rendering: Rendering, *args: Any) -> float | None:
    """From home to a place or between two, in the unit of the home; None where a place is not known."""
    rest = list(args)
    places: list[Point] = []
    while rest:
        place = _next_place(rendering, rest)
        if place is None:
            return None
        places.append(place)
    if len(places) == 1:
        return _in_unit(rendering, meters(_home(rendering), places[0]))
    return _in_unit(rendering, meters(places[0], places[1]))


def meters(start: Point | None, end: Point | None) -> float | None:
    """Along the ellipsoid, by Vincenty's method; None where it does not converge (opposite ends of the earth)."""
    if start is None or end is None:
        return None
    if start == end:
        return 0.0
    sin_u1, cos_u1 = _reduced_latitude(start)
    sin_u2, cos_u2 = _reduced_latitude(end)
    difference = longitude = math.radians(end[1] - start[1])
    for _ in range(200):
        sin_l, cos_l = math.sin(longitude), math.cos(longitude)
        sin_sigma = math.sqrt((cos_u2 * sin_l) ** 2 + (cos_u1 * sin_u2 - sin_u1 * cos_u2 * cos_l) ** 2)
        if sin_sigma == 0.0:
            return 0.0
        cos_sigma = sin_u1 * sin_u2 + cos_u1 * cos_u2 * cos_l
        sigma = math.atan2(sin_sigma, cos_sigma)
        sin_alpha = cos_u1 * cos_u2 * sin_l / sin_sigma
        cos2_alpha = 1 - sin_alpha**2
        middle = cos_sigma - 2 * sin_u1 * sin_u2 / cos2_alpha if cos2_alpha else 0.0
        c = _FLATTENING / 16 * cos2_alpha * (4 + _FLATTENING * (4 - 3 * cos2_alpha))
        last = longitude
        longitude = difference + (1 - c) * _FLATTENING * sin_alpha * (
            sigma + c * sin_sigma * (middle + c * cos_sigma * (-1 + 2 * middle**2))
        )
        if abs(longitude - last) < 1e-12:
            return _arc(sigma, sin_sigma, cos_sigma, cos2_alpha, middle)
    return None


def _arc(sigma: float, sin_sigma: float, cos_sigma: float, cos2_alpha: float, middle: float) -> float:
    """The length of an arc, exact to a millimeter as in Home Assistant."""
    u2 = cos2_alpha * (_AXIS**2 - _MINOR_AXIS**2) / _MINOR_AXIS**2
    a = 1 + u2 / 16384 * (4096 + u2 * (-768 + u2 * (320 - 175 * u2)))
    b = u2 / 1024 * (256 + u2 * (-128 + u2 * (74 - 47 * u2)))
    inner = cos_sigma * (-1 + 2 * middle**2)
    outer = b / 6 * middle * (-3 + 4 * sin_sigma**2) * (-3 + 4 * middle**2)
    correction = b * sin_sigma * (middle + b / 4 * (inner - outer))
    return round(_MINOR_AXIS * a * (sigma - correction) / 1000, 6) * 1000


def _reduced_latitude(point: Point) -> tuple[float, float]:
    angle = math.atan((1 - _FLATTENING) * math.tan(math.radians(point[0])))
    return math.sin(angle), math.cos(angle)


def _start(rendering: Rendering, place: list[Any]) -> Point | None:
    match place:
        case []:
            return _home(rendering)
        case [state]:
            return _coordinates(_state_of(rendering, state))
        case _:
            return _point(place[0], place[1])


def _next_place(rendering: Rendering, rest: list[Any]) -> Point | None:
    """Take a state, or a latitude and a longitude, off the arguments."""
    value = rest.pop(0)
    state = None if isinstance(value, str) and not is_entity_id(value) else _state_of(rendering, value)
    if state is not None:
        return _coordinates(state)
    return _point(value, rest.pop(0)) if rest else None


def _state_of(rendering: Rendering, thing: Any) -> TemplateState | None:
    if isinstance(thing, TemplateState):
        return thing
    state = find_state(rendering, thing) if isinstance(thing, str) else None
    return None if state is None else TemplateState(state)


def _coordinates(state: TemplateState | None) -> Point | None:
    if state is None:
        return None
    latitude, longitude = state.attributes.get("latitude"), state.attributes.get("longitude")
    return (latitude, longitude) if isinstance(latitude, float | int) and isinstance(longitude, float | int) else None


def _point(latitude: Any, longitude: Any) -> Point | None:
    point = (_number(latitude), _number(longitude))
    return None if point[0] is None or point[1] is None else (point[0], point[1])


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        return None


def _home(rendering: Rendering) -> Point | None:
    config = rendering.home.config
    return None if config.latitude is None or config.longitude is None else (config.latitude, config.longitude)


def _in_unit(rendering: Rendering, meters: float | None) -> float:
    if meters is None:
        raise TypeError("None is not a numeric value.")
    match rendering.home.config.unit_system.get("length"):
        case "mi":
            return meters * (1 / _METERS_PER_MILE)
        case "m":
            return meters
        case _:
            return meters * (1 / 1000)


FUNCTIONS = (
    TemplateFunction("expand", HomeFunction(expand), "GF"),
    TemplateFunction("closest", HomeFunction(closest), "G"),
    TemplateFunction("closest", HomeFunction(closest_filter), "F"),
    TemplateFunction("distance", HomeFunction(distance), "G"),
)
