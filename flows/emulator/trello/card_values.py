"""
What the fields of a card may hold when a call sets them.

Nothing here is stored, and no id is looked up.
"""

from typing import Any

from emulator.knobs import Knobs
from emulator.trello.refusals import invalid
from emulator.trello.values import Given, boolean, card_position, date, description, id_list, object_id, text

WRITABLE = (
    "name",
    "desc",
    "closed",
    "idBoard",
    "idList",
    "pos",
    "due",
    "start",
    "dueComplete",
    "idLabels",
    "idMembers",
    "subscribed",
)
DATES = ("due", "start")
NULLABLE = (*DATES, "idLabels", "idMembers")


def checked_changes(given: Given, knobs: Knobs) -> dict[str, Any]:
    """
    What a PUT sets. null clears dates and, by one reading, sets; elsewhere it means not given. Raises: Refused.
    """
    by_null = NULLABLE if knobs.trello_null_clears_sets else DATES
    meant = [name for name in WRITABLE if name in given and (given[name] is not None or name in by_null)]
    return {name: checked(name, given[name], name, knobs) for name in meant}


def checked(name: str, value: Any, called: str, knobs: Knobs) -> Any:
    """A checked value; `called` is the name that a refusal mentions. Raises: Refused."""
    if name == "name":
        if value == "" and knobs.trello_rejects_empty_name and called != "name":
            raise invalid(called)
        return text(value, called, knobs)
    if name == "desc":
        return description(text(value, called, knobs), knobs)
    if name in ("closed", "dueComplete", "subscribed"):
        return boolean(value, called)
    if name in DATES:
        return date(value, called, knobs.trello_empty_date_clears)
    if name in ("idBoard", "idList"):
        return object_id(value, called)
    if name == "pos":
        return card_position(value, called)
    return id_list(value, called)
