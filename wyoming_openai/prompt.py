"""The owner's half of what the model is told: a Home Assistant template, rendered for each turn."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from .hass.home import Area, Home
from .messages import Utterance
from .template import TemplateError, compile_template, exposed_entities

_LOGGER = logging.getLogger(__name__)

DEFAULT_PROMPT = (Path(__file__).parent / "data" / "prompt.jinja").read_text(encoding="utf-8")


class Prompt:
    """A prompt template and the last text it gave: an owner's mistake must not silence the house."""

    def __init__(self, text: str | None) -> None:
        self._default = compile_template(DEFAULT_PROMPT)
        self._last_good: str | None = None
        self._complained = False
        try:
            self._template = compile_template(text) if text else self._default
        except TemplateError as error:
            self._complain(error)
            self._template = self._default

    def render(self, home: Home, utterance: Utterance, area: Area | None, now: datetime) -> str:
        """The prompt for this turn. Where the template fails: its last good text, else the default's."""
        variables = _Variables(turn_variables(home, utterance, area))
        try:
            text = self._template.render(home, variables.used(self._template.uses), now=now)
        except TemplateError as error:
            self._complain(error)
            if self._last_good is not None:
                return self._last_good
            return self._default.render(home, variables.used(self._default.uses), now=now)
        self._last_good = text
        return text

    def _complain(self, error: TemplateError) -> None:
        where = f" in line {error.line}" if error.line else ""
        log = _LOGGER.debug if self._complained else _LOGGER.warning
        log("The prompt template fails%s: %s", where, error)
        self._complained = True


def try_prompt(text: str | None, home: Home | None) -> None:
    """Render a prompt as for a question from nowhere. Raises `TemplateError`."""
    template = compile_template(text or DEFAULT_PROMPT)
    if home is not None:
        variables = _Variables(turn_variables(home, Utterance("", home.config.language), None))
        template.render(home, variables.used(template.uses))


def turn_variables(home: Home, utterance: Utterance, area: Area | None) -> dict[str, Callable[[], Any]]:
    """What a prompt template sees beside Home Assistant's own functions, each worked out only where it is used."""
    registries = home.registries
    device = registries.devices.get(utterance.device_id or "")
    return {
        "utterance": lambda: utterance.text,
        "user_input": lambda: utterance.text,
        "language": lambda: utterance.language,
        "area": lambda: area and area.name,
        "floor": lambda: (floor := registries.floors.get((area and area.floor_id) or "")) and floor.name,
        "device": lambda: device and device.name,
        "current_device_id": lambda: utterance.device_id,
        "satellite": lambda: utterance.satellite_id,
        "conversation_id": lambda: utterance.conversation_id,
        "is_phone": lambda: is_phone(home, utterance),
        "user_name": lambda: None,
        "ha_name": lambda: home.config.location_name,
        "exposed_entities": lambda: exposed_entities(home),
    }


class _Variables:
    def __init__(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        self._makers = makers

    def used(self, names: frozenset[str]) -> dict[str, Any]:
        return {name: make() for name, make in self._makers.items() if name in names}


def is_phone(home: Home, utterance: Utterance) -> bool:
    """Whether it came through the `voip` integration: the device registry tells, the transcript does not."""
    device = home.registries.devices.get(utterance.device_id or "")
    if device is None:
        return False
    return any(identifier[:1] == ["voip"] for identifier in device.row.get("identifiers") or ())
