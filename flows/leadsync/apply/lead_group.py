"""
Leads on their way to Airtable: which of their cells still wait for an answer, and the state's record of the others.

What is never here: a request.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from leadsync.airtable.writing import Cells
from leadsync.apply.outcome import Outcome
from leadsync.apply.target import Target
from leadsync.core.journal import LEAD, Sent, sent_to_lead
from leadsync.core.plan import CellWrite, LeadWrite
from leadsync.frames.agreed import BASE_COLUMNS, sides_of
from leadsync.mapping.lenses import Value


@dataclass
class Group:
    """
    Leads that are written together, while their cells are answered for one by one.

    `left`: the cells that have no answer yet. `values`: those written, as Airtable holds them. `unclear`: leads that an
    unanswered PATCH may have written. `tries`: PATCHes in vain since the last answer. `tried`: leads of the last one.
    """

    writes: dict[str, LeadWrite]
    left: Cells = field(default_factory=dict)
    values: dict[str, dict[str, Value]] = field(default_factory=dict)
    unclear: set[str] = field(default_factory=set)
    tries: int = 0
    tried: set[str] = field(default_factory=set)

    def answer(self, lead_id: str, cell: str, value: Value | None) -> None:
        """One cell holds `value` now, or None: it was refused."""
        del self.left[lead_id][cell]
        if value is not None:
            self.values.setdefault(lead_id, {})[cell] = value

    def written(self, lead_id: str) -> list[CellWrite]:
        """The writes of a lead that Airtable took."""
        values = self.values.get(lead_id, {})
        return [write for cell, write in self.writes[lead_id].cells.items() if cell in values]

    def record_settled(self, lead_ids: Collection[str], target: Target, outcome: Outcome, answered: float) -> None:
        """
        Record those of the leads of which every cell is answered for: what was written, and no more.

        They leave the group. Until then the journal's row stands, so that a run cut off between two cells of a lead is
        still proven by it. `answered`: Airtable's clock [s since 1970].
        """
        updates: dict[str, dict[str, Any]] = {}
        sent: dict[str, Sent] = {}
        taken: dict[str, list[str]] = {}
        for lead_id in [lead_id for lead_id in lead_ids if lead_id in self.left and not self.left[lead_id]]:
            write, written = self.writes[lead_id], self.written(lead_id)
            outcome.done += [cell.change for cell in written]
            if values := self.values.pop(lead_id, {}):
                columns = {column: value for cell in written for column, value in cell.record.items()}
                held = {cell for cell, each in write.cells.items() if each.entry and each.entry.left}
                updates[lead_id] = columns | {
                    base_column(cell): value for cell, value in values.items() if cell not in held
                }
                sent[lead_id] = sent_to_lead(write, values)
                taken[lead_id] = [cell.change.field for cell in written]
            del self.left[lead_id]
        if updates:
            target.store.journal.record(target.pair, LEAD, updates, sent, answered, taken)


def base_column(cell: str) -> str:
    """The base column that holds what a lead has in a cell, see Lead.value."""
    return cell if cell in BASE_COLUMNS else sides_of(cell)[0]
