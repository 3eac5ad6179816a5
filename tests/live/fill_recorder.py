"""Write the recorded home's history into the database of a Home Assistant that is stopped.

python -m tests.live.fill_recorder CONFIG_DIR/home-assistant_v2.db
"""

import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from tests.tools.recorded_home import ENTITIES, RUNS, STATES, STATISTICS


def fill(path: str) -> None:
    """Add all rows; to be done once."""
    with sqlite3.connect(path) as database:
        for entity_id, rows in STATES.items():
            meta = _known(database, "states_meta", "metadata_id", entity_id=entity_id)
            for row in rows:
                attributes = {**ENTITIES[entity_id][2], **row.attributes, "friendly_name": ENTITIES[entity_id][0]}
                shared = _insert(database, "state_attributes", hash=0, shared_attrs=json.dumps(attributes))
                _insert(
                    database,
                    "states",
                    metadata_id=meta,
                    state=row.state,
                    attributes_id=shared,
                    last_updated_ts=row.at,
                    origin_idx=0,
                )
        for entity_id in STATISTICS:
            _fill_statistics(database, entity_id)
        for entity_id, times in RUNS.items():
            _fill_runs(database, entity_id, times)


def _fill_statistics(database: sqlite3.Connection, entity_id: str) -> None:
    unit = ENTITIES[entity_id][2]["unit_of_measurement"]
    is_sum = STATISTICS[entity_id][0].sum is not None
    traits = {
        "source": "recorder",
        "unit_of_measurement": unit,
        "unit_class": "energy" if is_sum else "temperature",
        "has_mean": not is_sum,
        "has_sum": is_sum,
        "mean_type": 0 if is_sum else 1,
    }
    meta = _known(database, "statistics_meta", "id", traits, statistic_id=entity_id)
    for hour in STATISTICS[entity_id]:
        values = (
            {"sum": hour.sum, "state": hour.sum} if is_sum else {"mean": hour.mean, "min": hour.low, "max": hour.high}
        )
        _insert(database, "statistics", metadata_id=meta, start_ts=hour.start, created_ts=hour.start, **values)


def _fill_runs(database: sqlite3.Connection, entity_id: str, times: list[float]) -> None:
    kind = _known(database, "event_types", "event_type_id", event_type="automation_triggered")
    text = json.dumps({"name": ENTITIES[entity_id][0], "entity_id": entity_id, "source": "state of sun.sun"})
    data = _insert(database, "event_data", hash=0, shared_data=text)
    for at in times:
        _insert(database, "events", event_type_id=kind, data_id=data, time_fired_ts=at, origin_idx=0)


def _known(
    database: sqlite3.Connection, table: str, number: str, more: Mapping[str, Any] | None = None, **key: str
) -> int:
    """The number of the row with this key, which is added if there is none."""
    ((name, value),) = key.items()
    found = database.execute(f"SELECT {number} FROM {table} WHERE {name} = ?", (value,)).fetchone()  # noqa: S608
    return int(found[0]) if found else _insert(database, table, **key, **(more or {}))


def _insert(database: sqlite3.Connection, table: str, **values: Any) -> int:
    """Insert a row, as far as the table has such columns; gives its number."""
    columns = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
    row = dict(_kept(values, columns))
    marks = ", ".join("?" * len(row))
    cursor = database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _kept(values: Mapping[str, Any], columns: set[str]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in values.items() if name in columns)


if __name__ == "__main__":
    fill(sys.argv[1])
