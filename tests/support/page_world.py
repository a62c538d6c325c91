"""A gateway with its page, both services behind it; runs are real ones, without Prefect, and nothing starts them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from leadsync.gateway.access import Gate
from leadsync.gateway.inbox import Inbox
from leadsync.gateway.line import SyncRun
from leadsync.gateway.trigger import Trigger
from leadsync.page.desk import Desk
from leadsync.page.views import Views
from leadsync.pipeline.run import run_sync
from leadsync.state.store import StateStore
from support.gateway_process import free_port
from support.gateway_world import serving
from support.harness import World

PREFECT = "http://prefect.example:4200"
NO_WEBHOOKS = Inbox(None, None, "", lambda: None, base_id="", board="")


class Paged:
    """`reports`: of the runs so far. `env`: settings by their environment names."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.world = World(folder, env=env)
        self.settings = self.world.settings()
        self.store = StateStore(self.settings.sync_state_url.get_secret_value())
        self.desk = Desk(self.settings, self.store, PREFECT)
        self.reports: list[Any] = []
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.gate = Gate(trigger=Trigger(self._run, 0.05), inbox=NO_WEBHOOKS, host="127.0.0.1", views=Views(self.desk))

    def _run(self, run: SyncRun) -> dict[str, Any]:
        report = run_sync(self.settings, run.options, transport=self.world.transport)
        self.reports.append(report)
        told: dict[str, Any] = json.loads(report.as_json())
        return told

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=30)

    def press(self, path: str, **fields: str) -> requests.Response:
        """As a browser sends a form of ours. Returns: the page that it ends on, once the run has ended."""
        answer = requests.post(
            self.url + path, data=fields, headers={"Origin": self.url}, timeout=30, allow_redirects=False
        )
        if answer.status_code != 303:
            return answer
        deadline = time.monotonic() + 60
        while "Refresh" in (page := self.get(answer.headers["Location"])).headers:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return page


@contextmanager
def paged(folder: Path, *names: str, **env: str) -> Iterator[Paged]:
    """The page of a pair whose leads of these names are in step."""
    made = Paged(folder, **env)
    for name in names:
        made.world.lead(name)
    with serving(made.gate, made.port):
        if names:
            made.world.sync()
        yield made
    made.store.close()
    made.world.close()
