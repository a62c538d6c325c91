"""Who is there: the rows of the table in which base, lead and card are present, missing, or gone."""

import pytest

from leadsync.model import ConflictPolicy
from leadsync.pipeline import absences
from leadsync.pipeline.steps import Chosen, UndoChoice
from support.harness import STAGE_OF, findings, markers, our_clock, written
from support.kills import killed_after, killed_before
from support.past_changes import runs_of

STRANGER = "rec" + "A" * 14


def reasons(report, lead=None):
    return [row["reason"] for row in report.quarantine if lead in (None, row["lead_id"])]


# No base yet


@pytest.mark.parametrize(("status", "place"), [*STAGE_OF.items(), (None, "TODO")])
def test_lead_alone_gets_a_card_in_its_list(world, status, place):
    lead = world.lead("Ada", status, email="ada@example.com", source="web")
    world.sync()
    card = world.card(lead)
    assert (card["name"], world.place(lead), card["closed"]) == ("Ada", place, False)
    assert {"ada@example.com", "web"} <= set(card["desc"].split())
    assert world.cells(lead).get("status") == status
    world.assert_idle()


def test_new_card_carries_its_marker_from_the_first_request(world):
    lead = world.lead()
    world.sync()
    posts = [request.body for request in world.emulator.requests if request.method == "POST"]
    assert sum(lead in markers(post) for post in posts) == 1
    assert world.writes() == len(posts) == 2


def test_equal_card_is_adopted_without_a_write(world):
    lead = world.lead("Ada", "CONTACTED")
    world.trello.add_card("IN_PROGRESS", "Ada", f"LeadID: {lead}")
    report = world.sync()
    assert (findings(report.conflicts, lead), world.writes(), report.counts["created"]) == ([], 1, 1)
    world.assert_one_card_each()
    world.assert_idle()


@pytest.mark.parametrize(
    ("policy", "status", "place"),
    [("airtable", "NEW", "TODO"), ("trello", "QUALIFIED", "DONE"), ("hold", "NEW", "DONE")],
)
def test_differing_card_is_adopted_by_the_policy(world, policy, status, place):
    lead = world.lead("Ada", "NEW")
    world.trello.add_card("DONE", "Ada", f"LeadID: {lead}")
    report = world.sync(SYNC_CONFLICT=policy)
    assert (world.status(lead), world.place(lead)) == (status, place)
    assert findings(report.conflicts, lead) == [("status", "NEW", "DONE")]
    assert [row["kind"] for row in report.conflicts] == ["first match"]
    world.assert_idle(SYNC_CONFLICT=policy)


@pytest.mark.parametrize(
    ("policy", "name", "title"), [("airtable", "Ada", "Ada"), ("trello", "Eve", "Eve"), ("hold", "Ada", "Eve")]
)
def test_differing_title_is_adopted_by_the_policy(world, policy, name, title):
    lead = world.lead("Ada", "NEW")
    world.trello.add_card("TODO", "Eve", f"LeadID: {lead}")
    report = world.sync(SYNC_CONFLICT=policy)
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == (name, title)
    assert findings(report.conflicts, lead) == [("name", "Ada", "Eve")]


def test_lost_lead_is_adopted_by_a_card_in_done(world):
    lead = world.lead("Ada", "LOST")
    world.trello.add_card("DONE", "Ada", f"LeadID: {lead}")
    assert world.sync(SYNC_CONFLICT="trello").conflicts == []
    assert world.status(lead) == "LOST"


def test_archived_card_found_at_the_first_run_is_adopted_and_not_doubled(world):
    lead = world.lead("Ada", "NEW")
    card = world.trello.add_card("DONE", "Ada", f"LeadID: {lead}")
    world.trello.archive(card)
    world.sync()
    assert (world.card(lead)["closed"], world.status(lead)) == (True, "NEW")
    world.assert_idle()


def test_orphan_marker_is_reported_and_left(world):
    card = world.trello.add_card("DONE", "Whose?", f"mine\nLeadID: {STRANGER}\n")
    before = world.trello.card(card)
    report = world.sync()
    assert [(row["lead_id"], row["card_id"]) for row in report.quarantine] == [(STRANGER, card)]
    assert world.trello.card(card) == before


def test_archived_orphan_is_nobodys_business(world):
    world.trello.archive(world.trello.add_card("DONE", "Old", f"LeadID: {STRANGER}"))
    assert world.sync().quarantine == []


def test_card_without_marker_is_not_ours(world):
    card = world.trello.add_card("DONE", "Shopping", "milk")
    before = world.trello.card(card)
    world.sync()
    assert (world.trello.card(card), len(world.airtable.records())) == (before, 1)


# Archived cards


def archived(world, status="NEW"):
    lead = world.linked("Ada", status)
    world.trello.archive(world.card(lead)["id"])
    return lead


def test_archived_card_sends_no_status_and_gets_no_second_card(world):
    lead = archived(world)
    world.trello.edit(world.card(lead)["id"], list_name="DONE", name="Other")
    world.sync()
    assert (world.status(lead), world.cells(lead)["name"], world.writes()) == ("NEW", "Ada", 0)
    assert len(world.cards_of(lead)) == 1
    world.assert_idle()


@pytest.mark.parametrize("seen", [True, False], ids=["archived-earlier", "archived-meanwhile"])
@pytest.mark.parametrize(
    ("before", "after"), [("NEW", "CONTACTED"), ("CONTACTED", "NEW"), ("QUALIFIED", "NEW"), ("LOST", "CONTACTED")]
)
def test_archived_card_comes_back_when_its_lead_becomes_open_again(world, before, after, seen):
    lead = archived(world, before)
    if seen:
        world.sync()
    world.airtable.edit(lead, status=after)
    world.sync()
    assert (world.card(lead)["closed"], world.place(lead), world.status(lead)) == (False, STAGE_OF[after], after)
    world.assert_idle()


@pytest.mark.parametrize("status", ["QUALIFIED", "LOST"])
def test_archived_card_stays_when_its_lead_is_done(world, status):
    lead = archived(world)
    world.sync()
    world.airtable.edit(lead, status=status)
    world.sync()
    assert (world.card(lead)["closed"], world.status(lead), world.writes()) == (True, status, 0)
    world.assert_idle()


def test_archived_card_comes_back_after_a_detour_over_done(world):
    """Each edit is judged against what was seen at the run before, not at the archiving."""
    lead = archived(world)
    for status, closed in (("QUALIFIED", True), ("NEW", False)):
        world.airtable.edit(lead, status=status)
        world.sync()
        assert world.card(lead)["closed"] is closed
    assert world.place(lead) == "TODO"


def test_card_unarchived_by_a_person_takes_what_changed_meanwhile(world):
    lead = archived(world)
    world.sync()
    world.airtable.edit(lead, status="LOST", name="Ada L.")
    world.sync()
    world.trello.unarchive(world.card(lead)["id"])
    world.sync()
    assert (world.place(lead), world.card(lead)["name"], world.status(lead)) == ("DONE", "Ada L.", "LOST")
    world.assert_idle()


def test_card_archived_and_taken_back_between_runs_is_no_news(world):
    lead = archived(world)
    world.trello.unarchive(world.card(lead)["id"])
    world.assert_idle()


def test_ticked_card_that_comes_back_to_an_open_list_is_not_ticked(world):
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.trello.edit(card, dueComplete=True)
    world.sync()
    world.trello.archive(card)
    world.sync()
    world.airtable.edit(lead, status="CONTACTED")
    world.sync()
    assert (world.place(lead), world.card(lead)["dueComplete"]) == ("IN_PROGRESS", False)
    world.assert_idle()
    assert world.status(lead) == "CONTACTED"


# Deleted cards


def deleted(world, **settings):
    lead = world.linked("Ada", "NEW")
    world.trello.delete(world.card(lead)["id"])
    world.sync(**settings)
    return lead


def test_deleted_card_is_not_created_again(world):
    lead = deleted(world)
    world.airtable.edit(lead, name="Ada L.", email="new@example.com")
    world.sync()
    assert (world.cards_of(lead), world.writes()) == ([], 0)
    assert world.calls() == (1, 1)


@pytest.mark.parametrize("seen", [True, False], ids=["deleted-earlier", "deleted-meanwhile"])
@pytest.mark.parametrize("status", ["CONTACTED", "LOST"])
def test_status_edit_beats_a_delete(world, status, seen):
    lead = world.linked("Ada", "NEW")
    world.trello.delete(world.card(lead)["id"])
    if seen:
        world.sync()
    world.airtable.edit(lead, status=status)
    world.sync()
    assert (world.place(lead), world.status(lead)) == (STAGE_OF[status], status)
    world.assert_idle()


def test_deleted_card_is_created_again_where_that_is_set(world):
    lead = deleted(world, SYNC_ON_CARD_DELETED="recreate")
    assert world.place(lead) == "TODO"
    world.assert_idle(SYNC_ON_CARD_DELETED="recreate")


def test_card_marked_by_hand_takes_the_place_of_a_deleted_one(world):
    lead = deleted(world)
    world.trello.add_card("DONE", "Ada", f"LeadID: {lead}")
    world.sync(SYNC_CONFLICT="trello")
    assert (world.status(lead), world.place(lead)) == ("QUALIFIED", "DONE")
    world.assert_idle(SYNC_CONFLICT="trello")


# Cards deleted after they were archived or had gone away


DAY = 86_400.0
PUT_AWAY = pytest.mark.parametrize("away", ["archived", "other-board", "out-of-sight"])


def put_away_then_deleted(world, away, status="NEW", **settings):
    """A lead whose card was seen to be archived or away, and was deleted then. Returns: lead and former card."""
    lead = world.lead("Ada", status)
    world.sync(**settings)
    card = world.card(lead)["id"]
    if away == "archived":
        world.trello.archive(card)
    else:
        world.trello.move_to_board(card, world.trello.add_board("Elsewhere", visible=away == "other-board"))
    world.sync(**settings)
    world.assert_idle(**settings)
    world.trello.delete(card)
    return lead, card


def days_later(monkeypatch, days=1.0):
    """Our own clock; the services' stay."""
    our_clock(monkeypatch, absences.time.time() + days * DAY)


@PUT_AWAY
def test_card_deleted_after_it_was_put_away_is_noticed_within_a_day(world, monkeypatch, away):
    """By the first full read a day after it was last known to exist, at the cost of at most two requests."""
    lead, card = put_away_then_deleted(world, away)
    assert world.assert_idle().notes == []
    assert world.calls() == (1, 1)
    days_later(monkeypatch)
    report = world.assert_idle()
    assert [(note["lead_id"], note["card_id"]) for note in report.notes] == [(lead, card)]
    assert world.calls() == (1, 3 if away == "archived" else 2)
    for _ in range(2):
        days_later(monkeypatch)
        assert world.assert_idle().notes == []
        assert world.calls() == (1, 1)
    world.airtable.edit(lead, status="LOST")
    world.sync()
    assert (world.place(lead), world.status(lead)) == ("DONE", "LOST")
    world.assert_idle()


@pytest.mark.parametrize("read", ["full", "delta"])
@pytest.mark.parametrize("status", ["CONTACTED", "LOST"])
@PUT_AWAY
def test_status_edit_beats_the_delete_of_a_card_put_away(world, away, status, read):
    """At once: the edited lead's card is asked for."""
    lead, _ = put_away_then_deleted(world, away)
    world.airtable.edit(lead, status=status)
    world.sync(read=read)
    assert (world.place(lead), world.status(lead)) == (STAGE_OF[status], status)
    world.assert_idle(read=read)
    world.assert_idle()


@pytest.mark.parametrize("read", ["full", "delta"])
@pytest.mark.parametrize("visible", [True, False], ids=["other-board", "out-of-sight"])
def test_status_edited_while_the_card_was_away_is_no_edit_after_its_delete(world, monkeypatch, visible, read):
    """A run has seen the edit; what comes later beats the delete. A card that comes back still gets what was edited."""
    lead, other = world.linked("Ada", "NEW"), world.linked("Bob", "NEW")
    board = world.trello.add_board("Elsewhere", visible=visible)
    for each in (lead, other):
        world.trello.move_to_board(world.card(each)["id"], board)
    world.sync()
    for each in (lead, other):
        world.airtable.edit(each, status="CONTACTED")
    world.sync(read=read)
    world.assert_idle(read=read)
    world.trello.delete(world.card(lead)["id"])
    world.trello.move_to_board(world.card(other)["id"], world.trello.board_id)
    days_later(monkeypatch)
    world.sync()
    assert (world.cards_of(lead), world.place(other), world.status(other)) == ([], "IN_PROGRESS", "CONTACTED")
    world.airtable.edit(lead, status="LOST")
    world.sync(read=read)
    assert world.place(lead) == "DONE"


@PUT_AWAY
def test_deleted_card_that_was_put_away_is_created_again_where_that_is_set(world, monkeypatch, away):
    lead, _ = put_away_then_deleted(world, away)
    days_later(monkeypatch)
    world.sync(SYNC_ON_CARD_DELETED="recreate")
    assert world.place(lead) == "TODO"
    world.assert_idle(SYNC_ON_CARD_DELETED="recreate")


@PUT_AWAY
@pytest.mark.parametrize("after", [False, True])
def test_card_that_was_to_be_created_again_when_the_run_died_is_created_by_the_next(world, monkeypatch, away, after):
    """The next look for it is not due for a day."""
    recreate = {"SYNC_ON_CARD_DELETED": "recreate"}
    lead, _ = put_away_then_deleted(world, away)
    days_later(monkeypatch)
    with (killed_after if after else killed_before)("POST", "/cards"):
        world.sync(**recreate)
    world.sync(**recreate)
    world.assert_one_card_each()
    assert world.place(lead) == "TODO"
    world.assert_idle(**recreate)


@PUT_AWAY
@pytest.mark.parametrize("by", ["undo", "take"])
def test_what_a_run_about_other_leads_saw_of_a_deleted_card_is_not_lost(world, monkeypatch, away, by):
    """It decides nothing about it: the next run looks for the card again."""
    other = world.linked("Bob", "NEW")
    world.airtable.edit(other, name="Of the lead")
    world.trello.edit(world.card(other)["id"], name="Of the card")
    world.sync(SYNC_CONFLICT="hold")
    lead, _ = put_away_then_deleted(world, away, SYNC_CONFLICT="hold")
    days_later(monkeypatch)
    chosen = {"take": Chosen(ConflictPolicy.TRELLO, other)}
    if by == "undo":
        chosen = {"undo": UndoChoice(runs_of(world)[0].run_id)}
    world.sync(asked=chosen)
    world.sync(SYNC_ON_CARD_DELETED="recreate")
    assert world.place(lead) == "TODO"


@PUT_AWAY
def test_copy_takes_over_once_its_original_that_was_put_away_is_known_to_be_deleted(world, monkeypatch, away):
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    copy = world.trello.copy(card, "TODO")
    if away == "archived":
        world.trello.archive(card)
    else:
        world.trello.move_to_board(card, world.trello.add_board("Elsewhere", visible=away == "other-board"))
    for _ in range(2):
        assert [row["card_id"] for row in world.sync().quarantine] == [copy]
    world.trello.delete(card)
    days_later(monkeypatch)
    assert world.sync().quarantine == []
    world.trello.move(copy, "DONE")
    world.sync()
    assert world.status(lead) == "QUALIFIED"
    world.assert_idle()


@pytest.mark.parametrize("copied", [False, True])
def test_activity_tells_that_an_archived_card_was_deleted(world, copied):
    """Without waiting for a day, and at no further request."""
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    copy = world.trello.copy(card, "TODO") if copied else None
    world.trello.archive(card)
    for read in ("full", "delta", "delta"):
        world.sync(read=read)
    world.trello.delete(card)
    report = world.assert_idle(read="delta")
    assert (report.read["trello"], world.calls(), report.quarantine) == ("delta", (1, 1), [])
    assert {note["lead_id"] for note in report.notes} == (set() if copied else {lead})
    if copied:
        world.trello.move(copy, "IN_PROGRESS")
    else:
        world.airtable.edit(lead, status="CONTACTED")
    world.sync(read="delta")
    assert (world.status(lead), world.place(lead)) == ("CONTACTED", "IN_PROGRESS")
    world.assert_idle()


@pytest.mark.parametrize("strangers", [0, 1])
def test_deletion_that_the_activity_tells_is_not_lost_when_the_board_is_read_whole_for_it(world, strangers):
    """A card is to be created, so the board is looked through for one that is nobody's yet."""
    recreate = {"SYNC_ON_CARD_DELETED": "recreate"}
    lead = world.linked("Ada", "NEW")
    for _ in range(strangers):
        world.trello.add_card("TODO", "Nobody's")
    card = world.card(lead)["id"]
    world.trello.archive(card)
    for read in ("full", "delta"):
        world.sync(read=read, **recreate)
    world.trello.delete(card)
    assert world.sync(read="delta", **recreate).counts["created"] == 1
    assert world.place(lead) == "TODO"
    world.assert_idle(**recreate)


def test_archived_cards_that_are_still_there_cost_one_request_a_day(world, monkeypatch):
    leads = [world.lead(f"Lead {number}") for number in range(30)]
    world.sync()
    for lead in leads:
        world.trello.archive(world.card(lead)["id"])
    world.sync()
    for _ in range(2):
        days_later(monkeypatch)
        world.assert_idle()
        assert world.calls() == (1, 2)
        world.assert_idle()
        assert world.calls() == (1, 1)


@pytest.mark.parametrize("deleted", [False, True])
def test_archived_card_behind_a_thousand_others_is_found_on_its_page(world, monkeypatch, deleted):
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.trello.archive(card)
    for number in range(1000):
        world.trello.archive(world.trello.add_card("DONE", f"Foreign {number}"))
    world.sync()
    if deleted:
        world.trello.delete(card)
    days_later(monkeypatch)
    assert {note["lead_id"] for note in world.assert_idle().notes} == ({lead} if deleted else set())
    assert world.calls() == (1, 1 + (2 if not deleted else 3))


def test_cards_on_other_boards_are_looked_for_twenty_a_run(world, monkeypatch):
    """The oldest check first, so that each has its turn; then it is quiet for a day."""
    leads, elsewhere = [world.lead(f"Lead {number}") for number in range(25)], world.trello.add_board("Elsewhere")
    world.sync()
    for lead in leads:
        world.trello.move_to_board(world.card(lead)["id"], elsewhere)
    world.sync(allow_mass_change=True)
    days_later(monkeypatch)
    costs = []
    for _ in range(3):
        world.assert_idle()
        costs.append(world.calls())
    assert costs == [(1, 1 + 20), (1, 1 + 5), (1, 1)]


def test_lead_and_archived_card_both_deleted_are_forgotten(world, monkeypatch):
    lead, _ = put_away_then_deleted(world, "archived")
    world.airtable.delete(lead)
    world.sync()
    days_later(monkeypatch)
    world.assert_idle()
    world.airtable.restore(lead)
    world.sync()
    world.assert_one_card_each()
    world.assert_idle()


# Cards on other boards


def test_card_moved_to_another_board_is_left_and_not_replaced(world):
    lead = world.linked("Ada", "NEW")
    world.trello.move_to_board(world.card(lead)["id"], world.trello.add_board("Archive"))
    world.airtable.edit(lead, status="LOST", name="Ada L.")
    before = world.card(lead)
    report = world.sync()
    assert (world.card(lead), world.writes()) == (before, 0)
    assert [note["lead_id"] for note in report.notes] == [lead]
    assert world.assert_idle().notes == []


def test_card_moved_out_of_sight_is_left_and_not_replaced(world):
    lead = world.linked("Ada", "NEW")
    world.trello.move_to_board(world.card(lead)["id"], world.trello.add_board("Secret", visible=False))
    world.airtable.edit(lead, status="LOST")
    world.sync()
    assert (len(world.cards_of(lead)), world.writes()) == (1, 0)


def test_card_back_from_another_board_is_compared_again(world):
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.trello.move_to_board(card, world.trello.add_board("Archive"))
    world.sync()
    world.trello.edit(card, idBoard=world.trello.board_id, idList=world.trello.list_id("DONE"))
    world.sync()
    assert world.status(lead) == "QUALIFIED"
    world.assert_idle()


# Deleted leads


def test_deleted_leads_card_is_archived(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.delete(lead)
    world.sync()
    assert (world.card(lead)["closed"], world.place(lead)) == (True, "TODO")
    world.assert_idle()


@pytest.mark.parametrize("edit", [{"list_name": "DONE"}, {"name": "Keep me"}], ids=["moved", "retitled"])
def test_deleted_leads_card_is_left_if_a_person_moved_it(world, edit):
    lead = world.linked("Ada", "NEW")
    world.airtable.delete(lead)
    world.trello.edit(world.card(lead)["id"], **edit)
    report = world.sync()
    assert world.card(lead)["closed"] is False
    assert [(row["lead_id"], row["kind"]) for row in report.conflicts] == [(lead, "lead deleted")]
    world.assert_idle()
    assert world.card(lead)["closed"] is False


def test_deleted_leads_card_is_left_where_that_is_set(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.delete(lead)
    world.sync(SYNC_ON_LEAD_DELETED="leave")
    assert (world.card(lead)["closed"], world.writes()) == (False, 0)
    world.assert_idle(SYNC_ON_LEAD_DELETED="leave")


def test_deleted_leads_card_unarchived_by_a_person_is_left(world):
    """A person took the card back; archiving it once more would fight them."""
    lead = world.linked("Ada", "NEW")
    world.airtable.delete(lead)
    world.sync()
    world.trello.unarchive(world.card(lead)["id"])
    world.sync()
    assert world.card(lead)["closed"] is False
    world.assert_idle()


def test_restored_lead_gets_its_card_back(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.delete(lead)
    world.sync()
    world.airtable.restore(lead)
    world.airtable.edit(lead, status="CONTACTED", name="Ada L.")
    world.sync()
    assert (world.card(lead)["closed"], world.place(lead), world.card(lead)["name"]) == (False, "IN_PROGRESS", "Ada L.")
    world.assert_idle()


@pytest.mark.parametrize("status", ["NEW", "LOST"])
def test_lead_restored_as_it_was_gets_its_card_back(world, status):
    lead = world.linked("Ada", status)
    world.airtable.delete(lead)
    world.sync()
    world.airtable.restore(lead)
    world.sync()
    assert (world.card(lead)["closed"], world.place(lead), world.status(lead)) == (False, STAGE_OF[status], status)
    world.assert_idle()


def test_restored_lead_does_not_bring_back_a_card_that_a_person_archived(world):
    lead = archived(world)
    world.sync()
    world.airtable.delete(lead)
    world.sync()
    world.airtable.restore(lead)
    world.sync()
    assert (world.card(lead)["closed"], world.writes()) == (True, 0)


def test_lead_restored_between_runs_is_no_news(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.delete(lead)
    world.airtable.restore(lead)
    world.assert_idle()


def test_restored_lead_whose_card_is_deleted_gets_one_card(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.delete(lead)
    world.sync()
    world.trello.delete(world.card(lead)["id"])
    world.sync()
    world.airtable.restore(lead)
    world.sync()
    assert len(world.cards_of(lead)) == 1
    world.assert_idle()


def test_both_gone_is_forgotten(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.delete(lead)
    world.trello.delete(world.card(lead)["id"])
    world.sync()
    assert world.writes() == 0
    world.assert_idle()
    assert world.calls() == (1, 1)


def test_deleted_lead_of_a_card_on_another_board_is_left(world):
    lead = world.linked("Ada", "NEW")
    world.trello.move_to_board(world.card(lead)["id"], world.trello.add_board("Archive"))
    world.airtable.delete(lead)
    world.sync()
    assert (world.card(lead)["closed"], world.writes()) == (False, 0)
    world.assert_idle()


# Views


@pytest.fixture
def viewed(world):
    """A world whose sync sees the view of leads with a source."""
    world.airtable.add_view("Active", lambda cells: bool(cells.get("source")))
    world.env["AIRTABLE_VIEW"] = "Active"
    return world


def test_lead_that_leaves_the_view_is_left_alone(viewed):
    lead = viewed.linked("Ada", "NEW", source="web")
    viewed.airtable.edit(lead, source=None, status="LOST")
    before = viewed.card(lead)
    report = viewed.sync()
    assert (viewed.card(lead), viewed.writes()) == (before, 0)
    assert [note["lead_id"] for note in report.notes] == [lead]
    viewed.assert_idle()
    assert viewed.calls() == (1, 1)


def test_lead_that_comes_back_into_the_view_is_compared_again(viewed):
    lead = viewed.linked("Ada", "NEW", source="web")
    viewed.airtable.edit(lead, source=None)
    viewed.sync()
    viewed.trello.move(viewed.card(lead)["id"], "DONE")
    viewed.sync()
    assert viewed.status(lead) == "NEW"
    viewed.airtable.edit(lead, source="web")
    viewed.sync()
    assert (viewed.status(lead), len(viewed.cards_of(lead))) == ("QUALIFIED", 1)
    viewed.assert_idle()


def test_card_archived_while_its_lead_is_out_of_view_stays_archived(viewed):
    lead = viewed.linked("Ada", "NEW", source="web")
    viewed.airtable.edit(lead, source=None)
    viewed.sync()
    viewed.trello.archive(viewed.card(lead)["id"])
    viewed.sync()
    viewed.airtable.edit(lead, source="web")
    viewed.sync()
    assert (viewed.card(lead)["closed"], len(viewed.cards_of(lead))) == (True, 1)
    viewed.assert_idle()


def test_lead_deleted_while_out_of_view_is_left(viewed):
    """Its card is nobody's to archive: the sync no longer looks after it."""
    lead = viewed.linked("Ada", "NEW", source="web")
    viewed.airtable.edit(lead, source=None)
    viewed.sync()
    viewed.airtable.delete(lead)
    viewed.sync()
    assert viewed.writes() == 0
    viewed.assert_idle()


# Parked cards


def test_parked_card_is_listed_and_nothing_is_written(world):
    world.trello.add_list("Waiting")
    lead = world.linked("Ada", "NEW")
    world.trello.move(world.card(lead)["id"], "Waiting")
    world.airtable.edit(lead, status="CONTACTED")
    report = world.sync()
    assert (world.place(lead), world.status(lead), world.writes()) == ("Waiting", "CONTACTED", 0)
    assert [row["lead_id"] for row in report.quarantine] == [lead]


def test_parked_cards_title_still_goes_both_ways(world):
    world.trello.add_list("Waiting")
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], list_name="Waiting", name="Ada L.")
    world.sync()
    assert world.cells(lead)["name"] == "Ada L."
    world.airtable.edit(lead, name="Ada K.")
    world.sync()
    assert (world.card(lead)["name"], world.place(lead)) == ("Ada K.", "Waiting")


@pytest.mark.parametrize(("back", "status"), [("TODO", "NEW"), ("DONE", "QUALIFIED")])
def test_parked_card_that_returns_is_compared_as_usual(world, back, status):
    world.trello.add_list("Waiting")
    lead = world.linked("Ada", "NEW")
    for place in ("Waiting", back):
        world.trello.move(world.card(lead)["id"], place)
        world.sync()
    assert (world.status(lead), world.place(lead)) == (status, back)
    world.assert_idle()


def test_lost_lead_whose_card_was_parked_and_returns_stays_lost(world):
    world.trello.add_list("Waiting")
    lead = world.linked("Ada", "LOST")
    for place in ("Waiting", "DONE"):
        world.trello.move(world.card(lead)["id"], place)
        world.sync()
    assert world.status(lead) == "LOST"


def test_edit_made_while_the_card_was_parked_moves_it_when_it_returns(world):
    world.trello.add_list("Waiting")
    lead = world.linked("Ada", "NEW")
    world.trello.move(world.card(lead)["id"], "Waiting")
    world.sync()
    world.airtable.edit(lead, status="LOST")
    world.sync()
    world.trello.move(world.card(lead)["id"], "TODO")
    world.sync()
    assert (world.place(lead), world.status(lead)) == ("DONE", "LOST")


# Copies, markers, templates


def test_copy_is_quarantined_and_speaks_for_nobody(world):
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    copy = world.trello.copy(card, "DONE")
    report = world.sync()
    assert [(row["lead_id"], row["card_id"]) for row in report.quarantine] == [(lead, copy)]
    assert "LeadID line" in report.quarantine[0]["remedy"]
    assert (world.status(lead), world.writes()) == ("NEW", 0)
    world.trello.move(card, "IN_PROGRESS")
    world.sync()
    assert world.status(lead) == "CONTACTED"


def test_copy_at_the_first_match_loses_to_the_older_card(world):
    lead = world.lead("Ada", "NEW")
    older = world.trello.add_card("TODO", "Ada", f"LeadID: {lead}")
    newer = world.trello.copy(older, "DONE")
    report = world.sync()
    assert [row["card_id"] for row in report.quarantine] == [newer]
    assert world.status(lead) == "NEW"
    assert len(world.cards_of(lead)) == 2


def test_copy_takes_over_once_the_known_card_is_deleted(world):
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.trello.copy(card)
    world.trello.delete(card)
    world.sync()
    assert len(world.cards_of(lead)) == 1
    world.trello.move(world.card(lead)["id"], "DONE")
    world.sync()
    assert world.status(lead) == "QUALIFIED"
    world.assert_idle()


def test_copy_of_an_archived_card_stays_a_copy(world):
    lead = archived(world)
    copy = world.trello.copy(world.card(lead)["id"], "DONE")
    world.trello.unarchive(copy)
    for _ in range(2):
        report = world.sync()
        assert [row["card_id"] for row in report.quarantine] == [copy]
        assert world.status(lead) == "NEW"


def test_copy_without_its_marker_line_is_anybodys_card(world):
    lead = world.linked("Ada", "NEW")
    copy = world.trello.copy(world.card(lead)["id"], "DONE")
    world.sync()
    world.trello.edit(copy, desc="just text")
    assert world.assert_idle().quarantine == []


def test_card_with_two_markers_is_set_aside_and_neither_lead_gets_a_card(world):
    ada, bob = world.lead("Ada"), world.lead("Bob")
    card = world.trello.add_card("DONE", "Both", f"LeadID: {ada}\nLeadID: {bob}")
    report = world.sync()
    assert [row["card_id"] for row in report.quarantine] == [card]
    assert (world.status(ada), world.status(bob)) == ("NEW", "NEW")
    assert len(world.cards_of(ada)) == len(world.cards_of(bob)) == 1


def test_known_card_with_a_second_marker_is_set_aside(world):
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)
    world.trello.edit(card["id"], desc=f"{card['desc']}\nLeadID: {STRANGER}", list_name="DONE")
    report = world.sync()
    assert (world.status(lead), world.writes(), len(world.cards_of(lead))) == ("NEW", 0, 1)
    assert card["id"] in [row["card_id"] for row in report.quarantine]
    world.trello.edit(card["id"], desc=card["desc"])
    world.sync()
    assert world.status(lead) == "QUALIFIED"


def test_same_marker_twice_in_one_card_is_one_marker(world):
    lead = world.lead("Ada", "NEW")
    world.trello.add_card("DONE", "Ada", f"LeadID: {lead}\n\nLeadID: {lead}")
    world.sync(SYNC_CONFLICT="trello")
    assert world.status(lead) == "QUALIFIED"


def test_template_is_skipped_with_a_reason(world):
    lead = world.lead("Ada", "NEW")
    template = world.trello.add_card("DONE", "Template", f"LeadID: {lead}", isTemplate=True)
    report = world.sync()
    assert [row["card_id"] for row in report.quarantine] == [template]
    assert (world.status(lead), len(world.cards_of(lead))) == ("NEW", 2)


def test_card_turned_into_a_template_is_not_replaced(world):
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], isTemplate=True, list_name="DONE")
    report = world.sync()
    assert (world.status(lead), world.writes(), len(world.cards_of(lead))) == ("NEW", 0, 1)
    assert "the card is a template" in reasons(report, lead)


@pytest.mark.parametrize("kept", ["", "my note", "my note\r\n\r\n", "trailing blanks  \n"])
def test_deleted_marker_is_restored_below_the_persons_text(world, kept):
    lead = world.linked("Ada", "NEW", email="ada@example.com")
    card = world.card(lead)["id"]
    world.trello.edit(card, desc=kept)
    report = world.sync()
    assert ("marker", f"LeadID: {lead}", "to_trello") in written(report)
    assert markers(world.trello.card(card)) == [lead]
    assert world.trello.card(card)["desc"].startswith(kept)
    assert world.writes("trello") == 1
    world.assert_idle()


def test_only_the_marker_line_deleted_from_the_block_is_put_back_in_place(world):
    lead = world.linked("Ada", "NEW", email="ada@example.com")
    card = world.card(lead)
    world.trello.edit(card["id"], desc=f"above\n\n{card['desc'].replace(f'LeadID: {lead}', '').rstrip()}\n\nbelow")
    world.sync()
    assert world.card(lead)["desc"] == f"above\n\n{card['desc']}\n\nbelow"
    world.assert_idle()


def test_marker_deleted_and_card_moved_count_both(world):
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], desc="", list_name="DONE")
    world.sync()
    assert (world.status(lead), world.place(lead)) == ("QUALIFIED", "DONE")
    world.assert_idle()


def test_marker_changed_to_another_lead_is_set_aside(world):
    ada, bob = world.linked("Ada"), world.linked("Bob")
    card = world.card(ada)
    world.trello.edit(card["id"], desc=card["desc"].replace(ada, bob), list_name="DONE")
    report = world.sync()
    assert (world.status(ada), world.status(bob), world.writes()) == ("NEW", "NEW", 0)
    assert (card["id"], f"Put back the line LeadID: {ada}, or delete the card if it is not needed.") in [
        (row["card_id"], row["remedy"]) for row in report.quarantine
    ]
    world.trello.edit(card["id"], desc=card["desc"])
    world.sync()
    assert world.status(ada) == "QUALIFIED"


def test_deleting_the_wrongly_marked_card_leaves_the_other_lead_in_peace(world):
    ada, bob = world.linked("Ada"), world.linked("Bob")
    card = world.card(ada)
    world.trello.edit(card["id"], desc=card["desc"].replace(ada, bob))
    world.sync()
    world.trello.delete(card["id"])
    world.sync()
    world.assert_idle()
    assert (world.cards_of(ada), len(world.cards_of(bob))) == ([], 1)


@pytest.mark.parametrize(
    "line", ["LeadID: {}", "LeadID:{}", "LeadID:   {}  ", "LeadID: {}\r\nWindows line ends\r\n", "text\n\nLeadID: {}\n"]
)
def test_bare_marker_by_hand_is_accepted_and_not_rewritten(world, line):
    lead = world.lead("Ada", "NEW", email="ada@example.com", source="web")
    card = world.trello.add_card("TODO", "Ada", line.format(lead))
    world.sync()
    world.trello.move(card, "DONE")
    world.sync()
    assert (world.status(lead), world.trello.card(card)["desc"]) == ("QUALIFIED", line.format(lead))
    assert len(world.cards_of(lead)) == 1


def test_bare_marker_grows_into_a_block_when_something_must_be_written(world):
    lead = world.lead("Ada", "NEW", email="ada@example.com")
    world.trello.add_card("TODO", "Ada", f"above\nLeadID: {lead}\nbelow")
    world.sync()
    world.airtable.edit(lead, email="new@example.com")
    world.sync()
    desc = world.card(lead)["desc"]
    assert "new@example.com" in desc
    assert desc.startswith("above\n")
    assert desc.endswith("\nbelow")
    world.assert_idle()


@pytest.mark.parametrize("text", ["xLeadID: {}", "LeadID: {} and more", "see LeadID: {}", "LeadID: recShort"])
def test_what_is_not_a_marker_line_is_not_a_marker(world, text):
    lead = world.lead("Ada", "NEW")
    card = world.trello.add_card("DONE", "Ada", text.format(lead))
    world.sync(adopt="none")
    assert (world.place(lead), world.trello.card(card)["desc"]) == ("TODO", text.format(lead))


@pytest.mark.parametrize("how", ["archived", "deleted"])
@pytest.mark.parametrize("status", [None, "CONTACTED"])
def test_status_edited_while_the_card_was_parked_brings_back_no_card_shut_later(world, status, how):
    """It has been seen, be it empty: what comes before the card is shut is no edit since."""
    lead = world.linked("Ada", "LOST")
    card = world.card(lead)["id"]
    world.trello.add_list("Waiting")
    world.trello.move(card, "Waiting")
    world.airtable.edit(lead, status=status)
    world.sync()
    world.trello.archive(card) if how == "archived" else world.trello.delete(card)
    world.assert_idle()
    world.assert_idle()
    world.airtable.edit(lead, status="CONTACTED" if status is None else "NEW")
    world.sync()
    assert world.place(lead) == ("IN_PROGRESS" if status is None else "TODO")
    assert not world.card(lead)["closed"]


@pytest.mark.parametrize("status", [None, "CONTACTED"])
def test_status_edited_while_the_card_was_elsewhere_makes_no_card_for_one_deleted_later(world, status, monkeypatch):
    lead = world.linked("Ada", "LOST")
    card = world.card(lead)["id"]
    world.trello.move_to_board(card, world.trello.add_board("Elsewhere"))
    world.sync()
    world.airtable.edit(lead, status=status)
    world.assert_idle()
    world.trello.delete(card)
    days_later(monkeypatch)
    world.assert_idle()
    assert world.cards_of(lead) == []
