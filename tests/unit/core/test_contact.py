"""Which card looks like which lead, and what matches one to one; odd titles and addresses, and many of them."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadsync.core.contact import MEETINGS, addresses_in, listed, meet
from leadsync.frames.cards import Card
from leadsync.frames.leads import Lead
from leadsync.model import Adopt

BY = (Adopt.EMAIL, Adopt.NAME)


def lead(number=1, title="Ada", email=""):
    return Lead(f"rec{number}", title=title, email=email)


def card(number=1, title="", description=""):
    return Card(f"card{number}", title=title, description=description, url=f"https://trello.com/c/{number}")


def looks_alike(one, other):
    return bool(meet([one], [other], Adopt.ASK).aside)


# --- titles ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "of_card"),
    [
        ("Ada", "ada"),
        ("Ada", "  ADA\t"),
        ("Zoë", unicodedata.normalize("NFD", "ZOË")),
        ("Straße 1", "STRASSE 1"),
        ("İpek", "i̇pek"),
        ("ΣΟΦΟΣ", "σοφος"),
        ("[bold]*Ada*[/bold]", "[BOLD]*ada*[/BOLD]"),
        ("Ada\u00a0Lee", "ada lee"),
        ("()[]{}\\d+.*", "()[]{}\\D+.*"),
    ],
)
def test_title_is_the_same_whatever_its_case_and_blanks(title, of_card):
    assert looks_alike(lead(title=title), card(title=of_card))


@pytest.mark.parametrize("of_card", ["", "Ada L", "Adam", "A da", "ada@example.com", "Ädä"])
def test_another_title_is_another(of_card):
    assert not looks_alike(lead(), card(title=of_card))


def test_title_of_a_lead_without_a_name_is_its_email():
    assert looks_alike(lead(title="ada@example.com", email="ada@example.com"), card(title="Ada@Example.com"))


# --- addresses ------------------------------------------------------------------------------------------------

WHOLE = [
    "ada@example.com",
    "ADA@Example.COM",
    "Mail: ada@example.com.",
    "ada@example.com, bob@example.com",
    "<ada@example.com>",
    "[write her](mailto:ada@example.com)",
    '[ada@example.com](mailto:ada@example.com "\u200c")',
    "mailto:ada@example.com?subject=Hi",
    "**ada@example.com**",
    "_ada@example.com_",
    "'ada@example.com'",
    "line\r\nada@example.com\r\nline",
    "(ada@example.com)",
    "bob@example.com/ada@example.com",
    "ada@example.com - call",
    "ada@example.com-",
    "联系ada@example.com。",
    "メールはada@example.comです",
]
INSIDE = [
    "lada@example.com",
    "x.ada@example.com",
    "x-ada@example.com",
    "x+ada@example.com",
    "x_ada@example.com",
    "éada@example.com",
    "ada@example.community",
    "ada@example.com.evil",
    "ada@example.co",
    "ada@example",
    "ada@exampleXcom",
    "ada @example.com",
    "ada@example.com@evil",
    "ada at example.com",
    "@ada@example.comx",
    "",
]


@pytest.mark.parametrize("said", WHOLE)
@pytest.mark.parametrize("where", ["title", "description"])
def test_address_is_found_as_a_whole(said, where):
    assert looks_alike(lead(email="ada@example.com"), card(**{where: said}))


@pytest.mark.parametrize("said", INSIDE)
def test_address_inside_another_word_is_none(said):
    assert not looks_alike(lead(email="ada@example.com"), card(title=said, description=said))


@pytest.mark.parametrize(
    "email", ["un_involved@example.com", "o'brien+2@sub.example.co.uk", "用户@例子.广告", "x@localhost"]
)
def test_odd_address_is_found_in_what_the_editor_makes_of_it(email):
    escaped = email.replace("_", r"\_").upper()
    assert looks_alike(lead(email=email), card(description=f"to {escaped} soon"))


@pytest.mark.parametrize("email", ["", "n/a", "none", "@", "ada@", "@example.com", "-", "…"])
def test_what_is_no_address_looks_like_nothing(email):
    assert not looks_alike(lead(email=email), card(title=f"x {email} x", description=f"y {email} y"))


@given(st.text(st.sampled_from("aZ0._-+'*@ \\[]()<>:/\n用é\u0301\u200c")))
def test_any_text_has_addresses_that_are_in_it(said):
    """Each of them holds one at sign, with something on either side, and is found in itself again."""
    for address in addresses_in(said):
        assert [bool(part) for part in address.split("@")] == [True, True]
        assert address in addresses_in(address)


@pytest.mark.parametrize("said", ["a" * 400_000, "a@" * 200_000, "a.b-" * 100_000, "x@y." * 100_000, "\\_" * 200_000])
def test_long_text_is_read_once(said):
    """Were it read again from each of its characters, this would take hours."""
    assert len(addresses_in(said + "用")) <= 2


# --- one to one -----------------------------------------------------------------------------------------------


def test_meetings_are_decided_in_every_case():
    assert set(MEETINGS) == set(itertools.product([False, True], repeat=3))


@pytest.mark.parametrize("adopt", BY)
def test_one_lead_and_one_card_are_tied(adopt):
    contact = meet([lead(email="a@x.org")], [card(1, "Ada", "a@x.org"), card(2, "Chore")], adopt)
    assert (contact.adopted, contact.aside) == ({"card1": "rec1"}, {})


@pytest.mark.parametrize("adopt", BY)
def test_two_cards_for_one_lead_are_unclear(adopt):
    contact = meet([lead(email="a@x.org")], [card(1, "Ada", "a@x.org"), card(2, "ADA", "A@X.org")], adopt)
    assert (contact.adopted, contact.aside) == ({}, {"rec1": ["card1", "card2"]})


@pytest.mark.parametrize("adopt", BY)
def test_two_leads_for_one_card_are_unclear(adopt):
    contact = meet([lead(1, email="a@x.org"), lead(2, email="A@x.org")], [card(1, "ada", "a@x.org")], adopt)
    assert (contact.adopted, contact.aside) == ({}, {"rec1": ["card1"], "rec2": ["card1"]})


def test_card_with_the_addresses_of_two_leads_is_unclear():
    leads = [lead(1, "A", "a@x.org"), lead(2, "B", "b@x.org")]
    contact = meet(leads, [card(1, "", "a@x.org, b@x.org")], Adopt.EMAIL)
    assert (contact.adopted, sorted(contact.aside)) == ({}, ["rec1", "rec2"])


def test_lead_with_two_addresses_of_one_card_is_tied():
    contact = meet([lead(email="a@x.org, b@x.org")], [card(1, "", "b@x.org or a@x.org")], Adopt.EMAIL)
    assert contact.adopted == {"card1": "rec1"}


def test_card_that_is_tied_looks_like_no_other_lead():
    """Of two Adas one has her address on the card called Ada; the other gets a card of her own."""
    contact = meet([lead(1, email="a@x.org"), lead(2)], [card(1, "Ada", "a@x.org")], Adopt.EMAIL)
    assert (contact.adopted, contact.aside) == ({"card1": "rec1"}, {})


def test_match_by_the_other_trait_is_unclear():
    leads, cards = [lead(1, "Ada"), lead(2, "Bob", "b@x.org")], [card(1, "Ada"), card(2, "Robert", "b@x.org")]
    assert meet(leads, cards, Adopt.EMAIL).aside == {"rec1": ["card1"]}
    assert meet(leads, cards, Adopt.NAME).aside == {"rec2": ["card2"]}


def test_choice_holds_for_the_leads_for_which_it_was_made():
    leads, cards = [lead(1, "Ada"), lead(2, "Bob")], [card(1, "Ada"), card(2, "Bob")]
    contact = meet(leads, cards, Adopt.NAME, chosen=["rec1"])
    assert (contact.adopted, contact.aside) == ({"card1": "rec1"}, {"rec2": ["card2"]})
    contact = meet(leads, cards, Adopt.NONE, chosen=["rec1"])
    assert (contact.doubled, contact.declined, contact.aside) == ({"rec1"}, {"card1"}, {"rec2": ["card2"]})


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["", "x@y", "z@y"])), max_size=5),
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "x@y", "z@y", "x@y z@y"])), max_size=5),
    st.sampled_from(Adopt),
)
def test_nobody_is_doubled_or_taken_twice(leads, cards, adopt):
    """By the words of the rule, lead by lead and card by card: whatever looks alike is adopted, aside, or declined."""
    ours = {f"rec{number}": lead(number, *each) for number, each in enumerate(leads)}
    theirs = {f"card{number}": card(number, *each) for number, each in enumerate(cards)}
    contact = meet(ours.values(), theirs.values(), adopt)

    def by_name(lead_id, card_id):
        return ours[lead_id].title == theirs[card_id].title

    def by_email(lead_id, card_id):
        return ours[lead_id].email != "" and ours[lead_id].email in theirs[card_id].description.split()

    alike = {Adopt.NAME: by_name, Adopt.EMAIL: by_email}.get(adopt, lambda *_ids: False)
    tied = {}
    for lead_id, card_id in itertools.product(ours, theirs):
        cards_like_it = [each for each in theirs if alike(lead_id, each)]
        leads_like_it = [each for each in ours if alike(each, card_id)]
        if (cards_like_it, leads_like_it) == ([card_id], [lead_id]):
            tied[card_id] = lead_id
    left = [each for each in theirs if each not in tied]
    others = {
        lead_id
        for lead_id in ours.keys() - {*tied.values()}
        if any(by_name(lead_id, each) or by_email(lead_id, each) for each in left)
    }
    assert contact.adopted == tied
    assert contact.aside.keys() == (set() if adopt is Adopt.NONE else others)
    assert contact.doubled == (others if adopt is Adopt.NONE else set())


def test_crowd_of_namesakes_is_told_apart_in_one_go():
    """Ten thousand on either side; compared each with each this would take minutes."""
    leads = [lead(number, email=f"{number}@x.org") for number in range(10_000)]
    cards = [card(number, "Ada", f"{number}@x.org") for number in range(10_000)]
    assert len(meet(leads, cards, Adopt.EMAIL).adopted) == 10_000
    assert len(meet(leads, cards, Adopt.NAME).aside) == 10_000
    assert len(meet(leads, cards, Adopt.NONE).declined) == 10_000


def test_lead_set_aside_is_listed_with_its_cards_and_what_to_do():
    cards = {each.card_id: each for each in (card(number, "Ada") for number in range(5))}
    (entry,) = listed(meet([lead()], cards.values(), Adopt.NAME), cards)
    assert (entry.lead_id, entry.card_id, entry.field) == ("rec1", "card0", "card")
    assert entry.reason.count("https://trello.com/c/") == 3
    assert "LeadID: rec1" in entry.remedy
