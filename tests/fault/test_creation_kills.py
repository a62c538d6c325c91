"""Cards were about to be created when a run was killed: which card is what it made, and which is a person's."""

import pytest

from support.harness import World, findings
from support.kills import killed_after, killed_before
from support.mapped_scene import SHOWN

POST = ("POST", "/cards")


def name_other(world: World, lead: str, other: str) -> str:
    """A person makes a card's line name another lead. Returns: the card's id."""
    card = world.card(lead)
    world.trello.edit(card["id"], desc=card["desc"].replace(lead, other))
    return str(card["id"])


def test_card_made_by_hand_after_a_run_was_killed_before_it_made_one_takes_nothing_off_its_lead(mapped):
    lead = mapped.lead("Ada", "NEW", email="ada@example.com", Tags=["Hot"])
    with killed_before(*POST):
        mapped.sync()
    card = mapped.trello.add_card("DONE", "Ada", f"LeadID: {lead}")
    report = mapped.sync()
    assert findings(report.conflicts, lead) == [("status", "NEW", "DONE")]
    assert mapped.cells(lead)["Tags"] == ["Hot"]
    assert SHOWN["labels"].of_card(mapped, lead) == {"Hot"}
    assert [each["id"] for each in mapped.cards_of(lead)] == [card]
    mapped.assert_idle()


def test_card_of_another_lead_that_names_one_without_a_card_stays_what_it_is(world):
    """The base knows whose it is, whatever a creation that was cut off may have made."""
    known = world.linked("Ada", "NEW")
    lead = world.lead("Bob", "CONTACTED")
    with killed_before(*POST):
        world.sync()
    card = name_other(world, known, lead)
    reasons = [row["reason"] for row in world.sync().quarantine if row["lead_id"] == known]
    assert reasons == ["the card's LeadID line was changed to another lead's"]
    world.trello.edit(card, desc=world.trello.card(card)["desc"].replace(lead, known))
    world.sync()
    assert world.card(known)["id"] == card != world.card(lead)["id"]
    assert [world.status(each) for each in (known, lead)] == ["NEW", "CONTACTED"]
    world.assert_idle()


@pytest.mark.parametrize("is_copied", [True, False], ids=["copied before", "copied since"])
def test_copy_of_another_leads_card_that_names_one_without_a_card_meets_it_for_the_first_time(world, is_copied):
    """Its lines are still those of the lead whose card was copied."""
    known = world.linked("Ada", "NEW", email="ada@example.com")
    copy = world.trello.copy(world.card(known)["id"], "TODO") if is_copied else ""
    lead = world.lead("Bob", "CONTACTED", email="bob@example.com")
    with killed_before(*POST):
        world.sync()
    copy = copy or world.trello.copy(world.card(known)["id"], "TODO")
    world.trello.edit(copy, desc=world.trello.card(copy)["desc"].replace(known, lead))
    report = world.sync()
    assert set(findings(report.conflicts, lead)) == {("status", "CONTACTED", "TODO"), ("name", "Bob", "Ada")}
    assert (world.status(lead), world.place(lead), world.card(lead)["name"]) == ("CONTACTED", "IN_PROGRESS", "Bob")
    world.assert_idle()


@pytest.mark.parametrize("edit", [{"list_name": "DONE"}, {"name": "Mine"}], ids=["moved", "renamed"])
def test_card_that_the_killed_run_made_is_known_and_its_edit_is_no_first_match(mapped, edit):
    """Be it saved in Trello's editor as well."""
    lead = mapped.lead("Ada", "NEW", email="ada@example.com", Tags=["Hot"])
    with killed_after(*POST):
        mapped.sync()
    card = mapped.card(lead)["id"]
    mapped.trello.save_in_editor(card)
    mapped.trello.edit(card, **edit)
    assert mapped.sync().conflicts == []
    assert (mapped.cells(lead)["name"] == "Mine") is ("name" in edit)
    assert (mapped.status(lead) == "QUALIFIED") is ("list_name" in edit)
    mapped.assert_idle()
