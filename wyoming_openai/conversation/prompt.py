"""The owner's half of what the model is told: a Home Assistant template, rendered for each turn."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from ..hass.errors import CommandFailed, HomeUnavailable
from ..hass.home import Area, Home
from ..hass.mirror import Mirror
from ..messages import Utterance
from ..template import NeedsHomeAssistant, Template, TemplateError, compile_template, exposed_entities
from .caller import identify_caller

_LOGGER = logging.getLogger(__name__)

DEFAULT_PROMPT = (Path(__file__).parent.parent / "data" / "prompt.jinja").read_text(encoding="utf-8")


class Prompt:
    """A prompt template and the last text it gave: an owner's mistake must not silence the house."""

    def __init__(self, text: str | None) -> None:
        self._text = text or DEFAULT_PROMPT
        self._default = compile_template(DEFAULT_PROMPT)
        self._last_good: str | None = None
        self._complained = False
        self._sent_away = asyncio.Event()
        """Only Home Assistant can render it: `follow` does that, beside the turns."""
        self._template: Template | None = None
        try:
            self._template = compile_template(self._text)
        except TemplateError as error:
            self._fail(error)

    def render(self, home: Home, utterance: Utterance, area: Area | None, now: datetime) -> str:
        """The prompt for this turn. Where the template fails: its last good text, else the default's."""
        if self._template is not None and not self._sent_away.is_set():
            try:
                self._last_good = render(self._template, home, utterance, area, now)
            except TemplateError as error:
                self._fail(error)
        if self._last_good is None:
            return render(self._default, home, utterance, area, now)
        return self._last_good

    async def follow(self, mirror: Mirror) -> NoReturn:
        """Where only Home Assistant can render the template: keep its latest text, for ever."""
        while True:
            if await mirror.wait_fresh(60) and mirror.home is not None:
                home = mirror.home
                self.render(home, Utterance("", home.config.language), None, datetime.now(UTC))
                await self._sent_away.wait()
                try:
                    await mirror.follow_template(self._text, standing_variables(home), self._take)
                except CommandFailed as error:
                    self._fail(TemplateError(error.message))
                except HomeUnavailable as error:
                    _LOGGER.debug("Home Assistant can't be asked to render the prompt: %s", error)
            await mirror.wait_changed()

    def _take(self, result: Any) -> None:
        self._last_good = str(result).strip()

    def _fail(self, error: TemplateError) -> None:
        if isinstance(error, NeedsHomeAssistant):
            if not self._sent_away.is_set():
                _LOGGER.warning("The prompt template is rendered by Home Assistant from now on: %s", error)
            self._sent_away.set()
            return
        where = f" in line {error.line}" if error.line else ""
        log = _LOGGER.debug if self._complained else _LOGGER.warning
        log("The prompt template fails%s: %s", where, error)
        self._complained = True


async def try_prompt(text: str | None, mirror: Mirror) -> str:
    """Render a prompt as for a question from nowhere. Raises `TemplateError`, with Home Assistant's words too."""
    home = mirror.home
    assert home is not None, "whoever tries a prompt has waited for the home"
    try:
        return render(compile_template(text or DEFAULT_PROMPT), home, Utterance("", home.config.language), None)
    except NeedsHomeAssistant as reason:
        try:
            return str(await mirror.render_template(text or DEFAULT_PROMPT, standing_variables(home)))
        except CommandFailed as error:
            raise TemplateError(error.message) from reason
        except HomeUnavailable:
            raise reason from None


def standing_variables(home: Home) -> dict[str, Any]:
    """Variables for a template that Home Assistant renders ahead of the questions: those that don't depend on one."""
    return {
        "ha_name": home.config.location_name,
        "language": home.config.language,
        "exposed_entities": exposed_entities(home),
    }


def render(template: Template, home: Home, utterance: Utterance, area: Area | None, now: datetime | None = None) -> str:
    """A template with the variables of a turn, of which it gets those it uses. Raises `TemplateError`."""
    makers = turn_variables(home, utterance, area)
    return template.render(home, {name: make() for name, make in makers.items() if name in template.uses}, now=now)


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
        "is_phone": lambda: identify_caller(home, utterance).is_phone,
        "user_name": lambda: None,
        "ha_name": lambda: home.config.location_name,
        "exposed_entities": lambda: exposed_entities(home),
    }
