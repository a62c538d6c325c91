"""A board that holds the leads already, made by hand: nothing is doubled, and nothing is guessed about."""

from functools import partial
from itertools import count

import pytest

from emulator.airtable.desk import LEAD_FIELDS
from leadsync.state.store import StateStore
from support.harness import World, findings
from support.kills import is_killed

BY = pytest.mark.parametrize("adopt", ["email", "name"])
WHEN = pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
NOTE = "Call after five.\r\n\r\nMail: "


class Board(World):
    """
    A board of which the sync has never heard, with cards made by hand.

    `ours`: lead id -> the card that somebody has made of it. `others`: cards that are no lead's.
    """

    def __init__(self, folder, leads=20, others=10):
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, ordered=True)
        self.ours = {}
        for number in range(leads):
            lead = self.lead(f"Lead {number}", "NEW", email=f"lead{number}@example.com", source="fair")
            self.ours[lead] = self.made(f"Lead {number}", f"{NOTE}LEAD{number}@example.com.")
        self.others = [self.made(f"Chore {number}", "milk") for number in range(others)]

    def made(self, title, description="", place="TODO", **more):
        """A card made by hand."""
        return self.trello.add_card(place, title, description, **more)

    def assert_adopted(self):
        """Each lead has the card that somebody has made of it and no other; of the others none was touched."""
        assert {lead: self.card(lead)["id"] for lead in self.airtable.records()} == self.ours
        assert len(self.trello.cards()) == len(self.ours) + len(self.others)
        assert all(self.card(lead)["desc"].startswith(NOTE) for lead in self.ours)
        assert {self.trello.card(card)["desc"] for card in self.others} == {"milk"}

    def aside(self, report):
        """Leads set aside -> (why, what to do)."""
        rows = [row for row in report.quarantine if row["field"] == "card"]
        return {row["lead_id"]: (row["reason"], row["remedy"]) for row in rows}


@pytest.fixture
def board(tmp_path):
    made = Board(tmp_path)
    yield made
    made.close()


@pytest.fixture
def small(tmp_path):
    made = Board(tmp_path, leads=2, others=1)
    yield made
    made.close()


def told(report):
    rows = ({**change, "outcome": ""} for change in report.changes)
    return sorted(rows, key=lambda change: (change["lead_id"], change["field"]))


# --- nobody has chosen ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dry_run", [True, False])
def test_board_that_holds_the_leads_is_left_alone_until_somebody_chooses(board, dry_run):
    report = board.sync(exit_code=3, dry_run=dry_run)
    assert (board.writes(), len(board.trello.cards()), report.changes) == (0, 30, [])
    assert "20 of 20 leads" in report.message
    assert "ties the 20 that match one to one by e-mail" in report.message
    assert "gives all 20 cards of their own" in report.message
    assert "'Lead " in report.message
    assert "https://trello.com/c/" in report.message
    board.sync(exit_code=3)


def test_one_lead_that_has_a_card_already_is_enough(small):
    """By title alone, whatever its case and the blanks around it."""
    lead = small.lead("Zoë", "NEW")
    small.made("  ZOË ")
    for known in small.ours.values():
        small.trello.archive(known)
    report = small.sync(exit_code=3)
    assert "1 of 3 leads" in report.message
    assert lead in report.message


def test_board_without_look_alikes_is_none_of_this(tmp_path):
    """Neither a call, nor a word, nor a row in the state, whatever was chosen."""
    for adopt in ("ask", "email", "name", "none"):
        board = Board(tmp_path / adopt, leads=0, others=3)
        board.lead("Ada", "NEW", email="ada@example.com")
        report = board.sync(adopt=adopt)
        assert (board.calls(), board.writes(), report.notes, report.quarantine) == ((1, 5), 1, [], [])
        assert facts(board) is None
        board.close()


def facts(board):
    store = StateStore(board.settings().sync_state_url.get_secret_value())
    kept = store.facts.load_all("contact ")
    store.close()
    return next(iter(kept.values()), None)


# --- adopted --------------------------------------------------------------------------------------------------


@BY
def test_dry_run_shows_exactly_what_adopting_writes(board, adopt):
    shown = board.sync(adopt=adopt, dry_run=True)
    assert (board.writes(), facts(board)) == (0, None)
    done = board.sync(adopt=adopt)
    assert told(shown) == told(done)
    assert [shown.counts["created"], done.counts["created"]] == [0, 0]


@BY
def test_cards_that_match_one_to_one_are_adopted_in_one_write_each(board, adopt):
    report = board.sync(adopt=adopt)
    board.assert_adopted()
    assert (report.conflicts, report.quarantine, board.writes()) == ([], [], 20)
    assert {(change["field"], change["note"]) for change in report.changes if change["field"] == "marker"} == {
        ("marker", "card adopted")
    }
    board.assert_equal()
    board.assert_idle()
    board.assert_idle(read="delta")


@pytest.mark.parametrize("policy", ["airtable", "trello", "hold"])
def test_adopted_card_is_a_first_match(small, policy):
    """What differs is decided by the policy, and listed."""
    lead, card = next(iter(small.ours.items()))
    small.trello.edit(card, name="By hand")
    small.trello.move(card, "DONE")
    report = small.sync(adopt="email", SYNC_CONFLICT=policy)
    assert findings(report.conflicts, lead) == [
        ("status", "NEW", "DONE"),
        ("name", "Lead 0", "By hand"),
    ]
    assert {row["kind"] for row in report.conflicts} == {"first match"}
    name, status, title, place = {
        "airtable": ("Lead 0", "NEW", "Lead 0", "TODO"),
        "trello": ("By hand", "QUALIFIED", "By hand", "DONE"),
        "hold": ("Lead 0", "NEW", "By hand", "DONE"),
    }[policy]
    assert (small.cells(lead)["name"], small.status(lead)) == (name, status)
    assert (small.card(lead)["name"], small.place(lead)) == (title, place)


def test_adopted_card_in_a_list_of_its_own_stays_there(small):
    lead, card = next(iter(small.ours.items()))
    small.trello.add_list("Someday")
    small.trello.move(card, "Someday")
    report = small.sync(adopt="name")
    assert (small.place(lead), small.status(lead)) == ("Someday", "NEW")
    assert [row["field"] for row in report.quarantine] == ["status"]
    small.assert_adopted()


def test_leads_that_nothing_looks_like_get_cards_in_the_same_run(small):
    new = small.lead("Grace", "CONTACTED")
    report = small.sync(adopt="email")
    assert (report.counts["created"], small.place(new)) == (1, "IN_PROGRESS")
    small.assert_one_card_each()


# --- unclear --------------------------------------------------------------------------------------------------


@pytest.fixture
def unclear(small):
    """Two cards for one lead, and two leads for one card, beside two that are clear."""
    small.twice = small.lead("Ada", "NEW", email="ada@example.com")
    small.both = [small.made("Ada", "ada@example.com"), small.made("ada", "Ada@Example.com")]
    small.twins = [small.lead("Bob", "NEW", email="bob@example.com") for _ in range(2)]
    small.one = small.made("Bob", "<bob@example.com>")
    return small


@BY
def test_unclear_leads_get_no_card_and_a_remedy(unclear, adopt):
    report = unclear.sync(adopt=adopt)
    aside = unclear.aside(report)
    assert set(aside) == {unclear.twice, *unclear.twins}
    assert all(unclear.cards_of(lead) == [] for lead in aside)
    assert all(f"LeadID: {lead}" in remedy for lead, (_, remedy) in aside.items())
    assert aside[unclear.twice][0].count("https://trello.com/c/") == 2
    assert {lead: unclear.card(lead)["id"] for lead in unclear.ours} == unclear.ours
    unclear.assert_idle()
    assert unclear.aside(unclear.sync()) == aside


def test_unclear_lead_whose_remedy_is_followed_has_its_card(unclear):
    unclear.sync(adopt="email")
    unclear.trello.edit(unclear.both[1], desc=f"LeadID: {unclear.twice}")
    unclear.trello.edit(unclear.one, desc=f"bob@example.com\nLeadID: {unclear.twins[1]}")
    report = unclear.sync()
    assert unclear.card(unclear.twice)["id"] == unclear.both[1]
    assert unclear.card(unclear.twins[1])["id"] == unclear.one
    assert set(unclear.aside(report)) <= {unclear.twice}
    assert report.counts["created"] == 1  # the other Bob: nothing is left that looks like it
    unclear.assert_one_card_each()


def test_unclear_lead_is_adopted_once_one_of_its_cards_is_put_away(unclear):
    unclear.sync(adopt="email")
    unclear.trello.archive(unclear.both[0])
    assert set(unclear.aside(unclear.sync())) == {*unclear.twins}
    assert unclear.card(unclear.twice)["id"] == unclear.both[1]


def test_unclear_leads_may_be_given_cards_of_their_own_later(unclear):
    unclear.sync(adopt="name")
    assert unclear.sync(adopt="none").counts["created"] == 3
    unclear.assert_one_card_each()
    unclear.assert_idle()


def test_what_matches_by_the_other_trait_only_is_set_aside(small):
    """By e-mail chosen, a card of the same title is not doubled either, and the other way round."""
    named, mailed = small.lead("Ada", "NEW"), small.lead("Bob", "NEW", email="bob@example.com")
    cards = [small.made("Ada"), small.made("Robert", "bob@example.com")]
    assert set(small.aside(small.sync(adopt="email"))) == {named}
    assert small.card(mailed)["id"] == cards[1]
    assert small.aside(small.sync(adopt="name")) == {}
    assert small.card(named)["id"] == cards[0]


# --- none -----------------------------------------------------------------------------------------------------


def test_none_says_beforehand_how_many_and_makes_them(board):
    shown = board.sync(adopt="none", dry_run=True)
    assert (board.writes(), shown.counts["created"]) == (0, 20)
    assert [note["note"][:72] for note in shown.notes] == [
        "20 leads get cards of their own although 20 cards without a LeadID line "
    ]
    assert board.sync(adopt="none").counts["created"] == 20
    board.assert_one_card_each()
    assert len(board.trello.cards()) == 50
    board.assert_idle()


def test_declined_cards_are_nobodys_for_good(small):
    """Not even of a lead that comes later and is called as they are."""
    small.sync(adopt="none")
    later = small.lead("Lead 1", "NEW")
    report = small.sync()
    assert (small.aside(report), len(small.cards_of(later))) == ({}, 1)
    small.assert_one_card_each()


# --- cut off --------------------------------------------------------------------------------------------------


def cut_runs(tmp_path, after, adopt, **size):
    """For each request of the first run, a board on which that was killed there, and the next made."""
    for index in count():
        board = Board(tmp_path / f"{index}", **size)
        struck = is_killed(partial(board.sync, adopt=adopt), index, after)
        if board.sync(exit_code=None).exit_code == 3:  # killed before anybody had been asked
            assert all(board.cards_of(lead) == [] for lead in board.ours), index
            board.sync(adopt=adopt)
        yield index, board
        board.close()
        if not struck:
            return


@pytest.mark.parametrize(
    "size",
    [{"leads": 3, "others": 2}, pytest.param({"leads": 20, "others": 10}, marks=pytest.mark.exhaustive)],
    ids=["small", "large"],
)
@WHEN
@BY
def test_killed_anywhere_nothing_is_doubled(tmp_path, after, adopt, size):
    indices = []
    for index, board in cut_runs(tmp_path, after, adopt, **size):
        indices.append(index)
        board.assert_adopted()
        board.assert_idle()
    assert len(indices) > 2 * size["leads"]


@WHEN
def test_killed_while_all_get_cards_of_their_own_the_others_follow(tmp_path, after):
    indices = []
    for index, board in cut_runs(tmp_path, after, "none", leads=3, others=1):
        indices.append(index)
        board.assert_one_card_each()
        assert len(board.trello.cards()) == 3 + 3 + 1, index
        board.assert_idle()
    assert len(indices) > 5


# --- later ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", ["full", "delta", "auto"])
def test_later_a_look_alike_sets_only_its_lead_aside(small, read):
    small.sync(adopt="email")
    small.made("Grace")
    alike, other = small.lead("grace", "NEW"), small.lead("Joan", "NEW")
    report = small.sync(read=read)
    assert set(small.aside(report)) == {alike}
    assert (small.cards_of(alike), len(small.cards_of(other))) == ([], 1)


def test_later_choice_settles_what_was_set_aside(small):
    small.sync(adopt="none")
    card, lead = small.made("Grace"), small.lead("grace", "NEW")
    assert set(small.aside(small.sync())) == {lead}
    small.sync(adopt="name")
    assert small.card(lead)["id"] == card


def test_lead_whose_card_was_deleted_is_not_doubled_by_an_edit_either(small):
    small.sync(adopt="email")
    lead, card = next(iter(small.ours.items()))
    small.trello.delete(card)
    small.sync()
    by_hand = small.made("Lead 0", "lead0@example.com")
    small.airtable.edit(lead, status="CONTACTED")
    assert set(small.aside(small.sync())) == {lead}
    assert set(small.aside(small.sync(adopt="name"))) == {lead}
    small.trello.edit(by_hand, desc=f"LeadID: {lead}")
    small.sync()
    assert small.card(lead)["id"] == by_hand


def test_creation_by_delta_costs_a_read_of_the_board_only_if_there_are_other_cards(tmp_path):
    for others, trello in ((0, 2), (1, 4)):
        board = Board(tmp_path / f"{others}", leads=0, others=others)
        for number in range(3):
            board.lead(f"Lead {number}", "NEW")
        board.sync()
        board.sync(read="delta")
        board.lead("Grace", "NEW")
        board.sync(read="delta")
        assert board.emulator.calls("trello") == trello, (
            others
        )  # activity and POST; the board's cards, and its lists again
        board.close()


# --- never a look-alike ---------------------------------------------------------------------------------------


def test_cards_of_another_pair_are_no_look_alikes(small):
    """Not even one from which somebody has taken the LeadID line."""
    small.sync(adopt="email")
    lead = next(iter(small.ours))
    small.trello.edit(small.ours[lead], desc="lead0@example.com")
    table = small.airtable.add_table("Customers", [dict(each) for each in LEAD_FIELDS])
    first, small.airtable.table_id = small.airtable.table_id, table
    same = [small.lead(f"Lead {number}", "NEW", email=f"lead{number}@example.com") for number in range(2)]
    report = small.sync(AIRTABLE_TABLE_NAME="Customers")
    assert (report.counts["created"], small.aside(report)) == (2, {})
    small.airtable.table_id = first
    small.sync()
    assert small.card(lead)["id"] == small.ours[lead]
    assert all(len(small.cards_of(each)) == 1 for each in same)


@pytest.mark.parametrize("kind", ["isTemplate", "mirror", "separator", "archived"])
def test_what_is_no_card_to_work_on_is_no_look_alike(tmp_path, kind):
    board = Board(tmp_path, leads=0, others=1)
    lead = board.lead("Ada", "NEW", email="ada@example.com")
    if kind == "archived":
        board.trello.archive(board.made("Ada", "ada@example.com"))
    elif kind == "isTemplate":
        board.made("Ada", "ada@example.com", isTemplate=True)
    else:
        source = {"mirrorSourceId": board.others[0]} if kind == "mirror" else {}
        board.made("Ada", "ada@example.com", cardRole=kind, **source)
    report = board.sync()
    assert (report.counts["created"], board.aside(report)) == (1, {})
    assert len(board.cards_of(lead)) == 1
    board.close()


# --- counted --------------------------------------------------------------------------------------------------


def test_every_report_counts_the_cards_that_are_no_leads(small):
    for report in (small.sync(exit_code=3), small.sync(adopt="email", dry_run=True)):
        assert "unmarked_cards" in report.counts
    reports = [small.sync(adopt="email"), small.sync(), small.sync(read="delta"), small.sync(read="auto")]
    assert [report.counts["unmarked_cards"] for report in reports] == [1] * 4
    assert all("1 other card on the board" in report.summary for report in reports)
    small.trello.delete(small.others[0])
    report = small.sync()
    assert report.counts["unmarked_cards"] == 0
    assert "other card" not in report.summary
