"""API calls of a run, counted by the emulated services, beside what the pages promise and a naive sync's."""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import requests

from emulator import Emulator
from leadsync.model import Read
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options
from leadsync.settings import Settings
from support.harness import SkippedTime, unpaced_wire

STATUS_TO_LIST = {"NEW": "TODO", "CONTACTED": "IN_PROGRESS", "QUALIFIED": "DONE", "LOST": "DONE"}
FIRST, IDLE, MOVED = "first sync", "idle", "1 % moved on either side"
BETWEEN_RUNS = 3600.0
"""Seconds on the services' clock: as on the schedule."""
MARKER = re.compile(r"^LeadID: (rec\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Calls:
    """Requests of one run to Airtable and Trello; `promised` is the most that the pages allow, None for naive."""

    what: str
    leads: int
    airtable: int
    trello: int
    promised: int | None = None

    @property
    def total(self) -> int:
        """Both sides."""
        return self.airtable + self.trello


def runs(leads: int) -> tuple[list[Calls], list[Calls]]:
    """A first sync, idle ones read whole and by delta, one after 1 % of the leads and cards moved; and naive ones."""
    return list(_ours(leads)), list(_naive(leads))


def _ours(leads: int) -> Iterator[Calls]:
    whole = math.ceil(leads / 100) + max(1, math.ceil(leads / 1000))
    count = partial(_counted, leads)
    with _World(leads) as (emulator, settings):
        sync = partial(_sync, settings)
        # the first read looks for markers in archived cards, and to an empty page; deltas want the columns' types
        archived_too, to_the_end = 1, 1
        yield count(FIRST, emulator, partial(sync, Read.DELTA), whole + archived_too + to_the_end + leads + 3)
        yield count(IDLE, emulator, sync, whole)
        yield count(f"{IDLE}, delta", emulator, partial(sync, Read.DELTA), 2)
        moved = _move(emulator, leads)
        busy = 2 + math.ceil(moved / 10) + moved + 3
        yield count(MOVED, emulator, partial(sync, Read.DELTA), busy)
        yield count(f"{IDLE} again, delta", emulator, partial(sync, Read.DELTA), 2)


def _naive(leads: int) -> Iterator[Calls]:
    with _World(leads) as (emulator, _):
        naive = partial(_naive_sync, emulator)
        yield _counted(leads, FIRST, emulator, naive)
        yield _counted(leads, IDLE, emulator, naive)
        _move(emulator, leads)
        yield _counted(leads, MOVED, emulator, naive)


class _World:
    """A base of leads, and a board without cards."""

    def __init__(self, leads: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.emulator = Emulator(trello_open_cards_limit=10 * leads).start()
        for number in range(leads):
            self.emulator.airtable.add_lead(f"Lead {number}", f"lead{number}@example.com", "NEW", "web")
        env = self.emulator.settings() | {"SYNC_STATE_URL": f"sqlite:///{self.folder.name}/state.sqlite3"}
        given = {name.lower(): value for name, value in env.items()}
        self.settings = Settings(_env_file=None, **given)  # type: ignore[arg-type,call-arg]

    def __enter__(self) -> tuple[Emulator, Settings]:
        return self.emulator, self.settings

    def __exit__(self, *_details: object) -> None:
        self.emulator.stop()
        self.folder.cleanup()


def _counted(leads: int, what: str, emulator: Emulator, run: Callable[[], None], promised: int | None = None) -> Calls:
    emulator.clear_requests()
    emulator.clock.advance(BETWEEN_RUNS)
    run()
    return Calls(what, leads, emulator.calls("airtable"), emulator.calls("trello"), promised)


def _sync(settings: Settings, read: Read = Read.FULL) -> None:
    """One run for which waiting takes no time: the calls are counted here, not the seconds."""
    report = run_sync(settings, Options(read=read), transport=partial(unpaced_wire, clock=SkippedTime()))
    assert report.exit_code == 0, report.message


def _move(emulator: Emulator, leads: int) -> int:
    """1 % of the leads get another status, 1 % of the cards another list. Returns: how many on each side."""
    number = max(1, leads // 100)
    lead_ids, cards = list(emulator.airtable.records()), emulator.trello.cards()
    for lead_id in lead_ids[:number]:
        emulator.airtable.edit(lead_id, status="CONTACTED")
    others = {
        card_id for card_id, card in cards.items() if not set(MARKER.findall(card["desc"])) & {*lead_ids[:number]}
    }
    for card_id in sorted(others)[:number]:
        emulator.trello.move(card_id, "DONE")
    return number


def _naive_sync(emulator: Emulator) -> None:
    """What a first version of such a script does: for each lead ask for its card, then write what differs, one way."""
    env = emulator.settings()
    airtable, trello = requests.Session(), requests.Session()
    airtable.headers["Authorization"] = f"Bearer {env['AIRTABLE_API_TOKEN']}"
    key, token = env["TRELLO_API_KEY"], env["TRELLO_API_TOKEN"]
    trello.headers["Authorization"] = f'OAuth oauth_consumer_key="{key}", oauth_token="{token}"'
    table = f"{env['AIRTABLE_ENDPOINT_URL']}/v0/{env['AIRTABLE_BASE_ID']}/{env['AIRTABLE_TABLE_NAME']}"
    api = f"{env['TRELLO_ENDPOINT_URL']}/1"
    board = trello.get(f"{api}/boards/{env['TRELLO_BOARD_ID']}", params={"lists": "open"}).json()
    lists = {each["name"]: each["id"] for each in board["lists"]}
    shown: list[dict[str, Any]] = []
    bounds: dict[str, str] = {}
    while page := trello.get(f"{api}/boards/{board['id']}/cards", params={"limit": "1000", **bounds}).json():
        shown += page
        bounds = {"before": min(card["id"] for card in page)}
    card_of = {found[0]: card["id"] for card in shown if (found := MARKER.findall(card["desc"]))}
    for record in _records(airtable, table):
        target = lists[STATUS_TO_LIST[record["fields"]["status"]]]
        if record["id"] not in card_of:
            cells = {"idList": target, "name": record["fields"]["name"], "desc": f"LeadID: {record['id']}"}
            trello.post(f"{api}/cards", json=cells).raise_for_status()
            continue
        card = trello.get(f"{api}/cards/{card_of[record['id']]}").json()
        if card["idList"] != target:
            trello.put(f"{api}/cards/{card['id']}", json={"idList": target}).raise_for_status()


def _records(airtable: requests.Session, table: str) -> Iterator[dict[str, Any]]:
    offset: dict[str, str] = {}
    while True:
        page = airtable.get(table, params=offset).json()
        yield from page["records"]
        if "offset" not in page:
            return
        offset = {"offset": page["offset"]}
