"""
Carry out a plan: write to the API first, then record what it returned, one write or one batch at a time.

Cut anywhere, the next run converges (design section 8). What is never here: a decision about a cell; a write
that finds its ground changed is postponed to the next pass, which decides anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from leadsync.airtable import Airtable, Cells, by_id
from leadsync.description import render, with_block
from leadsync.errors import (
    DeadTokenError,
    LeadsyncError,
    QuotaExceededError,
    ReadAgainError,
    ServiceRefusedError,
    StateStoreError,
    TimedOutWriteError,
    TransientServiceError,
    UnclearWriteError,
)
from leadsync.intents import CARD, LEAD, IntentState, Sent, cells_of, digests_of, planned_from
from leadsync.model import TRELLO_TEXT_LIMIT
from leadsync.plan import CardWrite, CellWrite, Change, Conflict, LeadWrite, Plan
from leadsync.repair import look, repair
from leadsync.seen import Item
from leadsync.target import Failure, Target
from leadsync.trello import Board, Trello

WRITERS = 4
"""Concurrent writers to Trello; they share one limiter, so latency does not cost throughput."""
LEAD_WRITERS = 2
"""The same for Airtable; each has its own group of leads."""
REREAD = 100
"""Leads re-read in one filtered list just before they are written."""
FRESH = 10.0
"""Seconds from which on a re-read no longer counts as just before; at the default pace a group needs half of them."""
CREATE_ATTEMPTS = 3
CARD_CELL_REFUSALS = (400, 413, 422)
"""Answers to a PUT that may be about one of its cells."""
Progress = Callable[[str, int, int], None]


@dataclass
class Outcome:
    """
    What became of the writes of one pass.

    `refused_cells`: lead id -> the cells that Trello refused, while it took others. `forbidden`: leads of which a token
    may write nothing. `dead`: a service stopped accepting our credentials.
    """

    done: list[Change] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    postponed: list[str] = field(default_factory=list)  # lead ids
    refused_cells: dict[str, set[str]] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    unclear: set[tuple[str, str]] = field(default_factory=set)  # side and lead id
    overwritten: list[Conflict] = field(default_factory=list)
    dead: DeadTokenError | None = None
    error: LeadsyncError | None = None  # the run must end here
    notes: list[dict[str, str]] = field(default_factory=list)
    records: dict[str, Item] = field(default_factory=dict)  # leads and cards as the services returned them, by id
    cards: dict[str, Item] = field(default_factory=dict)

    def add(self, other: Outcome) -> None:
        """Take in the outcome of the other side."""
        self.done += other.done
        self.failures += other.failures
        self.postponed += other.postponed
        self.refused_cells |= other.refused_cells
        self.forbidden |= other.forbidden
        self.unclear |= other.unclear
        self.overwritten += other.overwritten
        self.notes += other.notes
        self.records |= other.records
        self.cards |= other.cards
        self.dead = self.dead or other.dead
        self.error = self.error or other.error


class _Postponed(Exception):
    """The card is no longer as it was when the write was planned."""


# --- cards ----------------------------------------------------------------------------------------------------


def load_cards(plan: Plan, trello: Trello, target: Target, progress: Progress) -> Outcome:
    """
    Write the plan's cards, then look in the action feed for edits that a write landed on, and give them back.

    Cost: 1 request a card, 1 more where a description is rewritten (it is re-read just before), and 1 if any
    card was updated. A service that stays away ends the side; what was not tried is listed as a failure.
    """
    outcome, updated = Outcome(), list[str]()
    waiting, total = list(reversed(plan.card_writes)), len(plan.card_writes)
    under_way: dict[Future[CardAnswer], CardWrite] = {}
    try:
        with _writers(WRITERS, "trello") as pool:
            while waiting or under_way:
                target.still_held()
                while waiting and len(under_way) < WRITERS:
                    write = waiting.pop()
                    under_way[pool.submit(_write_card, write, trello, target)] = write
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    write = under_way.pop(future)
                    if gone := _settle_card(future, write, trello, target, outcome, updated):
                        _give_up(waiting, outcome, gone)
                progress("cards", total - len(waiting) - len(under_way), total)
        if updated:
            _check_writes(trello, target, outcome)
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
    future: Future[CardAnswer],
    write: CardWrite,
    trello: Trello,
    target: Target,
    outcome: Outcome,
    updated: list[str],
) -> LeadsyncError | None:
    """Record one write's result. Returns: why the service is gone and the rest should not be tried, if it is."""
    try:
        answer = future.result()
    except _Postponed:
        outcome.postponed.append(write.lead_id)
    except ServiceRefusedError as refused:
        if refused.status == 404 and write.card_id:
            outcome.postponed.append(write.lead_id)
        else:
            _refuse_cells(write, {change.field for change in write.changes}, refused, trello, outcome)
    except LeadsyncError as error:
        outcome.failures.append(Failure(write.lead_id, write.card_id, *_told(error)))
        if isinstance(error, DeadTokenError):
            outcome.dead = error
            outcome.forbidden.add(write.lead_id)
        else:
            outcome.unclear.add((CARD, write.lead_id))
        return None if isinstance(error, UnclearWriteError) else error
    else:
        for part, reason in answer.refused:
            _refuse_cells(write, part.fields, reason, trello, outcome)
        if answer.item is not None:
            _record_card(answer.item, answer, trello, target, outcome)
            updated += [write.card_id] if write.card_id else []
    return None


def _refuse_cells(
    write: CardWrite, fields: Collection[str], refused: ServiceRefusedError, trello: Trello, outcome: Outcome
) -> None:
    outcome.refused_cells.setdefault(write.lead_id, set()).update(fields)
    outcome.failures.append(Failure(write.lead_id, write.card_id, *trello.explain(refused)))
    if refused.status in (401, 403):
        outcome.forbidden.add(write.lead_id)


def _record_card(item: Item, answer: CardAnswer, trello: Trello, target: Target, outcome: Outcome) -> None:
    write, card_id = answer.done, str(item["id"])
    outcome.cards[card_id] = item
    returned = _as_returned(write, trello.cards_of(target.board, [item], (card_id,)).iloc[0])
    outcome.done += [_with_card(change, card_id) for change in write.changes]
    agreed = {write.lead_id: {**write.record, **returned, "card_id": card_id}}
    sent = {write.lead_id: answer.sent} if write.card_id else None
    target.store.record(target.pair, CARD, agreed, sent, answer.answered)


def _told(error: LeadsyncError) -> tuple[str, str]:
    """A failure's reason and remedy."""
    if isinstance(error, DeadTokenError):
        return error.reason, error.remedy
    return str(error), "The next run finishes it."


def _give_up(waiting: list[CardWrite], outcome: Outcome, gone: LeadsyncError) -> None:
    reason, remedy = "not tried: Trello is away", "Run again."
    if isinstance(gone, DeadTokenError):
        reason, remedy = _not_tried(gone), gone.remedy
        outcome.forbidden |= {write.lead_id for write in waiting}
    for write in waiting:
        outcome.failures.append(Failure(write.lead_id, write.card_id, reason, remedy))
    waiting.clear()


def _not_tried(dead: DeadTokenError) -> str:
    return f"not tried: {dead.service} no longer accepts {dead.setting}"


def _with_card(change: Change, card_id: str) -> Change:
    return Change(**{**vars(change), "card_id": card_id})


def _as_returned(write: CardWrite, card: Any) -> dict[str, Any]:
    """Texts count as agreed in the form in which Trello gave them back."""
    returned = {}
    if write.title is not None:
        returned["title"] = card["title"] or write.title
    if write.block is not None:
        shown = {"shown_email": card["email_line"], "shown_source": card["source_line"]}
        returned |= {column: line for column, line in shown.items() if column in write.record}
    return returned


@dataclass(frozen=True)
class CardPart:
    """Cells of a PUT that stand or fall together: their wire names, our fields, and the base columns they bring."""

    cells: tuple[str, ...]
    fields: tuple[str, ...]
    columns: tuple[str, ...]


PLACE: Final = CardPart(
    ("closed", "idList", "dueComplete"),
    ("card", "status"),
    ("lead_presence", "card_presence", "seen_status", "status", "stage", "due_complete"),
)
TITLE: Final = CardPart(("name",), ("name",), ("name", "title"))
BLOCK: Final = CardPart(
    ("desc",), ("email", "source", "marker"), ("email_line", "source_line", "shown_email", "shown_source")
)


@dataclass(frozen=True)
class CardAnswer:
    """
    A write as Trello took it: `item` is the card as returned, None if no part was taken.

    `done`, `sent`: what was taken, by Trello's clock not later than `answered` [s since 1970]. `refused`: the parts
    that were not, and why.
    """

    item: Item | None
    done: CardWrite
    sent: Sent = Sent()
    refused: tuple[tuple[CardPart, ServiceRefusedError], ...] = ()
    answered: float = 0.0


def _write_card(write: CardWrite, trello: Trello, target: Target) -> CardAnswer:
    cells = cells_of(write, target.board.lists)
    if not write.card_id:
        cells["desc"] = render(write.lead_id, *(write.block or ("", "")))
        return CardAnswer(_create_card(write, cells, trello, target.board), write)
    based_on = write.seen
    if write.block is not None:
        based_on = _fresh(write, trello, target.board)
        cells["desc"] = with_block(based_on["description"], write.lead_id, *write.block)
        if len(cells["desc"]) > TRELLO_TEXT_LIMIT:
            raise _Postponed
    sent = Sent(planned_from(based_on), digests_of(cells))
    if write.block is not None and based_on["description"] != write.seen["description"]:
        target.store.amend(target.pair, write.lead_id, sent)
    item, refused = _put_parts(write.card_id, cells, trello)
    sent = replace(sent, resent=trello.wire.resent)
    if refused:
        taken = {cell: value for cell, value in cells.items() if not any(cell in part.cells for part, _ in refused)}
        sent = replace(sent, cells=digests_of(taken))
        write = _taken(write, [part for part, _ in refused])
    return CardAnswer(item, write, sent, tuple(refused), trello.wire.answered)


def _put_parts(
    card_id: str, cells: Mapping[str, Any], trello: Trello
) -> tuple[Item | None, list[tuple[CardPart, ServiceRefusedError]]]:
    """One PUT; if a cell of it is refused, another without that cell, or one for each part if Trello names none."""
    queue, refused, item = [[part for part in (PLACE, TITLE, BLOCK) if cells.keys() & set(part.cells)]], [], None
    while queue:
        parts = queue.pop(0)
        try:
            item = trello.update_card(
                card_id, {cell: cells[cell] for part in parts for cell in part.cells if cell in cells}
            )
        except ServiceRefusedError as error:
            if error.status not in CARD_CELL_REFUSALS:
                raise
            named = [part for part in parts if any(re.search(rf"\b{cell}\b", error.text) for cell in part.cells)]
            if len(parts) == 1:
                refused.append((parts[0], error))
            elif named:
                refused.append((named[0], error))
                queue.insert(0, [part for part in parts if part is not named[0]])
            else:
                queue[:0] = [[part] for part in parts]
    return item, refused


def _taken(write: CardWrite, refused: Collection[CardPart]) -> CardWrite:
    """The write without the parts that were refused, so that no more is recorded than was written."""
    columns = {column for part in refused for column in part.columns}
    fields = {name for part in refused for name in part.fields}
    return replace(
        write,
        stage=None if PLACE in refused else write.stage,
        closed=None if PLACE in refused else write.closed,
        due_complete=None if PLACE in refused else write.due_complete,
        title=None if TITLE in refused else write.title,
        block=None if BLOCK in refused else write.block,
        record={column: value for column, value in write.record.items() if column not in columns},
        undo={column: value for column, value in write.undo.items() if column not in columns},
        changes=tuple(change for change in write.changes if change.field not in fields),
    )


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


def _check_writes(trello: Trello, target: Target, outcome: Outcome) -> None:
    """Also what an earlier run could not check; whatever cannot be looked at now stays for the next."""
    checkup = look(trello, target, IntentState.UNCHECKED)
    error = checkup.error
    try:
        repairs = repair(checkup, trello, target)
    except StateStoreError:
        raise
    except LeadsyncError as failed:
        error = str(failed)
    else:
        outcome.overwritten += repairs.conflicts
        outcome.postponed += repairs.given_back
    if error:
        note = (
            f"The board's activity could not be read ({error}). Whether these writes landed on somebody's edit is "
            "checked by the next run."
        )
        outcome.notes.append({"lead_id": "", "card_id": "", "note": note})


# --- leads ----------------------------------------------------------------------------------------------------


def load_leads(plan: Plan, airtable: Airtable, target: Target, cards: Outcome, progress: Progress) -> Outcome:
    """
    Write the plan's leads in batches of 10; those whose card could not be written wait for the next run.

    Cost: ceil(n / 10) PATCHes, and one filtered list for each 100 leads just before: a cell that a person has
    edited since the plan was made is not written. A PATCH that has to wait costs another list.
    """
    outcome = Outcome()
    outcome.postponed += [write.lead_id for write in plan.lead_writes if write.lead_id in set(cards.postponed)]
    writes = list(_writable(plan, cards))
    groups = [writes[start : start + REREAD] for start in range(0, len(writes), REREAD)]
    away: list[LeadsyncError] = []
    with _writers(min(LEAD_WRITERS, WRITERS), "airtable") as pool:
        for written in pool.map(lambda group: _write_group(group, airtable, target, away), groups):
            outcome.add(written)
            progress("leads", len(outcome.done) + len(outcome.failures), len(writes))
    return outcome


def _writable(plan: Plan, cards: Outcome) -> Iterator[LeadWrite]:
    """The writes that need not wait for their card; where Trello refused single cells, only those cells wait."""
    stuck = {failure.lead_id for failure in cards.failures} - cards.refused_cells.keys() | set(cards.postponed)
    for write in plan.lead_writes:
        refused = cards.refused_cells.get(write.lead_id, set())
        cells = {cell: write.cells[cell] for cell in write.cells if cell not in refused}
        if write.lead_id not in stuck and cells:
            yield replace(write, cells=cells) if refused else write


@dataclass
class Group:
    """
    Leads that are written together, while their cells are answered for one by one.

    `left`: the cells that have no answer yet. `texts`: those written, as Airtable holds them. `unclear`: leads that an
    unanswered PATCH may have written. `tries`: PATCHes in vain since the last answer. `tried`: leads of the last one.
    """

    writes: dict[str, LeadWrite]
    left: Cells = field(default_factory=dict)
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    unclear: set[str] = field(default_factory=set)
    tries: int = 0
    tried: set[str] = field(default_factory=set)

    def answer(self, lead_id: str, cell: str, text: str | None) -> None:
        """One cell holds `text` now, or None: it was refused."""
        del self.left[lead_id][cell]
        if text is not None:
            self.texts.setdefault(lead_id, {})[cell] = text

    def take_settled(self, lead_ids: Collection[str]) -> dict[str, dict[str, str]]:
        """Those of the leads of which no cell is left, with the texts that were written; they leave the group."""
        settled = [lead_id for lead_id in lead_ids if lead_id in self.left and not self.left[lead_id]]
        for lead_id in settled:
            del self.left[lead_id]
        return {lead_id: self.texts.pop(lead_id, {}) for lead_id in settled}


def _write_group(writes: Sequence[LeadWrite], airtable: Airtable, target: Target, away: list[LeadsyncError]) -> Outcome:
    """Re-read and write up to REREAD leads. `away`: why no group should go on, filled by the first to find out."""
    outcome = Outcome()
    group = Group({write.lead_id: write for write in writes}, {write.lead_id: write.fields for write in writes})
    try:
        target.still_held()
        if away:
            _fail_leads(group, away[0], outcome)
        else:
            _write_leads(group, airtable, target, outcome, away)
    except StateStoreError as lost:
        outcome.error = lost
        away.append(lost)
    return outcome


def _write_leads(group: Group, airtable: Airtable, target: Target, outcome: Outcome, away: list[LeadsyncError]) -> None:
    """
    Until each cell has its answer: re-read, and PATCH what is as it was when it was planned.

    A PATCH follows its re-read closely: what a person typed while it waited would be overwritten unseen.
    """
    while group.left:
        try:
            _drop_moved(group, airtable, target, outcome)
            again = _send(group, airtable, target, outcome)
            if again:
                airtable.wire.wait_again(again, group.tries)
        except StateStoreError:
            raise
        except LeadsyncError as error:
            away.append(error)
            return _fail_leads(group, error, outcome)
    return None


def _drop_moved(group: Group, airtable: Airtable, target: Target, outcome: Outcome) -> None:
    """
    Re-read the group. A lead that a person has edited meanwhile is postponed.

    A cell that an unanswered PATCH may have set, and that shows just what was sent, was written: it is no edit.
    """
    read = airtable.reread_leads(list(group.left))
    for lead_id, cells in list(group.left.items()):
        now = read.leads.loc[lead_id] if lead_id in read.leads.index else None
        for cell, text in list(cells.items()):
            if now is not None and lead_id in group.unclear and now[cell] == text:
                group.answer(lead_id, cell, text)
                outcome.records[lead_id] = read.records[lead_id]
        if now is None or any(now[cell] != group.writes[lead_id].seen[cell] for cell in cells):
            outcome.postponed.append(lead_id)
            outcome.unclear |= {(LEAD, lead_id)} if lead_id in group.unclear else set()
            cells.clear()
    _record_settled(group, list(group.left), target, outcome, airtable.wire.answered)


def _send(group: Group, airtable: Airtable, target: Target, outcome: Outcome) -> ReadAgainError | None:
    """
    PATCH what is left, until a PATCH has to wait or the re-read is no longer fresh.

    Returns: why it has to wait. Raises: what ends the side.
    """
    read_at = airtable.wire.moment
    for cells, answer in airtable.update_leads(group.left):
        group.tried = set(cells)
        if isinstance(answer, ReadAgainError):
            group.tries += answer.sent
            group.unclear |= group.tried if answer.unclear else set()
            return answer
        group.tries = 0
        if isinstance(answer, ServiceRefusedError):
            _refuse_leads(group, cells, answer, airtable, outcome)
        elif isinstance(answer, LeadsyncError):
            raise answer
        else:
            outcome.records |= by_id(answer)
            returned = airtable.leads_of(answer)
            for lead_id, texts in cells.items():
                for cell, text in texts.items():
                    known = lead_id in returned.index
                    group.answer(lead_id, cell, str(returned.at[lead_id, cell]) if known else text)
        _record_settled(group, list(cells), target, outcome, airtable.wire.answered)
        target.still_held()
        if airtable.wire.moment - read_at > FRESH:
            break
    return None


def _record_settled(group: Group, lead_ids: Collection[str], target: Target, outcome: Outcome, answered: float) -> None:
    """
    Record the leads of which every cell is answered for: what was written, and no more.

    Until then the journal's row stands, so that a run cut off between two cells of a lead is still proven by it.
    """
    updates: dict[str, dict[str, Any]] = {}
    sent: dict[str, Sent] = {}
    for lead_id, texts in group.take_settled(lead_ids).items():
        write, written = group.writes[lead_id], _cells_written(group, lead_id, texts)
        outcome.done += [cell.change for cell in written]
        if texts:
            columns = {column: value for cell in written for column, value in cell.record.items()}
            updates[lead_id] = {**columns, **texts}
            planned_on, cells = ({cell: values[cell] for cell in texts} for values in (write.seen, write.fields))
            sent[lead_id] = Sent(digests_of(planned_on), digests_of(cells))
    if updates:
        target.store.record(target.pair, LEAD, updates, sent, answered)


def _cells_written(group: Group, lead_id: str, texts: Collection[str]) -> list[CellWrite]:
    return [write for cell, write in group.writes[lead_id].cells.items() if cell in texts]


def _refuse_leads(
    group: Group, cells: Cells, refused: ServiceRefusedError, airtable: Airtable, outcome: Outcome
) -> None:
    for lead_id, texts in cells.items():
        failure = Failure(lead_id, group.writes[lead_id].card_id, *airtable.explain(refused, texts))
        outcome.failures += [failure] if failure not in outcome.failures else []
        outcome.forbidden |= {lead_id} if airtable.forbids(refused) else set()
        for cell in texts:
            group.answer(lead_id, cell, None)


def _fail_leads(group: Group, error: LeadsyncError, outcome: Outcome) -> None:
    """What is left of the group cannot be written in this run. Raises: `error`, if it is the run that must end."""
    if not isinstance(error, ServiceRefusedError | TransientServiceError | QuotaExceededError | DeadTokenError):
        raise error
    reason, remedy = _told(error)
    if isinstance(error, ServiceRefusedError):
        reason, remedy = f"could not be read again before the write ({error})", "Check with flows/validate.py."
    for lead_id in group.left:
        told = reason
        outcome.unclear.add((LEAD, lead_id))
        if isinstance(error, DeadTokenError):
            outcome.dead = error
            outcome.forbidden.add(lead_id)
            told = reason if lead_id in group.tried else _not_tried(error)
        outcome.failures.append(Failure(lead_id, group.writes[lead_id].card_id, told, remedy))
        outcome.done += [cell.change for cell in _cells_written(group, lead_id, group.texts.get(lead_id, {}))]
