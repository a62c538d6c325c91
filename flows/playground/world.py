"""
Both services, a state that is thrown away, and what people do there, step by step.

Never here: HTTP, what a page looks like.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from emulator import Emulator, Fault, Request
from leadsync.errors import Exit
from leadsync.gateway.line import SyncRun
from leadsync.page.desk import Desk
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options
from leadsync.settings import Settings
from leadsync.state.store import StateStore
from leadsync.transport.wire import Wire
from playground.runs import RUNS, options_of, step_of
from playground.steps import CELLS, MOST, Do, Step, StepError

LISTS: Final = ("TODO", "IN_PROGRESS", "DONE")
UNMAPPED: Final = "ON HOLD"
"""A status that no list stands for: such a cell is set aside, or there would be none to settle."""
STATUSES: Final = ("", "NEW", "CONTACTED", "QUALIFIED", "LOST", UNMAPPED)
BETWEEN = 60.0
"""Seconds on the services' clocks from one step to the next."""
UNPACED: Final = {"AIRTABLE_REQUESTS_PER_SECOND": "50", "TRELLO_REQUESTS_PER_10_SECONDS": "300"}
HOLD: Final = {"SYNC_CONFLICT": "hold"}
"""Conflicts wait for a person, or there would be nothing to settle."""


class SkippedTime:
    """A clock on which waiting takes no time. `waited` [s]."""

    def __init__(self) -> None:
        self.waited = 0.0

    def monotonic(self) -> float:
        """As time has it, plus what was skipped."""
        return time.monotonic() + self.waited

    def sleep(self, seconds: float, /) -> None:
        """Do not."""
        self.waited += seconds


class World:
    """
    The playground as it stands after `steps`. `last`: the report of the latest run, a dry one too; `waited`: what it
    would have waited for a service [s].
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._made = folder, 0
        self.lock = threading.RLock()
        self.seed, self.steps, self.leads = 0, list[Step](), list[str]()
        self.last: dict[str, Any] | None = None
        self.waited = 0.0
        self.emulator, self.settings, self.store = self._begin(0)
        self.desk = Desk(self.settings, self.store)

    def close(self) -> None:
        """Stop the services."""
        self.emulator.stop()
        self.store.close()

    def become(self, seed: int, steps: Sequence[Step]) -> None:
        """
        Go to the state that these steps lead to.

        Raises: StepError if one of them cannot be done; those before it are done then.
        """
        with self.lock:
            if seed != self.seed or self.steps != [*steps[: len(self.steps)]]:
                self.close()
                self.seed, self.steps, self.last, self.waited = seed, [], None, 0.0
                self.emulator, self.settings, self.store = self._begin(seed)
                self.desk.settings, self.desk.store = self.settings, self.store
            for step in steps[len(self.steps) :]:
                self.perform(step)

    def perform(self, step: Step) -> None:
        """One step more. Raises: StepError if it cannot be done."""
        with self.lock:
            if len(self.steps) >= MOST:
                raise StepError(f"An address holds {MOST} steps at most. Start over.")
            if step.do in RUNS:
                self._sync(options_of(step, self.leads, self._past()))
            else:
                self._edit(step)
            self.steps.append(step)
            self.emulator.clock.advance(BETWEEN)

    def run(self, run: SyncRun) -> dict[str, Any]:
        """A run that was asked for at the gateway. Returns: its report as JSON has it."""
        with self.lock:
            try:
                if run.options.dry_run:
                    self._sync(run.options)
                else:
                    self.perform(step_of(run.options, self.leads, self._past()))
            except StepError as error:
                return {"exit_code": Exit.REFUSED, "message": str(error)}
            return self.last or {}

    def name(self, lead: int) -> str:
        """What a lead is called now; it is told by its number where it has no name."""
        found = self.emulator.airtable.records().get(self.leads[lead - 1], {}) if 0 < lead <= len(self.leads) else {}
        return str(found.get("name") or f"lead {lead}")

    def card(self, lead: int) -> str:
        """The id of a lead's card, the oldest of several. Raises: StepError."""
        lead_id = self._lead(lead)
        cards = sorted(key for key, card in self.emulator.trello.cards().items() if lead_id in card["desc"])
        if not cards:
            raise StepError(f"Lead {lead} has no card yet; sync first.")
        return cards[0]

    def _begin(self, seed: int) -> tuple[Emulator, Settings, StateStore]:
        self._made += 1
        emulator = Emulator(seed=seed).start()
        self.leads = emulator.load_demo()
        emulator.airtable.add_select_option("status", UNMAPPED)
        state = {"SYNC_STATE_URL": f"sqlite:///{self._folder / f'state-{self._made}.sqlite3'}"}
        values = emulator.settings() | UNPACED | HOLD | state
        settings = Settings(**{name.lower(): value for name, value in values.items()})  # type: ignore[arg-type]
        return emulator, settings, StateStore(settings.sync_state_url.get_secret_value())

    def _sync(self, options: Options) -> None:
        clock = SkippedTime()
        report = run_sync(self.settings, options, transport=partial(Wire, clock=clock))
        self.waited = clock.waited
        self.emulator.clock.advance(clock.waited)
        self.last = json.loads(report.as_json())

    def _past(self) -> list[str]:
        """The ids of the runs in the history, the oldest first."""
        pair = self.desk.pair
        return [run.run_id for run in self.desk.runs(pair, 0.0)][::-1] if pair else []

    def _edit(self, step: Step) -> None:
        airtable, trello = self.emulator.airtable, self.emulator.trello
        try:
            if step.do is Do.ADD:
                self.leads.append(airtable.add_lead(step.text or None))
            elif step.do in CELLS:
                airtable.edit(self._lead(step.lead), **{step.do.value: step.text or None})
            elif step.do is Do.MOVE:
                trello.move(self.card(step.lead), self._list(step.text))
            elif step.do is Do.TITLE:
                trello.edit(self.card(step.lead), name=step.text)
            elif step.do in (Do.ARCHIVE, Do.UNARCHIVE):
                trello.edit(self.card(step.lead), closed=step.do is Do.ARCHIVE)
            elif step.do is Do.COPY:
                trello.copy(self.card(step.lead))
            else:
                self._break(step.do)
        except StepError:
            raise
        except ValueError as refused:
            raise StepError(f"{str(step)[:80]!r} cannot be done: {refused}") from None

    def _break(self, do: Do) -> None:
        """The next call to Trello is refused, or the answer to the next write, to whichever service, is lost."""
        if do is Do.LIMIT:
            self.emulator.inject(Fault("status", service="trello", status=429))
            return
        for service, method in (("trello", "POST"), ("trello", "PUT"), ("airtable", "PATCH")):
            self.emulator.inject(Fault("drop_after", service=service, method=method))

        def once(request: Request, _number: int) -> None:
            if request.method in ("PUT", "PATCH") or (request.method == "POST" and request.service == "trello"):
                self.emulator.clear_faults()
                stop()

        stop = self.emulator.before_request(once)

    def _lead(self, number: int) -> str:
        if not 0 < number <= len(self.leads):
            raise StepError(f"There is no lead {number}; the table has {len(self.leads)}.")
        return self.leads[number - 1]

    def _list(self, name: str) -> str:
        if name not in LISTS:
            raise StepError(f"There is no list {name[:80]!r}; there are {', '.join(LISTS)}.")
        return name
