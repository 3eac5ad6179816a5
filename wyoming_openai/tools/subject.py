"""Whose history is told, of which period, and what a model means by a state. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..context.facts import clean, quoted, state_word
from ..context.relevance import Sentence
from ..hass.home import State
from .intervals import GAPS, Matches, number
from .periods import Period, moment
from .toolbox import ToolContext

METERS = frozenset({"energy", "gas", "water", "precipitation", "volume", "distance", "monetary", "data_size"})
"""Device classes of which people ask for the sum of a day."""

NUMERIC = frozenset({"min", "max", "mean", "sum"})
"""Measures of numbers."""

NUMBERS = frozenset({"counter", "input_number", "number", "sensor"})
MEASURED_ATTRIBUTES = {
    "climate": "current_temperature",
    "humidifier": "current_humidity",
    "water_heater": "current_temperature",
    "weather": "temperature",
}
"""Attributes that people mean by the number of such an entity."""

ACTIONS = frozenset({"cooling", "defrosting", "drying", "heating", "preheating"})
"""What a thermostat does, as opposed to what it is set to."""

MOST_WORD = 60
"""Characters of a state: some hold whole messages."""

_AT_REST = frozenset({"off", "standby"})
_ON_IS_NOT_OFF = frozenset({"climate", "humidifier", "media_player", "water_heater"})
"""Domains without a state "on"."""

_SOMEBODY = frozenset({"device_tracker", "person"})
_AWAY = frozenset({"away", "not_home", "out"})
_THRESHOLD = re.compile(r"(>=|<=|>|<|above|over|below|under)\s*(-?\d+(?:[.,]\d+)?).*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class StateQuery:
    """A state that is asked for."""

    words: str
    """As the model called it."""
    matches: Matches


@dataclass(frozen=True, slots=True)
class HistorySubject:
    """One entity in one period."""

    context: ToolContext
    state: State
    """As it is now."""
    period: Period

    @property
    def start(self) -> float:
        return self.period.start.timestamp()

    @property
    def end(self) -> float:
        return self.period.end.timestamp()

    @property
    def title(self) -> str:
        """Its name, and what tells it apart from others."""
        area = self.context.home.registries.area_of(self.state.entity_id)
        return f"{quoted(self.state.name)}{f' ({quoted(area.name)})' if area else ''} [{self.state.entity_id}]"

    @property
    def is_numeric(self) -> bool:
        """Whether it has a lowest and a highest value."""
        if self.state.domain in MEASURED_ATTRIBUTES:
            return True
        has_unit = {"unit_of_measurement", "state_class"} & self.state.attributes.keys()
        return self.state.domain in NUMBERS and (bool(has_unit) or number(self.state.state) is not None)

    @property
    def is_power(self) -> bool:
        return self.state.attributes.get("device_class") == "power"

    @property
    def is_meter(self) -> bool:
        """Whether it counts something up."""
        is_total = str(self.state.attributes.get("state_class", "")).startswith("total")
        return is_total or self.state.domain == "counter" or self.state.attributes.get("device_class") in METERS

    @property
    def resets(self) -> bool:
        """Whether a fall of its number is a new beginning, and nothing taken away."""
        return self.state.attributes.get("state_class") != "total"

    @property
    def has_cycles(self) -> bool:
        """A meter that says when it was reset."""
        return not self.resets and "last_reset" in self.state.attributes

    @property
    def unit(self) -> str:
        if attribute := MEASURED_ATTRIBUTES.get(self.state.domain):
            own = self.state.attributes.get("temperature_unit") or self.context.home.config.unit_system.get(
                "temperature"
            )
            return "%" if "humidity" in attribute else clean(own or "°C", 16)
        return clean(self.state.attributes.get("unit_of_measurement", ""), 32)

    def local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, self.context.now.tzinfo)

    def when(self, at: float, *, day: bool | None = None) -> str:
        """A time of the period, without its day where all of the period is on one day."""
        if day is None:
            last = self.local(max(self.start, self.end - 1))
            day = self.period.start.date() != last.date() or self.local(at).date() != last.date()
        return moment(self.local(at), seconds=True, day=day)

    def word(self, raw: str) -> str:
        """A recorded state in words: "open" for a door that was "on"."""
        if raw in GAPS:
            return raw or "removed"
        return clean(state_word(self.context.home, replace(self.state, state=raw), self.context.now), MOST_WORD)

    def attribute(self, measure: str, wanted: Sequence[str]) -> str:
        """Whose values are meant in place of the state, if any are."""
        if self.state.domain == "climate" and any(text.casefold().strip() in ACTIONS for text in wanted):
            return "hvac_action"
        is_number = measure in NUMERIC or any(_THRESHOLD.fullmatch(text.strip()) for text in wanted)
        return MEASURED_ATTRIBUTES.get(self.state.domain, "") if is_number else ""

    def sought(self, wanted: Sequence[str]) -> StateQuery | None:
        """What a model calls "open", "offen", "on", "away" or ">25"; None where it asks for no state."""
        if not wanted:
            return None
        tests = [self._test(text) for text in wanted]
        known: dict[str, bool] = {}

        def matches(raw: str) -> bool:
            if raw not in known:
                known[raw] = any(test(raw) for test in tests)
            return known[raw]

        return StateQuery(" or ".join(clean(text, 40) for text in wanted), matches)

    def _test(self, text: str) -> Matches:
        if match := _THRESHOLD.fullmatch(text.strip()):
            return _beyond(match[1].casefold(), float(match[2].replace(",", ".")))
        meant = text.casefold().strip().replace(" ", "_")
        domain = self.state.domain
        if domain in _ON_IS_NOT_OFF and meant == "on":
            return lambda raw: raw not in _AT_REST
        if domain in _SOMEBODY and meant in _AWAY:
            return lambda raw: raw != "home"
        lexicon = self.context.context_cache.lexicon(self.context.home, self.context.language)
        raws = lexicon.states(Sentence(text))
        return lambda raw: meant in (raw.casefold(), self.word(raw).casefold().replace(" ", "_")) or raw in raws

    def value(self, value: float, decimals: int = 3) -> str:
        """A number with its unit."""
        return f"{rounded(value, decimals)} {self.unit}".rstrip()


def _beyond(sign: str, limit: float) -> Matches:
    def matches(raw: str) -> bool:
        value = number(raw)
        if value is None:
            return False
        if sign[0] in ">ao":
            return value > limit or (sign == ">=" and value == limit)
        return value < limit or (sign == "<=" and value == limit)

    return matches


def rounded(value: float, decimals: int) -> str:
    """Without zeros at the end: "21.5", "3"."""
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def duration(seconds: float) -> str:
    """To the second: "25 h", "2 d 3 h 20 min 5 s"."""
    left = round(seconds)
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if unit == "d" and left < 2 * size:
            continue
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"
