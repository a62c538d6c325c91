"""Copies of a card made cards of their own: which, what is left of their text, and that nothing else is written."""

import pytest

from emulator import Fault
from leadsync.frames.block import parse, render, without_block

TEXT = "Call back on Monday\n\n"


@pytest.fixture
def lead(world):
    """A lead whose card, which somebody has written on, was copied twice."""
    made = world.linked("Ada", email="ada@example.com")
    card = world.card(made)
    world.trello.edit(card["id"], desc=TEXT + card["desc"] + "\nand ask for Bo")
    world.copies = [world.trello.copy(card["id"]) for _ in range(2)]
    world.original = card["id"]
    world.sync()
    return made


def untied(world, lead, exit_code=0, **more):
    return world.sync(exit_code=exit_code, asked={"untie": lead}, **more)


def descriptions(world):
    return [world.trello.cards()[each]["desc"] for each in world.copies]


@pytest.mark.parametrize("read", ["full", "delta"])
def test_copies_lose_their_line_and_keep_their_text(world, lead, read):
    """The lead's own card is not written; no later run lists them, or writes to them."""
    before = world.trello.cards()[world.original]
    report = untied(world, lead)
    assert [(row["card_id"], row["after"], row["lead_name"]) for row in report.changes] == [
        (each, "untied", "Ada") for each in world.copies
    ]
    assert descriptions(world) == [TEXT + "and ask for Bo"] * 2
    assert world.trello.cards()[world.original] == before
    assert world.writes() == 2
    later = world.sync(read=read)
    assert (later.quarantine, later.changes, world.writes()) == ([], [], 0)


def test_preview_writes_nothing(world, lead):
    before = world.trello.cards()
    report = untied(world, lead, dry_run=True)
    assert [row["outcome"] for row in report.changes] == ["planned"] * 2
    assert (world.trello.cards(), world.writes()) == (before, 0)
    assert len(world.sync().quarantine) == 2


def test_card_that_is_no_copy_any_more_is_left(world, lead):
    """Somebody has taken the line off meanwhile, or put it away for good."""
    world.trello.edit(world.copies[0], desc="mine")
    world.trello.delete(world.copies[1])
    report = untied(world, lead)
    assert (report.changes, world.writes()) == ([], 0)
    assert [row["card_id"] for row in report.notes] == world.copies


def test_copy_whose_original_is_gone_stays_the_leads(world, lead):
    """It is to become the lead's card; so it is no copy once a run has noticed."""
    world.trello.delete(world.original)
    world.sync()
    assert [row["card_id"] for row in untied(world, lead).changes] == world.copies[1:]
    assert lead in world.trello.cards()[world.copies[0]]["desc"]


@pytest.mark.parametrize("who", ["rec00000000000000", "other"])
def test_lead_without_a_copy_is_a_sentence(world, lead, who):
    other = world.linked("Bo") if who == "other" else who
    assert "No copy of" in untied(world, other, exit_code=2).message
    assert world.writes() == 0


def test_refused_copy_is_listed_and_stops_no_other(world, lead):
    world.emulator.inject(Fault("status", path=f"/cards/{world.copies[0]}", method="PUT", status=400))
    report = untied(world, lead, exit_code=1)
    assert [row["card_id"] for row in report.failures] == world.copies[:1]
    assert [row["card_id"] for row in report.changes] == world.copies[1:]
    assert [row["card_id"] for row in world.sync().quarantine] == world.copies[:1]


LEAD, LABELS = "rec00000000000001", ("E-mail", "Source")
BLOCK = render(LEAD, dict.fromkeys(LABELS, "x"))


@pytest.mark.parametrize(
    ("description", "left"),
    [
        ("", ""),
        (f"LeadID: {LEAD}", ""),
        (f"above\nLeadID: {LEAD}\nbelow", "above\nbelow"),
        (f"above\n\n{BLOCK}\n\nbelow  \n", "above\n\n\nbelow  \n"),
        (f"LeadID: {LEAD}\n{BLOCK}\n{BLOCK}", ""),
        (BLOCK.replace("Source", "mine\nSource"), "mine"),
        ("LeadID: rec00000000000002", "LeadID: rec00000000000002"),
    ],
)
def test_block_and_markers_go_and_a_persons_text_stays(description, left):
    assert without_block(description, LEAD, LABELS) == left
    assert LEAD not in parse(left).markers
