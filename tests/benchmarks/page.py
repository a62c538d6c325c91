"""The page of many leads: how long it takes over HTTP, and whether memory stays as it is."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from leadsync.frames.snapshot import Snapshot
from leadsync.state.noted import Noted
from support.page_world import Paged, paged

PROMISED = 0.2
"""Seconds."""
TIMES = 30


@dataclass(frozen=True)
class Looked:
    """One way to look. `median`, of TIMES requests [s]; `grew`: memory of the process since the first of them [MiB]."""

    what: str
    median: float
    grew: float


def fill(page: Paged, leads: int) -> None:
    """As many leads as if a run had agreed about them; the services are not asked."""
    pair = page.desk.pair
    assert pair is not None
    (card,) = page.store.snapshots.load(pair.key).cards.values()
    (record,) = page.store.snapshots.load(pair.key).records.values()
    records, cards, agreed = {}, {}, {}
    for number in range(leads):
        lead_id, card_id, name = f"rec{number:014}", f"{number:024x}", f"Lead {number} Ltd"
        records[lead_id] = record | {"id": lead_id, "fields": {"name": name, "email": f"p{number}@x.example"}}
        cards[card_id] = card | {"id": card_id, "name": name}
        sides = {f"{side} line:E-mail\temail": f"p{number}@x.example" for side in ("airtable", "trello")}
        present = {"card_id": card_id, "lead_presence": "present", "card_presence": "open", "stage": "TODO"}
        agreed[lead_id] = {**present, "name": name, "title": name, **sides}
    page.store.journal.enter(pair.key, Noted(agreed))
    page.store.snapshots.save(pair.key, Snapshot(records=records, cards=cards))


def looks(leads: int) -> Iterator[Looked]:
    """The first page, the last one, and searches that find one lead, all, or a letter that no database knows."""
    with tempfile.TemporaryDirectory() as folder, paged(Path(folder), "Ada") as page:
        fill(page, leads)
        asked = {
            "first page": "/",
            "last page": f"/?page={leads}",
            "search, one lead": f"/?q=p{leads - 1}@x",
            "search, all leads": "/?q=lead",
            "search, beyond ASCII": "/?q=%C3%96zge",
        }
        for what, path in asked.items():
            requests.get(page.url + path, timeout=60).raise_for_status()
            before, seconds = _memory(), []
            for _ in range(TIMES):
                started = time.perf_counter()
                requests.get(page.url + path, timeout=60).raise_for_status()
                seconds.append(time.perf_counter() - started)
            yield Looked(what, statistics.median(seconds), _memory() - before)


def _memory() -> float:
    """Of this process [MiB] (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
