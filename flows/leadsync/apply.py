"""
Carry out a plan: write to the API first, then record what it returned, one write or one batch at a time.

Cut anywhere, the next run converges (design section 8). What is never here: a decision about a cell; a write
that finds its ground changed is postponed to the next pass, which decides anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from leadsync.airtable import Airtable, by_id
from leadsync.description import render, with_block
from leadsync.errors import (
    LeadsyncError,
    QuotaExceededError,
    ServiceRefusedError,
    StateStoreError,
    TimedOutWriteError,
    TransientServiceError,
    UnclearWriteError,
)
from leadsync.intents import CARD, LEAD, LEAD_CELLS
from leadsync.lead_overwrites import Patched, Replaced
from leadsync.lock import StillHeld
from leadsync.model import TRELLO_TEXT_LIMIT
from leadsync.overwrites import Overwritten, Written, find_overwritten
from leadsync.plan import CardWrite, Change, LeadWrite, Plan
from leadsync.seen import Item
from leadsync.store import StateStore
from leadsync.trello import Board, Trello

WRITERS = 4
"""Concurrent writers to Trello; they share one limiter, so latency does not cost throughput."""
LEAD_WRITERS = 2
"""The same for Airtable; each has its own group of leads."""
REREAD = 100
"""Leads re-read in one filtered list just before they are written."""
CREATE_ATTEMPTS = 3
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Failure:
    """A lead or card that could not be written, why, and what to do."""

    lead_id: str
    card_id: str
    reason: str
    remedy: str


@dataclass
class Outcome:
    """What became of the writes of one pass."""

    done: list[Change] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    postponed: list[str] = field(default_factory=list)  # lead ids
    refused: list[ServiceRefusedError] = field(default_factory=list)
    overwritten: list[Overwritten] = field(default_factory=list)
    patched: list[Patched] = field(default_factory=list)  # cells of leads that were written, or may have been
    error: LeadsyncError | None = None  # the run must end here
    notes: list[dict[str, str]] = field(default_factory=list)
    records: dict[str, Item] = field(default_factory=dict)  # leads and cards as the services returned them, by id
    cards: dict[str, Item] = field(default_factory=dict)

    def add(self, other: Outcome) -> None:
        """Take in the outcome of the other side."""
        self.done += other.done
        self.failures += other.failures
        self.postponed += other.postponed
        self.refused += other.refused
        self.overwritten += other.overwritten
        self.patched += other.patched
        self.notes += other.notes
        self.records |= other.records
        self.cards |= other.cards
        self.error = self.error or other.error


class _Postponed(Exception):
    """The card is no longer as it was when the write was planned."""


@dataclass(frozen=True)
class Target:
    """Where a pass writes: the board, the state, and the check that the lock is still ours."""

    board: Board
    store: StateStore
    pair: str
    still_held: StillHeld


# --- cards ----------------------------------------------------------------------------------------------------


def load_cards(plan: Plan, trello: Trello, target: Target, progress: Progress) -> Outcome:
    """
    Write the plan's cards, then look in the action feed for edits that a write landed on, and undo those writes.

    Cost: 1 request a card, 1 more where a description is rewritten (it is re-read just before), and 1 if any
    card was updated. A service that stays away ends the side; what was not tried is listed as a failure.
    """
    outcome, written, since = Outcome(), list[Written](), trello.clock
    waiting, total = list(reversed(plan.card_writes)), len(plan.card_writes)
    under_way: dict[Future[tuple[Item, Written]], CardWrite] = {}
    try:
        with _writers(WRITERS, "trello") as pool:
            while waiting or under_way:
                target.still_held()
                while waiting and len(under_way) < WRITERS:
                    write = waiting.pop()
                    under_way[pool.submit(_write_card, write, trello, target.board)] = write
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    write = under_way.pop(future)
                    if _settle_card(future, write, trello, target, outcome, written):
                        _give_up(waiting, outcome)
                progress("cards", total - len(waiting) - len(under_way), total)
        _undo_overwrites(written, since, trello, target, outcome)
    except StateStoreError as lost:
        outcome.error = lost
    return outcome


@contextmanager
def _writers(number: int, service: str) -> Iterator[ThreadPoolExecutor]:
    """A pool which, when the run is interrupted, does not wait for answers that may never come."""
    pool = ThreadPoolExecutor(number, thread_name_prefix=service)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _settle_card(
    future: Future[tuple[Item, Written]],
    write: CardWrite,
    trello: Trello,
    target: Target,
    outcome: Outcome,
    written: list[Written],
) -> bool:
    """Record one write's result. Returns: whether the service is gone and the rest should not be tried."""
    try:
        item, done = future.result()
    except _Postponed:
        outcome.postponed.append(write.lead_id)
    except ServiceRefusedError as refused:
        if refused.status == 404 and write.card_id:
            outcome.postponed.append(write.lead_id)
        else:
            outcome.refused.append(refused)
            outcome.failures.append(Failure(write.lead_id, write.card_id, *trello.explain(refused)))
    except LeadsyncError as error:
        remedy = "The next run finishes it."
        outcome.failures.append(Failure(write.lead_id, write.card_id, str(error), remedy))
        return not isinstance(error, UnclearWriteError)
    else:
        card_id = str(item["id"])
        outcome.cards[card_id] = item
        returned = _as_returned(write, trello.cards_of(target.board, [item], (card_id,)).iloc[0])
        outcome.done += [_with_card(change, card_id) for change in write.changes]
        target.store.record(target.pair, CARD, {write.lead_id: {**write.record, **returned, "card_id": card_id}})
        if write.card_id:
            written.append(done)
    return False


def _give_up(waiting: list[CardWrite], outcome: Outcome) -> None:
    for write in waiting:
        outcome.failures.append(Failure(write.lead_id, write.card_id, "not tried: Trello is away", "Run again."))
    waiting.clear()


def _with_card(change: Change, card_id: str) -> Change:
    return Change(**{**vars(change), "card_id": card_id})


def _as_returned(write: CardWrite, card: Any) -> dict[str, Any]:
    """Texts count as agreed in the form in which Trello gave them back."""
    returned = {}
    if write.title is not None:
        returned["title"] = card["title"] or write.title
    if write.block is not None:
        returned |= {"shown_email": card["email_line"], "shown_source": card["source_line"]}
    return returned


def _write_card(write: CardWrite, trello: Trello, board: Board) -> tuple[Item, Written]:
    cells: dict[str, Any] = {}
    if write.stage is not None:
        cells["idList"] = board.lists[write.stage]
    if write.title is not None:
        cells["name"] = write.title
    if write.closed is not None:
        cells["closed"] = write.closed
    if write.due_complete is not None:
        cells["dueComplete"] = write.due_complete
    if not write.card_id:
        cells["desc"] = render(write.lead_id, *(write.block or ("", "")))
        return _create_card(write, cells, trello, board), Written(write, cells, {})
    based_on = write.seen
    if write.block is not None:
        based_on = _fresh(write, trello, board)
        cells["desc"] = with_block(based_on["description"], write.lead_id, *write.block)
        if len(cells["desc"]) > TRELLO_TEXT_LIMIT:
            raise _Postponed
    card = trello.update_card(write.card_id, cells)
    return card, Written(write, cells, based_on, trello.clock + trello.clock_step)


def _fresh(write: CardWrite, trello: Trello, board: Board) -> dict[str, Any]:
    """The card just before its description is rewritten; anything else that moved postpones the write."""
    card = trello.get_card(board, write.card_id).iloc[0].to_dict()
    for column in ("presence", "list_id", "title", "due_complete", "lead_id", "markers", "email_line", "source_line"):
        if card[column] != write.seen[column]:
            raise _Postponed
    return {str(column): value for column, value in card.items()}


def _create_card(write: CardWrite, cells: Mapping[str, Any], trello: Trello, board: Board) -> Item:
    """A POST is not sent again before the board was read for its marker (design section 8.3)."""
    for attempt in range(CREATE_ATTEMPTS):
        try:
            return trello.create_card(cells)
        except UnclearWriteError as unclear:
            read = trello.fetch_cards(board, known=())
            found = read.cards.index[read.cards["lead_id"] == write.lead_id]
            if len(found):
                return read.items[found[0]]
            if isinstance(unclear, TimedOutWriteError) or attempt == CREATE_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _undo_overwrites(
    written: Sequence[Written], since: float, trello: Trello, target: Target, outcome: Outcome
) -> None:
    """Give a person's overwritten cell back, and forget that we agreed: the next pass decides it anew."""
    if not written:
        return
    try:
        actions = trello.fetch_actions(target.board, limit=50 + 6 * len(written))
        for found in find_overwritten(actions, written, since):
            _give_back(found, trello, target)
            outcome.overwritten.append(found)
            outcome.postponed.append(found.written.write.lead_id)
    except LeadsyncError as error:
        note = f"The board's activity could not be read ({error}), so edits made during this run were not checked."
        outcome.notes.append({"lead_id": "", "card_id": written[0].write.card_id, "note": note})


def _give_back(found: Overwritten, trello: Trello, target: Target) -> None:
    write, cell = found.written.write, found.cell
    target.still_held()
    target.store.record(target.pair, CARD, {write.lead_id: write.undo})
    now = trello.get_card(target.board, write.card_id).iloc[0]
    if cell == "desc":
        block = write.block or ("", "")
        if now["description"].rstrip() == str(found.written.sent["desc"]).rstrip():
            trello.update_card(write.card_id, {"desc": with_block(found.value, write.lead_id, *block)})
    elif now["list_id" if cell == "idList" else "title"] == found.written.sent[cell]:
        trello.update_card(write.card_id, {cell: found.value})


# --- leads ----------------------------------------------------------------------------------------------------


def load_leads(plan: Plan, airtable: Airtable, target: Target, cards: Outcome, progress: Progress) -> Outcome:
    """
    Write the plan's leads in batches of 10; those whose card could not be written wait for the next run.

    Cost: ceil(n / 10) PATCHes, and one filtered list for each 100 leads just before: a cell that a person has
    edited since the plan was made is not written.
    """
    outcome = Outcome()
    stuck = {failure.lead_id for failure in cards.failures} | set(cards.postponed)
    writes = [write for write in plan.lead_writes if write.lead_id not in stuck]
    outcome.postponed += [write.lead_id for write in plan.lead_writes if write.lead_id in set(cards.postponed)]
    groups = [writes[start : start + REREAD] for start in range(0, len(writes), REREAD)]
    away: list[LeadsyncError] = []
    with _writers(min(LEAD_WRITERS, WRITERS), "airtable") as pool:
        for written in pool.map(lambda group: _write_group(group, airtable, target, away), groups):
            outcome.add(written)
            progress("leads", len(outcome.done) + len(outcome.failures), len(writes))
    return outcome


def _write_group(group: Sequence[LeadWrite], airtable: Airtable, target: Target, away: list[LeadsyncError]) -> Outcome:
    """Re-read and write up to REREAD leads. `away`: why no group should go on, filled by the first to find out."""
    outcome = Outcome()
    try:
        target.still_held()
        if away:
            _fail_leads(group, away[0], airtable, outcome)
        else:
            _write_batches({write.lead_id: write for write in group}, airtable, target, outcome, away)
    except StateStoreError as lost:
        outcome.error = lost
        away.append(lost)
    return outcome


def _write_batches(
    group: dict[str, LeadWrite], airtable: Airtable, target: Target, outcome: Outcome, away: list[LeadsyncError]
) -> None:
    try:
        waiting = {write.lead_id: write for write in _unmoved(list(group.values()), airtable, outcome)}
    except LeadsyncError as error:
        away.append(error)
        return _fail_leads(list(group.values()), error, airtable, outcome)
    since = airtable.clock
    for ids, answer in airtable.update_leads({lead_id: write.fields for lead_id, write in waiting.items()}):
        batch = [waiting.pop(lead_id) for lead_id in ids]
        if not isinstance(answer, ServiceRefusedError):
            outcome.patched += _patched(batch, since, airtable)
        if isinstance(answer, LeadsyncError):
            _fail_leads(batch, answer, airtable, outcome)
            if not isinstance(answer, ServiceRefusedError):  # the service is away: what is left would fail too
                away.append(answer)
                return _fail_leads(list(waiting.values()), answer, airtable, outcome)
        else:
            outcome.records |= by_id(answer)
            _record_leads(batch, airtable.leads_of(answer), target, outcome)
        target.still_held()
    return None


def _unmoved(group: Sequence[LeadWrite], airtable: Airtable, outcome: Outcome) -> Iterator[LeadWrite]:
    now = airtable.reread_leads([write.lead_id for write in group])
    for write in group:
        same = write.lead_id in now.index and all(
            now.at[write.lead_id, cell] == write.seen[cell] for cell in write.fields
        )
        if same:
            yield write
        else:
            outcome.postponed.append(write.lead_id)


def _record_leads(batch: Sequence[LeadWrite], returned: pd.DataFrame, target: Target, outcome: Outcome) -> None:
    updates = {}
    for write in batch:
        texts = {cell: returned.at[write.lead_id, cell] for cell in write.fields if write.lead_id in returned.index}
        updates[write.lead_id] = {**write.record, **texts}
        outcome.done += write.changes
    target.store.record(target.pair, LEAD, updates)


def _fail_leads(batch: Sequence[LeadWrite], error: LeadsyncError, airtable: Airtable, outcome: Outcome) -> None:
    for write in batch:
        if isinstance(error, ServiceRefusedError):
            outcome.refused.append(error)
            reason, remedy = airtable.explain(error, write.fields)
        elif isinstance(error, TransientServiceError | QuotaExceededError):
            reason, remedy = str(error), "The next run finishes it."
        else:
            raise error
        outcome.failures.append(Failure(write.lead_id, write.card_id, reason, remedy))


def _patched(batch: Sequence[LeadWrite], since: float, airtable: Airtable) -> Iterator[Patched]:
    until = airtable.clock + airtable.clock_step if airtable.clock else math.inf
    for write in batch:
        for cell, value in write.fields.items():
            yield Patched(write, cell, str(write.seen[cell]), value, since, until)


def give_leads_back(replaced: Sequence[Replaced[Patched]], airtable: Airtable, target: Target) -> Outcome:
    """
    Give a person's overwritten cells back, and forget that we agreed: the next pass decides them anew.

    A cell is written only while it still holds what we wrote; that write may land on an edit too, and is to be checked
    like any other. Cost: 1 request for each 100 leads, and 1 for each cell given back.
    """
    outcome = Outcome()
    for found in replaced:
        write, cell = found.patched.write, found.patched.cell
        target.still_held()
        undo = {column: write.undo[column] for column in LEAD_CELLS[cell] if column in write.undo}
        target.store.record(target.pair, LEAD, {write.lead_id: undo})
        outcome.postponed.append(write.lead_id)
    try:
        leads = airtable.leads_of(airtable.fetch_records([found.patched.lead_id for found in replaced]).values())
    except LeadsyncError as error:
        outcome.failures += [_not_given_back(found, error) for found in replaced]
        return outcome
    for found in replaced:
        lead_id, cell = found.patched.lead_id, found.patched.cell
        if lead_id in leads.index and found.patched.was_sent(str(leads.at[lead_id, cell])):
            _give_lead_back(found, airtable, outcome)
    return outcome


def _give_lead_back(found: Replaced[Patched], airtable: Airtable, outcome: Outcome) -> None:
    write, cell, since = found.patched.write, found.patched.cell, airtable.clock
    try:
        outcome.records[write.lead_id] = airtable.give_back(write.lead_id, cell, found.value)
    except LeadsyncError as error:
        outcome.failures.append(_not_given_back(found, error))
        if isinstance(error, ServiceRefusedError):
            return
    until = airtable.clock + airtable.clock_step if airtable.clock else math.inf
    outcome.patched.append(Patched(write, cell, found.patched.sent, found.value, since, until))


def _not_given_back(found: Replaced[Patched], error: LeadsyncError) -> Failure:
    write, cell = found.patched.write, found.patched.cell
    reason = f"an edit of {cell} that a write of ours replaced could not be given back: {error}"
    return Failure(write.lead_id, write.card_id, reason, "The conflicts list what was typed; type it again.")
