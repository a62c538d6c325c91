"""
Who moved a cell away from the base, for one lead and each of its cells. Pure.

Never here: what is written because of it (see plan_cells.py). Signature order everywhere: agreed, lead, card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from leadsync.core.decisions import CELL_DECISIONS, LINE_DECISIONS, CellDecision
from leadsync.frames.agreed import Agreed
from leadsync.frames.block import one_line, plain
from leadsync.frames.cards import Card
from leadsync.frames.leads import Lead
from leadsync.model import StatusMap


def decide_status(agreed: Agreed, lead: Lead, card: Card, stage: str, status_map: StatusMap) -> CellDecision:
    """Equal if the status belongs into the card's list. `stage`: as judged."""
    wanted = status_map.stage_of_cell(lead.status)
    if wanted == "" or not lead.is_readable("status"):
        return CellDecision.QUARANTINED
    if stage == "":
        return CellDecision.PARKED
    never_agreed = agreed.stage == ""
    status_moved = never_agreed or status_map.effective(lead.status) != status_map.effective(agreed.status)
    return CELL_DECISIONS[wanted == stage, status_moved, never_agreed or stage != agreed.stage]


def decide_name(agreed: Agreed, lead: Lead, card: Card) -> CellDecision:
    """
    An emptied title and a fallback title say nothing; a first match fills an empty name from the card.

    A title that Trello gave back otherwise than we sent it was agreed as such: unequal, and still unchanged.
    """
    if not lead.is_readable("name"):
        return CellDecision.QUARANTINED
    agreed_before = agreed.title != ""
    name_moved = lead.name != (agreed.name if agreed_before else "")
    title_moved = not (agreed_before and card.title == agreed.title)
    as_returned = agreed_before and lead.name != "" and not name_moved and not title_moved
    equal = card.title == lead.title or as_returned
    if equal and not agreed_before:  # a fallback, too: a name typed later is then a move
        return CellDecision.AGREED
    says_nothing = card.title == "" or _is_fallback(agreed_before, lead, card)
    decision = CELL_DECISIONS[equal, name_moved, title_moved and not says_nothing]
    untitled = lead.name == "" and not lead.is_readable("email")  # nobody knows its fallback
    if untitled and decision in (CellDecision.TO_TRELLO, CellDecision.CONFLICT):
        return CellDecision.QUARANTINED
    return decision


def _is_fallback(agreed_before: bool, lead: Lead, card: Card) -> bool:
    """
    A title that is only there because a lead had no name: its e-mail, or "Unnamed lead rec…".

    Where a title was never agreed, the lead may have got a name or another e-mail since: the card's own block shows
    which e-mail the title was made of. Where one was, a person may give a named lead that very title.
    """
    if agreed_before and lead.name != "":
        return False
    shown = plain(one_line(card.title))
    of_email = card.title == lead.email or (shown != "" and shown == lead.email_line)
    of_former_email = not agreed_before and shown != "" and shown == card.email_line
    return of_email or of_former_email or card.title.startswith("Unnamed lead rec")


@dataclass(frozen=True)
class Line:
    """A line of the managed block, by the field whose value it shows; it goes one way, from the lead to the card."""

    field: str

    def value(self, lead: Lead) -> str:
        """The lead's own value."""
        return str(getattr(lead, self.field))

    def of(self, row: Lead | Agreed | Card) -> str:
        """The line as a lead asks for it, as was agreed, or as a card shows it."""
        return str(getattr(row, f"{self.field}_line"))

    def shown(self, agreed: Agreed) -> str:
        """As Trello gave it back when it was agreed."""
        return str(getattr(agreed, f"shown_{self.field}"))

    def record(self, lead: Lead, shown_by: Lead | Card) -> dict[str, str]:
        """The base columns that are true while the card shows that line for this lead."""
        return {f"{self.field}_line": self.of(lead), f"shown_{self.field}": self.of(shown_by)}


LINES: Final = (Line("email"), Line("source"))


def decide_line(line: Line, agreed: Agreed, lead: Lead, card: Card) -> CellDecision:
    """
    A bare marker only grows into a block when a lead's value moved. What Trello made of a line itself is no edit.

    The line of a cell that cannot be read stays as it is.
    """
    if not lead.is_readable(line.field):
        return CellDecision.QUARANTINED
    wanted, now = line.of(lead), line.of(card)
    known = agreed.card_id != ""
    moved = known and wanted != line.of(agreed)
    altered_by_trello = known and not moved and now == line.shown(agreed) != ""
    stale = card.block and now != wanted and not altered_by_trello
    return LINE_DECISIONS[moved or (stale and not known), stale, card.block]
