"""What the planner may know of the settings: choices of the user, nothing of them secret. Pure. Never here: a rule."""

from __future__ import annotations

from dataclasses import dataclass, field

from leadsync.mapping.closing import Closing
from leadsync.model import ConflictPolicy, OnCardDeleted, OnLeadDeleted, StatusMap


@dataclass(frozen=True)
class Rules:
    """The user's choices, with those of this one run. `columns`: our field name -> what it is called in Airtable."""

    status_map: StatusMap
    closing: Closing
    conflict: ConflictPolicy = ConflictPolicy.AIRTABLE
    on_lead_deleted: OnLeadDeleted = OnLeadDeleted.ARCHIVE
    on_card_deleted: OnCardDeleted = OnCardDeleted.LEAVE
    max_archive_percent: float = 30.0
    allow_mass_change: bool = False
    columns: dict[str, str] = field(default_factory=dict)
