"""
The plan's cards are written, each recorded as answered; then the feed says what the writes landed on.

What is never here: a decision, a retry (see transport/).
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace

from leadsync.apply.card_parts import CardAnswer, write_card
from leadsync.apply.outcome import Outcome, Postponed, Progress, as_told, not_tried, writers
from leadsync.apply.repair_cards import look, repair
from leadsync.apply.target import Target
from leadsync.core.journal import CARD, IntentState
from leadsync.core.plan import CardWrite, Plan
from leadsync.core.told import Failure, Note
from leadsync.errors import DeadTokenError, LeadsyncError, ServiceRefusedError, StateStoreError, UnclearWriteError
from leadsync.frames.actions import Item
from leadsync.frames.agreed import Columns, sides_of
from leadsync.frames.cards import Card
from leadsync.frames.schema import rows_of
from leadsync.trello.client import Trello
from leadsync.trello.refusals import explain

WRITERS = 4
"""Concurrent writers to Trello; they share one limiter, so latency does not cost throughput."""


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
        with writers(WRITERS, "trello") as pool:
            while waiting or under_way:
                target.still_held()
                while waiting and len(under_way) < WRITERS:
                    write = waiting.pop()
                    under_way[pool.submit(write_card, write, trello, target)] = write
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    write = under_way.pop(future)
                    if gone := _settle_card(future, write, trello, target, outcome, updated):
                        _give_up(waiting, outcome, gone)
                progress("cards", total - len(waiting) - len(under_way), total)
        if updated:
            check_writes(trello, target, outcome)
    except StateStoreError as lost:
        outcome.error = lost
    return outcome


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
    except Postponed:
        outcome.postponed.append(write.lead_id)
    except ServiceRefusedError as refused:
        if refused.status == 404 and write.card_id:
            outcome.postponed.append(write.lead_id)
        else:
            _refuse_cells(write, {change.field for change in write.changes}, refused, outcome)
    except LeadsyncError as error:
        outcome.failures.append(Failure(write.lead_id, write.card_id, *as_told(error)))
        if isinstance(error, DeadTokenError):
            outcome.dead = error
            outcome.forbidden.add(write.lead_id)
        else:
            outcome.unclear.add((CARD, write.lead_id))
        return None if isinstance(error, UnclearWriteError) else error
    else:
        for part, reason in answer.refused:
            _refuse_cells(write, part.fields, reason, outcome)
        if answer.item is not None:
            _record_card(answer.item, answer, trello, target, outcome)
            updated += [write.card_id] if write.card_id else []
    return None


def _refuse_cells(write: CardWrite, fields: Collection[str], refused: ServiceRefusedError, outcome: Outcome) -> None:
    outcome.refused_cells.setdefault(write.lead_id, set()).update(fields)
    outcome.failures.append(Failure(write.lead_id, write.card_id, *explain(refused)))
    if refused.status in (401, 403):
        outcome.forbidden.add(write.lead_id)


def _record_card(item: Item, answer: CardAnswer, trello: Trello, target: Target, outcome: Outcome) -> None:
    write, card_id = answer.done, str(item["id"])
    outcome.cards[card_id] = item
    returned = _as_returned(write, rows_of(trello.cards_of(target.board, [item], (card_id,)), Card)[0])
    outcome.done += [replace(change, card_id=card_id) for change in write.changes]
    later = {column: value for each in write.cells for column, value in each.record.items()}
    agreed = {write.lead_id: {**write.record, **later, **returned, "card_id": card_id}}
    sent = {write.lead_id: answer.sent} if write.card_id else None
    taken = {write.lead_id: [change.field for change in write.changes]}
    target.store.journal.record(target.pair, CARD, agreed, sent, answer.answered, taken)


def _as_returned(write: CardWrite, card: Card) -> Columns:
    """Values count as agreed in the form in which Trello gave them back."""
    returned: Columns = {}
    if write.title is not None and write.record.get("title") == write.title:
        returned["title"] = card.title or write.title
    sent = {each.cell.name: each.value for each in write.cells if each.cell.card.in_put}
    apart = {each.cell.name for each in write.cells} - sent.keys()  # by requests of their own, after this answer
    for name, value in card.cells.items():
        column = sides_of(name)[1]
        is_told = write.block is not None and name not in {*sent, *apart}
        is_as_sent = name in sent and write.record.get(column) == sent[name]
        if is_as_sent or (is_told and column in write.record):
            returned[column] = value
    return returned


def _give_up(waiting: list[CardWrite], outcome: Outcome, gone: LeadsyncError) -> None:
    reason, remedy = "not tried: Trello is away", "Run again."
    if isinstance(gone, DeadTokenError):
        reason, remedy = not_tried(gone), gone.remedy
        outcome.forbidden |= {write.lead_id for write in waiting}
    for write in waiting:
        outcome.failures.append(Failure(write.lead_id, write.card_id, reason, remedy))
    waiting.clear()


def check_writes(trello: Trello, target: Target, outcome: Outcome) -> None:
    """
    What the writes landed on is given back. Also what an earlier run could not check; whatever cannot be looked at now
    stays for the next. Cost: 1 request.
    """
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
        outcome.done += repairs.changes
        outcome.postponed += repairs.given_back
    if error:
        note = (
            f"The board's activity could not be read ({error}). Whether these writes landed on somebody's edit is "
            "checked by the next run."
        )
        outcome.notes.append(Note("", "", note))
