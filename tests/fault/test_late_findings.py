"""What a run that was cut, or could not read the feed, left unsaid: the next run finds it and lists it."""

from contextlib import nullcontext
from itertools import count
from unittest.mock import patch

import pytest

from emulator import Fault
from emulator.trello.account import Actor
from leadsync.core.feed import Feed
from leadsync.core.journal import IntentState
from leadsync.state.journal import Journal
from leadsync.state.store import StateStore
from leadsync.trello.feed import BEFORE, OF_A_WRITE
from support.harness import World, findings
from support.kills import Killed, dying, killed, killed_after, killed_before
from support.mapped_scene import SHOWN

POLICIES = pytest.mark.parametrize("policy", ["airtable", "trello"])


def just_before_put(world: World, act) -> None:
    """A person acts once, between the plan and the first PUT."""
    done = []

    def before(request, _index):
        if request.method == "PUT" and not done:
            done.append(act())

    world.emulator.before_request(before)


def moved_and_renamed(world: World, lead: str):
    card = world.card(lead)["id"]
    return lambda: world.trello.edit(card, list_name="DONE", name="Mine")


def rest(world: World, **changes: str) -> list[dict]:
    """Runs until nothing is written. Returns: all conflicts that were listed."""
    conflicts = []
    for _ in range(4):
        report = world.sync(exit_code=None, **changes)
        conflicts += report.conflicts
        if not world.writes():
            break
    world.assert_idle(**changes)
    return conflicts


def assert_not_lost(world: World, lead: str, conflicts: list[dict]) -> None:
    """The person's list and title are in force or listed."""
    found = [value for row in findings(conflicts, lead) for value in row]
    assert world.status(lead) == "QUALIFIED" or "DONE" in found
    assert world.cells(lead)["name"] == "Mine" or "Mine" in found


# --- an edit that our PUT landed on ----------------------------------------------------------------------------


@POLICIES
@pytest.mark.parametrize("moment", ["before-recording", "before-the-feed", "after-the-feed"])
def test_overwritten_edit_is_found_by_the_run_after_a_kill(world, policy, moment):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED", name="Ada L.")
    just_before_put(world, moved_and_renamed(world, lead))
    cut = {
        "before-recording": lambda: killed_after("PUT"),
        "before-the-feed": lambda: killed_before("GET", "/actions"),
        "after-the-feed": lambda: killed_after("GET", "/actions"),
    }[moment]
    with cut():
        world.sync(SYNC_CONFLICT=policy)
    assert_not_lost(world, lead, rest(world, SYNC_CONFLICT=policy))
    winner = ("CONTACTED", "Ada L.") if policy == "airtable" else ("QUALIFIED", "Mine")
    assert (world.status(lead), world.cells(lead)["name"]) == winner


@POLICIES
def test_overwritten_edit_is_found_once_the_feed_answers_again(world, policy):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED", name="Ada L.")
    just_before_put(world, moved_and_renamed(world, lead))
    world.emulator.inject(Fault("status", path="/actions", status=500, times=99))
    report = world.sync(exit_code=None, SYNC_CONFLICT=policy)
    assert any("activity" in row["note"] for row in report.notes)
    world.sync(exit_code=None, SYNC_CONFLICT=policy)  # still away: nothing is forgotten
    world.emulator.clear_faults()
    assert_not_lost(world, lead, rest(world, SYNC_CONFLICT=policy))


@POLICIES
@pytest.mark.parametrize("edit", [{"list_name": "IN_PROGRESS"}, {"name": "Mine"}], ids=["moved", "renamed"])
@pytest.mark.parametrize("end", ["answered", "killed"])
def test_edit_between_two_sendings_of_a_put_is_found_though_the_feed_shows_only_the_first(tmp_path, policy, edit, end):
    """The activity is told a little late; a row whose PUT was sent twice waits for the second sending."""
    world = World(tmp_path, trello_actions_lag=0.5)
    lead, other = world.linked("Ada", "NEW"), world.linked("Bob", "NEW")
    card, sent = world.card(lead)["id"], []
    world.airtable.edit(lead, status="LOST", name="Ada L.")
    world.emulator.inject(Fault("status_after", method="PUT", status=500))

    def before(request, _index):
        if request.method == "PUT":
            sent.append(request)
            if len(sent) == 2:
                world.emulator.clock.advance(1.0)
                world.trello.edit(card, **edit)

    remove = world.emulator.before_request(before)
    with dying(lambda request: len(sent) == 2, after=True) if end == "killed" else nullcontext():
        with pytest.raises(Killed) if end == "killed" else nullcontext():
            world.sync(SYNC_CONFLICT=policy)
    remove()
    report = world.sync(SYNC_CONFLICT=policy)
    conflicts = [*report.conflicts, *rest(world, SYNC_CONFLICT=policy)]
    assert {row[0] for row in findings(conflicts, lead)} >= {"status" if "list_name" in edit else "name"}
    mine = ("CONTACTED", "Ada L.") if "list_name" in edit else ("LOST", "Mine")
    assert (world.status(lead), world.cells(lead)["name"]) == (mine if policy == "trello" else ("LOST", "Ada L."))
    assert world.status(other) == "NEW"
    world.close()


@pytest.mark.parametrize("page", [{"PAGE": 10}, {"BEFORE": 5, "OF_A_WRITE": 0}])
def test_overwritten_edit_is_found_behind_more_cards_than_a_page_of_the_feed(world, page):
    """The edit came before the first of many writes."""
    leads = [world.lead(f"Lead {number}") for number in range(24)]
    world.sync()
    for lead in leads:
        world.airtable.edit(lead, status="CONTACTED", name="Renamed")
    just_before_put(world, moved_and_renamed(world, leads[0]))
    with patch.multiple("leadsync.trello.feed", **page), patch("leadsync.apply.cards.WRITERS", 1):
        conflicts = world.sync().conflicts
    assert {row[0] for row in findings(conflicts, leads[0])} == {"status", "name"}


def test_what_a_busy_run_reads_of_the_feed_follows_its_writes_not_the_age_of_the_board(world):
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    for number in range(500):
        world.trello.edit(card, name=f"Ada {number}")
    world.sync()
    world.emulator.clock.advance(3_600.0)
    world.airtable.edit(lead, status="CONTACTED")
    with patch("leadsync.apply.repair_cards.Feed", wraps=Feed) as feeds:
        world.sync()
    (looked,) = feeds.call_args_list
    assert 0 < len(looked.args[0]) <= BEFORE + OF_A_WRITE


def test_overwritten_edit_is_listed_when_the_card_went_on_meanwhile(world):
    """The run was killed; before the next one the lead has moved on and a person has renamed the card again."""
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED", name="Ada L.")
    just_before_put(world, moved_and_renamed(world, lead))
    with killed_before("GET", "/actions"):
        world.sync()
    world.trello.edit(world.card(lead)["id"], list_name="TODO", name="Once more")
    conflicts = rest(world)
    assert {("status", "DONE"), ("name", "Mine")} <= {(row[0], row[2]) for row in findings(conflicts, lead)}
    assert (world.status(lead), world.cells(lead)["name"]) == ("NEW", "Once more")


def test_overwritten_edit_that_trello_does_not_take_back_is_listed_and_holds_up_nothing(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED", name="Ada L.")
    just_before_put(world, moved_and_renamed(world, lead))
    with killed_before("GET", "/actions"):
        world.sync()
    world.emulator.inject(Fault("status", method="PUT", status=400, times=2))
    report = world.sync(exit_code=None)
    assert {("status", "DONE"), ("name", "Mine")} <= {(row[0], row[2]) for row in findings(report.conflicts, lead)}
    world.assert_idle()
    assert (world.status(lead), world.place(lead), world.card(lead)["name"]) == ("CONTACTED", "IN_PROGRESS", "Ada L.")


@pytest.mark.parametrize("what", ["guard", "token"])
def test_run_that_is_refused_after_it_gave_something_back_is_incomplete(world, what):
    """Nothing else was written; yet 2 and 3 say that nothing was."""
    uninvolved = [world.lead(f"Lead {number}", "CONTACTED") for number in range(12)]
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED", name="Ada L.")
    just_before_put(world, moved_and_renamed(world, lead))
    with killed_before("GET", "/actions"):
        world.sync()
    meanwhile = {"guard": lambda: [*map(world.airtable.delete, uninvolved)], "token": world.airtable.revoke}
    just_before_put(world, meanwhile[what])
    report = world.sync(exit_code=1)
    assert (world.writes("trello"), report.changes) == (2, [])


@POLICIES
def test_edit_back_to_what_was_agreed_while_a_give_back_was_cut_off_is_an_edit(world, policy):
    """Killed when the base had forgotten our write, and the card still held it."""
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED", name="Ada L.")
    just_before_put(world, moved_and_renamed(world, lead))
    with killed_before("GET", "/actions"):
        world.sync(SYNC_CONFLICT=policy)
    with killed_before("PUT"):
        world.sync(SYNC_CONFLICT=policy)
    world.trello.edit(world.card(lead)["id"], list_name="TODO", name="Ada")
    conflicts = rest(world, SYNC_CONFLICT=policy)
    assert {("status", "DONE"), ("name", "Mine")} <= {(row[0], row[2]) for row in findings(conflicts, lead)}
    assert (world.status(lead), world.cells(lead)["name"]) == ("NEW", "Ada")


@POLICIES
def test_edit_after_a_kill_is_no_conflict_though_another_cell_is_given_back(world, policy):
    """The killed PUT landed on a move; its title was agreed, and a person has renamed the card since."""
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED", name="Ada L.")
    just_before_put(world, lambda: world.trello.move(world.card(lead)["id"], "DONE"))
    with killed_after("PUT"):
        world.sync(SYNC_CONFLICT=policy)
    world.trello.edit(world.card(lead)["id"], name="Ada M.")
    conflicts = rest(world, SYNC_CONFLICT=policy)
    assert {row[0] for row in findings(conflicts, lead)} == {"status"}
    assert world.cells(lead)["name"] == "Ada M."


@POLICIES
@pytest.mark.parametrize("pause", [5.0, 100.0], ids=["soon", "late"])
def test_overwritten_edit_is_found_though_a_newer_write_followed_before_the_feed_was_read(world, policy, pause):
    """The run was killed, the card renamed again, and the next run wrote while the feed was away."""
    world.pause = pause
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, name="Ada L.")
    just_before_put(world, lambda: world.trello.edit(world.card(lead)["id"], name="Mine"))
    with killed_after("PUT"):
        world.sync(SYNC_CONFLICT=policy)
    world.trello.edit(world.card(lead)["id"], name="Third")
    world.emulator.inject(Fault("status", path="/actions", status=500, times=99))
    conflicts = world.sync(exit_code=None, SYNC_CONFLICT=policy).conflicts
    world.emulator.clear_faults()
    conflicts += rest(world, SYNC_CONFLICT=policy)
    for typed in ("Mine", "Third"):
        assert world.card(lead)["name"] == typed or typed in [row[2] for row in findings(conflicts, lead)]


@POLICIES
def test_overwritten_edit_is_decided_in_the_same_run_by_a_clock_of_whole_seconds(tmp_path, policy):
    """The write of the next pass is not taken for a second sending of the first."""
    world = World(tmp_path, trello_server_time=False)
    world.lead("Uninvolved", "CONTACTED")
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED", name="Ada L.")
    just_before_put(world, moved_and_renamed(world, lead))
    report = world.sync(SYNC_CONFLICT=policy)
    assert_not_lost(world, lead, report.conflicts)
    assert report.postponed == []
    world.close()


def test_overwritten_note_is_given_back_by_the_run_after_a_kill(world):
    """A note typed between the re-read and the PUT of the description."""
    lead = world.linked("Ada", "NEW", email="ada@example.com")
    world.airtable.edit(lead, email="new@example.com")
    card = world.card(lead)["id"]
    just_before_put(world, lambda: world.trello.edit(card, desc=f"My note.\n\n{world.trello.card(card)['desc']}"))
    with killed_after("PUT"):
        world.sync()
    rest(world)
    assert world.card(lead)["desc"].startswith("My note.\n\n")
    assert "new@example.com" in world.card(lead)["desc"]


def test_overwritten_note_in_a_long_description_is_listed_when_the_card_went_on_meanwhile(world):
    """Of the description its new line is listed, not its beginning."""
    lead = world.linked("Ada", "NEW", email="ada@example.com")
    card = world.card(lead)["id"]
    world.trello.edit(card, desc=f"{'Old notes. ' * 500}\n\n{world.trello.card(card)['desc']}")
    world.sync()
    world.airtable.edit(lead, email="new@example.com")
    noted = world.trello.card(card)["desc"].replace("\n\n", "\n\nCall after five.\n\n", 1)
    just_before_put(world, lambda: world.trello.edit(card, desc=noted))
    with killed_after("PUT"):
        world.sync()
    world.trello.edit(card, desc=f"Went on.\n{world.trello.card(card)['desc']}")
    conflicts = rest(world)
    assert [row["trello"].splitlines()[0] for row in conflicts if row["field"] == "description"] == ["Call after five."]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_edit_is_not_lost_by_a_kill_at_any_request_of_giving_back(tmp_path, after):
    """Also while it is being given back."""
    for at in count():
        folder = tmp_path / str(at)
        folder.mkdir()
        here = World(folder, ordered=True)
        here.lead("Uninvolved", "CONTACTED")
        lead = here.linked("Ada", "NEW")
        here.airtable.edit(lead, status="CONTACTED", name="Ada L.")
        just_before_put(here, moved_and_renamed(here, lead))
        with killed_before("GET", "/actions"):
            here.sync()
        conflicts, struck = [], False
        with killed(at, after):
            try:
                conflicts = here.sync(exit_code=None).conflicts
            except Killed:
                struck = True
        assert_not_lost(here, lead, conflicts + rest(here))
        here.close()
        if not struck:
            break
    assert at > 3


def test_idle_run_costs_what_it_did_once_the_feed_has_shown_our_writes(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED", name="Ada L.", email="new@example.com")
    world.sync()
    world.assert_idle()
    assert world.calls() == (1, 1)


def test_write_that_no_feed_ever_shows_is_not_asked_for_for_ever(world):
    """A PUT that changed nothing leaves no trace; a minute later that is known."""
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED")
    just_before_put(world, lambda: world.trello.move(world.card(lead)["id"], "IN_PROGRESS"))
    world.sync()
    world.sync()
    world.assert_idle()
    assert world.calls() == (1, 1)


def test_unchecked_writes_are_listed_after_a_week(world):
    """A feed that stays away for so long is told about, and no longer waited for."""
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED")
    world.emulator.inject(Fault("status", path="/actions", status=500, times=999))
    world.sync(exit_code=None)
    world.emulator.clock.advance(8 * 86_400)
    report = world.sync(exit_code=None)
    assert any(row["lead_id"] == lead and "could not be checked" in row["note"] for row in report.notes)
    world.emulator.clear_faults()
    world.assert_idle()
    assert world.calls() == (1, 1)


@pytest.mark.parametrize("kind", ["drop_after", "status_after"])
def test_edit_that_takes_back_a_put_before_it_is_sent_again_is_listed(world, kind):
    """The PUT took effect without an answer; what its second sending replaced is just what it had been planned on."""
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.airtable.edit(lead, status="CONTACTED", name="Ada L.")
    puts = []

    def before(request, _index):
        if request.method == "PUT":
            puts.append(request)
            if len(puts) == 2:
                world.trello.edit(card, list_name="TODO", name="Ada")

    world.emulator.before_request(before)
    world.emulator.inject(Fault(kind, method="PUT", status=500))
    conflicts = world.sync().conflicts + rest(world)
    assert {("status", "TODO"), ("name", "Ada")} <= {(row[0], row[2]) for row in findings(conflicts, lead)}


# --- half a proof ---------------------------------------------------------------------------------------------

NURTURE = '{"NEW": "TODO", "Nurture": "TODO", "CONTACTED": "IN_PROGRESS", "QUALIFIED": "DONE", "LOST": "DONE"}'


@pytest.mark.parametrize("cut", [killed_before, killed_after], ids=["before", "after"])
def test_write_of_a_tick_alone_is_not_proven_by_an_equal_list(world, cut):
    """Both statuses lie in TODO; all that the write sends is that the card is not done."""
    world.env["SYNC_STATUS_MAP"] = NURTURE
    world.airtable.add_select_option("status", "Nurture")
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="Nurture")
    world.trello.edit(world.card(lead)["id"], dueComplete=True)
    with cut("PUT"):
        world.sync()
    conflicts = rest(world)
    assert (world.status(lead), world.place(lead), world.card(lead)["dueComplete"]) == ("Nurture", "TODO", False)
    assert findings(conflicts, lead) == [("status", "Nurture", "DONE")]


def test_move_and_tick_are_one_write_and_proven_together(world):
    """The list is as we meant it because a person put it there; the tick that we would have taken away stands."""
    lead = world.linked("Ada", "QUALIFIED")
    world.trello.edit(world.card(lead)["id"], dueComplete=True)
    world.sync()
    world.airtable.edit(lead, status="NEW")
    with killed_before("PUT"):
        world.sync()
    world.trello.move(world.card(lead)["id"], "TODO")
    rest(world)
    assert (world.status(lead), world.place(lead)) == ("NEW", "TODO")


# --- conflicts of a run that was cut ---------------------------------------------------------------------------


@POLICIES
@pytest.mark.parametrize("moment", ["after-the-write", "after-recording", "before-the-feed"])
def test_conflict_settled_by_a_run_that_was_cut_is_listed_once_by_the_next(world, policy, moment):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED", name="Ada L.")
    world.trello.edit(world.card(lead)["id"], list_name="DONE", name="Mine")
    method = "PUT" if policy == "airtable" else "PATCH"
    if moment == "after-recording":
        record = Journal.record

        def record_and_die(self, *args, **more):
            record(self, *args, **more)
            raise Killed

        with patch.object(Journal, "record", record_and_die), pytest.raises(Killed):
            world.sync(SYNC_CONFLICT=policy)
    elif moment == "before-the-feed" and policy == "airtable":
        with killed_before("GET", "/actions"):
            world.sync(SYNC_CONFLICT=policy)
    else:
        with killed_after(method):
            world.sync(SYNC_CONFLICT=policy)
    report = world.sync(SYNC_CONFLICT=policy)
    assert findings(report.conflicts, lead) == [("status", "CONTACTED", "DONE"), ("name", "Ada L.", "Mine")]
    assert findings(world.assert_idle(SYNC_CONFLICT=policy).conflicts, lead) == []


def test_conflict_of_a_run_that_was_cut_before_it_wrote_is_listed_once(world):
    """It is found anew, not told twice."""
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED")
    world.trello.move(world.card(lead)["id"], "DONE")
    with killed_before("PUT"):
        world.sync()
    assert findings(world.sync().conflicts, lead) == [("status", "CONTACTED", "DONE")]


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("service", ["airtable", "trello"])
def test_conflict_of_a_cut_run_is_listed_though_the_next_run_fails(world, recorded, service):
    """Whatever that run could say, in the end one that is read has named both values."""
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED")
    world.trello.move(world.card(lead)["id"], "DONE")
    with killed_before("GET", "/actions") if recorded else killed_after("PUT"):
        world.sync()
    world.emulator.inject(Fault("status", service=service, status=500, times=50))
    conflicts = world.sync(exit_code=1).conflicts
    world.emulator.clear_faults()
    conflicts += world.sync().conflicts
    assert set(findings(conflicts, lead)) == {("status", "CONTACTED", "DONE")}


def test_conflict_of_a_cut_run_shows_in_a_dry_run_and_is_still_told_by_the_next(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED")
    world.trello.move(world.card(lead)["id"], "DONE")
    with killed_after("PUT"):
        world.sync()
    assert findings(world.sync(dry_run=True).conflicts, lead) == [("status", "CONTACTED", "DONE")]
    assert findings(world.sync().conflicts, lead) == [("status", "CONTACTED", "DONE")]


# --- an archive that lands on an edit --------------------------------------------------------------------------


CUTS = pytest.mark.parametrize(
    "cut", [None, "PUT", "/actions"], ids=["whole", "killed-after-the-put", "killed-at-the-feed"]
)


def assert_spared(world: World, lead: str, edit, cut: str | None) -> None:
    """The lead is deleted, and a person edits its card just before that is archived by a run, be it cut off."""
    card = world.card(lead)["id"]
    world.airtable.delete(lead)
    just_before_put(world, edit)
    conflicts = []
    if cut is None:
        conflicts += world.sync().conflicts
    else:
        with killed_after("PUT") if cut == "PUT" else killed_before("GET", cut):
            world.sync()
    conflicts += world.sync().conflicts
    assert world.trello.card(card)["closed"] is False
    assert ("card", "deleted") in {row[:2] for row in findings(conflicts, lead)}


@pytest.mark.parametrize(
    "edit", [{"list_name": "DONE"}, {"name": "Mine"}, {"dueComplete": True}], ids=["moved", "renamed", "ticked"]
)
@CUTS
def test_card_edited_just_before_it_is_archived_is_spared(world, edit, cut):
    """As if it had been edited before the run: the lead is gone, the card is a person's to decide about."""
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    assert_spared(world, lead, lambda: world.trello.edit(card, **edit), cut)
    assert world.sync().exit_code == 0
    assert world.writes() == 0


@CUTS
@pytest.mark.parametrize("card", SHOWN)
def test_card_whose_mapped_cell_is_edited_just_before_it_is_archived_is_spared(mapped, card, cut):
    """Whatever a person may say on a card counts, and not only what every card has."""
    world, shown = mapped, SHOWN[card]
    lead = world.lead("Ada", "NEW", **{shown.column: shown.values[0]})
    world.sync()
    world.sync()
    card_id = world.card(lead)["id"]
    assert_spared(world, lead, lambda: shown.put(world, card_id, shown.values[1]), cut)
    world.assert_idle()


def take_label_off(world, lead):
    """As another program does."""
    world.trello.remove_label(world.card(lead)["id"], "Old", traced=False)


def delete_option(world, lead):
    """The cards that had it have nothing there now."""
    world.trello.delete_option("Mood", "Bad")
    world.airtable.edit(lead, Mood=None)


@pytest.mark.parametrize(("card", "act"), [("labels", take_label_off), ("custom:Mood", delete_option)])
def test_card_whose_cell_changed_unheard_long_before_it_is_archived_stays_archived(mapped, card, act):
    """The last that the activity tells of the cell is not what was read: no edit came between read and write."""
    world, shown = mapped, SHOWN[card]
    lead = world.lead("Ada", "NEW", **{shown.column: shown.values[0]})
    world.sync()
    world.airtable.edit(lead, **{shown.column: shown.values[1]})
    world.sync()
    card_id = world.card(lead)["id"]
    act(world, lead)
    world.sync()
    world.assert_idle()
    world.airtable.delete(lead)
    world.emulator.clock.advance(30)
    report = world.sync()
    assert (report.conflicts, world.trello.card(card_id)["closed"]) == ([], True)
    assert world.writes() == 1
    world.assert_idle()


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "killed"])
def test_card_that_cannot_be_opened_again_is_listed(world, cut):
    """A person's edit lies in the archive: whoever reads the report must learn where."""
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.airtable.delete(lead)
    just_before_put(world, lambda: world.trello.edit(card, name="Mine"))
    world.emulator.inject(Fault("status", method="PUT", member="closed", status=400, nth=2, times=9))
    if cut:
        with killed_after("PUT"):
            world.sync()
    conflicts = world.sync(exit_code=None).conflicts
    assert world.trello.card(card)["closed"] is True
    told = [(row["card_id"], *each) for row, each in zip(conflicts, findings(conflicts, lead), strict=True)]
    assert told == [(card, "card", "deleted", "Mine in TODO")]
    assert conflicts[0]["resolution"] == "archived all the same; open the card again if it is to stay"
    world.emulator.clear_faults()
    assert world.sync().conflicts == []
    world.assert_idle()


def test_card_unticked_just_before_it_is_archived_is_archived(world):
    """That moves it nowhere: it is taken back at first, and then archived after all."""
    lead = world.linked("Ada", "QUALIFIED")
    card = world.card(lead)["id"]
    world.trello.edit(card, dueComplete=True)
    world.sync()
    world.airtable.delete(lead)
    just_before_put(world, lambda: world.trello.edit(card, dueComplete=False))
    assert world.sync().conflicts == []
    assert world.trello.card(card)["closed"] is True
    world.assert_idle()


@pytest.mark.parametrize("then", ["archive", "leave"])
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "killed"])
def test_card_opened_again_is_told_whatever_becomes_of_cards_without_a_lead(world, cut, then):
    """The run that opens it says so, be it that such cards are to be left by now."""
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.airtable.delete(lead)
    just_before_put(world, lambda: world.trello.edit(card, list_name="DONE"))
    if cut:
        with killed_after("PUT"):
            world.sync()
    report = world.sync(SYNC_ON_LEAD_DELETED=then if cut else "archive")
    assert world.trello.card(card)["closed"] is False
    told = [(row["card_id"], row["field"], row["after"], row["outcome"]) for row in report.changes]
    assert told == [(card, "card", "archived", "done")] * (not cut) + [(card, "card", "un-archived", "done")]
    world.assert_idle(SYNC_ON_LEAD_DELETED=then)


def test_card_taken_back_after_the_run_that_archived_it_was_killed_is_spared(world):
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    world.airtable.delete(lead)
    with killed_after("PUT"):
        world.sync()
    world.trello.unarchive(card)
    assert findings(world.sync().conflicts, lead)[0][:2] == ("card", "deleted")
    assert world.trello.card(card)["closed"] is False
    world.assert_idle()


def test_card_archived_after_the_run_that_took_it_back_was_killed_stays_archived(world):
    lead = world.linked("Ada", "QUALIFIED")
    card = world.card(lead)["id"]
    world.trello.archive(card)
    world.sync()
    world.airtable.edit(lead, status="NEW")
    with killed_after("PUT"):
        world.sync()
    world.trello.archive(card)
    world.sync()
    assert world.trello.card(card)["closed"] is True
    world.assert_idle()


def test_card_nobody_touched_is_archived_with_one_request_and_one_look_at_the_feed(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.delete(lead)
    world.sync()
    assert world.card(lead)["closed"]
    world.assert_idle()


# --- writes that never took place ------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["lead", "card", "new card"])
def test_write_that_never_took_place_is_not_waited_for_for_ever(world, side):
    """It failed, and people have taken back what it was for: a minute later the journal is empty."""
    lead = world.linked("Ada", "NEW")
    card = world.card(lead)["id"]
    if side == "lead":
        world.trello.move(card, "DONE")
    elif side == "card":
        world.airtable.edit(lead, status="LOST")
    else:
        made = world.lead("Bob")
    method = {"lead": "PATCH", "card": "PUT", "new card": "POST"}[side]
    world.emulator.inject(Fault("status", method=method, status=500, times=50))
    world.sync(exit_code=1)
    world.emulator.clear_faults()
    if side == "lead":
        world.trello.move(card, "TODO")
    elif side == "card":
        world.airtable.edit(lead, status="NEW")
    else:
        world.airtable.delete(made)
    world.assert_idle()
    store = StateStore(world.env["SYNC_STATE_URL"])
    (pair,) = store.holders.load_all(world.airtable.base_id)
    place = pair.split("/")
    kept = store.journal.load_intents(f"{place[0]}/Leads/{place[-1]}", *IntentState)
    store.close()
    assert kept == []
    world.assert_idle()
    assert world.calls() == (1, 1)


# --- a person did just what a killed write was to do ------------------------------------------------------------


@POLICIES
def test_edit_alike_to_a_write_that_never_was_is_in_force_or_listed(world, policy):
    """An equal cell proves no write where the activity says that somebody set it by hand."""
    lead = world.linked("Ada", "LOST")
    world.airtable.edit(lead, status="CONTACTED", name="Ada L.")
    with killed_before("PUT"):
        world.sync(SYNC_CONFLICT=policy)
    world.airtable.edit(lead, status="LOST", name="Ada")
    world.trello.edit(world.card(lead)["id"], list_name="IN_PROGRESS", name="Ada L.")
    conflicts = rest(world, SYNC_CONFLICT=policy)
    found = {(row[0], row[1], row[2]) for row in findings(conflicts, lead)}
    assert {("status", "LOST", "IN_PROGRESS"), ("name", "Ada", "Ada L.")} <= found
    in_force = ("LOST", "Ada") if policy == "airtable" else ("CONTACTED", "Ada L.")
    assert (world.status(lead), world.cells(lead)["name"]) == in_force


def test_edit_alike_to_a_write_that_came_to_be_is_no_conflict(world):
    """The write is in the activity, by a program; what a person does with the card after that is a move of theirs."""
    lead = world.linked("Ada", "LOST")
    world.airtable.edit(lead, status="CONTACTED")
    with killed_after("PUT"):
        world.sync()
    card = world.card(lead)["id"]
    world.trello.move(card, "DONE")
    world.trello.move(card, "IN_PROGRESS")
    world.airtable.edit(lead, status="LOST")
    assert rest(world) == []
    assert world.status(lead) == "LOST"


def test_service_that_names_no_program_leaves_the_cell_as_the_proof(world):
    """Keys of old bear no name: then nobody's hand can be told, and an edit after a kill is still no conflict."""
    lead = world.lead("Ada", status="LOST")
    nameless = patch("emulator.trello.service.Actor", lambda member, _app, identifier: Actor(member, None, identifier))
    with nameless:
        world.sync()
        world.airtable.edit(lead, status="CONTACTED")
        with killed_after("PUT"):
            world.sync()
        world.airtable.edit(lead, status="LOST")
        assert rest(world) == []
    assert world.status(lead) == "LOST"


@pytest.mark.parametrize("gone", ["archived", "to another board"])
def test_run_after_a_kill_leaves_a_lead_alone_whose_card_is_away_with_two_markers_and_its_copy_open(world, gone):
    """What was written is recorded, and nothing is decided about a card that is not among the open ones."""
    lead, other = world.linked("Ada", "NEW"), world.linked("Bob", "NEW")
    card = world.card(lead)["id"]
    world.trello.move(card, "IN_PROGRESS")
    with killed_after("PATCH"):
        world.sync()
    world.trello.copy(card, "TODO")
    world.trello.edit(card, desc=f"{world.trello.card(card)['desc']}\nLeadID: {other}")
    if gone == "archived":
        world.trello.archive(card)
    else:
        world.trello.move_to_board(card, world.trello.add_board("Elsewhere"))
    report = world.sync()
    assert lead in {row["lead_id"] for row in report.quarantine}
    world.assert_idle()
    world.assert_idle(read="delta")
