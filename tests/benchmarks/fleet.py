"""
What a fleet of idle pairs takes, beside what the limits of its credentials set: two processes on one PostgreSQL state;
then the same beside three troubled pairs: one always fails, one always times out, one has 5,000 leads to load.

Each process answers its own requests, as a service would after LATENCY; only those of the pair with leads to load go to
an emulator. What was sent, and when, is compared with the limits afterwards. It prints a table:
`python tests/benchmarks/fleet.py --pairs 5000 --state postgresql://…`.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "flows"))

import requests
import typer
import urllib3
from requests.adapters import BaseAdapter
from rich.console import Console
from rich.table import Table

from emulator import Emulator
from leadsync.model import Read
from leadsync.pipeline.fleet import Fleet
from leadsync.pipeline.members import Member, due_members
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options
from leadsync.settings import Settings
from leadsync.state.budgets import shared_budgets
from leadsync.state.store import StateStore
from leadsync.transport.budgets import ALLOWANCES, Budgets
from leadsync.transport.lines import Lines
from leadsync.transport.wire import READ_TIMEOUT, Transport, Wire

LATENCY = 0.1
TOKENS, PROCESSES, AT_ONCE = 3, 2, 24
FAILS, LATE, LOADS = 90_000_000, 90_000_001, 5_000
"""Numbers of the pair that always fails and of the one that always times out; leads of the one that loads."""
OAUTH = 'OAuth oauth_consumer_key="{}", oauth_token="{}"'
KINDS = (
    (r"/v0/app\w+/", "leads"),
    (r"/boards/\w+/actions", "actions"),
    (r"/boards/\w+/cards", "cards"),
    (r"/boards/\w+", "board"),
)


def kind_of(request: requests.PreparedRequest) -> str:
    """What is asked for."""
    return next((kind for pattern, kind in KINDS if re.search(pattern, str(request.url))), str(request.url))


def recorded() -> dict[str, Any]:
    """The answers to an idle pair with three leads, and its settings."""
    answers: dict[str, str] = {}

    class Recorder(Wire):
        def _ask(self, request: requests.PreparedRequest) -> Any:
            response, body = super()._ask(request)
            answers[kind_of(request)] = body.decode()
            return response, body

    with tempfile.TemporaryDirectory() as folder, Emulator() as emulator:
        env = emulator.settings() | {"SYNC_STATE_URL": f"sqlite:///{folder}/state.sqlite3"}
        settings = Settings(_env_file=None, **{name.lower(): value for name, value in env.items()})  # type: ignore[arg-type,call-arg]
        for number in range(3):
            emulator.airtable.add_lead(f"Lead {number}", f"lead{number}@example.com", "NEW", "web")
        assert run_sync(settings, Options(allow_mass_change=True)).exit_code == 0
        assert run_sync(settings, Options(), transport=Recorder).changes == []
        answers["board"] = requests.get(
            f"{emulator.url}/1/boards/{emulator.trello.board_id}",
            params={"fields": "name,url", "lists": "all", "list_fields": "name,closed"},
            headers={"Authorization": OAUTH.format(env["TRELLO_API_KEY"], env["TRELLO_API_TOKEN"])},
            timeout=10,
        ).text
        answers["actions"] = "[]"
        return {"answers": answers, "base": emulator.airtable.base_id, "board": emulator.trello.board_id}


def settings_of(number: int, told: Mapping[str, Any], state: str) -> Settings:
    """Those of one pair."""
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        airtable_api_token=told["loads"]["AIRTABLE_API_TOKEN"],
        airtable_base_id=f"app{number:014d}",
        trello_api_key=told["loads"]["TRELLO_API_KEY"],
        trello_api_token=told["tokens"][number % TOKENS],
        trello_board_id=f"{number:024x}",
        airtable_requests_per_second=50,
        sync_state_url=state,
    )


class Service(BaseAdapter):
    """Both services, for all pairs of this process. `sent`: when, which credential."""

    def __init__(self, told: Mapping[str, Any], latency: float) -> None:
        self._told, self._latency, self.sent = told, latency, list[tuple[float, str]]()
        self._lines = Lines(pool_maxsize=8)

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        url = str(request.url)
        credential = request.headers["Authorization"]
        self.sent.append((time.time(), credential[-76:] if "OAuth" in credential else "airtable"))
        if url.startswith("http://127.0.0.1"):
            return self._lines.send(request, *args, **more)
        found = re.search(r"app(\d{14})|boards/([0-9a-f]{24})", url)
        number = 0 if not found else int(found[1]) if found[1] else int(found[2], 16)
        time.sleep(READ_TIMEOUT if number == LATE else self._latency)
        if number == LATE:
            raise requests.exceptions.ReadTimeout
        body = "[]" if "before=" in url else self._told["answers"][kind_of(request)]
        if found and found[1]:
            body = body.replace(self._told["base"], f"app{found[1]}")
        elif found:
            body = body.replace(self._told["board"], found[2])
        made = requests.Response()
        made.status_code, made.url, made.request = 503 if number == FAILS else 200, url, request
        made.headers["Content-Type"] = "application/json"
        made.headers["Date"] = formatdate(usegmt=True)  # without it no delta is asked for
        made.raw = urllib3.HTTPResponse(
            body=io.BytesIO(body.encode()), status=made.status_code, headers=dict(made.headers), preload_content=False
        )
        return made

    def close(self) -> None:
        """Nothing is open."""


def way_to(service: Service, budgets: Budgets | None) -> Transport:
    """As the fleet's own, with this service at its end."""

    def transport(of: Any, pace: Any, secrets: tuple[str, ...], **more: Any) -> Wire:
        shared = budgets.of(of.name, secrets) if budgets else ()
        return Wire(of, pace, secrets, adapter=service, budgets=shared, **more)

    return transport


def troubled(told: Mapping[str, Any], state: str) -> list[Member]:
    """They come first: by their names, for all are due."""
    ours = {name.lower(): value for name, value in told["loads"].items()} | {"sync_state_url": state}
    return [
        Member("-fails", "fails", "0", lambda: settings_of(FAILS, told, state)),
        Member("-late", "late", "1", lambda: settings_of(LATE, told, state)),
        Member("-loads", "loads", "0", lambda: Settings(_env_file=None, **ours)),  # type: ignore[call-arg]
    ]


def work(place: Path, number: int, state: str, pairs: int, fill: bool) -> None:
    """One process: all pairs once, or those that it gets; pairs in trouble are left when all others have ended."""
    told = json.loads((place / "told.json").read_text())
    store = StateStore(state)
    mine = range(number, pairs, PROCESSES) if fill else range(pairs)
    there = [
        Member(f"{each:05d}", f"app{each:014d}", str(each % TOKENS), lambda each=each: settings_of(each, told, state))  # type: ignore[misc]
        for each in mine
    ]
    there += troubled(told, state) if told["troubled"] else []
    service = Service(told, 0.0 if fill else LATENCY)
    budgets = None if fill else shared_budgets(store.database)
    options = Options(read=Read.AUTO, allow_mass_change=True)
    fleet = Fleet(store, options, 0.0 if fill else 3600.0, way_to(service, budgets), AT_ONCE)
    due = due_members(there, store, time.time())
    print("ready", flush=True)
    sys.stdin.readline()
    began, cpu, rows = time.time(), time.process_time(), []
    left = {member.pair for member in due if not member.pair.startswith("-")}
    for synced in fleet.sync(due):
        if synced.report is not None and synced.pair in left:
            rows.append((time.time(), synced.pair, int(synced.report.exit_code), synced.report.message))
        left.discard(synced.pair)
        if not left:
            break
    wrong = [row for row in rows if row[2]]
    told_back = {"rows": len(rows), "wrong": wrong[:3], "seconds": max(row[0] for row in rows) - began if rows else 0}
    told_back |= {"cpu": time.process_time() - cpu, "sent": service.sent}
    (place / f"process{number}.json").write_text(json.dumps(told_back))
    os._exit(0)  # or the cards that are still to be written would be waited for


def both(place: Path, state: str, pairs: int, fill: bool) -> list[dict[str, Any]]:
    """Two processes at once. Returns: what each tells."""
    command = [sys.executable, __file__, "--pairs", str(pairs), "--state", state, "--place", str(place)]
    more = ["--fill"] if fill else []
    running = [
        subprocess.Popen(
            [*command, "--number", str(number), *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in range(PROCESSES)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        process.wait()
    return [json.loads((place / f"process{number}.json").read_text()) for number in range(PROCESSES)]


def most_in_window(times: list[float], seconds: float) -> int:
    """The most requests in any window."""
    most, first = 0, 0
    for last, moment in enumerate(times):
        while times[first] <= moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def measure(
    pairs: Annotated[int, typer.Option()] = 5_000,
    state: Annotated[str, typer.Option(help="An empty PostgreSQL database.")] = "",
    place: Annotated[Path | None, typer.Option(hidden=True)] = None,
    number: Annotated[int, typer.Option(hidden=True)] = 0,
    fill: Annotated[bool, typer.Option("--fill", hidden=True)] = False,
) -> None:
    """Idle pairs in two processes, on three tokens of one Trello key, alone and beside three that are in trouble."""
    if place:
        return work(place, number, state, pairs, fill)
    folder, store = Path(tempfile.mkdtemp()), StateStore(state)
    with Emulator() as emulator:
        for each in range(LOADS):
            emulator.airtable.add_lead(f"Lead {each}", f"lead{each}@example.com", "NEW", "web")
        tokens = [emulator.trello.token, *(emulator.trello.add_token() for _ in range(TOKENS - 1))]
        told = recorded() | {"loads": emulator.settings(), "tokens": tokens}

        def run(fill: bool, troubled: bool = False) -> list[dict[str, Any]]:
            (folder / "told.json").write_text(json.dumps(told | {"troubled": troubled}))
            return both(folder, state, pairs, fill)

        filled = run(fill=True)
        assert not any(each["wrong"] for each in filled), filled[0]["wrong"]
        alone = figures(run(fill=False))
        store.pair_runs.drop(pair=store.pair_runs.load_all())
        beside = figures(run(fill=False, troubled=True))
        made = len(emulator.trello.cards())
    assert made, "the pair with leads to load was no trouble"
    table = Table("what", "idle pairs alone", "beside three troubled ones", "goal")
    table.caption = f"The pair that loads made {made} cards meanwhile."
    delay = beside["seconds"] / alone["seconds"]
    for what, shown, goal in ROWS:
        table.add_row(what, *(shown.format(**each) for each in (alone, beside)), goal)
    table.add_row("time, troubled : alone", "", f"{delay:.2f}", "< 1.10")
    Console().print(table)
    return None


ROWS = (
    ("pairs", "{pairs:,}", ""),
    ("time", "{seconds:.0f} s", ""),
    ("time : the bound that the limits set", "{of_bound:.2f}", "≤ 1.10"),
    ("smaller process, of a fair share", "{share:.0%}", "≥ 50%"),
    ("most requests of the key in 10 s", "{key}", f"≤ {ALLOWANCES['Trello'][0].allowed}"),
    ("most requests of a token in 10 s", "{token}", f"≤ {ALLOWANCES['Trello'][1].allowed}"),
    ("CPU a pair", "{cpu:.1f} ms", "≤ 15 ms"),
    ("pairs that failed", "{failed}", "0"),
)


def figures(told: list[dict[str, Any]]) -> dict[str, float]:
    """What both processes tell, by the names of ROWS. The bound is for as many requests as these pairs need."""
    sent = [(moment, who) for each in told for moment, who in each["sent"] if who != "airtable"]
    tokens, rows = {who for _, who in sent}, [each["rows"] for each in told]
    seconds, bound = max(each["seconds"] for each in told), sum(rows) / 30
    return {
        "pairs": sum(rows),
        "seconds": seconds,
        "of_bound": seconds / bound,
        "share": min(rows) / (sum(rows) / PROCESSES),
        "key": most_in_window(sorted(moment for moment, _ in sent), 10),
        "token": max(most_in_window(sorted(moment for moment, who in sent if who == each), 10) for each in tokens),
        "cpu": 1000 * sum(each["cpu"] for each in told) / sum(rows),
        "failed": sum(len(each["wrong"]) for each in told),
    }


if __name__ == "__main__":
    typer.run(measure)
