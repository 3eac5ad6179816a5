"""Variables that a turn offers to templates beside Home Assistant's functions."""

from typing import Any

from jinja2 import nodes

from ..hass.home import Area, Home

_ASKS = frozenset({"typeof"})  # filters that say something of the function itself


class AreaVariable(str):
    """An area as a variable: its id, and everything else of it as attributes."""

    __slots__ = ("_area",)
    _area: Area

    def __new__(cls, area: Area) -> "AreaVariable":
        variable = super().__new__(cls, area.id)
        variable._area = area
        return variable

    def __getattr__(self, name: str) -> Any:
        return getattr(self._area, "id" if name == "area_id" else name)


def area_variables(home: Home) -> list[AreaVariable]:
    """What `areas` is where a template uses it as a variable."""
    return [AreaVariable(area) for area in home.registries.areas.values()]


def exposed_entities(home: Home) -> list[dict[str, Any]]:
    """What the assistant may know of, one entry each, as prompt templates of other agents expect it."""
    area_of = home.registries.area_of
    return [
        {
            "entity_id": state.entity_id,
            "name": home.name(state.entity_id),
            "state": state.state,
            "aliases": list(home.names(state.entity_id)[1:]),
            "area": area.name if (area := area_of(state.entity_id)) is not None else "",
        }
        for state in home.exposed_states()
    ]


def uses_areas_as_variable(tree: nodes.Template) -> bool:
    """Whether `areas` is walked or looked into, and nowhere called as Home Assistant's function.

    Asking `areas is defined` says nothing of what it is taken for.
    """
    asked: set[int] = set()
    for test in tree.find_all(nodes.Test):
        asked.add(id(test.node))
    for call in tree.find_all(nodes.Call):
        if _is_areas(call.node):
            return False
        asked.update(id(argument) for argument in call.args)
    asked.update(id(node.node) for node in tree.find_all(nodes.Filter) if node.name in _ASKS)
    return any(_is_areas(name) and id(name) not in asked for name in tree.find_all(nodes.Name))


def _is_areas(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "areas" and node.ctx == "load"
