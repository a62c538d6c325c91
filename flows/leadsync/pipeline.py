"""
One sync, step by step: settings → frames → decisions → plan → apply → report.

Every step is a plain function; the door passes the same functions as Prefect tasks. What is never here: a rule,
a request, Prefect.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from leadsync.airtable import Airtable, LeadsRead
from leadsync.apply import Failure, Outcome, Progress, Target, give_leads_back, load_cards, load_leads
from leadsync.change_feed import ChangeFeed, News
from leadsync.errors import (
    ConfigurationError,
    GuardError,
    LeadsyncError,
    ListsChangedError,
    ServiceRefusedError,
    StateStoreError,
)
from leadsync.extract import (
    OVERLAP,
    Memory,
    Scope,
    extract_cards,
    extract_leads,
    question,
    scope_of,
    seen_after,
    seen_now,
)
from leadsync.frames import overlay
from leadsync.guards import check_plan, check_reads
from leadsync.intents import Intent, intents_of, settle, unclear, witnessed
from leadsync.lead_overwrites import Patched, Replaced, find_replaced
from leadsync.lock import pair_lock
from leadsync.model import BASE_COLUMNS, Rules
from leadsync.payloads import named
from leadsync.plan import Conflict, Plan, build_plan
from leadsync.quota import Month, start_of_month
from leadsync.reconcile import reconcile, to_look_up
from leadsync.report import Report, rows_of
from leadsync.seen import Mark, Seen
from leadsync.settings import ChangeFeed as FeedChoice
from leadsync.settings import ConflictPolicy, Read, Settings
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
    read: Read = Read.FULL
    paced: bool = False


@dataclass
class Clients:
    """What a run talks to, built from the settings and closed at its end. `counted`: Airtable calls counted so far."""

    airtable: Airtable
    trello: Trello
    store: StateStore
    counted: int = 0

    def count(self) -> None:
        """Add the calls made since to the month's."""
        made, self.counted = self.airtable.calls - self.counted, self.airtable.calls
        if made:
            self.store.add_calls(_month_name(_now()), made)


def no_progress(what: str, done: int, total: int) -> None:
    """Show nothing."""


# --- the steps ------------------------------------------------------------------------------------------------


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
    feed: ChangeFeed | None = None
    feed_asked: bool = False
    """Whether this pass's read took in what the feed had to tell."""
    unchecked: list[Patched] = field(default_factory=list)
    """Cells of leads that this run wrote and whose payloads have not been seen yet."""
    silent: list[Patched] = field(default_factory=list)
    """Those whose payloads did not tell what they replaced."""

    @property
    def rules(self) -> Rules:
        """What the planner may know."""
        return self.settings.rules(conflict=self.options.conflict, allow_mass_change=self.options.allow_mass_change)

    def go(self) -> None:
        """Resolve, lock, and make passes until nothing is postponed."""
        if self._outspends():
            return
        board = self._resolve()
        pair = f"{self.settings.airtable_base_id}/{board.board_id}"
        self.report.base_url, self.report.board_url = self.clients.airtable.url, board.url
        with pair_lock(self.clients.store, pair) as still_held:
            target = Target(board, self.clients.store, pair, still_held)
            if self.settings.airtable_change_feed is FeedChoice.ON:
                may_make = not self.options.dry_run
                self.feed = ChangeFeed(self.settings, self.clients.airtable, target.store, pair, may_make)
            read = self.options.read
            for _ in range(PASSES):
                outcome = self._one_pass(target, read)
                if not outcome.postponed:
                    break
                read = Read.FULL  # something is not as it was last seen
            self.report.postponed = [{"lead_id": lead_id} for lead_id in sorted(set(outcome.postponed))]
        self._tell_open_window()
        self.report.judge()

    def _outspends(self) -> bool:
        """Whether this run should wait because the month's calls are ahead of the quota's pace (only if paced)."""
        allowed = self.settings.airtable_monthly_calls
        if allowed is None:
            return False
        now = _now()
        month = Month(start_of_month(now), self.clients.store.load_calls(_month_name(now)), allowed)
        due = month.due()
        if now < due:
            when = f"{month.told}, ahead of its pace; the next scheduled run is due at {due:%Y-%m-%d %H:%M} UTC."
            if self.options.paced:
                self.report.skip(f"Skipped: {when}")
                return True
            self._note(when)
        return False

    def _one_pass(self, target: Target, read: Read) -> Outcome:
        plan, seen = self._plan(target, read)
        if self.options.dry_run:
            self._tell(plan, rows_of(plan.changes, outcome="planned"))
            return Outcome()
        self.clients.count()
        seen = self._check_board(plan, target, seen)
        if plan.writes:
            self.clients.store.forget_seen(target.pair, seen.feed)
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
        seen = seen_after(seen, outcome.records, outcome.cards, target.board)
        if self.feed is not None:
            seen = self._check_leads(self.feed, seen, target, outcome)
        if not outcome.postponed:
            self.clients.store.save_seen(target.pair, seen)
        return outcome

    def _check_leads(self, feed: ChangeFeed, seen: Seen, target: Target, outcome: Outcome) -> Seen:
        """
        After the writes: what did they replace, and which leads did somebody else change meanwhile?

        One listing of payloads serves both, unless there is nothing to check and this pass has asked already. What it
        names is read by the next run: the mark that is kept with what was seen holds the ids.
        """
        self.unchecked += outcome.patched
        if not feed.follows(seen.feed) or (self.feed_asked and not self.unchecked):
            return seen
        try:
            news = feed.read(seen.feed)
        except LeadsyncError:
            return seen
        if news is None:
            return replace(seen, feed=Mark())
        checked = find_replaced(news.changes, self.unchecked, feed.fields)
        self.unchecked, self.silent = checked.untold, [*self.silent, *checked.silent]
        if checked.replaced:
            self._tell_replaced(checked.replaced)
            given_back = give_leads_back(checked.replaced, self.clients.airtable, target)
            self.unchecked += given_back.patched
            self._take(outcome, given_back)
        return self._taken_in(feed, seen, news)

    def _taken_in(self, feed: ChangeFeed, seen: Seen, news: News) -> Seen:
        """Changes from before a read are in it; of the others those that are not known yet remain to be read."""
        since = 0.0 if self.feed_asked else seen.airtable_at - OVERLAP
        later = [change for change in news.changes if change.at >= since]
        told = {change.lead_id for change in news.changes}
        to_read = named(later, feed.cells_of(seen.records, told)).to_read
        unread = () if self.settings.airtable_view else tuple(to_read)
        written = [item_id for item_id in seen.written if item_id not in told]
        return replace(seen, feed=replace(news.mark, unread=unread), written=written)

    def _plan(self, target: Target, read: Read) -> tuple[Plan, Seen]:
        store, pair, board = self.clients.store, target.pair, target.board
        memory = Memory(store.load_base(pair), store.load_intents(pair), store.load_seen(pair))
        scope = scope_of(read, memory, self.settings, board, self.feed)
        leads, cards = self._extract(board, memory, scope)
        self.feed_asked = leads.feed_asked
        if self.feed is not None and self.feed.note:
            self._note(self.feed.note)
        try:
            plan: Plan = self.steps.call(join_and_diff, memory, leads.leads, cards, self.clients, board, self.rules)
        except GuardError:
            if leads.whole and not cards.delta:
                raise
            return self._plan(target, Read.FULL)  # nothing is refused for what a delta may have missed
        if not cards.whole and any(not write.card_id for write in plan.card_writes):
            cards = self.steps.call(extract_cards, self.clients.trello, board, memory, to_the_end=True)
            plan = self.steps.call(join_and_diff, memory, leads.leads, cards, self.clients, board, self.rules)
        self.report.leads, self.report.cards = len(leads.leads), len(cards.cards)
        self.report.read = {
            "airtable": "full" if leads.whole else "delta",
            "trello": "delta" if cards.delta else "full",
        }
        self.report.titles |= dict(zip(leads.leads.index, leads.leads["title"], strict=True))
        return plan, seen_now(memory.seen, leads, cards, question(self.settings, board))

    def _extract(self, board: Board, memory: Memory, scope: Scope) -> tuple[LeadsRead, CardsRead]:
        """Both sides, side by side."""
        with self.steps.submit() as submit:
            leads = submit(extract_leads, self.clients.airtable, memory, scope, self.feed)
            cards = submit(extract_cards, self.clients.trello, board, memory, scope)
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

    def _check_board(self, plan: Plan, target: Target, seen: Seen) -> Seen:
        """Before cards are written: the lists must be those that were resolved; the feed may have told already."""
        if not plan.card_writes or seen.lists_checked:
            return seen
        try:
            self.clients.trello.check_board(target.board)
        except ListsChangedError:
            self.clients.store.save_facts(self.digest, vars(self.clients.trello.fetch_board()))
            raise
        return replace(seen, lists_checked=True)

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

    def _tell_replaced(self, replaced: list[Replaced[Patched]]) -> None:
        """The same for a person's edit in Airtable that a PATCH replaced."""
        for found in replaced:
            write, cell = found.patched.write, found.patched.cell
            ours = str(write.record.get("stage", "")) if cell == "status" else found.patched.sent
            row = Conflict(write.lead_id, write.card_id, cell, found.value, ours, "edited meanwhile", "decided anew")
            self.report.conflicts += rows_of([row])

    def _tell_open_window(self) -> None:
        """Once a run: which writes to leads nobody can say to have hit no edit."""
        for cells, why in (
            (self.silent, "Airtable told of these writes and not what they replaced"),
            (self.unchecked, "Airtable has not told of these writes yet"),
        ):
            leads = sorted({cell.lead_id for cell in cells})
            if leads and self.feed is not None and not self.feed.note:
                self._note(
                    f"{why}: an edit of the very same cell made in the moment before would have gone unnoticed, in "
                    f"{len(leads)} leads ({', '.join(leads[:3])}{' …' if len(leads) > 3 else ''})."
                )

    def _note(self, text: str) -> None:
        note = {"lead_id": "", "card_id": "", "note": text}
        if note not in self.report.notes:
            self.report.notes.append(note)

    def _refuse_if_nothing_was_permitted(self, plan: Plan, outcome: Outcome) -> None:
        """Credentials that may read and not write are a matter of configuration, if nothing was written."""
        forbidden = [refused for refused in outcome.refused if refused.status in (401, 403)]
        if forbidden and len(forbidden) >= plan.writes and not self.report.changes:
            first: Failure = outcome.failures[0]
            raise ConfigurationError(f"Nothing could be written: {first.reason}. {first.remedy}")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _month_name(now: datetime.datetime) -> str:
    return f"{now:%Y-%m}"


@contextmanager
def open_clients(settings: Settings) -> Iterator[Clients]:
    """Clients and state store of one run."""
    store = StateStore(settings.sync_state_url.get_secret_value())
    clients = Clients(Airtable(settings), Trello(settings), store)
    try:
        yield clients
    finally:
        with suppress(StateStoreError):  # the count is not worth the run's own outcome
            clients.count()
        clients.airtable.wire.close()
        clients.trello.wire.close()
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
