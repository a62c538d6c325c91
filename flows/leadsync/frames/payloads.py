"""
The payloads of Airtable's webhooks, parsed once: who changed which lead's cells, from what to what.

Payloads are hints: they say which leads to read again, and what a write of ours replaced; no value of theirs is ever
synced. Pure. What is never here: a request, a decision about a cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from leadsync.frames.actions import moment
from leadsync.frames.shown import NotText, shown
from leadsync.texts import storable, text

Cells = Mapping[str, str]
"""Field id -> text, a select by its option's name; "" if empty."""
BY_PROGRAM: Final = "publicApi"
"""Source of what a program wrote, ours among them."""


class ChangeKind(StrEnum):
    """What became of a lead."""

    CREATED = "created"
    CHANGED = "changed"
    DESTROYED = "destroyed"


@dataclass(frozen=True)
class LeadChange:
    """
    What one action did to one lead. `previous`: None where it was not told.

    `source`: client, publicApi, automation … `user_id`: "" if it was nobody. `at`: Airtable's clock [s since 1970].
    `transaction`: alike in all changes of one action. `stated`, `stated_before`: the cells as Airtable states them.
    """

    lead_id: str
    kind: ChangeKind
    current: Cells = field(default_factory=dict)
    previous: Cells | None = None
    source: str = ""
    user_id: str = ""
    at: float = 0.0
    transaction: int = 0
    stated: Mapping[str, Any] = field(default_factory=dict, compare=False)
    stated_before: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def now(self, field_id: str) -> Any:
        """A cell that was changed as it is stated, "" if it is empty."""
        return _unless_none(self.stated.get(field_id, self.current[field_id]))

    def before(self, field_id: str) -> Any:
        """The same of what it replaced; None if that is not told."""
        told = (self.previous or {}).get(field_id)
        return told if told is None else _unless_none(self.stated_before.get(field_id, told))


def _unless_none(stated: Any) -> Any:
    return "" if stated is None else stated


class PayloadError(ValueError):
    """A payload that says that the webhook is broken, or that cannot be read: nothing can be inferred any more."""


def read_payloads(payloads: Iterable[Any], table_id: str) -> list[LeadChange]:
    """
    The changes of one table's leads, in the order of the payloads.

    Raises: PayloadError if one of them tells of an error, of the table's end, or is of a shape that is not known.
    """
    try:
        return [change for payload in payloads for change in _changes_of(payload, table_id)]
    except PayloadError:
        raise
    except (AttributeError, TypeError, KeyError, ValueError):
        raise PayloadError("a payload of a shape that is not known") from None


def _changes_of(payload: Mapping[str, Any], table_id: str) -> Iterator[LeadChange]:
    if payload.get("error"):
        raise PayloadError(str(payload.get("code") or "an error without a name"))
    if table_id in (payload.get("destroyedTableIds") or ()):
        raise PayloadError("the table was deleted")
    changed = (payload.get("changedTablesById") or {}).get(table_id) or {}
    action = payload.get("actionMetadata") or {}
    user = (action.get("sourceMetadata") or {}).get("user") or {}
    shared: dict[str, Any] = {
        "source": str(action.get("source") or ""),
        "user_id": str(user.get("id") or ""),
        "at": moment(payload.get("timestamp")),
        "transaction": int(payload.get("baseTransactionNumber") or 0),
    }
    for lead_id, created in (changed.get("createdRecordsById") or {}).items():
        yield LeadChange(lead_id, ChangeKind.CREATED, _cells(created), **shared, stated=_stated(created))
    for lead_id, change in (changed.get("changedRecordsById") or {}).items():
        previous = change.get("previous")
        yield LeadChange(
            lead_id,
            ChangeKind.CHANGED,
            _cells(change["current"]),
            None if previous is None else _cells(previous),
            **shared,
            stated=_stated(change["current"]),
            stated_before={} if previous is None else _stated(previous),
        )
    for lead_id in changed.get("destroyedRecordIds") or ():
        yield LeadChange(str(lead_id), ChangeKind.DESTROYED, **shared)


def _stated(values: Mapping[str, Any]) -> dict[str, Any]:
    return dict(values["cellValuesByFieldId"])


def _cells(values: Mapping[str, Any]) -> dict[str, str]:
    return {field_id: cell_text(value) for field_id, value in _stated(values).items()}


def cell_text(value: Any) -> str:
    """
    A cell of a payload, or of a record, as a person reads it; "" for what cannot be read.

    A text stays as it is typed, so that it can be given back; to compare, put both through texts.text.
    """
    try:
        value = shown(value)
    except NotText:
        return ""
    if isinstance(value, list):
        return ", ".join(sorted(filter(None, map(cell_text, value))))
    return storable(value) if isinstance(value, str) else text(value)


@dataclass(frozen=True)
class Named:
    """The leads that payloads name: those to be read again, in order, and those said to be gone."""

    to_read: list[str]
    gone: set[str]


def named(changes: Iterable[LeadChange], known: Mapping[str, Cells]) -> Named:
    """
    The leads of which the payloads tell something new.

    `known`: lead id -> its cells by field id, as last read or as answered to a write. A lead whose cells have all
    ended in what is known is left out, which is how our own writes come back.
    """
    state: dict[str, dict[str, str]] = {}
    gone: set[str] = set()
    for change in changes:
        cells = state.setdefault(change.lead_id, {})
        cells.update(change.current)
        (gone.add if change.kind is ChangeKind.DESTROYED else gone.discard)(change.lead_id)
    to_read = [
        lead_id
        for lead_id, cells in state.items()
        if (lead_id in known) == (lead_id in gone) or (lead_id not in gone and not _is_known(cells, known[lead_id]))
    ]
    return Named(to_read, gone)


def _is_known(cells: Cells, known: Cells) -> bool:
    return all(field_id in known and text(value) == text(known[field_id]) for field_id, value in cells.items())
