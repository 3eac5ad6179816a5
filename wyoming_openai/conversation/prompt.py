"""The owner's half of what the model is told: a Home Assistant template, rendered for each turn."""

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import suppress
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

REFRESH = 1.0
"""Seconds after which what Home Assistant renders hears of states and exposure that have changed."""

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
                    while await self._follow_until_outdated(mirror):
                        _LOGGER.debug("What is exposed has changed: the prompt is rendered with it")
                except CommandFailed as error:
                    self._fail(TemplateError(error.message))
                except HomeUnavailable as error:
                    _LOGGER.debug("Home Assistant can't be asked to render the prompt: %s", error)
            await mirror.wait_changed()

    async def _follow_until_outdated(self, mirror: Mirror) -> bool:
        """Take renderings until the variables they were made with have changed; False when the connection has."""
        given = standing_variables(mirror.home) if mirror.home else {}
        following = asyncio.create_task(mirror.follow_template(self._text, given, self._take))
        try:
            while mirror.home is not None:
                done, _ = await asyncio.wait((following,), timeout=REFRESH)
                if done:
                    await following
                    return False
                if "exposed_entities" in self._text and given != standing_variables(mirror.home):
                    return True
            return False
        finally:
            following.cancel()
            await asyncio.wait((following,))

    def _take(self, result: Any) -> None:
        self._last_good = str(result).strip()

    def _fail(self, error: TemplateError) -> None:
        if isinstance(error, NeedsHomeAssistant):
            if not self._sent_away.is_set():
                _LOGGER.warning("The prompt template is rendered by Home Assistant from now on: %s", error)
                if empty := unknown_to_home_assistant(self._text):
                    _LOGGER.warning("Home Assistant doesn't know the question: %s", _are_empty(empty))
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


def prompt_warning(text: str | None, home: Home) -> str:
    """What an owner should know of a prompt that only Home Assistant can render; "" where all is well."""
    try:
        render(compile_template(text or DEFAULT_PROMPT), home, Utterance("", home.config.language), None)
    except NeedsHomeAssistant:
        empty = unknown_to_home_assistant(text or DEFAULT_PROMPT)
        return f"Home Assistant renders it ahead of the questions: {_are_empty(empty)}" if empty else ""
    return ""


def unknown_to_home_assistant(text: str) -> list[str]:
    """The variables of a question that a template uses, which are empty where Home Assistant renders it."""
    with suppress(TemplateError):
        return sorted(TURN_VARIABLES & compile_template(text).uses)
    inside = " ".join(re.findall(r"{[{%].*?[%}]}", text, re.DOTALL))
    own = set(re.findall(r"(?:for|set|macro)\s+(\w+)", inside))
    return sorted(TURN_VARIABLES & (set(re.findall(r"(?<![\w.'\"])\w+", inside)) - own))


def _are_empty(names: list[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} empty in it"


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
        "user_input": lambda: UserInput(utterance),
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


TURN_VARIABLES = frozenset(
    {
        "area", "conversation_id", "current_device_id", "device", "floor", "is_phone", "satellite", "user_input",
        "user_name", "utterance",
    }
)  # fmt: skip
"""Those that only a question has."""


class UserInput(str):
    """What was said, as a text, with the fields that Home Assistant's own agents give to a template."""

    __slots__ = (
        "agent_id",
        "conversation_id",
        "device_id",
        "extra_system_prompt",
        "language",
        "satellite_id",
        "text",
    )

    def __new__(cls, utterance: Utterance) -> "UserInput":
        return super().__new__(cls, utterance.text)

    def __init__(self, utterance: Utterance) -> None:
        self.text = utterance.text
        self.language = utterance.language
        self.conversation_id = utterance.conversation_id
        self.device_id = utterance.device_id
        self.satellite_id = utterance.satellite_id
        self.agent_id = None
        self.extra_system_prompt = None
