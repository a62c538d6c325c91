"""
The plan's leads are written: PATCHes of ten, read again just before, recorded as answered.

What is never here: a decision, a retry (see transport/).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from leadsync.airtable.client import Airtable, by_id
from leadsync.airtable.refusals import explain, forbids
from leadsync.airtable.writing import Cells, update_leads
from leadsync.apply.lead_group import Group
from leadsync.apply.outcome import Outcome, Progress, as_told, not_tried, writers
from leadsync.apply.target import Target
from leadsync.core.journal import LEAD
from leadsync.core.plan import LeadWrite, Plan
from leadsync.core.told import Failure
from leadsync.errors import (
    DeadTokenError,
    LeadsyncError,
    QuotaExceededError,
    ReadAgainError,
    ServiceRefusedError,
    StateStoreError,
    TransientServiceError,
)
from leadsync.frames.leads import Lead
from leadsync.frames.schema import rows_of
from leadsync.mapping.lenses import Value

WRITERS = 2
"""Concurrent writers to Airtable; each has its own group of leads, and they share one limiter."""
FRESH = 10.0
"""Seconds from which on a re-read no longer counts as just before; at the default pace a group needs half of them."""
REREAD = 100
"""Leads re-read in one filtered list just before they are written."""


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
    with writers(WRITERS, "airtable") as pool:
        for written in pool.map(lambda group: _write_group(group, airtable, target, away), groups):
            outcome.add(written)
            progress("leads", len(outcome.done) + len(outcome.failures), len(writes))
    return outcome


def _writable(plan: Plan, cards: Outcome) -> Iterator[LeadWrite]:
    """The writes that need not wait for their card; where Trello refused single cells, only those cells wait."""
    stuck = {failure.lead_id for failure in cards.failures} - cards.refused_cells.keys() | set(cards.postponed)
    for write in plan.lead_writes:
        refused = cards.refused_cells.get(write.lead_id, set())
        cells = {cell: each for cell, each in write.cells.items() if each.change.field not in refused}
        if write.lead_id not in stuck and cells:
            yield replace(write, cells=cells) if refused else write


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
    leads = {lead.lead_id: lead for lead in rows_of(read.leads, Lead)}
    for lead_id, cells in list(group.left.items()):
        now = leads.get(lead_id)
        for cell, value in list(cells.items()):
            if now is not None and lead_id in group.unclear and _holds(now, cell, value):
                group.answer(lead_id, cell, value)
                outcome.records[lead_id] = read.records[lead_id]
        write = group.writes[lead_id]
        if now is None or not all(_is_as_planned(now, write, cell) for cell in cells):
            outcome.postponed.append(lead_id)
            outcome.unclear |= {(LEAD, lead_id)} if lead_id in group.unclear else set()
            cells.clear()
    group.record_settled(list(group.left), target, outcome, airtable.wire.answered)


def _is_as_planned(now: Lead, write: LeadWrite, cell: str) -> bool:
    was, field = write.planned_from, write.cells[cell].change.field
    if was.is_readable(field):
        return _holds(now, cell, was.value(cell))
    return now.broken(field) == was.broken(field)


def _holds(lead: Lead, cell: str, value: Value) -> bool:
    return lead.holds(cell) and lead.value(cell) == value


def _send(group: Group, airtable: Airtable, target: Target, outcome: Outcome) -> ReadAgainError | None:
    """
    PATCH what is left, until a PATCH has to wait or the re-read is no longer fresh.

    Returns: why it has to wait. Raises: what ends the side.
    """
    read_at = airtable.wire.moment
    for cells, answer in update_leads(airtable, group.left):
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
            returned = {lead.lead_id: lead for lead in rows_of(airtable.leads_of(answer), Lead)}
            for lead_id, values in cells.items():
                for cell, value in values.items():
                    known = lead_id in returned and returned[lead_id].holds(cell)
                    group.answer(lead_id, cell, returned[lead_id].value(cell) if known else value)
        group.record_settled(list(cells), target, outcome, airtable.wire.answered)
        target.still_held()
        if airtable.wire.moment - read_at > FRESH:
            break
    return None


def _refuse_leads(
    group: Group, cells: Cells, refused: ServiceRefusedError, airtable: Airtable, outcome: Outcome
) -> None:
    columns = airtable.columns.names
    for lead_id, values in cells.items():
        failure = Failure(lead_id, group.writes[lead_id].card_id, *explain(refused, values, columns))
        outcome.failures += [failure] if failure not in outcome.failures else []
        outcome.forbidden |= {lead_id} if forbids(refused, columns.values()) else set()
        for cell in values:
            group.answer(lead_id, cell, None)


def _fail_leads(group: Group, error: LeadsyncError, outcome: Outcome) -> None:
    """What is left of the group cannot be written in this run. Raises: `error`, if it is the run that must end."""
    if not isinstance(error, ServiceRefusedError | TransientServiceError | QuotaExceededError | DeadTokenError):
        raise error
    reason, remedy = as_told(error)
    if isinstance(error, ServiceRefusedError):
        reason, remedy = f"could not be read again before the write ({error})", "Check with flows/validate.py."
    for lead_id in group.left:
        told = reason
        outcome.unclear.add((LEAD, lead_id))
        if isinstance(error, DeadTokenError):
            outcome.dead = error
            outcome.forbidden.add(lead_id)
            told = reason if lead_id in group.tried else not_tried(error)
        outcome.failures.append(Failure(lead_id, group.writes[lead_id].card_id, told, remedy))
        outcome.done += [cell.change for cell in group.written(lead_id)]
