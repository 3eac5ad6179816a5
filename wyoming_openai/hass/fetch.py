"""Asking Home Assistant for its home: which commands, how many at once, and what may be missing."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from .connection import CommandFailed, Connection
from .home import Registries, Row, entity_from_row, exposed_from_result
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
    Results,
)

T = TypeVar("T")

COMMANDS = (CONFIG, AREAS, FLOORS, LABELS, DEVICES, ENTITIES, CONFIG_ENTRIES, SOURCES, EXPOSED, ISSUES)
ENTRIES_AT_ONCE = 500  # a message of half a megabyte, and no long pause for Home Assistant

ABSENT = frozenset({"unknown_command", "unauthorized"})
"""This Home Assistant does not have it, or this token may not read it: there is none, and that is all right."""

LUXURIES = frozenset({CONFIG_ENTRIES, SOURCES, EXPOSED, ISSUES, *TRANSLATIONS})
"""A home without the answer is still whole: without the list, exposure is what the entity registry says."""


async def fetch_home(connection: Connection, *, timeout: float, whole: bool = True) -> dict[str, Any]:
    """The raw results that make a home, but for its states. Raises `CommandFailed`, `ConnectionLost`.

    If not `whole`, the extended entries of the entity registry hold nothing that its list has already.
    """
    results = await fetch(connection, COMMANDS, timeout=timeout)
    language = str((results[CONFIG] or {}).get("language", "en"))
    translations, entries = await all_of(
        fetch(connection, TRANSLATIONS, timeout=timeout, language=language),
        fetch_entries(connection, _exposed_ids(results), timeout=timeout, whole=whole),
    )
    return {**results, **translations, ENTRIES: entries}


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
    ids = sorted(entity_ids)
    chunks = [ids[start : start + ENTRIES_AT_ONCE] for start in range(0, len(ids), ENTRIES_AT_ONCE)]
    parts = await all_of(*(_fetch_chunk(connection, chunk, timeout, whole) for chunk in chunks))
    return {entity_id: row for part in parts for entity_id, row in part.items()}


async def all_of(*coroutines: Coroutine[Any, Any, T]) -> tuple[T, ...]:
    """Run all at once; if one fails, end the others and raise its error alone."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return tuple(task.result() for task in tasks)


async def _fetch_one(connection: Connection, command: str, timeout: float, language: str) -> Any:
    name, _, category = command.partition(":")
    fields = {"category": category, "language": language} if category else {}
    try:
        return await connection.command(name, timeout=timeout, **fields)
    except CommandFailed as error:
        if error.code in ABSENT or (command in LUXURIES and error.code != "timeout"):
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


def _exposed_ids(results: Results) -> frozenset[str]:
    """Registered entities that Assist may know of: the only ones whose aliases matter."""
    entities = {row["entity_id"]: entity_from_row(row) for row in results[ENTITIES] or ()}
    exposed = Registries(entities=entities, exposed_by_list=exposed_from_result(results[EXPOSED])).exposed
    return exposed & entities.keys()
