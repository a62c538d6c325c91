"""
One sync, step by step: settings → frames → decisions → plan → apply → report.

Every step is a plain function; the door passes the same functions as Prefect tasks. What is never here: a rule,
a request, Prefect.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from leadsync.airtable import Airtable
from leadsync.apply import Failure, Outcome, Progress, Target, load_cards, load_leads
from leadsync.errors import ConfigurationError, LeadsyncError, ListsChangedError, ServiceRefusedError
from leadsync.frames import overlay
from leadsync.guards import check_plan, check_reads
from leadsync.intents import Intent, intents_of, settle, unclear, witnessed
from leadsync.lock import pair_lock
from leadsync.model import BASE_COLUMNS, Rules
from leadsync.plan import Conflict, Plan, build_plan
from leadsync.reconcile import ARCHIVED, reconcile, to_look_up
from leadsync.report import Report, rows_of
from leadsync.settings import ConflictPolicy, Settings
from leadsync.store import StateStore
from leadsync.trello import Board, CardsRead, Trello

PASSES = 3
"""A pass that met an edit made meanwhile is followed by another, up to this many in one run."""


@dataclass(frozen=True)
class Options:
    """The choices of one run."""

    dry_run: bool = False
    allow_mass_change: bool = False
    conflict: ConflictPolicy | None = None


@dataclass(frozen=True)
class Clients:
    """What a run talks to, built from the settings and closed at its end."""

    airtable: Airtable
    trello: Trello
    store: StateStore


@dataclass(frozen=True)
class Memory:
    """What earlier runs left: what was agreed, and what was about to be written when one was cut off."""

    base: pd.DataFrame
    intents: list[Intent]
    open_cards: int  # on the whole board, at the end of the last run


def no_progress(what: str, done: int, total: int) -> None:
    """Show nothing."""


# --- the steps ------------------------------------------------------------------------------------------------


def extract_leads(airtable: Airtable) -> pd.DataFrame:
    """All leads; see Airtable.fetch_leads."""
    return airtable.fetch_leads()


def extract_cards(trello: Trello, board: Board, memory: Memory, to_the_end: bool = False) -> CardsRead:
    """
    The board's cards; archived ones too if there is no base yet, or a card may have been created unrecorded.

    `to_the_end`: read on although as many cards were seen as there were last time (a card is to be created). So it
    is, too, while a card may come back behind the last page.
    """
    returning = memory.base["card_presence"].isin((*ARCHIVED, "moved_away")).any()
    total = 0 if to_the_end or returning else memory.open_cards
    expected = memory.base["card_id"][memory.base["card_presence"] == "open"]
    unrecorded = any(intent.side == "card" and not intent.card_id for intent in memory.intents)
    archived = memory.base.empty or unrecorded
    return trello.fetch_cards(board, set(memory.base["card_id"]), set(expected), total, archived)


def join_and_diff(
    memory: Memory, leads: pd.DataFrame, cards: CardsRead, clients: Clients, board: Board, rules: Rules
) -> Plan:
    """
    Join on LeadID, look up what is missing, and plan.

    The base that unrecorded writes imply (intents.settle) goes into the plan's base updates. Raises: GuardError.
    """
    doubtful = unclear(memory.base, memory.intents, cards.cards)
    proven = _ask_the_feed(doubtful, clients.trello, board) if doubtful else set()
    base = settle(memory.base, memory.intents, leads, cards.cards, proven)
    check_reads(base, leads, cards.cards, cards.total, rules)
    missing_leads, missing_cards = to_look_up(base, leads, cards.cards, rules)
    leads = overlay(leads, clients.airtable.look_up_leads(missing_leads))
    trello = overlay(cards.cards, clients.trello.look_up_cards(board, missing_cards))
    plan = build_plan(reconcile(base, leads, trello, rules), base, leads, trello, rules)
    check_plan(base, plan, rules)
    _carry_settled(plan, memory.base, base)
    return plan


def _ask_the_feed(doubtful: list[Intent], trello: Trello, board: Board) -> set[tuple[str, str]]:
    """Without the feed nothing is proven, and what is in doubt is listed as a conflict."""
    with suppress(ServiceRefusedError):
        return witnessed(doubtful, trello.fetch_actions(board), board.lists)
    return set()


def _carry_settled(plan: Plan, before: pd.DataFrame, settled: pd.DataFrame) -> None:
    if settled is before:
        return
    known = before.to_dict("index")
    for lead_id, row in settled.to_dict("index").items():
        if known.get(lead_id) != row:
            columns = {column: row[column] for column in BASE_COLUMNS}
            plan.base_updates[str(lead_id)] = columns | plan.base_updates.get(str(lead_id), {})


def call_directly(step: Callable[..., Any], *args: Any, **more: Any) -> Any:
    """A step is just called."""
    return step(*args, **more)


@contextmanager
def side_by_side() -> Iterator[Callable[..., Future[Any]]]:
    """Steps run in threads."""
    with ThreadPoolExecutor(2, thread_name_prefix="extract") as pool:
        yield pool.submit


@dataclass(frozen=True)
class Steps:
    """How steps are called: as they are, or each as a Prefect task run. `submit` starts one beside others."""

    call: Callable[..., Any] = call_directly
    submit: Callable[[], AbstractContextManager[Callable[..., Any]]] = side_by_side
    progress: Progress = no_progress


# --- the run --------------------------------------------------------------------------------------------------


@dataclass
class Run:
    """One sync under way."""

    settings: Settings
    options: Options
    steps: Steps
    clients: Clients
    report: Report = field(default_factory=Report)
    open_cards: int = 0

    @property
    def rules(self) -> Rules:
        """What the planner may know."""
        return self.settings.rules(conflict=self.options.conflict, allow_mass_change=self.options.allow_mass_change)

    def go(self) -> None:
        """Resolve, lock, and make passes until nothing is postponed."""
        board = self._resolve()
        pair = f"{self.settings.airtable_base_id}/{board.board_id}"
        self.report.base_url, self.report.board_url = self.clients.airtable.url, board.url
        with pair_lock(self.clients.store, pair) as still_held:
            target = Target(board, self.clients.store, pair, still_held)
            for _ in range(PASSES):
                outcome = self._one_pass(target)
                if not outcome.postponed:
                    break
            self.report.postponed = [{"lead_id": lead_id} for lead_id in sorted(set(outcome.postponed))]
        self.report.judge()

    def _one_pass(self, target: Target) -> Outcome:
        plan = self._plan(target)
        if self.options.dry_run:
            self._tell(plan, rows_of(plan.changes, outcome="planned"))
            return Outcome()
        self._check_board(plan, target)
        intents = intents_of(plan, self.clients.trello.clock)
        self.clients.store.journal(target.pair, plan.base_updates, plan.forget, intents)
        self._tell(plan, [])
        outcome = Outcome()
        try:
            if plan.card_writes:
                args = (plan, self.clients.trello, target, self.steps.progress)
                self._take(outcome, self.steps.call(load_cards, *args))
            if plan.lead_writes:
                lead_args = (plan, self.clients.airtable, target, outcome, self.steps.progress)
                self._take(outcome, self.steps.call(load_leads, *lead_args))
        finally:
            self._tell_overwritten(outcome, target.board)
        self._refuse_if_nothing_was_permitted(plan, outcome)
        self._remember_open_cards(target, outcome)
        return outcome

    def _plan(self, target: Target) -> Plan:
        store, pair = self.clients.store, target.pair
        facts = store.load_facts(pair) or {}
        memory = Memory(store.load_base(pair), store.load_intents(pair), facts.get("open_cards", 0))
        leads, cards = self._extract(target.board, memory)
        plan: Plan = self.steps.call(join_and_diff, memory, leads, cards, self.clients, target.board, self.rules)
        if not cards.whole and any(not write.card_id for write in plan.card_writes):
            cards = self.steps.call(extract_cards, self.clients.trello, target.board, memory, to_the_end=True)
            plan = self.steps.call(join_and_diff, memory, leads, cards, self.clients, target.board, self.rules)
        self.open_cards = cards.total
        self.report.leads, self.report.cards = len(leads), len(cards.cards)
        self.report.titles |= dict(zip(leads.index, leads["title"], strict=True))
        return plan

    def _extract(self, board: Board, memory: Memory) -> tuple[pd.DataFrame, CardsRead]:
        """Both sides, side by side."""
        with self.steps.submit() as submit:
            leads = submit(extract_leads, self.clients.airtable)
            cards = submit(extract_cards, self.clients.trello, board, memory)
            return leads.result(), cards.result()

    def _resolve(self) -> Board:
        """Board and lists as the settings name them; asked for once, then known until the settings change."""
        named = [self.settings.trello_endpoint_url, self.settings.trello_board_id, self.settings.list_ids]
        self.digest = hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:24]
        resolved = self.clients.store.load_facts(self.digest) or {}
        if resolved.keys() == Board.__dataclass_fields__.keys() and isinstance(resolved["lists"], dict):
            return Board(**resolved)
        board = self.clients.trello.fetch_board()
        self.clients.store.save_facts(self.digest, vars(board))
        return board

    def _remember_open_cards(self, target: Target, outcome: Outcome) -> None:
        """So that the next read knows a full last page for what it is."""
        kinds = [(change.field, change.before, change.after) for change in outcome.done]
        made = sum(field == "card" and after != "archived" for field, _, after in kinds)
        gone = sum(field == "card" and after == "archived" for field, _, after in kinds)
        facts = {"open_cards": self.open_cards + made - gone}
        if self.clients.store.load_facts(target.pair) != facts:
            self.clients.store.save_facts(target.pair, facts)

    def _check_board(self, plan: Plan, target: Target) -> None:
        if plan.card_writes:
            try:
                self.clients.trello.check_board(target.board)
            except ListsChangedError:
                self.clients.store.save_facts(self.digest, vars(self.clients.trello.fetch_board()))
                raise

    def _tell(self, plan: Plan, changes: list[dict[str, Any]]) -> None:
        report = self.report
        report.changes += changes
        report.conflicts += [row for row in rows_of(plan.conflicts) if row not in report.conflicts]
        report.quarantine = plan.quarantine
        report.notes += [note for note in plan.notes if note not in report.notes]

    def _take(self, outcome: Outcome, of_side: Outcome) -> None:
        outcome.add(of_side)
        done = sorted(of_side.done, key=lambda change: (change.lead_id, change.field))
        self.report.changes += rows_of(done, outcome="done")
        self.report.failures += rows_of(of_side.failures)
        self.report.notes += of_side.notes
        if of_side.error:
            raise of_side.error

    def _tell_overwritten(self, outcome: Outcome, board: Board) -> None:
        """A conflict that only came to light while writing is listed like any other."""
        for found in outcome.overwritten:
            write, cell = found.written.write, {"idList": "status", "name": "name"}.get(found.cell)
            if cell is None:
                continue  # a description: the person's text was put back around the block, nothing is at odds
            value = board.stages.get(found.value, "another list") if cell == "status" else found.value
            ours = str(write.record.get(cell, ""))
            row = Conflict(write.lead_id, write.card_id, cell, ours, value, "edited meanwhile", "decided anew")
            self.report.conflicts += rows_of([row])

    def _refuse_if_nothing_was_permitted(self, plan: Plan, outcome: Outcome) -> None:
        """Credentials that may read and not write are a matter of configuration, if nothing was written."""
        forbidden = [refused for refused in outcome.refused if refused.status in (401, 403)]
        if forbidden and len(forbidden) >= plan.writes and not self.report.changes:
            first: Failure = outcome.failures[0]
            raise ConfigurationError(f"Nothing could be written: {first.reason}. {first.remedy}")


@contextmanager
def open_clients(settings: Settings) -> Iterator[Clients]:
    """Clients and state store of one run."""
    store = StateStore(settings.sync_state_url.get_secret_value())
    try:
        clients = Clients(Airtable(settings), Trello(settings), store)
        try:
            yield clients
        finally:
            clients.airtable.wire.close()
            clients.trello.wire.close()
    finally:
        store.close()


def run_sync(settings: Settings, options: Options, steps: Steps | None = None) -> Report:
    """
    Sync once.

    Returns: the report, whose exit code says how it ended; a LeadsyncError becomes one too and never escapes.
    """
    started = time.monotonic()
    report = Report(dry_run=options.dry_run)
    try:
        with open_clients(settings) as clients:
            try:
                Run(settings, options, steps or Steps(), clients, report).go()
            finally:
                report.calls = {"airtable": clients.airtable.calls, "trello": clients.trello.calls}
    except LeadsyncError as error:
        report.fail(error)
    report.seconds = time.monotonic() - started
    return report
