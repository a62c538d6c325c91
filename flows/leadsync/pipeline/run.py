"""
One sync, step by step: settings → frames → decisions → plan → apply → report.

What is never here: a rule, a request, Prefect.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from leadsync.airtable.client import LeadsRead
from leadsync.apply.cards import load_cards
from leadsync.apply.leads import REREAD, load_leads
from leadsync.apply.outcome import Failure, Outcome
from leadsync.apply.repair import Checkup, Repairs, look, repair
from leadsync.apply.repair_leads import repair_leads, unchecked_patches
from leadsync.apply.target import Target
from leadsync.core.journal import IntentState, intents_of
from leadsync.core.lead_overwrites import Patched, find_told
from leadsync.core.plan import Conflict, Plan
from leadsync.core.settling import Verdict, judge
from leadsync.errors import ConfigurationError, GuardError, LeadsyncError, StateStoreError
from leadsync.frames.agreed import base_frame
from leadsync.frames.payloads import LeadChange, named
from leadsync.frames.schema import overlay
from leadsync.frames.snapshot import Mark, Seen
from leadsync.model import ChangeFeed as FeedChoice
from leadsync.model import Read, Rules
from leadsync.pipeline.change_feed import ChangeFeed, News
from leadsync.pipeline.clients import Clients, month_name, now_utc, open_clients
from leadsync.pipeline.extract import OVERLAP, extract_cards, extract_leads
from leadsync.pipeline.memory import Memory, keep_checks, recall
from leadsync.pipeline.quota import Month, start_of_month
from leadsync.pipeline.scope import WHOLE_READ, Columns, Scope, known_columns, next_by_delta, question, scope_of
from leadsync.pipeline.snapshots import seen_after, seen_now
from leadsync.pipeline.steps import Options, Steps, join_and_diff, without_others
from leadsync.report.report import Report, rows_of
from leadsync.settings import Settings
from leadsync.state.lock import StillHeld, pair_lock
from leadsync.state.pair import Pair, Rows, leads_held, same_table
from leadsync.trello.board import Board, CardsRead

PASSES = 3
"""A pass that met an edit made meanwhile is followed by another, up to this many in one run."""


@dataclass(frozen=True)
class Planned:
    """A pass before it writes: its plan, what both sides look like, and what became of an earlier run's writes."""

    plan: Plan
    seen: Seen
    verdicts: list[Verdict]


def _not_locked() -> None:
    """A run holds its lock only while it is under way."""


@dataclass
class Run:
    """One sync under way."""

    settings: Settings
    options: Options
    steps: Steps
    clients: Clients
    report: Report = field(default_factory=Report)
    board: Board = field(init=False)
    pair: str = ""
    still_held: StillHeld = _not_locked
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    checkup: Checkup = Checkup()  # what the feed said of earlier writes, before this pass
    lists_fresh: bool = False  # in this pass board and lists were asked for
    leads_read: LeadsRead | None = None  # before the first pass, to tell whose rows these are
    lent: dict[Pair, frozenset[str]] = field(default_factory=dict)  # leads whose rows a dry run takes from other keys
    feed: ChangeFeed | None = None
    feed_asked: bool = False  # this pass's read took in what the change feed had to tell
    told: tuple[LeadChange, ...] = ()  # what it told then
    silent: list[Patched] = field(default_factory=list)  # cells written of which it did not tell what that replaced

    @property
    def target(self) -> Target:
        """Where this pass writes."""
        return Target(self.board, self.clients.store, self.pair, self.still_held)

    @property
    def rules(self) -> Rules:
        """What the planner may know."""
        return self.settings.rules(conflict=self.options.conflict, allow_mass_change=self.options.allow_mass_change)

    def go(self) -> None:
        """Resolve, lock, and make passes until nothing is postponed."""
        if self._outspends():
            return
        self.board = self._resolve()
        pair = Pair(self.settings.airtable_base_id, self.settings.airtable_table_name, self.board.board_id)
        self.report.base_url, self.report.board_url = self.clients.airtable.url, self.board.url
        with pair_lock(self.clients.store, pair.lock) as self.still_held:
            self.pair = self._find_rows(pair).key
            if self.settings.airtable_change_feed is FeedChoice.ON:
                may_make = not self.options.dry_run
                self.feed = ChangeFeed(self.settings, self.clients.airtable, self.clients.store, self.pair, may_make)
            read = self.options.read
            with self._all_is_told():
                self._list(self._untold())
                for _ in range(PASSES):
                    outcome = self._one_pass(read)
                    if not outcome.postponed:
                        break
                    read = Read.FULL  # something is not as it was last seen
                self.report.postponed = [{"lead_id": lead_id} for lead_id in sorted(set(outcome.postponed))]
        self._tell_open_window()
        self.report.judge()

    @contextmanager
    def _all_is_told(self) -> Iterator[None]:
        """A run that ends with a report has listed what the journal keeps for it; one that is killed has not."""
        try:
            yield
        except LeadsyncError:
            with suppress(StateStoreError):
                self._end_told()
            raise
        self._end_told()

    def _end_told(self) -> None:
        if not self.options.dry_run:
            self.clients.store.end_told(self.pair, self.run_id)

    def _find_rows(self, pair: Pair) -> Pair:
        """
        The pair whose rows are those of our table: `pair`, unless it is known by another key so far.

        That key is then renamed; a dry run only uses its rows. No other table's rows are ever taken, so none of its
        leads is missing here, and none of its cards is archived or moved. A table that came back empty proves nothing:
        rows of a key that names no table stay where they are, and the guard against an empty side judges by them.
        """
        known = self.clients.store.load_former(pair)
        if not known:
            return pair
        nothing = Memory(base_frame(), [], Seen())
        self.leads_read = self.steps.call(extract_leads, self.clients.airtable, nothing, WHOLE_READ)
        leads = self.leads_read.leads.index
        former = same_table(known, leads) or self._find_behind_view(known)
        unnamed = next((rows.pair for rows in known if not rows.pair.table), None)
        if former is None and unnamed is not None and leads.empty:
            return unnamed
        if former is None:
            self._note(f"Table {pair.table!r} is a pair of its own; the cards of other tables are left alone.")
            held = leads_held(known, leads)
            if self.options.dry_run:
                self.lent = held
            else:
                self.clients.store.take_leads(held, pair)
            return pair
        if former.table:
            self._note(f"Table {pair.table!r} is the one known as {former.table!r} so far; its state is kept.")
        if self.options.dry_run:
            return former
        self.clients.store.take_over(former, pair, self.settings.trello_board_id)
        return pair

    def _find_behind_view(self, known: list[Rows]) -> Pair | None:
        """As same_table, of a sample asked for by id: a view shows less than the table holds."""
        if not self.settings.airtable_view:
            return None
        for rows in known:
            asked = sorted(rows.present or rows.absent)[:REREAD]
            there = self.clients.airtable.reread_leads(asked).leads.index
            if 2 * len(there) > len(asked):
                return rows.pair
        return None

    def _tell_met_anew(self, cards: int) -> None:
        """A state that is another one than last time shows in this: it knows none of the cards that the sync made."""
        if cards:
            self._note(
                f"{self.clients.store.shown_url} knows nothing yet of {cards} cards with the LeadID of a lead: these "
                "are first matches. If an earlier run kept its state elsewhere, set SYNC_STATE_URL to that."
            )

    def _note(self, text: str, lead_id: str = "", card_id: str = "") -> None:
        note = {"lead_id": lead_id, "card_id": card_id, "note": text}
        self.report.notes += [note] if note not in self.report.notes else []

    def _outspends(self) -> bool:
        """Whether this run should wait because the month's calls are ahead of the quota's pace (only if paced)."""
        allowed = self.settings.airtable_monthly_calls
        if allowed is None:
            return False
        now = now_utc()
        month = Month(start_of_month(now), self.clients.store.load_calls(month_name(now)), allowed)
        due = month.due()
        if now < due:
            when = f"{month.told}, ahead of its pace; the next scheduled run is due at {due:%Y-%m-%d %H:%M} UTC."
            if self.options.paced:
                self.report.skip(f"Skipped: {when}")
                return True
            self._note(when)
        return False

    def _one_pass(self, read: Read) -> Outcome:
        self.lists_fresh = False
        self.checkup = look(self.clients.trello, self.target, IntentState.UNCHECKED, IntentState.PENDING)
        planned = self._plan(read)
        plan, seen = planned.plan, planned.seen
        if self.options.dry_run:
            self._tell(plan, rows_of(plan.changes, outcome="planned"))
            return Outcome()
        self.clients.count()
        if planned.verdicts:  # agreed before anything is given back: what was edited since is then no conflict
            self.clients.store.journal(self.pair, plan.base_updates, plan.forget, (), planned.verdicts)
        if given_back := self._repair_earlier_writes():
            return Outcome(postponed=given_back)
        if plan.card_writes and not seen.lists_checked:
            planned = self._check_lists(planned)
            plan, seen = planned.plan, planned.seen
        target = self.target
        if plan.writes:
            self.clients.store.forget_seen(self.pair, seen.feed)
        leads_since = self.clients.airtable.clock if self.feed and self.feed.follows(seen.feed) else None
        intents = intents_of(plan, self.clients.trello.clock, self.run_id, self.board.lists, leads_since)
        self.clients.store.journal(self.pair, plan.base_updates, plan.forget, intents)
        keep_checks(self.clients.store, self.pair, plan.checks)
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
            self._list(outcome.overwritten)
        self.clients.store.drop_pending(target.pair, self.run_id, outcome.unclear)
        self._refuse_if_nothing_was_permitted(plan, outcome)
        seen = seen_after(seen, outcome.records, outcome.cards, target.board)
        if self.feed is not None:
            seen = self._check_leads(self.feed, seen, outcome)
        if not outcome.postponed:
            self.clients.store.save_seen(self.pair, seen)
        return outcome

    def _repair_earlier_writes(self) -> list[str]:
        """
        What writes that no run has checked yet landed on is given back, and decided about by the next pass.

        Returns: the leads concerned.
        """
        repairs = repair(self.checkup, self.clients.trello, self.target)
        self._tell_repairs(repairs)
        return repairs.given_back + self._repair_leads(self.told)

    def _tell_repairs(self, repairs: Repairs) -> None:
        self.report.gave_back |= repairs.wrote
        self._list(repairs.conflicts)
        for intent in repairs.unchecked:
            note = "A write could not be checked for a week: an edit made just before it would be lost."
            self._note(note, intent.lead_id, intent.card_id)

    def _repair_leads(self, told: Sequence[LeadChange]) -> list[str]:
        """The same for leads, as far as Airtable has `told`. Returns: the leads concerned."""
        if self.feed is None:  # switched off since
            self.clients.store.end_intents(unchecked_patches(self.target))
            return []
        repairs = repair_leads(told, self.feed.fields, self.clients.airtable, self.target)
        self._tell_repairs(repairs)
        self.silent += repairs.silent
        self.report.failures += rows_of(repairs.failures)
        return repairs.given_back

    def _check_leads(self, feed: ChangeFeed, seen: Seen, outcome: Outcome) -> Seen:
        """
        After the writes: what did they replace, and which leads did somebody else change meanwhile?

        One listing of payloads serves both, unless there is nothing to check and this pass has asked already. What it
        names is read by the next run: the mark that is kept with what was seen holds the ids. If it cannot be read, or
        something cannot be given back, the mark stays and the next run asks again.
        """
        if not feed.follows(seen.feed) or (self.feed_asked and not unchecked_patches(self.target)):
            return seen
        try:
            news = feed.read(seen.feed)
            if news is None:
                return replace(seen, feed=Mark())
            outcome.postponed += self._repair_leads(news.changes)
        except StateStoreError:
            raise
        except LeadsyncError as error:
            self._note(f"Whether writes to leads landed on somebody's edit is checked by the next run ({error}).")
            return seen
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

    def _untold(self) -> list[Conflict]:
        """Conflicts settled by runs that were cut off before they could list them."""
        rows = self.clients.store.load_intents(self.pair, IntentState.UNCHECKED, IntentState.CHECKED)
        return [conflict for row in rows if row.run != self.run_id for conflict in row.conflicts]

    def _plan(self, read: Read) -> Planned:
        board, memory = self.board, self._remember()
        scope = self._relied_on(scope_of(read, memory, self.settings, board, self.feed))
        leads, cards = self._extract(board, memory, scope)
        self.feed_asked, self.told = leads.feed_asked, leads.told
        if self.feed is not None:
            memory = replace(memory, patched=find_told(leads.told, memory.intents, self.feed.fields))
        if self.feed is not None and self.feed.note:
            self._note(self.feed.note)
        self._mind_lists(memory, cards)
        if self.board.lists != board.lists:
            return self._plan(Read.FULL)
        if next_by_delta(read, leads, self.settings):
            self._columns(along=True)
        cards = without_others(cards, memory.base, leads.leads, self.clients.store, self.pair)
        try:
            plan: Plan = self.steps.call(join_and_diff, memory, leads.leads, cards, self.clients, board, self.rules)
        except GuardError:
            if leads.whole and not cards.delta:
                raise
            return self._plan(Read.FULL)  # nothing is refused for what a delta may have missed
        if not leads.whole and not self._still_there(plan, leads):
            return self._plan(Read.FULL)
        if not cards.whole and any(not write.card_id for write in plan.card_writes):
            cards = self.steps.call(extract_cards, self.clients.trello, board, memory, to_the_end=True)
            cards = without_others(cards, memory.base, leads.leads, self.clients.store, self.pair)
            plan = self.steps.call(join_and_diff, memory, leads.leads, cards, self.clients, board, self.rules)
        if memory.base.empty and not memory.intents:
            self._tell_met_anew(int(cards.cards["lead_id"].isin(leads.leads.index).sum()))
        self.report.leads, self.report.cards = len(leads.leads), len(cards.cards)
        self.report.read = {
            "airtable": "full" if leads.whole else "delta",
            "trello": "delta" if cards.delta else "full",
        }
        self.report.titles |= dict(zip(leads.leads.index, leads.leads["title"], strict=True))
        seen = seen_now(memory.seen, leads, cards, question(self.settings, board))
        seen = replace(seen, lists_checked=seen.lists_checked or self.lists_fresh)
        return Planned(plan, seen, self._judge(memory, leads, cards))

    def _judge(self, memory: Memory, leads: LeadsRead, cards: CardsRead) -> list[Verdict]:
        """What became of the writes of a run that was cut off; what that one could not list is listed now."""
        proof, shown = memory.proof(cards.cards, self.board), self.checkup.shown - self.checkup.found
        asked = None if self.checkup.error else shown
        now = self.clients.trello.clock
        verdicts = judge(memory.base, memory.intents, leads.leads, cards.cards, proof, now, asked)
        verdicts = [each for each in verdicts if each.became or each.intent.number not in self.checkup.found]
        self._list(conflict for verdict in verdicts for conflict in verdict.conflicts)
        return verdicts

    def _relied_on(self, scope: Scope) -> Scope:
        """Leads are read whole if a column may change of which no delta tells; the report says so."""
        if not scope.leads_delta or not (objection := self._columns().objection):
            return scope
        self._note(objection)
        return replace(scope, leads_delta=False)

    def _columns(self, along: bool = False) -> Columns:
        clients, full_every = self.clients, self.settings.sync_full_every.total_seconds()
        asked = question(self.settings, self.board)
        return known_columns(clients.airtable, clients.store, asked, full_every, along)

    def _still_there(self, plan: Plan, leads: LeadsRead) -> bool:
        """
        Whether the leads for which cards are written are as they are remembered, if this read did not show them.

        A delta does not show that a lead was deleted, and a vanished lead must not get a card again. Cost: 1 request
        for each 100 of them.
        """
        remembered = sorted({write.lead_id for write in plan.card_writes} & leads.records.keys() - leads.changed)
        for start in range(0, len(remembered), REREAD):
            group = remembered[start : start + REREAD]
            if not self.clients.airtable.reread_leads(group).leads.equals(leads.leads.loc[group]):
                return False
        return True

    def _remember(self) -> Memory:
        """What is kept of the pair, and of the leads that other keys lend it."""
        store, memory = self.clients.store, recall(self.clients.store, self.pair, self.checkup)
        base, intents = memory.base, memory.intents
        for former, lead_ids in self.lent.items():
            rows = store.load_base(former.key)
            base = overlay(base, rows[rows.index.isin(lead_ids)])
            intents = [*intents, *(each for each in store.load_intents(former.key) if each.lead_id in lead_ids)]
        return replace(memory, base=base, intents=intents)

    def _extract(self, board: Board, memory: Memory, scope: Scope) -> tuple[LeadsRead, CardsRead]:
        """Both sides, side by side; of the leads what was read already."""
        if self.leads_read is not None:
            read, self.leads_read = self.leads_read, None
            return read, self.steps.call(extract_cards, self.clients.trello, board, memory, scope)
        with self.steps.submit() as submit:
            leads = submit(extract_leads, self.clients.airtable, memory, scope, self.feed)
            cards = submit(extract_cards, self.clients.trello, board, memory, scope)
            return leads.result(), cards.result()

    def _resolve(self) -> Board:
        """Board and lists as the settings name them; asked for once, then known until something contradicts that."""
        named = [self.settings.trello_endpoint_url, self.settings.trello_board_id, self.settings.list_ids]
        self.digest = hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:24]
        resolved = self.clients.store.load_facts(self.digest) or {}
        if resolved.keys() == Board.__dataclass_fields__.keys() and isinstance(resolved["lists"], dict):
            return Board(**resolved)
        board = self.clients.trello.fetch_board()
        self.clients.store.save_facts(self.digest, vars(board))
        return board

    def _resolve_again(self, besides: Collection[str] = ()) -> None:
        """Ask for board and lists in the middle of a run. `besides`: lists that were met, and are not shown."""
        board = self.clients.trello.fetch_board()
        board = replace(board, all_lists=sorted({*board.all_lists, *besides}))
        if board != self.board:
            self.clients.store.save_facts(self.digest, vars(board))
        self.board, self.lists_fresh = board, True

    def _mind_lists(self, memory: Memory, cards: CardsRead) -> None:
        """
        Resolve the lists again if the read contradicts them.

        So it does if a card lies in a list that was not there then, has newly come into one outside the mapping, or
        if the activity tells of lists. A card that rests outside the mapping costs nothing. Raises: ConfigurationError
        if a card lies in an unknown list and the settings fit the board no more; else what is known goes on to serve
        until a card is written.
        """
        lists = cards.cards["list_id"][(cards.cards["stage"] == "") & (cards.cards["list_id"] != "")]
        unknown = {*lists} - {*self.board.all_lists}
        came = any(memory.seen.cards.get(str(card_id), {}).get("idList") != where for card_id, where in lists.items())
        if self.lists_fresh or not (unknown or came or cards.lists_told):
            return
        try:
            self._resolve_again(unknown)
        except ConfigurationError:
            if unknown:
                raise

    def _check_lists(self, planned: Planned) -> Planned:
        """
        Before cards are written: the lists must be those that were planned with; else everything is planned anew.

        Cost: 1 request. Raises: as Trello.fetch_board.
        """
        planned_with = self.board.lists
        self._resolve_again()
        if self.board.lists != planned_with:
            return self._plan(Read.FULL)
        return replace(planned, seen=replace(planned.seen, lists_checked=True))

    def _tell(self, plan: Plan, changes: list[dict[str, Any]]) -> None:
        report = self.report
        report.changes += changes
        self._list(plan.conflicts)
        report.quarantine = rows_of(plan.quarantine)
        report.notes += [note for note in rows_of(plan.notes) if note not in report.notes]

    def _take(self, outcome: Outcome, of_side: Outcome) -> None:
        outcome.add(of_side)
        done = sorted(of_side.done, key=lambda change: (change.lead_id, change.field))
        self.report.changes += rows_of(done, outcome="done")
        self.report.failures += rows_of(of_side.failures)
        self.report.notes += of_side.notes
        if of_side.error:
            raise of_side.error

    def _list(self, conflicts: Iterable[Conflict]) -> None:
        """Conflicts of the plan, and those that came to light while writing or after a run was cut off."""
        self.report.conflicts += [row for row in rows_of(conflicts) if row not in self.report.conflicts]

    def _tell_open_window(self) -> None:
        """Once a run: which writes to leads nobody can say to have hit no edit."""
        leads = sorted({cell.intent.lead_id for cell in self.silent})
        if leads:
            self._note(
                "Airtable told of these writes and not what they replaced: an edit of the very same cell made in the "
                f"moment before would have gone unnoticed, in {len(leads)} leads ({', '.join(leads[:3])}"
                f"{' …' if len(leads) > 3 else ''})."
            )

    def _refuse_if_nothing_was_permitted(self, plan: Plan, outcome: Outcome) -> None:
        """Credentials that may read and not write are a matter of configuration, if nothing was written."""
        meant = {write.lead_id for write in plan.card_writes} | {write.lead_id for write in plan.lead_writes}
        if outcome.forbidden and meant <= outcome.forbidden and not self.report.changes:
            first: Failure = outcome.failures[0]
            raise outcome.dead or ConfigurationError(f"Nothing could be written: {first.reason}. {first.remedy}")


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
