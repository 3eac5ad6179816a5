"""What happened: when, how long, how often, how much. Computed here, so that the model only has to word it."""

from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime

from ..messages import ToolSpec
from .entity_lookup import EntityFilter, LookupResult, look_up
from .intervals import Record, uses
from .number_history import tell_measured
from .periods import EXAMPLES, Period, parse_period
from .recorder import FAR_BACK, Recorder, read_series
from .state_history import StateHistory, tell_uses
from .subject import MEASURED_ATTRIBUTES, NUMERIC, HistorySubject, StateQuery
from .toolbox import Texts, Tool, ToolContext, ToolError, schema, string, texts

MEASURES = ("last", "first", "duration", "count", "min", "max", "mean", "sum", "at", "list")

MOST_ENTITIES = 4

PRESSED = {"button": "pressed", "event": "fired", "input_button": "pressed", "scene": "activated"}
STARTED = frozenset({"automation", "script"})


async def get_history(context: ToolContext, *, name: Texts, period: str, measure: str = "", state: Texts = None) -> str:
    """One entity, or a few, in a period; each answer with its unit, its times and what is not known."""
    asked = str(measure).casefold().strip()
    if asked and asked not in MEASURES:
        raise ToolError(f"measure is one of {', '.join(MEASURES)}")
    stretch = parse_period(str(period), context.now).until(context.now)
    if not texts(name):
        raise ToolError("say whose history, by name")
    choice = look_up(context, EntityFilter(names=texts(name)))
    subjects = _subjects(context, choice, stretch, asked)
    told = [await _tell(subject, asked, texts(state)) for subject in subjects]
    allowed = [text for subject, text in zip(subjects, told, strict=True) if _is_there(subject)]
    if not allowed:
        raise ToolError("nothing is known by that name")
    return "\n".join(filter(None, (choice.remark, *allowed)))


GET_HISTORY = Tool(
    ToolSpec(
        "get_history",
        "The past of an entity.",
        schema(
            "name",
            "period",
            name=string(),
            period=string(EXAMPLES),
            measure={"type": "string", "enum": list(MEASURES)},
            state=string("open, >25…"),
        ),
        read_only=True,
    ),
    get_history,
)


def _subjects(context: ToolContext, choice: LookupResult, period: Period, measure: str) -> list[HistorySubject]:
    """A few entities; of namesakes those that can have such a history. Raises `ToolError`."""
    ids, states = context.directory.ids, context.home.states
    found = [HistorySubject(context, states[ids[number]], period) for number in choice.numbers if ids[number] in states]
    if measure in NUMERIC:
        found = [each for each in found if each.is_numeric] or found
    if measure == "sum":
        found = [each for each in found if each.is_meter] or [each for each in found if each.is_power] or found
    if len(found) > MOST_ENTITIES:
        raise ToolError(f"that may be any of {len(found)}: {'; '.join(each.title for each in found[:10])}. Name one")
    return found


def _is_there(subject: HistorySubject) -> bool:
    """Whether it is still exposed, after all the asking."""
    return subject.context.home.is_exposed(subject.state.entity_id)


async def _tell(subject: HistorySubject, measure: str, wanted: Sequence[str]) -> str:
    lines = await _lines(subject, measure, wanted)
    return f"{subject.title}, {subject.period}:\n" + "\n".join(f"- {line}" for line in lines if line)


async def _lines(subject: HistorySubject, measure: str, wanted: Sequence[str]) -> list[str]:
    domain = subject.state.domain
    recorder = Recorder(
        subject.context.mirror,
        subject.state,
        subject.attribute(measure, wanted),
        cycles=measure in ("sum", "", "list") and subject.has_cycles,
    )
    if measure == "at":
        return _at(subject, await recorder.records(subject.start, subject.start + 1))
    if domain in PRESSED and not wanted:
        records = await recorder.records(subject.start, subject.end)
        return tell_uses(subject, uses(records, _first(subject, measure), subject.end), measure, PRESSED[domain])
    if domain in STARTED and not wanted:
        runs = await recorder.runs(subject.start, subject.end) or _last_run(subject, measure)
        return tell_uses(subject, runs, measure, "run")
    if _is_about_numbers(subject, measure, wanted):
        return tell_measured(subject, await read_series(recorder, subject.start, subject.end), measure)
    sought = subject.sought(wanted)
    if measure == "last":
        return StateHistory(subject, await _back_to_last(subject, recorder, sought), sought).tell_last()
    records = await recorder.records(subject.start, subject.end)
    before = await recorder.known_before(subject.start) if records and records[0].is_gap else None
    return StateHistory(subject, records, sought, before).tell(measure)


def _is_about_numbers(subject: HistorySubject, measure: str, wanted: Sequence[str]) -> bool:
    if measure in NUMERIC:
        if not subject.is_numeric:
            raise ToolError("it has no number; ask for duration, count or last")
        return True
    if not subject.is_numeric or subject.state.domain in MEASURED_ATTRIBUTES or wanted or measure == "last":
        return False
    if measure in ("duration", "count", "first"):
        raise ToolError("it is a number; say in `state` which, such as >20")
    return True


def _first(subject: HistorySubject, measure: str) -> float:
    """From when on uses count: the last one may have been before the period."""
    return 0.0 if measure == "last" else subject.start


def _last_run(subject: HistorySubject, measure: str) -> list[float]:
    """What the entity itself says of its last run, which may have been before the period."""
    try:
        at = datetime.fromisoformat(str(subject.state.attributes.get("last_triggered"))).timestamp()
    except ValueError:
        return []
    return [at] if measure == "last" and at < subject.end else []


def _at(subject: HistorySubject, records: Sequence[Record]) -> list[str]:
    at = subject.when(subject.start, day=True)
    known = [record for record in records if record.at <= subject.start]
    return [f"at {at}: {subject.word(known[-1].state)}" if known else f"nothing is recorded of {at}"]


async def _back_to_last(subject: HistorySubject, recorder: Recorder, sought: StateQuery | None) -> list[Record]:
    """The records back from the end of the period until it became so, also before its start."""
    found: list[Record] = []
    async with aclosing(recorder.backwards(subject.end, max(0.0, subject.end - FAR_BACK))) as pieces:
        async for records in pieces:
            found = [*records, *found]
            if StateHistory(subject, found, sought).starts:
                break
    return found
