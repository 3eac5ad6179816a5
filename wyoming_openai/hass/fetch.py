"""Asking Home Assistant for its home: which commands, how many at once, and what may be missing."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from typing import Any, TypeVar

from .connection import CommandFailed, Connection
from .home import Row
from .snapshot import (
    AREAS,
    CONFIG,
    CONFIG_ENTRIES,
    DEVICES,
    ENTITIES,
    ENTRIES,
    EXPOSED,
    FLOORS,
    ISSUES,
    LABELS,
    SOURCES,
    TRANSLATIONS,
    registries_from_results,
)

T = TypeVar("T")

COMMANDS = (CONFIG, AREAS, FLOORS, LABELS, DEVICES, CONFIG_ENTRIES, SOURCES, EXPOSED, ISSUES)
ENTRIES_AT_ONCE = 500  # a message of half a megabyte, and no long pause for Home Assistant

MISSING_CODES = frozenset({"unknown_command", "unauthorized"})
"""This Home Assistant does not have it, or this token may not read it: there is none, and that is all right."""

OPTIONAL_COMMANDS = frozenset({CONFIG_ENTRIES, SOURCES, EXPOSED, ISSUES, *TRANSLATIONS})
"""A home without the answer is still whole: without the list, exposure is what the entity registry says."""


async def fetch_home(
    connection: Connection, *, timeout: float, whole: bool = True
) -> AsyncGenerator[dict[str, Any], None]:
    """The raw results that make a home, but for its states, in parts. Raises `CommandFailed`, `ConnectionLost`.

    In parts, so that the largest need not be held together with the others. If not `whole`, the extended entries of
    the entity registry hold nothing that its list has already.
    """
    small = await fetch(connection, COMMANDS, timeout=timeout)
    yield small
    yield await _fetch_entities(connection, small[EXPOSED], timeout, whole)
    language = str((small[CONFIG] or {}).get("language", "en"))
    yield await fetch(connection, TRANSLATIONS, timeout=timeout, language=language)


async def _fetch_entities(connection: Connection, exposed: Any, timeout: float, whole: bool) -> dict[str, Any]:
    """The list of the entity registry, and extended entries of what Assist may know of: only their aliases matter."""
    results = await fetch(connection, (ENTITIES,), timeout=timeout)
    registries = await asyncio.to_thread(registries_from_results, {**results, EXPOSED: exposed})
    wanted = registries.exposed & registries.entities.keys()
    return results | {ENTRIES: await fetch_entries(connection, wanted, timeout=timeout, whole=whole)}


async def fetch(
    connection: Connection, commands: Iterable[str], *, timeout: float = 10.0, language: str = "en"
) -> dict[str, Any]:
    """Results by command, None for what this Home Assistant does not have or this token may not read."""
    commands = tuple(commands)
    results = await all_of(*(_fetch_one(connection, command, timeout, language) for command in commands))
    return dict(zip(commands, results, strict=True))


async def fetch_entries(
    connection: Connection, entity_ids: Iterable[str], *, timeout: float = 10.0, whole: bool = True
) -> dict[str, Row | None]:
    """Extended entries of the entity registry, None for ids it does not hold. Ids it says nothing of are missing."""
    ids = list(entity_ids)
    entries: dict[str, Row | None] = {}
    # One after the other: asked for together they would come as one message, and take long to read in one go.
    for start in range(0, len(ids), ENTRIES_AT_ONCE):
        entries |= await _fetch_chunk(connection, ids[start : start + ENTRIES_AT_ONCE], timeout, whole)
    return entries


async def all_of(*coroutines: Coroutine[Any, Any, T]) -> tuple[T, ...]:
    """Run all at once; if one fails, end the others and raise its error alone."""
    # No TaskGroup: before Python 3.13 one that fails while its caller is cancelled raises the failure alone, and who
    # waits for the end of a task that goes on after failures, as the mirror does, would wait for ever.
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done():
                task.result()  # raises what went wrong; the others may not be done
        return tuple(task.result() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _fetch_one(connection: Connection, command: str, timeout: float, language: str) -> Any:
    name, _, category = command.partition(":")
    fields = {"category": category, "language": language} if category else {}
    try:
        return await connection.command(name, timeout=timeout, **fields)
    except CommandFailed as error:
        if error.code in MISSING_CODES or (command in OPTIONAL_COMMANDS and error.code != "timeout"):
            return None
        raise


async def _fetch_chunk(
    connection: Connection, entity_ids: list[str], timeout: float, whole: bool
) -> dict[str, Row | None]:
    try:
        rows = await connection.command(ENTRIES, timeout=timeout, entity_ids=entity_ids)
    except CommandFailed as error:
        if error.code == "timeout":
            raise
        return {}
    known: dict[str, Row | None] = {entity_id: rows[entity_id] for entity_id in entity_ids if entity_id in rows}
    if whole:
        return known
    return {entity_id: row and {"aliases": row.get("aliases")} for entity_id, row in known.items()}
