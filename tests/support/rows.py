"""Builders for records, cards and bases, and a small world in which a plan can be carried out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from leadsync.core.diff import Moved
from leadsync.core.lookups import to_look_up
from leadsync.core.plan import Plan
from leadsync.core.plan_rows import build_plan
from leadsync.core.reconcile import Reconciled, as_last_agreed, decide_all, reconcile
from leadsync.frames import block
from leadsync.frames.agreed import BASE_COLUMNS, Agreed, base_frame, sides_of
from leadsync.frames.block import plain
from leadsync.frames.cards import Card, cards_frame, deleted_cards
from leadsync.frames.leads import Lead, absent_leads, leads_frame
from leadsync.frames.schema import overlay, rows_of
from leadsync.mapping.closing import Closing
from leadsync.mapping.names import BoardNames
from leadsync.mapping.rows import default_mapping
from leadsync.mapping.rules import Rules
from leadsync.mapping.tied import tie
from leadsync.model import DEFAULT_STAGE_OF, StatusMap

BOARD = "b" * 24
COLUMNS = {"name": "name", "email": "email", "status": "status", "source": "source"}
LISTS = {"TODO": "list-todo", "IN_PROGRESS": "list-in-progress", "DONE": "list-done", "": "list-elsewhere"}
STAGES_BY_LIST = {list_id: stage for stage, list_id in LISTS.items() if stage}
STATUS_MAP = StatusMap.from_stages(DEFAULT_STAGE_OF)
CELLS = tie(default_mapping(COLUMNS, STATUS_MAP), None, BoardNames({})).generic
EMAIL, SOURCE = (cell.name for cell in CELLS)
LINES = dict(zip(("email_line", "shown_email"), sides_of(EMAIL), strict=True))
LINES |= dict(zip(("source_line", "shown_source"), sides_of(SOURCE), strict=True))
"""What the columns of the lines are called in the tests."""
LABELS = tuple(cell.card.label for cell in CELLS)
POLICIES = ("airtable", "trello", "hold")
Row = dict[str, Any]
Frames = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def rules(**choices: Any) -> Rules:
    """The user's choices, those of the defaults unless named."""
    status_map = choices.get("status_map", STATUS_MAP)
    given = {"status_map": status_map, "closing": Closing.of(status_map.stages, None), "cells": CELLS}
    return Rules(**(given | choices))


def render(marker: str, email: str, source: str) -> str:
    """The managed block."""
    return block.render(marker, dict(zip(LABELS, (email, source), strict=True)))


class Block(NamedTuple):
    """What a description says, with the lines by their cells."""

    markers: tuple[str, ...]
    block: bool
    email_line: str
    source_line: str


def parse(description: str) -> Block:
    """Markers and block of a description."""
    parsed = block.parse(description, LABELS)
    return Block(parsed.markers, parsed.block, *(parsed.lines.get(label, "") for label in LABELS))


def with_block(description: str, marker: str, email: str, source: str) -> str:
    """A description with the managed block."""
    return block.with_block(description, marker, dict(zip(LABELS, (email, source), strict=True)))


def lead_id(number: int) -> str:
    """A record id that sorts as its number."""
    return f"rec{number:014d}"


def card_id(number: int) -> str:
    """A card id that sorts as its number."""
    return f"{number:024x}"


def record(number: int = 1, **cells: Any) -> Row:
    """An Airtable record; an empty cell is left out, as Airtable does."""
    full = {"name": "Ada", "email": "ada@example.com", "status": "NEW", "source": "fair"} | cells
    return {"id": lead_id(number), "fields": {cell: value for cell, value in full.items() if value != ""}}


def card(number: int = 1, of: int | None = None, stage: str = "TODO", **columns: Any) -> Row:
    """A Trello card with the managed block of lead `of` (its own number if None)."""
    marker = lead_id(number if of is None else of)
    return {
        "id": card_id(number),
        "idBoard": BOARD,
        "idList": LISTS[stage],
        "name": "Ada",
        "desc": render(marker, "ada@example.com", "fair"),
        "closed": False,
        "dueComplete": False,
        "isTemplate": False,
        "cardRole": None,
        "shortUrl": "https://trello.com/c/x",
    } | columns


def base_row(number: int = 1, **columns: Any) -> Row:
    """What `record(number)` and `card(number)` agree on."""
    agreed = {
        "card_id": card_id(number),
        "lead_presence": "present",
        "card_presence": "open",
        "status": "NEW",
        "stage": "TODO",
        "due_complete": False,
        "name": "Ada",
        "title": "Ada",
        "lead_cells": {EMAIL: "ada@example.com", SOURCE: "fair"},
        "card_cells": {EMAIL: "ada@example.com", SOURCE: "fair"},
        "seen_status": "",
    }
    columns = {LINES.get(column, column): value for column, value in columns.items()}
    agreed |= {column: columns.pop(column) for column in BASE_COLUMNS if column in columns}
    return row_of(Agreed(**agreed).updated(columns))


def row_of(agreed: Agreed) -> Row:
    """What the base has of one lead, by column."""
    return {column: getattr(agreed, column) for column in BASE_COLUMNS}


def by_lead(base: pd.DataFrame) -> dict[str, Row]:
    """What the base has of each lead."""
    return {agreed.lead_id: row_of(agreed) for agreed in rows_of(base, Agreed)}


@dataclass
class World:
    """
    Both services and the base, as plain data.

    A lead that is not in `records` is gone, a card that is not in `cards` is deleted; leads in `out_of_view` and
    cards that are archived or on another board are only found by a look-up.
    """

    records: dict[str, Row] = field(default_factory=dict)
    cards: dict[str, Row] = field(default_factory=dict)
    base: dict[str, Row] = field(default_factory=dict)
    out_of_view: set[str] = field(default_factory=set)
    made: int = 0

    def with_lead(self, *, record: Row | None = None, card: Row | None = None, base: Row | None = None) -> World:
        """Add one lead's forms, whichever it has. A base row is kept under its record's or its card's marker."""
        if record:
            self.records[record["id"]] = record
        if card:
            self.cards[card["id"]] = card
        if base:
            known = record["id"] if record else f"rec{int(base['card_id'], 16):014d}"
            self.base[known] = base
        return self

    def shown(self, lead: str) -> dict[str, str]:
        """What the base has of the block's lines, by their columns."""
        agreed = Agreed(lead, **self.base[lead])
        return {line: agreed.get(column) for line, column in LINES.items()}

    def read(self) -> Frames:
        """Base, Airtable, Trello as a run reads them: archived cards only while there is no base."""
        base = base_frame(Agreed(lead, **row) for lead, row in self.base.items())
        airtable = leads_frame(
            [row for lead, row in self.records.items() if lead not in self.out_of_view], COLUMNS, CELLS
        )
        airtable = as_last_agreed(base, airtable, EMAIL)
        here = [row for row in self.cards.values() if row["idBoard"] == BOARD and not (row["closed"] and self.base)]
        return base, airtable, cards_frame(here, BOARD, STAGES_BY_LIST, set(base["card_id"]), CELLS)

    def frames(self, by: Rules) -> Frames:
        """The read, with everything looked up that must be."""
        base, airtable, trello = self.read()
        leads, cards = to_look_up(base, airtable, trello, by)
        absent = absent_leads({lead: "out_of_view" if lead in self.out_of_view else "gone" for lead in leads})
        found = cards_frame(
            [self.cards[key] for key in cards if key in self.cards], BOARD, STAGES_BY_LIST, cards, CELLS
        )
        looked_up = overlay(found, deleted_cards([key for key in cards if key not in self.cards]))
        return base, overlay(airtable, absent), overlay(trello, looked_up)

    def decisions(self, by: Rules | None = None) -> pd.DataFrame:
        """The decision about every lead, those at rest included: index lead_id, columns row and one for each cell."""
        by = by or rules()
        return decisions_of(decide_all(everything(*self.frames(by)), by))

    def plan(self, by: Rules | None = None, **choices: Any) -> Plan:
        """The plan."""
        by = by or rules(**choices)
        frames = self.frames(by)
        return build_plan(reconcile(*frames, by), by)

    def sync(self, by: Rules | None = None, **choices: Any) -> Plan:
        """Plan and carry it out. Returns: the plan."""
        plan = self.plan(by, **choices)
        self.apply(plan)
        return plan

    def apply(self, plan: Plan) -> World:
        """Carry out every write as the services would, and record what apply.py records."""
        for lead, columns in plan.base_updates.items():
            self._record(lead, columns)
        for lead in plan.forget:
            self.base.pop(lead, None)
        for write in plan.card_writes:
            self._write_card(write)
        for write in plan.lead_writes:
            self.records[write.lead_id]["fields"].update(write.fields)
            self._record(write.lead_id, write.record)
        return self

    def _write_card(self, write: Any) -> None:
        target = write.card_id or card_id(0xF000 + self.made)
        if not write.card_id:
            self.made += 1
            self.cards[target] = card(name="", desc="") | {"id": target}
        sent = self.cards[target]
        if write.stage is not None:
            sent["idList"] = LISTS[write.stage]
        for key, value in (("name", write.title), ("closed", write.closed), ("dueComplete", write.due_complete)):
            if value is not None:
                sent[key] = value
        if write.block is not None:
            sent["desc"] = block.with_block(sent["desc"], write.lead_id, write.block)
        returned = rows_of(cards_frame([sent], BOARD, STAGES_BY_LIST, [target], CELLS), Card)[0]
        columns: Row = {"title": returned.title} if write.title is not None else {}
        if write.block is not None:
            shown = {sides_of(name)[1]: line for name, line in returned.cells.items()}
            columns |= {column: line for column, line in shown.items() if column in write.record}
        self._record(write.lead_id, {**write.record, **columns, "card_id": target})

    def _record(self, lead: str, columns: Row) -> None:
        known = Agreed(lead, **self.base[lead]) if lead in self.base else Agreed(lead)
        self.base[lead] = row_of(known.updated(columns))


def everything(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame) -> Moved:
    """All rows, as if every lead had moved."""
    return Moved(rows_of(base, Agreed), rows_of(airtable, Lead), rows_of(trello, Card))


def decisions_of(reconciled: Reconciled) -> pd.DataFrame:
    """Decisions side by side: index lead_id, columns row and one for each cell."""
    rows = [{"row": each.decision.row, **each.decision.cells} for each in reconciled.decided]
    return pd.DataFrame(rows, index=pd.Index([each.lead_id for each in reconciled.decided], name="lead_id"))


def one_lead(*, record: Row | None = None, card: Row | None = None, base: Row | None = None) -> World:
    """A world of one lead."""
    return World().with_lead(record=record, card=card, base=base)


def agreed_world(size: int) -> World:
    """`size` leads on which base, Airtable and Trello agree."""
    world = World()
    for number in range(1, size + 1):
        world.with_lead(record=record(number), card=card(number), base=base_row(number))
    return world


def is_idle(plan: Plan) -> bool:
    """Whether a plan writes nothing and records nothing."""
    return not plan.writes and not plan.base_updates and not plan.forget


def shown(value: str) -> str:
    """A value as the frames hold it for the block."""
    return plain(" ".join(value.split()))
