"""Cells that both sides moved apart, and which of them nothing has settled yet. Pure. Never here: who wins one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final

UNDONE: Final = "undone"
"""The kind of a conflict that had been settled and was undone: no policy settles it again."""
Key = tuple[str, str]
"""A lead's id, and the name of a cell as Rules.name_of has it; "" for all of the lead's."""


@dataclass(frozen=True)
class Conflict:
    """
    A cell both sides moved apart, with both values and what is done about it.

    `base`: what was agreed, as the lead had it; None if nothing was.
    """

    lead_id: str
    card_id: str
    field: str
    airtable: str
    trello: str
    kind: str  # conflict | first match | lead deleted | mapping changed | edited meanwhile | UNDONE
    resolution: str
    base: str | None = None

    def __str__(self) -> str:
        values = f"{self.airtable or '(empty)'} on Airtable, {self.trello or '(empty)'} on Trello"
        return f"{self.field}: {values} ({self.kind}, {self.resolution})"


@dataclass(frozen=True)
class OpenConflicts:
    """
    What a pass has found out about conflicts, each by lead and name of its cell.

    `found`: those there are. `unseen`: cells that could not be compared, and leads (without a cell) of which none
    could: what is known of them stands. `among`: the leads that were looked at.
    """

    found: dict[Key, Conflict] = field(default_factory=dict)
    unseen: set[Key] = field(default_factory=set)
    among: Collection[str] = field(default=(), compare=False)

    def stands(self, key: Key) -> bool:
        """Whether a conflict known before is one still, whatever was found."""
        lead_id, _ = key
        return lead_id not in self.among or bool(self.unseen & {key, (lead_id, "")})

    def along_with(self, other: OpenConflicts) -> OpenConflicts:
        """Both together, of different leads."""
        return replace(self, found=self.found | other.found, unseen=self.unseen | other.unseen)
