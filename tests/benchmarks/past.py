"""What a long history costs a run that has nothing to do: the time of its process, beside one without a history."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from leadsync.state.store import StateStore
from leadsync.state.tables import change_table, run_table
from support.harness import World

DAYS, A_DAY, RUNS_A_DAY = 90, 1_000, 24
LEADS = 100


def seconds(repeats: int = 15) -> tuple[float, float]:
    """Medians of an idle delta run with 90,000 changes kept, and with none [s of CPU]."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for number in range(LEADS):
            world.lead(f"Lead {number}", "NEW")
        world.sync()
        without = [_idle(world) for _ in range(repeats)]
        fill(world.env["SYNC_STATE_URL"])
        kept = [_idle(world) for _ in range(repeats)]
        world.close()
    return statistics.median(kept), statistics.median(without)


def _idle(world: World) -> float:
    began = time.process_time()
    report = world.sync(read="delta")
    assert report.changes == []
    return time.process_time() - began


def fill(url: str) -> None:
    """Copies of the changes there are, as many as in 90 days."""
    store, now = StateStore(url), time.time()
    with store.database.writing() as connection:
        run = dict(connection.execute(sa.select(run_table)).first()._mapping)  # type: ignore[union-attr]
        changes = [dict(row._mapping) for row in connection.execute(sa.select(change_table))]
        for number in range(DAYS * RUNS_A_DAY):
            made = {**run, "id": f"{number:032x}", "at": now - number * 3_600}
            connection.execute(sa.insert(run_table).values(**made))
            some = [changes[each % len(changes)] for each in range(A_DAY // RUNS_A_DAY + 1)]
            rows = [{**{name: value for name, value in row.items() if name != "id"}, "run": made["id"]} for row in some]
            connection.execute(sa.insert(change_table), rows)
    store.close()
