"""What took how long in a turn, and a turn for a program."""

from dataclasses import asdict, dataclass

from ..conversation.turn_log import TurnRecord
from ..messages import JsonObject


@dataclass(frozen=True, slots=True)
class TurnPhase:
    """A part of a turn, in milliseconds since it was heard."""

    name: str
    start: float
    end: float


SPANS = (
    ("Looking at the home", "", "context"),
    ("Waiting for the model", "context", "first_token"),
    ("Tools", "tools", "tools_done"),
    ("Waiting again", "tools_done", "first_text"),
    ("Answering", "first_text", "total"),
)
"""From one moment to another; those that a turn did not have are left out."""


def phases(turn: TurnRecord) -> list[TurnPhase]:
    """The parts of a turn in order: heard, context, first token, tools, spoken."""
    moments = {"": 0.0, **turn.timings_ms}
    found = [
        TurnPhase(name, moments[start], max(moments[start], moments[end]))
        for name, start, end in SPANS
        if start in moments and end in moments and moments[end] >= moments[start]
    ]
    if "context" not in moments and "first_text" in moments:
        found.insert(0, TurnPhase("Local engine", 0.0, moments["first_text"]))
    return sorted(found, key=lambda phase: phase.start)


def turn_object(turn: TurnRecord) -> JsonObject:
    """A turn for a program."""
    return {**asdict(turn), "phases": [asdict(phase) for phase in phases(turn)]}
