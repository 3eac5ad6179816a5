"""The prompts that were in use before, of each persona: an edit that went wrong is undone."""

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from ..storage.files import replace_file

_LOGGER = logging.getLogger(__name__)

KEPT = 20


@dataclass(frozen=True, slots=True)
class Earlier:
    """A prompt, and until when it was in use, in seconds since 1970."""

    text: str
    until: float


class History:
    """The earlier prompts of each persona, the newest first; without a folder, those of this run."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / "prompts.json" if folder else None
        self._kept = self._read()

    def of(self, agent: str) -> list[Earlier]:
        """Those of one persona; "" is the program's own."""
        return self._kept.get(agent, [])

    def add(self, agent: str, text: str) -> None:
        """Keep a prompt that has just been replaced."""
        others = [each for each in self.of(agent) if each.text != text]
        self._kept[agent] = [Earlier(text, time.time()), *others][:KEPT]
        if self._path is None:
            return
        try:
            kept = {name: [asdict(each) for each in of] for name, of in self._kept.items()}
            replace_file(self._path, orjson.dumps(kept))
        except OSError as error:
            _LOGGER.warning("The earlier prompts can't be kept in %s: %s", self._path, error)

    def _read(self) -> dict[str, list[Earlier]]:
        try:
            kept: Any = orjson.loads(self._path.read_bytes()) if self._path else {}
        except (OSError, orjson.JSONDecodeError):
            return {}
        return {name: _earlier(of) for name, of in kept.items()} if isinstance(kept, Mapping) else {}


def _earlier(kept: Any) -> list[Earlier]:
    rows = [each for each in kept if isinstance(each, Mapping)] if isinstance(kept, list) else []
    return [Earlier(str(each.get("text")), float(each.get("until") or 0)) for each in rows][:KEPT]
