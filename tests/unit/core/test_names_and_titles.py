"""Name and title: fallbacks, emptied titles, long and odd texts, conflicts."""

from __future__ import annotations

import pytest

from leadsync.model import TRELLO_TEXT_LIMIT
from support.rows import POLICIES, base_row, card, card_id, is_idle, lead_id, one_lead, record, render

LEAD, CARD = lead_id(1), card_id(1)
MAIL = "ada@example.com"
UNNAMED = f"Unnamed lead {LEAD}"


def name_of(world):
    return world.records[LEAD]["fields"].get("name", "")


def title_of(world):
    return world.cards[CARD]["name"]


@pytest.mark.parametrize(
    ("cells", "title"),
    [
        pytest.param({}, "Ada", id="name"),
        pytest.param({"name": ""}, MAIL, id="e-mail"),
        pytest.param({"name": "  \n "}, MAIL, id="blank-name"),
        pytest.param({"name": "", "email": ""}, UNNAMED, id="id"),
        pytest.param({"name": " Ada\nLovelace "}, "Ada Lovelace", id="one-line"),
    ],
)
def test_title_of_a_new_card_by_name_and_email(cells, title):
    """An empty name falls back to the e-mail, then to the id."""
    [write] = one_lead(record=record(**cells)).plan().card_writes
    assert write.title == title


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("email", [MAIL, ""], ids=["e-mail", "unnamed"])
@pytest.mark.parametrize("agreed", [True, False], ids=["with-base", "first-match"])
def test_fallback_title_is_never_written_back_as_a_name(agreed, email, policy):
    """Whoever wins, with a base or without one."""
    title = email or UNNAMED
    base = base_row(name="", title=title, email_line=email, shown_email=email) if agreed else None
    shut = one_lead(record=record(name="", email=email), card=card(name=title), base=base)
    plan = shut.sync(conflict=policy)
    assert not plan.lead_writes
    assert name_of(shut) == ""


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("email", [MAIL, ""], ids=["e-mail", "unnamed"])
def test_fallback_title_is_agreed_as_such_at_the_first_match(email, policy):
    """So a name given later is a move, not another first match."""
    title = email or UNNAMED
    world = one_lead(record=record(name="", email=email), card=card(name=title, desc=render(LEAD, email, "fair")))
    assert world.sync(conflict=policy).writes == 0
    assert (world.base[LEAD]["name"], world.base[LEAD]["title"]) == ("", title)
    world.records[LEAD]["fields"]["name"] = "Ada"
    assert not world.sync(conflict=policy).conflicts
    assert (title_of(world), name_of(world)) == ("Ada", "Ada")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("email", [MAIL, "new@example.com"], ids=["same-e-mail", "edited-e-mail"])
@pytest.mark.parametrize("title", [MAIL, UNNAMED], ids=["e-mail", "unnamed"])
def test_fallback_title_says_nothing_against_a_name_at_the_first_match(title, email, policy):
    """The name came meanwhile; of which e-mail the title was made the card's own block shows."""
    world = one_lead(record=record(name="Ada", email=email), card=card(name=title))
    plan = world.sync(conflict=policy)
    assert not plan.conflicts
    assert not plan.lead_writes
    assert (title_of(world), name_of(world)) == ("Ada", "Ada")
    assert is_idle(world.plan(conflict=policy))


@pytest.mark.parametrize(("policy", "both"), [("airtable", "Ada L."), ("trello", MAIL)])
def test_card_of_a_named_lead_renamed_to_its_email_is_an_edit(policy, both):
    """What the title was is known, so this one was typed by a person."""
    world = one_lead(record=record(name="Ada L."), card=card(name=MAIL), base=base_row())
    assert len(world.sync(conflict=policy).conflicts) == 1
    assert (title_of(world), name_of(world)) == (both, both)


@pytest.mark.parametrize("policy", POLICIES)
def test_fallback_title_follows_the_email(policy):
    """The title is ours as long as the lead has no name."""
    base = base_row(name="", title=MAIL)
    world = one_lead(record=record(name="", email="new@example.com"), card=card(name=MAIL), base=base)
    world.sync(conflict=policy)
    assert (title_of(world), name_of(world)) == ("new@example.com", "")
    assert is_idle(world.plan(conflict=policy))


@pytest.mark.parametrize("policy", POLICIES)
def test_name_given_to_an_unnamed_lead_replaces_the_fallback(policy):
    """On either side."""
    base = base_row(name="", title=MAIL)
    world = one_lead(record=record(name="Ada"), card=card(name=MAIL), base=base)
    world.sync(conflict=policy)
    assert title_of(world) == "Ada"
    world = one_lead(record=record(name=""), card=card(name="Ada"), base=base)
    world.sync(conflict=policy)
    assert name_of(world) == "Ada"


@pytest.mark.parametrize("policy", POLICIES)
def test_emptied_name_gives_the_fallback_title(policy):
    """An emptied name is an edit like any other."""
    world = one_lead(record=record(name=""), card=card(), base=base_row())
    world.sync(conflict=policy)
    assert (name_of(world), title_of(world)) == ("", MAIL)
    assert is_idle(world.plan(conflict=policy))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", ["Ada", "Ada L.", ""], ids=["same", "edited-too", "emptied-too"])
@pytest.mark.parametrize("agreed", [True, False], ids=["with-base", "first-match"])
def test_emptied_title_is_restored(agreed, name, policy):
    """A title without text says nothing: it is no edit, no conflict, and never empties a name."""
    world = one_lead(record=record(name=name), card=card(name=""), base=base_row() if agreed else None)
    plan = world.sync(conflict=policy)
    assert not plan.conflicts
    assert not plan.lead_writes
    assert (name_of(world), title_of(world)) == (name, name or MAIL)


def test_restored_title_is_noted():
    """A person who emptied it is told why it came back."""
    [write] = one_lead(record=record(), card=card(name="  "), base=base_row()).plan().card_writes
    assert [change.note for change in write.changes] == ["emptied title restored"]


@pytest.mark.parametrize(
    ("policy", "after"),
    [("airtable", ("Ada L.", "Ada L.")), ("trello", ("A. L.", "A. L.")), ("hold", ("Ada L.", "A. L."))],
)
def test_name_conflict_goes_by_the_policy(policy, after):
    """Both values are listed, and hold writes neither, run after run."""
    world = one_lead(record=record(name="Ada L."), card=card(name="A. L."), base=base_row())
    [listed] = world.sync(conflict=policy).conflicts
    assert (listed.field, listed.airtable, listed.trello, listed.kind) == ("name", "Ada L.", "A. L.", "conflict")
    assert (name_of(world), title_of(world)) == after
    again = world.plan(conflict=policy)
    assert is_idle(again)
    assert len(again.conflicts) == (policy == "hold")


def test_held_name_is_let_go_when_both_are_equal():
    """A person makes them equal; then the base moves and nothing is written."""
    world = one_lead(record=record(name="Ada L."), card=card(name="A. L."), base=base_row())
    world.sync(conflict="hold")
    world.cards[CARD]["name"] = "Ada L."
    assert world.sync(conflict="hold").writes == 0
    assert (world.base[LEAD]["name"], world.base[LEAD]["title"]) == ("Ada L.", "Ada L.")
    assert is_idle(world.plan(conflict="hold"))


@pytest.mark.parametrize("policy", POLICIES)
def test_title_moved_alone_becomes_the_name(policy):
    """Only the side that moved speaks."""
    world = one_lead(record=record(), card=card(name="Ada L."), base=base_row())
    [write] = world.sync(conflict=policy).lead_writes
    assert write.fields == {"name": "Ada L."}
    assert is_idle(world.plan(conflict=policy))


@pytest.mark.parametrize("policy", POLICIES)
def test_first_match_fills_an_empty_name_from_the_title(policy):
    """Nothing is lost by it, so it is no conflict."""
    world = one_lead(record=record(name=""), card=card(name="Ada"))
    plan = world.sync(conflict=policy)
    assert not plan.conflicts
    assert name_of(world) == "Ada"


def test_title_given_back_in_another_form_was_agreed_so():
    """Trello may trim or normalise a title; that is not an edit, and must not make us write again."""
    base = base_row(name="Ada\u2009L.", title="Ada L.")
    world = one_lead(record=record(name="Ada\u2009L."), card=card(name="Ada L."), base=base)
    assert is_idle(world.plan())


# --- lengths --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        pytest.param("x" * TRELLO_TEXT_LIMIT, "x" * 16_384, id="just-fits"),
        pytest.param("x" * (TRELLO_TEXT_LIMIT + 1), "x" * 16_384, id="one-too-long"),
        pytest.param("😀" * 8_192, "😀" * 8_192, id="emoji-just-fit"),
        pytest.param("😀" * 8_193, "😀" * 8_192, id="emoji-too-long"),
        pytest.param("x" + "😀" * 8_192, "x" + "😀" * 8_191, id="emoji-never-cut-in-half"),
    ],
)
def test_title_is_cut_to_what_a_card_holds(name, kept):
    """16,384 characters, counted as the service counts them; the whole name stays in Airtable, and it is settled."""
    world = one_lead(record=record(name=name))
    world.sync()
    [created] = world.cards.values()
    assert created["name"] == kept
    assert name_of(world) == name
    assert is_idle(world.plan())
