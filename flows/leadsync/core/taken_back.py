"""
What a run did to each cell, as it is to be taken back: what both sides hold if nobody touched it since, and what they
get. Pure. Never here: the writes that follow (see undo.py), the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Final, NamedTuple

from leadsync.core.ledger import CARD_FIELD, GAP, MARKED, SETTLED, Entry, Rule
from leadsync.frames.agreed import Columns

PUT_AWAY: Final = "archived"
"""What an entry says of a card that it has archived."""
NO_VALUE: Final = (Rule.TIED, Rule.RESTORED)
"""Rules by which nothing of a person's was taken from one side to the other."""


class Done(NamedTuple):
    """One change of a run, which nobody has given back. `number`: its own, in order."""

    number: int
    lead_id: str
    card_id: str
    entry: Entry


@dataclass(frozen=True)
class TakenBack:
    """
    One cell, or a card as a whole (CARD_FIELD), as one run changed it, whatever number of writes that took.

    In columns of the base: `left`, what both sides held after the run; `target`, what they are to hold again; `agreed`,
    what is agreed then. `apart`: the two values of `target` were never agreed on, so that the cell is held. `closed`:
    of a card, whether it is to be archived. `resettles`: it was held, and the two sides are made equal again. `unties`:
    it is a copy, which was made a card of its own. `ties`: of the LeadID line, whether it is to be put back, else it
    goes, with the `gap` before it. `is_put`: its card has been given its value already, by the undo under way.
    """

    lead_id: str
    card_id: str
    field: str
    left: Columns
    target: Columns
    agreed: Columns
    apart: bool = False
    closed: bool = False
    resettles: bool = False
    unties: bool = False
    ties: bool = False
    gap: str = ""
    is_put: bool = False


def taken_back(changes: Iterable[Done]) -> list[TakenBack]:
    """
    What is to be taken back of these changes, in order by lead.

    A LeadID line restored in a card is not, nor a hand edit put back where the other side alone decides: nothing that
    anybody had agreed on was replaced there.
    """
    found: dict[tuple[str, str, str], list[Done]] = {}
    for change in sorted(changes):
        if change.entry.rule not in NO_VALUE:
            copy = change.card_id if change.entry.rule is Rule.UNTIED else ""
            found.setdefault((change.lead_id, change.entry.field, copy), []).append(change)
    return [_folded(of_cell) for _, of_cell in sorted(found.items())]


def _folded(changes: list[Done]) -> TakenBack:
    last, entries = changes[-1], [change.entry for change in changes]
    left = _together(each.now | each.left for each in entries)
    agreed, held = (_together(found[::-1]) for found in ([e.agreed for e in entries], [e.held for e in entries]))
    apart = any(entry.rule in SETTLED for entry in entries)
    agreed, held = ({name: of[name] for name in of.keys() & left.keys()} for of in (agreed, held))
    return TakenBack(
        last.lead_id,
        last.card_id,
        last.entry.field,
        left,
        held if apart else agreed,
        agreed,
        apart,
        closed=last.entry.field == CARD_FIELD and last.entry.after.trello != PUT_AWAY,
        resettles=any(entry.rule is Rule.HELD for entry in entries),
        unties=last.entry.rule is Rule.UNTIED,
        ties=last.entry.field == MARKED and last.entry.after.trello == "",
        gap=str(last.entry.held.get(GAP, "")),
    )


def _together(found: Iterable[Columns]) -> Columns:
    """The latter go before."""
    return reduce(or_, found, Columns())
