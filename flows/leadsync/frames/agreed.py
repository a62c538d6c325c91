"""The base, that is what both sides agreed on last time, as a frame. Pure. Never here: the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pandas as pd

from leadsync.frames.schema import frame_of

BASE_COLUMNS: Final = {
    "card_id": "object",
    "lead_presence": "object",  # present | out_of_view | gone
    "card_presence": "object",  # open | archived | archived_by_us | moved_away | deleted
    "status": "object",
    "stage": "object",  # "" while the status was never agreed
    "due_complete": "bool",
    "name": "object",
    "title": "object",  # "" while the name was never agreed
    "email_line": "object",
    "source_line": "object",
    "shown_email": "object",  # the block's lines as Trello gave them back
    "shown_source": "object",
    "seen_status": "object",  # the lead's status when its card that is shut, parked or in conflict was last looked at
}


def base_frame(rows: Mapping[str, tuple[object, ...]] | None = None) -> pd.DataFrame:
    """What both sides agreed on last time: index `lead_id`, columns model.BASE_COLUMNS."""
    return frame_of(rows or {}, BASE_COLUMNS, "lead_id")
