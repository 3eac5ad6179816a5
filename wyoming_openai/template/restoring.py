"""Types that JSON loses, put back where they are known by name.

Only for entities of an integration: what was set over REST keeps the types of JSON in Home Assistant as well.
"""

from datetime import datetime
from typing import Any

from ..hass.home import Registries, State


class ReadOnlyDict(dict[str, Any]):
    """A state's attributes. The sandbox keeps them from being changed."""


class Enumerated(str):
    """A member of an enumeration in Home Assistant. It compares and prints alike, but its class is not known here."""

    __slots__ = ()


class EnumeratedNumber(int):
    """The same for flags."""


def _enumerated(value: Any) -> Any:
    if isinstance(value, str):
        return Enumerated(value)
    return EnumeratedNumber(value) if type(value) is int else value


def _enumerated_items(value: Any) -> Any:
    return [_enumerated(item) for item in value] if isinstance(value, list) else value


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _datetime(value: Any) -> Any:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value


_EVERYWHERE = {
    "color_mode": _enumerated,
    "hvac_action": _enumerated,
    "hvac_modes": _enumerated_items,
    "state_class": _enumerated,
    "supported_color_modes": _enumerated_items,
    "supported_features": _enumerated,
}
_COLORS = dict.fromkeys(("hs_color", "rgb_color", "xy_color", "rgbw_color", "rgbww_color"), _tuple)
_IN_DOMAIN = {
    "automation": _EVERYWHERE | {"last_triggered": _datetime},
    "group": _EVERYWHERE | {"entity_id": _tuple},
    "light": _EVERYWHERE | _COLORS,
    "media_player": _EVERYWHERE | {"media_position_updated_at": _datetime},
    "script": _EVERYWHERE | {"last_triggered": _datetime},
}


def attribute(state: State, name: str, registries: Registries, default: Any = None) -> Any:
    """One attribute of a state, of the type that it has in Home Assistant."""
    value = state.attributes.get(name, default)
    restore = _IN_DOMAIN.get(state.domain, _EVERYWHERE).get(name)
    return value if restore is None or state.entity_id not in registries.sources else restore(value)


def attributes(state: State, registries: Registries) -> ReadOnlyDict:
    """All attributes of a state, of the types that they have in Home Assistant."""
    known = ReadOnlyDict(state.attributes)
    if state.entity_id in registries.sources:
        restores = _IN_DOMAIN.get(state.domain, _EVERYWHERE)
        for name in restores.keys() & known.keys():
            known[name] = restores[name](known[name])
    return known
