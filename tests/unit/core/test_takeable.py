"""Which side of a cell that is set aside can be taken, and that what is listed is what is written then."""

from __future__ import annotations

import itertools
from copy import deepcopy
from dataclasses import replace

import pytest

from leadsync.core.plan_rows import build_plan
from leadsync.core.reconcile import as_last_agreed, reconcile
from leadsync.core.takeable import OBJECTIONS, Stand
from leadsync.core.taking import narrowed
from leadsync.errors import GuardError
from leadsync.frames.agreed import NEVER_AGREED, Agreed, base_frame, sides_of
from leadsync.frames.cards import Card, CardPresence, cards_frame
from leadsync.frames.leads import Lead, LeadPresence, leads_frame
from leadsync.frames.schema import frame_of, rows_of
from leadsync.mapping.columns import ColumnKind
from leadsync.mapping.names import BoardNames, CustomField
from leadsync.mapping.properties import Way, property_named
from leadsync.mapping.rows import CellMapping, Field
from leadsync.mapping.rules import Listed, Take
from leadsync.mapping.tied import tie
from leadsync.model import ConflictPolicy
from support.rows import BOARD, COLUMNS, base_row, card, is_idle, lead_id, one_lead, record, rules

ERROR = {"error": "#ERROR!"}
ELSEWHERE = "another list (list-elsewhere)"
AIRTABLE, TRELLO = ConflictPolicy.AIRTABLE, ConflictPolicy.TRELLO


def test_table_says_it_of_every_value_and_way():
    """A side can be taken if, and only if, its value means something there and may go there."""
    assert set(OBJECTIONS) == set(itertools.product(Stand, (False, True)))
    assert [key for key, why in OBJECTIONS.items() if not why] == [(Stand.SAID, True)]


def sides(entry):
    return entry.airtable, entry.trello, entry.to_airtable, entry.to_trello


def taken(world, entry, side, by):
    """The plan of a person who takes one side of what was listed so."""
    listed = Listed(entry.field, entry.airtable, entry.trello, is_aside=True)
    frames = world.frames(by)
    take = Take(entry.lead_id, side, {by.name_of(entry.field): listed})
    return narrowed(world.plan(by), reconcile(*frames, by), take, by)


CASES = {
    "unknown status": (record(status="HOT"), card(stage="DONE"), ("status", "HOT", "DONE", "QUALIFIED", None)),
    "unknown, in its list": (record(status="HOT"), card(), ("status", "HOT", "TODO", "NEW", None)),
    "unreadable status": (record(status=ERROR), card(stage="DONE"), ("status", "#ERROR!", "DONE", "QUALIFIED", None)),
    "parked": (record(status="LOST"), card(stage=""), ("status", "LOST", ELSEWHERE, None, "DONE")),
    "parked, no status": (record(status=""), card(stage=""), ("status", "", ELSEWHERE, None, "TODO")),
    "both mean nothing": (record(status="HOT"), card(stage=""), ("status", "HOT", ELSEWHERE, None, None)),
    "unreadable name": (record(name=ERROR), card(name="Bea"), ("name", "#ERROR!", "Bea", "Bea", None)),
    "no title": (record(name=ERROR), card(name=""), ("name", "#ERROR!", "", None, None)),
    "one way": (record(email=ERROR), card(), ("email", "#ERROR!", "ada@example.com", None, None)),
}


@pytest.mark.parametrize(("lead", "shown", "told"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("base", [None, base_row(), base_row(status="QUALIFIED", stage="DONE")])
def test_cell_is_listed_with_both_sides_and_what_either_would_write(lead, shown, told, base):
    """And just that is written, of that cell alone; a side that cannot be taken is refused with why, and the remedy."""
    world, by = one_lead(**deepcopy({"record": lead, "card": shown, "base": base})), rules()
    (entry,) = [each for each in world.plan(by).quarantine if each.field == told[0]]
    assert (entry.field, *sides(entry)) == told
    gains = (TRELLO, entry.to_airtable), (AIRTABLE, entry.to_trello)
    for side, gives in sorted(gains, key=lambda each: each[1] is not None):
        if gives is None:
            with pytest.raises(GuardError) as refused:
                taken(world, entry, side, by)
            assert str(refused.value).endswith(f"{entry.reason}. {entry.remedy} Nothing was written.")
            continue
        plan = taken(world, entry, side, by)
        assert [(change.field, change.after) for change in plan.changes] == [(entry.field, gives)]
        assert (plan.conflicts, plan.still_open.found) == ([], {})
        then = world.apply(plan).plan(by)
        assert entry.field not in [each.field for each in then.quarantine]
        assert is_idle(replace(then, base_updates={}))


def test_title_that_stands_for_a_missing_name_is_no_name():
    """Neither an e-mail nor an id is written into the column of names."""
    agreed = base_row(name="", title="ada@example.com")
    world = one_lead(record=record(name=ERROR), card=card(name="ada@example.com"), base=agreed)
    (entry,) = world.plan().quarantine
    assert sides(entry) == ("#ERROR!", "ada@example.com", None, None)


def test_status_that_fits_the_list_stays_if_that_is_taken():
    """A lead that was LOST when it could still be read does not come back as QUALIFIED."""
    base = base_row(status="LOST", stage="DONE")
    world = one_lead(record=record(status=ERROR), card=card(stage="DONE"), base=base)
    (entry,) = world.plan().quarantine
    assert entry.to_airtable == "LOST"


@pytest.mark.parametrize(
    "shown", [card(closed=True), None, card(isTemplate=True)], ids=["archived", "none", "template"]
)
def test_lead_without_an_open_card_has_no_sides(shown):
    world = one_lead(record=record(status="HOT"), card=shown, base=base_row() if shown else None)
    found = [each for each in world.plan().quarantine if each.field == "status"]
    assert [sides(each) for each in found] == [(None, None, None, None)]


@pytest.mark.parametrize(
    ("now", "side", "moved"),
    [
        ({"record": record(status="COLD")}, TRELLO, "Airtable holds 'COLD', and no longer 'HOT'"),
        ({"record": record(status="LOST")}, TRELLO, "is not set aside any more"),
        ({"card": card(closed=True)}, TRELLO, "its card is archived"),
    ],
)
def test_loser_that_has_moved_since_is_not_overwritten(now, side, moved):
    """It says what moved."""
    world, by = one_lead(record=record(status="HOT"), card=card(stage="DONE"), base=base_row()), rules()
    (entry,) = world.plan(by).quarantine
    with pytest.raises(GuardError, match="Run flows/sync.py") as refused:
        taken(world.with_lead(**now), entry, side, by)
    assert moved in str(refused.value)


# --- cells of the mapping -----------------------------------------------------------------------------------------

MOODS = {"op-good": "Good", "op-bad": "Bad"}
BOARD_NAMES = BoardNames(
    lists={"TODO": "l1", "IN_PROGRESS": "l2", "DONE": "l3"},
    labels={"la-hot": "Hot", "la-old": "Old"},
    members={"me-ann": ("Ann",)},
    custom_fields={"Mood": CustomField("cf-mood", "list", MOODS), "Score": CustomField("cf-score", "number")},
)
SCHEMA = {
    "Mood": {"type": "singleSelect", "options": {"choices": [{"name": name} for name in ("Good", "Wild")]}},
    "Tag": {"type": "singleSelect", "options": {"choices": [{"name": name} for name in ("Hot", "Old", "Gone")]}},
    "Crew": {"type": "multipleSelects", "options": {"choices": [{"name": name} for name in ("Ann", "Dee")]}},
    "Day": {"type": "singleLineText"},
    "Score": {"type": "number"},
}
COLUMN = {name: {"id": f"fld{name}", "name": name} | of for name, of in SCHEMA.items()}
NO_FIELD = {"customFieldItems": [], "idLabels": [], "idMembers": [], "due": None}


def item(**value):
    return [{"idCustomField": "cf-mood" if "idValue" in value else "cf-score", **value}]


MAPPED = {
    "option the card has not": (
        ("Mood", "custom:Mood", {}),
        ("Wild", {"customFieldItems": item(idValue="op-good")}),
        ("Wild", "Good", "Good", None),
    ),
    "option of the card that no column has": (
        ("Mood", "custom:Mood", {}),
        ("Good", {"customFieldItems": item(idValue="op-gone")}),
        ("Good", "op-gone", None, "Good"),
    ),
    "nothing on the card": (("Mood", "custom:Mood", {}), ("Wild", {}), ("Wild", "", "", None)),
    "one way only": (
        ("Mood", "custom:Mood", {"way": Way.TO_TRELLO}),
        ("Wild", {"customFieldItems": item(idValue="op-good")}),
        ("Wild", "Good", None, None),
    ),
    "number of the card that is none": (
        ("Score", "custom:Score", {}),
        (7, {"customFieldItems": item(value={"number": "much"})}),
        ("7", "customFieldItems {'idCustomField': 'cf-score', 'value': {'number': 'much'}}", None, "7"),
    ),
    "text that is no date": (
        ("Day", "due", {"kind": ColumnKind.DATE}),
        ("soon", {"due": "2026-07-01T12:00:00.000Z"}),
        ("soon", "2026-07-01T12:00:00.000Z", "2026-07-01", None),
    ),
    "person whom the board has not": (
        ("Crew", "members", {"map": {"Ann": "Ann", "Dee": "Nobody"}}),
        (["Ann", "Dee"], {"idMembers": ["me-ann"]}),
        ("Ann, Dee", "Ann", "Ann", None),
    ),
}


@pytest.mark.parametrize(("row", "held", "told"), MAPPED.values(), ids=MAPPED)
@pytest.mark.parametrize("is_known", [False, True], ids=["first match", "agreed before"])
def test_mapped_cell_is_listed_and_taken_alike(row, held, told, is_known):
    """Whatever it is tied to, and whichever side cannot be read."""
    column, tied_to, more = row
    mapping = CellMapping((Field(column, property_named(tied_to), **more),))
    tied = tie(mapping, COLUMN, BOARD_NAMES)
    (cell,) = tied.generic
    by = rules(cells=(cell,))
    value, shown = held
    of_card = card() | NO_FIELD | shown
    (lead,) = rows_of(leads_frame([record(**{column: value})], COLUMNS, (cell,)), Lead)
    (there,) = rows_of(cards_frame([of_card], BOARD, {of_card["idList"]: "TODO"}, (), (cell,)), Card)
    assert (lead.presence, there.presence) == (LeadPresence.PRESENT, CardPresence.OPEN)
    nothing = dict(zip(sides_of(cell.name), (cell.column.read_nothing(), cell.card.read_nothing()), strict=True))
    agreed = Agreed(lead_id(1), **base_row()).updated(nothing) if is_known else NEVER_AGREED
    base = base_frame([agreed] if is_known else [])
    leads = as_last_agreed(base, frame_of([lead], Lead), "")
    (lead,) = rows_of(leads, Lead)
    reconciled = reconcile(base, leads, frame_of([there], Card), by)
    (entry,) = [each for each in reconciled.quarantine if each.field == cell.field]
    assert sides(entry) == told
    for side, gives in ((TRELLO, entry.to_airtable), (AIRTABLE, entry.to_trello)):
        listed = Listed(entry.field, entry.airtable, entry.trello, is_aside=True)
        take = Take(lead_id(1), side, {cell.name: listed})
        if gives is None:
            with pytest.raises(GuardError):
                narrowed(build_plan(reconciled, by), reconciled, take, by)
            continue
        plan = narrowed(build_plan(reconciled, by), reconciled, take, by)
        loser = entry.trello if side is AIRTABLE else entry.airtable
        told = [(change.before, change.after, change.note) for change in plan.changes]
        assert told == [(loser, gives, "it was set aside")]
        write = next(iter([*plan.card_writes, *plan.lead_writes]))
        assert write.planned_from == (there if side is AIRTABLE else lead)
        (kept,) = write.entries
        assert (kept.rule, kept.before) == ("taken", (entry.airtable, entry.trello))
        both = zip(sides_of(cell.name), (lead, there), strict=True)
        readable = {name for name, of in both if of.is_readable(cell.field)}
        assert kept.held.keys() == readable
