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
from leadsync.core.journal import LEAD, Sent, digests_of
from leadsync.core.plan import CellWrite, LeadWrite


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

    def written(self, lead_id: str) -> list[CellWrite]:
        """The writes of a lead that Airtable took."""
        texts = self.texts.get(lead_id, {})
        return [write for cell, write in self.writes[lead_id].cells.items() if cell in texts]

    def record_settled(self, lead_ids: Collection[str], target: Target, outcome: Outcome, answered: float) -> None:
        """
        Record those of the leads of which every cell is answered for: what was written, and no more.

        They leave the group. Until then the journal's row stands, so that a run cut off between two cells of a lead is
        still proven by it. `answered`: Airtable's clock [s since 1970].
        """
        updates: dict[str, dict[str, Any]] = {}
        sent: dict[str, Sent] = {}
        for lead_id in [lead_id for lead_id in lead_ids if lead_id in self.left and not self.left[lead_id]]:
            write, written = self.writes[lead_id], self.written(lead_id)
            outcome.done += [cell.change for cell in written]
            if texts := self.texts.pop(lead_id, {}):
                columns = {column: value for cell in written for column, value in cell.record.items()}
                updates[lead_id] = {**columns, **texts}
                planned_on = {cell: getattr(write.planned_from, cell) for cell in texts}
                cells = {cell: write.fields[cell] for cell in texts}
                sent[lead_id] = Sent(digests_of(planned_on), digests_of(cells))
            del self.left[lead_id]
        if updates:
            target.store.journal.record(target.pair, LEAD, updates, sent, answered)
