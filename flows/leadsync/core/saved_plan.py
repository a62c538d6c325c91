"""
A plan as it is written down, to be applied later by whoever has read it: each write, and what both sides held then.

Pure. What is never here: how a plan is made (see plan_rows.py), what has moved since (see moved_since.py), a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

from pydantic import ValidationError

from leadsync.core.plan import CardWrite, LeadWrite, NewLead, Plan
from leadsync.core.planned_from import Part, Row, Sight, plain
from leadsync.core.told import Change
from leadsync.errors import ConfigurationError

VERSION: Final = 1


class Write(Part):
    """One request that writes: what it sends, and the changes that a person sees."""

    side: Literal["airtable", "trello"]
    action: Literal["create", "update", "archive", "unarchive"]
    lead_id: str
    card_id: str
    sends: dict[str, Any]
    changes: list[dict[str, str]]
    planned_from: Row


class SavedPlan(Part):
    """
    A whole plan. `options`: those of the run that made it. `settings`: name -> digest. `base`: a digest of all that
    was agreed. `lists`: stage -> list id. `labels`: those to be created. `listed`: leads of which something is recorded
    or told, and nothing written.
    """

    version: Literal[1] = VERSION
    id: str
    made_at: str
    pair: dict[str, str]
    options: dict[str, str | bool]
    settings: dict[str, str]
    base: str
    lists: dict[str, str]
    labels: list[str]
    writes: list[Write]
    listed: list[Row]

    @property
    def rows(self) -> dict[str, Row]:
        """By their keys, every lead of the plan."""
        return {row.key: row for row in [*self.listed, *(write.planned_from for write in self.writes)]}

    def says_the_same(self, other: SavedPlan) -> bool:
        """Whether both would write the same, for the same reasons."""
        return self.model_copy(update={"id": other.id, "made_at": other.made_at}) == other

    @property
    def text(self) -> str:
        """JSON, its checksum last."""
        body = self.model_dump()
        return json.dumps(body | {"checksum": _checksum(body)}, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str, where: str) -> SavedPlan:
        """Raises: ConfigurationError that names `where` the text is from."""
        again = "Make a new one with flows/sync.py --dry-run --out."
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict) or "version" not in body or "checksum" not in body:
            raise ConfigurationError(f"{where} holds no plan of this program; nothing was written. {again}")
        if body["version"] != VERSION:
            raise ConfigurationError(
                f"{where} is a plan of version {str(body['version'])[:20]}, and this program applies version "
                f"{VERSION}; nothing was written. {again}"
            )
        try:
            if body.pop("checksum") == _checksum(body):
                return cls.model_validate(body)
        except (ValidationError, ValueError):
            pass
        raise ConfigurationError(f"{where} was changed or cut since it was written; nothing was written. {again}")


def _checksum(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def writes_of(plan: Plan, sight: Sight) -> list[Write]:
    """Every write of a plan, in its order."""
    cards = (_write(write, sight, "trello", _action_of(write), _sent_to_card(write)) for write in plan.card_writes)
    leads = (_write(write, sight, "airtable", "update", _sent_to_lead(write)) for write in plan.lead_writes)
    return [*cards, *leads, *(_creation(new, sight) for new in plan.new_leads)]


def _creation(new: NewLead, sight: Sight) -> Write:
    """A card that becomes a lead, which has no id yet."""
    sends = {"name": new.card.title, "status": new.status} | ({"email": new.email} if new.email else {})
    return Write(
        side="airtable",
        action="create",
        lead_id="",
        card_id=new.card.card_id,
        sends=sends,
        changes=[_change(new.change)],
        planned_from=sight.row(new.card.card_id),
    )


def _write(write: CardWrite | LeadWrite, sight: Sight, side: Any, action: Any, sends: dict[str, Any]) -> Write:
    return Write(
        side=side,
        action=action,
        lead_id=write.lead_id,
        card_id=write.card_id,
        sends=sends,
        changes=[_change(change) for change in write.changes],
        planned_from=sight.row(write.lead_id),
    )


def _change(change: Change) -> dict[str, str]:
    return {name: str(value) for name, value in vars(change).items() if name not in ("lead_id", "card_id")}


def _action_of(write: CardWrite) -> str:
    if not write.card_id:
        return "create"
    return "update" if write.closed is None else "archive" if write.closed else "unarchive"


def _sent_to_lead(write: LeadWrite) -> dict[str, Any]:
    return {each.change.field: plain(each.value) for each in write.cells.values()}


def _sent_to_card(write: CardWrite) -> dict[str, Any]:
    parts = {
        "list": write.stage,
        "title": write.title,
        "lines": None if write.block is None else dict(write.block),
        "archived": write.closed,
        "ticked": write.due_complete,
        "cells": {each.cell.field: plain(each.value) for each in write.cells} or None,
    }
    return {part: value for part, value in parts.items() if value is not None}


def listed_in(plan: Plan, sight: Sight, besides: Collection[str] = ()) -> list[Row]:
    """Leads of which something is recorded or told, and those `besides`, that have no write."""
    told = {each.lead_id for each in plan.conflicts} | {each.lead_id for each in plan.quarantine}
    told |= {each.lead_id for each in plan.notes}
    written = {write.lead_id for write in plan.card_writes} | {write.lead_id for write in plan.lead_writes}
    written |= {new.card.card_id for new in plan.new_leads}
    leads = {*told, *plan.base_updates, *plan.forget, *besides} - written - {""}
    return [sight.row(lead_id) for lead_id in sorted(leads)]
