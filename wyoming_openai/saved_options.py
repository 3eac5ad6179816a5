"""What the admin page has changed, in a file of its own: the owner's file keeps its words and its comments."""

import logging
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

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
    except (UnicodeDecodeError, yaml.YAMLError):
        return _set_aside(path)
    top = content if content is not None else {}
    agents = top.pop("agents", {}) if isinstance(top, dict) else None
    if not isinstance(agents, dict) or not all(isinstance(own, dict) for own in agents.values()):
        return _set_aside(path)
    return {"": top, **{str(name): own for name, own in agents.items()}}


def _set_aside(path: Path) -> Saved:
    aside = path.with_name(f"{path.name}.corrupt-{time.time():.0f}")
    with suppress(OSError):
        path.rename(aside)
    _LOGGER.warning("What the admin page saved is damaged; it is set aside as %s", aside)
    return {}


def write_saved(folder: Path, saved: Saved) -> None:
    """Replace what was saved, in one step: a power cut leaves the old file or the new one. Raises `OSError`."""
    agents = {name: dict(own) for name, own in saved.items() if name}
    content = {**saved.get("", {}), **({"agents": agents} if agents else {})}
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    number, name = tempfile.mkstemp(dir=folder, prefix=f".{SAVED}.")  # readable by its owner only
    try:
        with open(number, "w", encoding="utf-8") as file:
            file.write(_INTRODUCTION + yaml.safe_dump(content, allow_unicode=True, sort_keys=False))
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, folder / SAVED)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    _sync(folder)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
