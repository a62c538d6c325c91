"""
A world without a network: the product's transport asks the emulator directly, and a run can be disturbed anywhere.

A disturbance strikes at a request of a run: an answer is lost or false, the process dies, a person edits just before.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate
from functools import cached_property, lru_cache
from http.client import RemoteDisconnected
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter

from emulator import Emulator, Fault, ManualClock
from emulator.wire.faults import BEFORE_EXECUTION
from emulator.wire.messages import Reply, Request, parse_body, parse_query
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options, Steps
from leadsync.settings import Settings
from leadsync.state.store import StateStore
from leadsync.transport.pacing import Pace
from leadsync.transport.service import Service
from leadsync.transport.wire import Transport, Wire
from simulation.turns import Turns
from support.harness import FAST, World
from support.kills import Killed
from support.past_changes import opened
from support.told import Told

Before = Callable[[Request, int], Fault | None]
After = Callable[[Request, bool], None]


class ServiceTime:
    """The product's clock goes with the services': waiting moves both. `while_waiting` is called once, at a wait."""

    def __init__(self, clock: ManualClock, turns: Turns) -> None:
        self._clock, self._turns = clock, turns
        self.while_waiting: Callable[[], None] | None = None

    def monotonic(self) -> float:
        return self._clock.now()

    def sleep(self, seconds: float, /) -> None:
        self._turns.sleep(seconds)
        act, self.while_waiting = self.while_waiting, None
        if act is not None:
            act()


class NoTimer:
    """Where there is no connection, none need be cut: a thread for each request takes a tenth of the time."""

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self.daemon = True

    def start(self) -> None:
        pass

    def cancel(self) -> None:
        pass


class Near(BaseAdapter):
    """Asks without a socket."""

    def __init__(self, ask: Callable[[requests.PreparedRequest], requests.Response]) -> None:
        self._ask = ask

    def send(self, request: requests.PreparedRequest, *_args: Any, **_more: Any) -> requests.Response:
        return self._ask(request)

    def close(self) -> None:
        pass


class NearWorld(World):
    """
    As World, in one process and without a socket.

    before: called before each request takes effect, with its index in the run; it may edit, kill, or return a fault.
    after: called once it took effect or did not, and before its answer is known; it may kill. trip: how long a request
    takes on the services' clock [s]. order: as for Turns.
    """

    def __init__(self, folder: Path, *, trip: float = 0.1, order: int = 0, **emulator: Any) -> None:
        clock = ManualClock()
        self.emulator = Emulator(port=1, clock=clock, **emulator)
        self.airtable, self.trello = self.emulator.airtable, self.emulator.trello
        self.folder = folder
        self.lose_state()
        self.env = self.emulator.settings() | FAST | {"SYNC_STATE_URL": f"sqlite:///{folder / 'state.sqlite3'}"}
        self._turns = Turns(order, clock)
        self.clock = ServiceTime(clock, self._turns)  # type: ignore[assignment]
        self.read_timeout, self.pause, self.trip = 20.0, 60.0, trip
        self.before: Before = lambda request, index: None
        self.after: After = lambda request, took_effect: None
        self.hidden = ""
        """A lead that the next page of the table leaves out."""
        self._dead = False

    @property
    def transport(self) -> Transport:
        def near(service: Service, pace: Pace, **more: Any) -> Wire:
            unlimited, adapter = Pace(limit=0, seconds=1, penalty=pace.penalty), Near(self._send)
            return Wire(service, unlimited, clock=self.clock, read_timeout=self.read_timeout, adapter=adapter, **more)

        return near

    def run(self, options: Options, **changes: str) -> Told:
        """One run; raises Killed after which the state is what stood on the disk at that moment."""
        self._dead = False
        self.emulator.clear_requests()
        self.emulator.clock.advance(self.pause)
        with patch("time.time", self.emulator.clock.now), patch("threading.Timer", NoTimer):
            try:
                with self._turns.of_run():
                    steps = Steps(submit=self._turns.side_by_side)
                    return Told(run_sync(self._settings(changes), options, steps, self.transport, self._store))
            finally:
                self.hidden = ""
                if self._dead:
                    self._restore_state()

    def rival(self, **changes: str) -> Told:
        """Another run, begun in the midst of one: nothing disturbs it."""
        before, after, hidden = self.before, self.after, self.hidden
        self.before, self.after, self.hidden = lambda request, index: None, lambda request, took_effect: None, ""
        turns = Turns(0, self.emulator.clock)
        try:
            steps = Steps(submit=turns.side_by_side)
            return Told(run_sync(self._settings(changes), Options(), steps, self.transport, self._store))
        finally:
            self.before, self.after, self.hidden = before, after, hidden

    def _settings(self, changes: dict[str, str]) -> Settings:
        return settings_of(tuple(sorted((self.env | changes).items())))

    @cached_property
    def _store(self) -> StateStore:
        """One for all runs, as a fleet's pairs share it, until it is another file."""
        return StateStore(self.env["SYNC_STATE_URL"])

    def leave_state(self) -> None:
        """Whoever opens it next finds what stands in the file."""
        if "_store" in vars(self):
            self._store.close()
            del self._store

    def past_runs(self) -> dict[str, set[str]]:
        """Runs that changed something, the newest first -> the leads that they changed."""
        with opened(self) as (store, pair):
            runs = [run.run_id for run in store.history.runs(pair)]
            return {run: {change.lead_id for change in store.history.changes(pair, run)} for run in runs}

    def lose_state(self) -> None:
        """The database is gone, with all that stood beside it."""
        self.leave_state()
        for file in self.folder.glob("state.sqlite3*"):
            file.unlink()

    # A process that dies

    def kill(self) -> None:
        """What the process has not written by now it never writes. Raises: Killed."""
        self._dead = True
        saved = self.folder / "at-the-kill"
        shutil.rmtree(saved, ignore_errors=True)
        saved.mkdir()
        for file in self._state_files():
            shutil.copy2(file, saved / file.name)
        raise Killed

    def _restore_state(self) -> None:
        self.lose_state()
        for file in (self.folder / "at-the-kill").iterdir():
            shutil.copy2(file, self.folder / file.name)

    def _state_files(self) -> list[Path]:
        return [file for file in self.folder.glob("state.sqlite3*") if not file.name.endswith((".lock", "-shm"))]

    # Requests

    def _send(self, sent: requests.PreparedRequest) -> requests.Response:
        self._turns.pass_on()
        if self._dead:
            raise Killed
        request = self._request(sent)
        self.emulator.clock.advance(self.trip)
        with self.emulator._lock:
            self.emulator.requests.append(request)
            index = len(self.emulator.requests) - 1
        fault = self.before(request, index)
        took_effect = fault is None or fault.kind not in BEFORE_EXECUTION
        delivery = self.emulator._delivery(request, fault)
        request.status = None if delivery.reply is None else delivery.reply.status
        self.after(request, took_effect)
        if delivery.reply is None:
            if delivery.silence:
                raise requests.exceptions.ReadTimeout(f"Read timed out. (read timeout={self.read_timeout:g})")
            reset = RemoteDisconnected("Remote end closed connection without response")
            raise requests.exceptions.ConnectionError(
                urllib3.exceptions.ProtocolError("Connection aborted.", reset), request=sent
            )
        if delivery.cut:
            raise requests.exceptions.ChunkedEncodingError(urllib3.exceptions.ProtocolError("Connection broken"))
        return self._response(sent, self._without_hidden(request, delivery.reply))

    def _without_hidden(self, request: Request, reply: Reply) -> Reply:
        """A page of the whole table, and of nothing else, may leave out a lead."""
        is_page = request.service == "airtable" and not request.is_write and b'"records"' in reply.body
        if not self.hidden or not is_page or "filterByFormula" in json.dumps([request.query, request.body]):
            return reply
        body = json.loads(reply.body)
        records = [record for record in body["records"] if record["id"] != self.hidden]
        self.hidden = "" if len(records) < len(body["records"]) else self.hidden
        return replace(reply, body=json.dumps(body | {"records": records}).encode())

    def _request(self, sent: requests.PreparedRequest) -> Request:
        parts = urlsplit(str(sent.url))
        parameters, query = parse_query(parts.query)
        headers = {str(name).lower(): str(value) for name, value in sent.headers.items()}
        raw = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
        body, malformed = parse_body(raw, headers.get("content-type", ""))  # type: ignore[arg-type]
        service, now = "trello" if parts.path.startswith("/1/") else "airtable", self.emulator.clock.now()
        method = str(sent.method)
        return Request(service, method, parts.path, query, body, headers, now, None, parameters, parts.query, malformed)

    def _response(self, sent: requests.PreparedRequest, reply: Reply) -> requests.Response:
        response = requests.Response()
        response.status_code, response.url, response.request = reply.status, str(sent.url), sent
        date = formatdate(self.emulator.clock.now(), usegmt=True)
        response.headers.update({"content-type": reply.content_type, "date": date, **reply.headers})
        response.raw = urllib3.HTTPResponse(
            body=io.BytesIO(reply.body), status=reply.status, headers=response.headers, preload_content=False
        )
        return response

    def close(self) -> None:
        if self.emulator.errors:
            raise self.emulator.errors[0]


@lru_cache(maxsize=256)
def settings_of(env: tuple[tuple[str, str], ...]) -> Settings:
    """The settings of an environment; to read them takes as long as a fifth of a run."""
    return Settings(_env_file=None, **{name.lower(): value for name, value in env})  # type: ignore[arg-type]


@contextmanager
def other_table(world: World, table_id: str) -> Iterator[None]:
    """People work in another table of the base."""
    here, world.airtable.table_id = world.airtable.table_id, table_id
    try:
        yield
    finally:
        world.airtable.table_id = here
