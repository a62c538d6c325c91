"""
State databases as released programs left them: the history that made them, and how it is told again.

`python tests/support/past.py FOLDER VERSION` (flows and tests on PYTHONPATH) records with the program beside it; a copy
of this file in the tree of an earlier commit records what that one made. A record holds the database as SQL, and the
writes that its runs sent to the services: they are sent again to a fresh emulator, so that both sides are as the
database remembers them, whatever the program of today would have written.
"""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests

from emulator.clock import ManualClock
from support import harness
from support.harness import World
from support.kills import Killed, dying
from support.places import ROOT

RECORDS = ROOT / "tests/state"
SEED = 4
"""One with which the card to be created comes first in the run that is cut."""
REAL = ("https://api.airtable.com", "https://api.trello.com", "https://trello.com")
"""What a run calls the services is in digests of the database, and so must not be a port of the moment."""
NEW, EDITED, DRAGGED = "Ivy", "Ada", "Bob"
"""What the run that is cut had to write: a card to create, a card to move, a lead to update."""
STATUSES = {"Ada": "NEW", "Bob": "CONTACTED", "Cid": "QUALIFIED", "Dan": "LOST", "Eve": "NEW"}
STATUSES |= {"Archived": "QUALIFIED", "Struck": "NEW", "Gone": "CONTACTED"}


class Past(World):
    """A world whose services bear their real addresses, whose clock stands still, and whose ids are always the same."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ordered=True, seed=SEED, clock=ManualClock())
        self.env = {name: value for name, value in self.env.items() if not name.endswith("_ENDPOINT_URL")}
        self.leads: dict[str, str] = {}
        self.names_table = False

    def sync(self, **more: Any) -> Any:
        """As World.sync, to the real addresses."""
        made = harness.unpaced_wire
        with patch("support.harness.unpaced_wire", lambda *args, **kw: made(*args, **{**kw, "hosts": self.hosts})):
            return super().sync(**more)

    @property
    def hosts(self) -> dict[str, str]:
        return dict.fromkeys(REAL, self.emulator.url)

    @property
    def pair(self) -> str:
        """Up to schema 2 keys did not name the table."""
        table = "Leads/" if self.names_table else ""
        return f"{self.airtable.base_id}/{table}{self.trello.board_id}"

    def things(self) -> list[str]:
        """Ids of all there is, in an order that two tellings share."""
        lists = [each["id"] for each in self.trello.lists()]
        places = [self.airtable.base_id, self.airtable.table_id, self.trello.board_id, *lists]
        return [*places, *self.leads.values(), *sorted(self.trello.cards())]


def at_rest(world: Past, run: Callable[[], None]) -> None:
    """Five leads with cards, one whose card a person archived, one whose card is deleted, one deleted itself."""
    for name, status in STATUSES.items():
        world.leads[name] = world.lead(name, status, email=f"{name.lower()}@example.com", source="fair")
    run()
    world.trello.archive(world.card(world.leads["Archived"])["id"])
    world.trello.delete(world.card(world.leads["Struck"])["id"])
    world.airtable.delete(world.leads["Gone"])
    run()
    run()


def cut(world: Past, run: Callable[[], None]) -> None:
    """Then edits on both sides, and a run that dies once its first write has taken effect."""
    world.leads[NEW] = world.lead(NEW, "NEW", email="ivy@example.com")
    world.airtable.edit(world.leads[EDITED], status="CONTACTED", name="Ada Lovelace")
    world.trello.move(world.card(world.leads[DRAGGED])["id"], "DONE")
    run()


# --- recording ------------------------------------------------------------------------------------------------


def record(folder: Path, version: str) -> None:
    """Write `schema_VERSION_at_rest` and `schema_VERSION_cut`, each .sql and .json, to `folder`."""
    with tempfile.TemporaryDirectory() as temporary:
        world, runs = Past(Path(temporary)), list[dict[str, Any]]()

        def run() -> None:
            before = world.things()
            with suppress(Killed):
                world.sync()
            sent = [[sent.method, sent.path, sent.body] for sent in world.emulator.requests if sent.is_write]
            runs.append({"things": before, "writes": sent})

        def dump(name: str) -> None:
            with closing(sqlite3.connect(Path(temporary) / "state.sqlite3")) as connection:
                sql = "\n".join(connection.iterdump())
            (folder / f"{name}.sql").write_text(sql.replace(socket.gethostname(), "old") + "\n", encoding="utf-8")
            told = {"things": world.things(), "runs": runs}
            (folder / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")

        at_rest(world, run)
        dump(f"schema_{version}_at_rest")
        with dying(lambda request: request.method in ("POST", "PUT", "PATCH"), after=True):
            cut(world, run)
        dump(f"schema_{version}_cut")
        world.close()


# --- telling it again -----------------------------------------------------------------------------------------


def tell(name: str, folder: Path) -> Past:
    """The world in which the recorded history has taken place, with the recorded state database."""
    told = json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))
    world, runs = Past(folder), iter(told["runs"])
    world.names_table = not name.startswith(("schema_1", "schema_2"))

    def run() -> None:
        recorded = next(runs)
        ids = dict(zip(recorded["things"], world.things(), strict=True))
        for method, path, body in json.loads(translated(json.dumps(recorded["writes"]), ids)):
            send(world, method, path, body)
        world.emulator.clock.advance(world.pause)

    at_rest(world, run)
    if name.endswith("cut"):
        cut(world, run)
    sql = (RECORDS / f"{name}.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(folder / "state.sqlite3")) as connection:
        connection.executescript(translated(sql, dict(zip(told["things"], world.things(), strict=True))))
    return world


def translated(text: str, ids: dict[str, str]) -> str:
    """`text` with every id replaced, should the emulator make other ids by now."""
    return re.sub("|".join(sorted(ids)), lambda found: ids[found.group()], text)


def send(world: Past, method: str, path: str, body: Any) -> None:
    key, token = world.trello.key, world.trello.token
    trello = f'OAuth oauth_consumer_key="{key}", oauth_token="{token}"'
    allowed = trello if path.startswith("/1/") else f"Bearer {world.airtable.token}"
    url = world.emulator.url + path
    requests.request(method, url, json=body, headers={"Authorization": allowed}, timeout=10).raise_for_status()


if __name__ == "__main__":
    record(Path(sys.argv[1]), sys.argv[2])
