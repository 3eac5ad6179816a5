"""The people of the home and where they are, as far as they are exposed."""

import math

from ..hass.home import State
from ..messages import ToolSpec
from .entity_lookup import of_domain
from .subject import rounded
from .toolbox import Tool, ToolContext, schema

EARTH = 6371.0
"""Kilometres to the middle of it."""


async def get_people(context: ToolContext) -> str:
    """Everybody on a line: the zone they are in, for how long, and how far away."""
    writer, number = context.writer, context.directory.number
    people = of_domain(context, "person", ())
    return "\n".join(
        f"{writer.entity_line(number[person.entity_id], lasting=True)}{_far(context, person)}" for person in people
    )


GET_PEOPLE = Tool(
    ToolSpec("get_people", "Where people are and since when.", schema(), read_only=True),
    get_people,
)


def _far(context: ToolContext, person: State) -> str:
    """How far from home, where that is known and more than a walk around the house."""
    home = context.home.config
    there = [person.attributes.get(name) for name in ("latitude", "longitude")]
    if person.state == "home" or home.latitude is None or home.longitude is None:
        return ""
    if not all(isinstance(each, int | float) for each in there):
        return ""
    latitude, longitude = (math.radians(float(each)) for each in there if each is not None)
    here = math.radians(home.latitude), math.radians(home.longitude)
    half = (
        math.sin((latitude - here[0]) / 2) ** 2
        + math.cos(latitude) * math.cos(here[0]) * math.sin((longitude - here[1]) / 2) ** 2
    )
    return f", {rounded(2 * EARTH * math.asin(math.sqrt(half)), 1)} km from home"
