"""What the admin page has changed, in a file of its own: the owner's file keeps its words and its comments."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from ..storage.files import quarantine, replace_file

_LOGGER = logging.getLogger(__name__)

SAVED = "options.yaml"
Saved = Mapping[str, Mapping[str, Any]]
"""Options by agent; "" stands for those of the program."""

_INTRODUCTION = """# What was changed on the admin page. It wins over your own file; flags and environment win over it.
# Taking a line out brings back what stands elsewhere. There may be secrets in here: show it to nobody.
"""


def read_saved(folder: Path) -> Saved:
    """What was saved; a damaged file is set aside and said, never fatal."""
    path = folder / SAVED
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        _LOGGER.warning("What the admin page saved can't be read from %s: %s", path, error.strerror)
        return {}
    except (ValueError, RecursionError, yaml.YAMLError):  # also of dates and numbers that are none
        return _set_aside(path)
    top = content if content is not None else {}
    agents = top.pop("agents", {}) if isinstance(top, dict) else None
    if not isinstance(agents, dict) or not all(isinstance(own, dict) for own in agents.values()):
        return _set_aside(path)
    return {"": top, **{str(name): own for name, own in agents.items()}}


def _set_aside(path: Path) -> Saved:
    _LOGGER.warning("What the admin page saved in %s is damaged; it is set aside", path)
    with suppress(OSError):
        quarantine(path, datetime.now(UTC))
    return {}


def write_saved(folder: Path, saved: Saved) -> None:
    """Replace what was saved, in one step. Raises `OSError`."""
    agents = {name: dict(own) for name, own in saved.items() if name}
    content = {**saved.get("", {}), **({"agents": agents} if agents else {})}
    text = _INTRODUCTION + yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    replace_file(folder / SAVED, text.encode())
