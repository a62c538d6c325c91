"""
After the writes to leads: what of a person's a PATCH landed on is given back, and decided anew by the next pass.

Airtable's change feed says what a write replaced. What is never here: the rule which value wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from leadsync.airtable.client import Airtable
from leadsync.airtable.writing import give_back
from leadsync.apply.give_back import GIVEN_UP, Edit, Repair, Repairs
from leadsync.apply.target import Target
from leadsync.core.conflicts import Conflict
from leadsync.core.digests import digest
from leadsync.core.journal import Intent, IntentState, Sent
from leadsync.core.lead_overwrites import Patched, Replaced, find_replaced
from leadsync.core.told import Failure
from leadsync.core.witness import LEAD_CELLS, field_of
from leadsync.errors import LeadsyncError
from leadsync.frames.agreed import sides_of
from leadsync.frames.leads import Lead
from leadsync.frames.payloads import LeadChange
from leadsync.frames.schema import rows_of
from leadsync.mapping.cells import told

TOLD_BY: Final = {"status": "stage", "name": "title"}
"""Cell of a lead -> the base column that says what the card had."""


def unchecked_patches(target: Target) -> list[Intent]:
    """The journal's PATCHes of which Airtable has not told yet."""
    return [row for row in target.store.journal.load_intents(target.pair, IntentState.UNCHECKED) if row.is_patch]


def repair_leads(
    changes: Sequence[LeadChange], fields: Mapping[str, str], airtable: Airtable, target: Target
) -> Repairs:
    """
    Give back what was overwritten, and end the journal's cells that are checked.

    `changes`: see lead_overwrites.find_replaced; `fields`: our field -> fld…. A finding that cannot be given back stays
    in the journal until a report has listed it. Cost: 1 request for each 100 leads concerned, and 1 for each cell.
    """
    rows = unchecked_patches(target)
    if not rows:
        return Repairs()
    patched = [Patched(row, cell, airtable.columns.read) for row in rows for cell in row.sent.cells]
    checked = find_replaced(changes, patched, fields)
    ids = list(dict.fromkeys(found.patched.intent.lead_id for found in checked.replaced))
    read = rows_of(airtable.leads_of(airtable.fetch_records(ids).values()), Lead) if ids else []
    now = {lead.lead_id: lead for lead in read}
    repairs = Repairs(silent=checked.silent)
    for row in rows:
        untold = {cell.cell for cell in checked.untold if cell.intent.number == row.number}
        listed: list[Conflict] = []
        for found in (found for found in checked.replaced if found.patched.intent.number == row.number):
            became = _give_back(found, now, airtable, target, repairs)
            conflict = None if became is Repair.IN_FORCE else _as_conflict(found, became)
            listed += repairs.add(row.lead_id, became, conflict)
        _keep(replace(row, conflicts=(*row.conflicts, *listed)), untold, airtable.wire.server_time, target, repairs)
    return repairs


def _give_back(
    found: Replaced, now: Mapping[str, Lead], airtable: Airtable, target: Target, repairs: Repairs
) -> Repair:
    """`now`: the leads as they are, by id."""
    row, cell = found.patched.intent, found.patched.cell
    lead = now.get(row.lead_id)
    held = lead.value(cell) if lead is not None and lead.holds(cell) else None
    value = found.patched.read(found.value)
    in_force = held is not None and digest(cell, held) == digest(cell, value)
    is_free = held is not None and digest(cell, held) == row.sent.cells[cell]
    edit = Edit(row, cell, LEAD_CELLS.get(cell) or sides_of(cell), value, _told(found), in_force, is_free)

    def write() -> bool:
        try:
            give_back(airtable, row.lead_id, cell, found.value)
        except LeadsyncError as error:
            reason = f"an edit of {_field(cell)} that a write of ours replaced could not be given back: {error}"
            remedy = "The conflicts list what was typed; type it again."
            repairs.failures.append(Failure(row.lead_id, row.card_id, reason, remedy))
            return False
        return True

    return edit.give_back(write, airtable.wire.server_time, target)


def _as_conflict(found: Replaced, became: Repair) -> Conflict:
    row, cell = found.patched.intent, found.patched.cell
    ours = row.record.get(TOLD_BY.get(cell) or sides_of(cell)[1])
    said = "" if ours is None else told(ours)
    return Conflict(row.lead_id, row.card_id, _field(cell), _told(found), said, "edited meanwhile", became.value)


def _told(found: Replaced) -> str:
    """What was typed, in words."""
    return found.value if isinstance(found.value, str) else told(found.patched.read(found.value))


def _field(cell: str) -> str:
    return cell if cell in LEAD_CELLS else field_of(sides_of(cell)[0])


def _keep(row: Intent, untold: set[str], now: float, target: Target, repairs: Repairs) -> None:
    """Only the cells that Airtable has not told of remain, and not for ever."""
    if untold and now - max(row.since, row.answered) < GIVEN_UP:
        planned_from = {cell: row.sent.planned_from[cell] for cell in untold}
        left = replace(row, sent=Sent(planned_from, {cell: row.sent.cells[cell] for cell in untold}))
        if left.sent != row.sent or row.conflicts:
            target.store.journal.keep_intent(left)
        return
    repairs.unchecked += [row] if untold else []
    target.store.journal.end_intents([row])
