"""The base, that is what both sides agreed on last time, as typed rows and a frame. Pure. Never here: the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from leadsync.frames.schema import columns_of, frame_of_values


@dataclass(frozen=True, slots=True)
class Agreed:
    """
    One lead as both sides agreed on it; with its defaults, a lead of which nothing is known.

    `stage`, `title`: "" while the status, the name was never agreed. `shown_email`, `shown_source`: the block's lines
    as Trello gave them back. `seen_status`: the lead's status when its card that is shut, parked or in conflict was
    last looked at.
    """

    lead_id: str = ""
    card_id: str = ""
    lead_presence: str = ""  # LeadPresence
    card_presence: str = ""  # CardPresence
    status: str = ""
    stage: str = ""
    due_complete: bool = False
    name: str = ""
    title: str = ""
    email_line: str = ""
    source_line: str = ""
    shown_email: str = ""
    shown_source: str = ""
    seen_status: str = ""


BASE_COLUMNS: Final = columns_of(Agreed)
Columns = dict[str, str | bool]
"""Some columns of one lead's row, with what is agreed in them."""
NEVER_AGREED: Final = Agreed()


def base_frame(rows: Mapping[str, tuple[object, ...]] | None = None) -> pd.DataFrame:
    """Index `lead_id`, columns BASE_COLUMNS. `rows`: their values by lead id."""
    return frame_of_values(rows or {}, Agreed)
