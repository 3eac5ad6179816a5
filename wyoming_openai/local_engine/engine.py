"""The embedded engine: answers questions about the home without a language model, in the language of the question.

Home Assistant's sentences say what is asked (`sentence_matcher.py`), its intents' rules which entities are meant
(`targets.py`), and its own answers, which are templates, what to say. It never says what it is not sure of.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..hass.home import Area, Home, State
from ..messages import Utterance
from ..template import TemplateError, compile_template
from .languages import Loader
from .sentence_matcher import QUESTIONS, SentenceMatch, SentenceMatcher
from .state_words import GONE, SpokenState, home_words, is_number
from .targets import TargetFilter, contact_states, find_targets, in_area, with_contacts

_CONTROLLED = {
    "HassBroadcast": "assist_satellite",
    "HassClimate": "climate",
    "HassFan": "fan",
    "HassLawnMower": "lawn_mower",
    "HassLight": "light",
    "HassList": "todo",
    "HassMedia": "media_player",
    "HassSetVolume": "media_player",
    "HassVacuum": "vacuum",
}
"""What an intent is about by the beginning of its name, where the sentence does not say so."""

_NEEDS_NO_HOME = frozenset({"HassGetCurrentDate", "HassGetCurrentTime", "HassNevermind", "HassRespond"})

_NOT_SPEECH = ("None", "TODO", "{")
"""What an answer must not hold: a value that was not there, a translation that nobody has made."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a sentence asks for, and the exposed entities it is about."""

    intent: str
    slots: Mapping[str, Any]
    """What is asked for, in Home Assistant's words: `{"domain": "light", "state": "on", "area": "Kitchen"}`."""
    matched: tuple[State, ...]
    """The entities that are as asked; all of them, if no state is asked for or it wants control."""
    unmatched: tuple[State, ...]
    response: str
    """What kind of answer: "one", "one_yesno", "any", "all", "which", "how_many", "where", "default"…"""
    problem: str = ""
    """Why it can't be answered: "no_domain_in_area", "duplicate_entities"… as in the package's errors, or "unsure"."""
    area_ids: frozenset[str] = frozenset()
    floor_ids: frozenset[str] = frozenset()

    @property
    def wants_control(self) -> bool:
        return self.intent not in QUESTIONS


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """Something true to say."""

    text: str
    """In the language of the question; empty if it wants control, or nothing is to be said."""
    intent: str
    entity_ids: tuple[str, ...] = ()
    wants_control: bool = False
    """It is no question: something should be switched, set or noted."""
    problem: str = ""
    """The text says why there is no answer ("not aware of any fan in the kitchen")."""

    @property
    def needs_home(self) -> bool:
        """Whether it speaks of the home: with one that is not known, it would not be true."""
        return not self.wants_control and self.intent not in _NEEDS_NO_HOME


class LocalEngine:
    """Understands and answers sentences about a home. What was not prepared is loaded when first needed."""

    def __init__(self, loader: Loader | None = None) -> None:
        self._matcher = SentenceMatcher(loader)

    async def prepare(self, home: Home | None, language: str) -> None:
        """Load a language (0.1 to 0.3 s) and index a home's names before they are asked for, holding nobody up."""
        await self._matcher.prepare(home, language)

    def recognize(self, utterance: Utterance, home: Home, area: Area | None) -> Recognition | None:
        """What the sentence asks for, in a room; None if it matches nothing."""
        match = self._matcher.match(utterance.text, utterance.language, home, area)
        return None if match is None else _recognized(home, match, area)

    def answer(self, utterance: Utterance, home: Home, area: Area | None, now: datetime) -> LocalAnswer | None:
        """What is true, in the language of the question; None if it is not understood or not certain.

        `now` is in the home's time zone.
        """
        match = self._matcher.match(utterance.text, utterance.language, home, area)
        if match is None:
            return None
        found = _recognized(home, match, area)
        entity_ids = tuple(state.entity_id for state in (*found.matched, *found.unmatched))
        if found.wants_control:
            return LocalAnswer("", found.intent, entity_ids, wants_control=True)
        if found.intent == "HassNevermind":
            return LocalAnswer("", found.intent)
        text = _problem(home, match, found) if found.problem else _answer(home, match, found, now)
        return LocalAnswer(text, found.intent, entity_ids, problem=found.problem) if text else None


def _recognized(home: Home, match: SentenceMatch, area: Area | None) -> Recognition:
    found = Recognition(
        match.intent,
        match.slots,
        (),
        (),
        match.response,
        area_ids=match.area_ids or frozenset(),
        floor_ids=match.floor_ids or frozenset(),
    )
    match match.intent:
        case "HassGetState":
            return _states(home, match, found, area)
        case "HassClimateGetTemperature":
            return _temperature(home, match, found, area)
        case "HassGetWeather":
            weather = find_targets(home, replace(_wanted(match), domains=frozenset({"weather"})), area)[:1]
            return replace(found, matched=weather, problem="" if weather else "unsure")
        case "HassRespond":
            # Its other answers promise how Home Assistant treats what it hears, which is not ours to promise.
            return replace(found, problem="" if match.response == "hello" else "unsure")
        case "HassTimerStatus":
            return replace(found, problem="unsure")
        case name if name in QUESTIONS:
            return found
    return replace(found, matched=_controlled(home, match, area))


def _wanted(match: SentenceMatch) -> TargetFilter:
    return TargetFilter(
        match.entity_ids,
        match.area_ids,
        match.floor_ids,
        _as_set(match.slots.get("domain")) or match.domains,
        _as_set(match.slots.get("device_class")),
    )


def _as_set(value: Any) -> frozenset[str]:
    if value is None:
        return frozenset()
    return frozenset((value,) if isinstance(value, str) else value)


def _states(home: Home, match: SentenceMatch, found: Recognition, area: Area | None) -> Recognition:
    wanted, asked = _wanted(match), _as_set(match.slots.get("state"))
    if "home" in asked:
        asked |= set(home_words(match.language.tag))  # a tracker may name home in words of its own
    groups = [(find_targets(home, wanted, area), asked)]
    if (contacts := with_contacts(wanted)) is not None:
        groups.append((find_targets(home, contacts), contact_states(asked)))
    judged = [(state, not asked or state.state in good) for states, good in groups for state in states]
    found = replace(
        found,
        matched=tuple(state for state, is_good in judged if is_good),
        unmatched=tuple(state for state, is_good in judged if not is_good),
    )
    return replace(found, problem=_doubt(match, found))


def _doubt(match: SentenceMatch, found: Recognition) -> str:
    """Why states alone do not answer the question, if they do not."""
    states = (*found.matched, *found.unmatched)
    if not states:
        return _missing(match)
    if match.entity_ids is not None and len({state.state for state in states}) > 1:
        return "duplicate_entities" + _scope(match)
    if found.response == "all" and found.unmatched and all(state.state in GONE for state in found.unmatched):
        return "unsure"
    return ""


def _missing(match: SentenceMatch) -> str:
    """The package's word for having nothing of what was asked for."""
    if match.entity_ids is not None:
        return "no_entity" + _scope(match)
    kind = next((kind for kind in ("device_class", "domain") if match.slots.get(kind)), "")
    return f"no_{kind}{_scope(match)}" if kind else "unsure"


def _scope(match: SentenceMatch) -> str:
    if match.area_ids is not None:
        return "_in_area"
    return "_in_floor" if match.floor_ids is not None else ""


def _temperature(home: Home, match: SentenceMatch, found: Recognition, area: Area | None) -> Recognition:
    """The area's own temperature sensor, else its thermostat, else the only thermometer there, by its name."""
    wanted = _wanted(match)
    if match.entity_ids is None and (sensors := _area_thermometers(home, wanted, area)):
        return replace(found, matched=sensors)
    climates = find_targets(home, replace(wanted, domains=frozenset({"climate"})), area)
    if len(climates) > 1 and area is not None:
        climates = in_area(home, climates, area) or climates
    if climates or match.entity_ids is not None:
        problem = "" if len(climates) == 1 else "duplicate_targets" if climates else "no_entity" + _scope(match)
        return replace(found, matched=climates, problem=problem)
    kind = replace(wanted, domains=frozenset({"sensor"}), device_classes=frozenset({"temperature"}))
    thermometers = find_targets(home, kind)
    return replace(found, matched=thermometers, response="one", problem="" if len(thermometers) == 1 else "unsure")


def _area_thermometers(home: Home, wanted: TargetFilter, area: Area | None) -> tuple[State, ...]:
    """The sensor that the owner set as the temperature of the one area in question."""
    areas = [
        each
        for each in home.registries.areas.values()
        if (wanted.area_ids is None or each.id in wanted.area_ids)
        and (wanted.floor_ids is None or each.floor_id in wanted.floor_ids)
    ]
    sensors = {each.id: each.temperature_entity_id for each in areas if each.temperature_entity_id}
    if len(sensors) > 1 and area is not None:
        sensors = {key: sensor for key, sensor in sensors.items() if key == area.id}
    ids = tuple(sensors.values())
    kind = TargetFilter(ids, domains=frozenset({"sensor"}), device_classes=frozenset({"temperature"}))
    return find_targets(home, kind) if len(ids) == 1 else ()


def _controlled(home: Home, match: SentenceMatch, area: Area | None) -> tuple[State, ...]:
    """What a command would act on, as far as its sentence tells."""
    wanted = _wanted(match)
    if not wanted.domains:
        domains = (domain for prefix, domain in _CONTROLLED.items() if match.intent.startswith(prefix))
        wanted = replace(wanted, domains=frozenset(domains))
    if not wanted.is_limited or match.intent.endswith("Timer"):
        return ()
    return find_targets(home, wanted, area)


def _answer(home: Home, match: SentenceMatch, found: Recognition, now: datetime) -> str:
    """The package's answer, filled in; empty if it would not be true, or no speech."""
    response = found.response
    if (
        found.intent == "HassGetState"
        and response == "one_yesno"
        and any(_is_gone(each) for each in found.matched + found.unmatched)
    ):
        response = "one"  # "no" would sound as if the state were known
    if not _can_be_told(found, response):
        return ""
    responses = match.language.responses
    template = responses.get(found.intent, {}).get(response) or responses.get("HassGetState", {}).get(response)
    return _render(home, template, _variables(home, match, found, now), now) if template else ""


def _can_be_told(found: Recognition, response: str) -> bool:
    """Whether the state is one that the package's answers put into words rightly."""
    state = next(iter((*found.matched, *found.unmatched)), None)
    if state is None:
        return True
    if response == "one" or (found.intent == "HassGetState" and response == "default"):
        return state.attributes.get("device_class") != "timestamp"  # nobody speaks ISO 8601
    if found.intent == "HassClimateGetTemperature":
        attribute = "temperature" if response == "target_temperature" else "current_temperature"
        return is_number(state.attributes.get(attribute) if state.domain == "climate" else state.state)
    return not (_is_gone(state) and (response == "where" or found.intent == "HassGetWeather"))


def _is_gone(state: State) -> bool:
    return state.state in GONE


def _variables(home: Home, match: SentenceMatch, found: Recognition, now: datetime) -> dict[str, Any]:
    """What the package's templates read, in Home Assistant's words."""

    def spoken(state: State) -> SpokenState:
        if found.intent == "HassGetState" or found.response == "one":
            return SpokenState(home, state, match.language.tag, match.state_forms, match.said.get("state", ""))
        return SpokenState(home, state)

    matched, unmatched = [list(map(spoken, states)) for states in (found.matched, found.unmatched)]
    first = next(iter(matched + unmatched), None)
    name = match.slots.get("name") or (first.name if first else "")
    slots = {**match.said, "name": _Name(name), "time": now.time(), "date": now.date()}
    return {"slots": slots, "state": first, "query": {"matched": matched, "unmatched": unmatched}}


class _Name(str):
    """A name that begins a sentence without losing its own capitals ("Living room TV")."""

    __slots__ = ()

    def capitalize(self) -> str:
        return self[:1].upper() + self[1:]


def _problem(home: Home, match: SentenceMatch, found: Recognition) -> str:
    """The package's sentence for what stands in the way; empty if it has none in this language."""
    template = match.language.errors.get(found.problem)
    kinds = {key: _first(match.slots.get(key)) for key in ("domain", "device_class")}
    if template is None:
        return ""
    text = _render(home, template, {**match.said, **kinds, "entity": match.slots.get("name")}, None)
    foreign = match.language.tag != "en" and any(kind and kind in text for kind in kinds.values())
    return "" if foreign else text


def _first(value: Any) -> str:
    return next(iter(sorted(_as_set(value))), "")


def _render(home: Home, template: str, variables: Mapping[str, Any], now: datetime | None) -> str:
    try:
        text = " ".join(compile_template(template).render(home, variables, now=now).split())
    except TemplateError:
        return ""  # the package expects something of the state that is not there
    return "" if any(sign in text for sign in _NOT_SPEECH) else text
