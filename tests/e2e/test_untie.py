"""Copies of a card made cards of their own: which, what is left of their text, and that nothing else is written."""

import pytest

from emulator import Fault
from leadsync.core.ledger import RunKind
from leadsync.frames.block import parse, render, without_block
from leadsync.pipeline.steps import UndoChoice
from support.past_changes import changes_of, runs_of, told

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


def test_history_says_which_copies_were_untied(world, lead):
    """As a run like any other; the lead's own past has it, too."""
    untied(world, lead)
    (run, *_), changes = runs_of(world), changes_of(world, runs_of(world)[0].run_id)
    assert (run.kind, run.changes, run.ended is not None) == (RunKind.UNTIE, 2, True)
    assert [(each.lead_id, each.card_id) for each in changes] == [(lead, each) for each in world.copies]
    assert {told(each) for each in changes} == {("card", "untied", ("", "Ada"), ("", "untied"))}


def test_undo_of_an_untying_writes_nothing_and_says_why(world, lead):
    """The line alone would make a copy again."""
    untied(world, lead)
    run = runs_of(world)[0].run_id
    before = world.trello.cards()
    report = world.sync(asked={"undo": UndoChoice(run)})
    assert [(row["card_id"], "copy again" in row["reason"]) for row in report.quarantine] == [
        (each, True) for each in world.copies
    ]
    assert (world.trello.cards(), world.writes(), runs_of(world)[0].run_id) == (before, 0, run)


def test_edit_made_in_the_moment_of_the_write_is_given_back(world, lead):
    """Without the line that the copy had then."""

    def edit(request, _at):
        if request.method == "PUT" and world.copies[0] in request.path and not edited:
            edited.append(request)
            world.trello.edit(world.copies[0], desc=descriptions(world)[0] + "\nbefore noon")

    edited = []
    stop = world.emulator.before_request(edit)
    untied(world, lead)
    stop()
    wanted = [TEXT + "and ask for Bo\nbefore noon", TEXT + "and ask for Bo"]
    assert descriptions(world) == wanted
    later = world.sync()
    assert (later.quarantine, later.changes, world.writes(), descriptions(world)) == ([], [], 0, wanted)


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
