"""Leads and cards that meet without a base: what a write will bring is not agreed before it, a fallback is no name."""

import pytest

from emulator import Fault
from support.harness import findings

POLICIES = ("airtable", "trello", "hold")
OLD, NEW = "old@example.com", "new@example.com"


@pytest.fixture
def lose_state(tmp_path):
    """The state database is gone, with its lock."""

    def lose():
        for file in tmp_path.glob("state.sqlite3*"):
            file.unlink()

    return lose


def let_every_put_fail(world):
    """Returns: what brings the service back."""
    world.emulator.inject(Fault("status", service="trello", method="PUT", status=500, times=999))
    return world.emulator.clear_faults


def edit_before_the_first(world, path, **cells):
    """A person edits the card just before the first request for `path`."""
    done = []

    def edit(request, index):
        if request.path.endswith(path) and not done:
            done.append(index)
            world.trello.edit(path.rpartition("/")[2], **cells)

    world.emulator.before_request(edit)


# The block


@pytest.mark.parametrize("cells", [{"email": NEW}, {"source": "web"}, {"email": None}, {"email": NEW, "source": "web"}])
@pytest.mark.parametrize("how", ["refused", "postponed"])
def test_block_that_was_not_written_at_the_first_match_is_written_later(world, lose_state, how, cells):
    """What the block still shows is not taken for Trello's own rewriting of what we never wrote."""
    lead = world.linked("Ada", "NEW", email=OLD, source="fair")
    world.airtable.edit(lead, **cells)
    lose_state()
    if how == "refused":
        mend = let_every_put_fail(world)
        world.sync(exit_code=1)
        mend()
    else:
        edit_before_the_first(world, f"/cards/{world.card(lead)['id']}", name="Renamed")
    world.sync()
    shown = {"email": OLD, "source": "fair"} | {cell: value or "–" for cell, value in cells.items()}
    lines = world.card(lead)["desc"].split("\n")
    assert {f"E-mail: {shown['email']}", f"Source: {shown['source']}"} <= set(lines)
    world.assert_idle()


def test_block_that_had_no_room_at_the_first_match_is_written_once_it_has(world, lose_state):
    lead = world.linked("Ada", "NEW", email=OLD)
    card = world.card(lead)
    world.trello.edit(card["id"], desc=f"{'n' * (16_384 - len(card['desc']) - 2)}\n\n{card['desc']}")
    world.airtable.edit(lead, email="longer_" + NEW)
    lose_state()
    assert [row["lead_id"] for row in world.sync().quarantine] == [lead]
    assert [row["lead_id"] for row in world.sync().quarantine] == [lead]
    world.trello.edit(card["id"], desc=card["desc"])
    world.sync()
    assert f"E-mail: longer_{NEW}" in world.card(lead)["desc"].split("\n")
    world.assert_idle()


def test_bare_marker_still_only_grows_when_something_must_be_written(world, lose_state):
    lead = world.lead("Ada", "NEW", email=OLD)
    card = world.trello.add_card("TODO", "Ada", f"LeadID: {lead}")
    for _ in range(2):
        world.sync()
        assert (world.writes(), world.card(lead)["desc"]) == (int(_ == 0), f"LeadID: {lead}")
    lose_state()
    world.assert_idle()
    world.airtable.edit(lead, email=NEW)
    world.sync()
    assert f"E-mail: {NEW}" in world.card(lead)["desc"].split("\n")
    assert world.card(lead)["id"] == card
    world.assert_idle()


def test_line_edited_by_hand_to_what_the_lead_says_is_agreed_so(world):
    """Put back by hand later, it is a hand edit, and not how Trello gave back what we once wrote."""
    lead = world.linked("Ada", "NEW", email=OLD)
    card = world.card(lead)
    world.airtable.edit(lead, email=NEW)
    world.trello.edit(card["id"], desc=card["desc"].replace(OLD, NEW))
    world.assert_idle()
    world.trello.edit(card["id"], desc=card["desc"])
    world.sync()
    assert f"E-mail: {NEW}" in world.card(lead)["desc"].split("\n")
    world.assert_idle()


@pytest.mark.parametrize("policy", POLICIES)
def test_first_match_whose_writes_all_fail_is_decided_again_as_one(world, lose_state, policy):
    """Nothing of it counts as agreed: the same conflicts are listed, and the same side wins."""
    lead = world.linked("Ada", "NEW", email=OLD)
    world.airtable.edit(lead, status="CONTACTED", name="Left", email=NEW)
    world.trello.edit(world.card(lead)["id"], list_name="DONE", name="Right")
    lose_state()
    world.emulator.inject(Fault("status", method="PUT", status=500, times=999))
    world.emulator.inject(Fault("status", method="PATCH", status=500, times=999))
    first = world.sync(exit_code=1, SYNC_CONFLICT=policy)
    world.emulator.clear_faults()
    second = world.sync(SYNC_CONFLICT=policy)
    assert findings(second.conflicts, lead) == findings(first.conflicts, lead) != []
    assert {row["kind"] for row in second.conflicts} == {"first match"}
    outcome = (world.status(lead), world.cells(lead)["name"], world.place(lead), world.card(lead)["name"])
    assert (
        outcome
        == {
            "airtable": ("CONTACTED", "Left", "IN_PROGRESS", "Left"),
            "trello": ("QUALIFIED", "Right", "DONE", "Right"),
            "hold": ("CONTACTED", "Left", "DONE", "Right"),
        }[policy]
    )
    assert f"E-mail: {NEW}" in world.card(lead)["desc"].split("\n")
    world.assert_idle(SYNC_CONFLICT=policy)


@pytest.mark.parametrize(("policy", "wins"), [("airtable", "Left"), ("trello", "Meanwhile")])
def test_title_edited_just_before_a_first_match_is_written_is_decided_as_one(world, policy, wins):
    """The write landed on an edit and was taken back: then nothing was agreed."""
    lead = world.lead("Left", "NEW")
    card = world.trello.add_card("TODO", "Right", f"LeadID: {lead}")
    if policy == "airtable":
        done = []

        def edit(request, index):
            if request.method == "PUT" and not done:
                done.append(index)
                world.trello.edit(card, name="Meanwhile")

        world.emulator.before_request(edit)
    else:
        world.trello.edit(card, name="Meanwhile")
    report = world.sync(SYNC_CONFLICT=policy)
    assert "Meanwhile" in {value for _, _, value in findings(report.conflicts, lead)}
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == (wins, wins)
    world.assert_idle(SYNC_CONFLICT=policy)


# A tick, and writes of which one fails


@pytest.mark.parametrize("fails", ["PUT", "PATCH"])
def test_tick_whose_writes_succeed_by_halves_is_finished_later(world, fails):
    """The card was moved to DONE, or was not; what the lead was to become is agreed with its own write."""
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], dueComplete=True)
    world.emulator.inject(Fault("status", method=fails, status=500, times=999))
    world.sync(exit_code=1)
    world.emulator.clear_faults()
    assert world.sync().conflicts == []
    assert (world.status(lead), world.place(lead), world.card(lead)["dueComplete"]) == ("QUALIFIED", "DONE", True)
    world.assert_idle()


@pytest.mark.parametrize("fails", ["PUT", "PATCH"])
def test_lead_and_card_of_which_one_is_written_keep_the_other_edit(world, fails):
    lead = world.linked("Ada", "NEW", email=OLD)
    world.airtable.edit(lead, status="CONTACTED", email=NEW)
    world.trello.edit(world.card(lead)["id"], name="Ada L.")
    world.emulator.inject(Fault("status", method=fails, status=500, times=999))
    world.sync(exit_code=1)
    world.emulator.clear_faults()
    assert world.sync().conflicts == []
    world.assert_equal(lead)
    assert (world.status(lead), world.cells(lead)["name"]) == ("CONTACTED", "Ada L.")
    assert f"E-mail: {NEW}" in world.card(lead)["desc"].split("\n")
    world.assert_idle()


@pytest.mark.parametrize("again", ["archived", "deleted"])
def test_card_that_could_not_be_brought_back_is_brought_back_later(world, again):
    """An archived card is un-archived, a deleted one created anew, with the cells edited since."""
    lead = world.linked("Ada", "QUALIFIED", email=OLD)
    card = world.card(lead)["id"]
    world.trello.archive(card) if again == "archived" else world.trello.delete(card)
    world.sync()
    world.airtable.edit(lead, status="CONTACTED", email=NEW, name="Ada L.")
    for method in ("PUT", "POST"):
        world.emulator.inject(Fault("status", service="trello", method=method, status=400, times=999))
    world.sync(exit_code=1)
    world.emulator.clear_faults()
    world.sync()
    assert (world.place(lead), world.card(lead)["name"], world.card(lead)["closed"]) == ("IN_PROGRESS", "Ada L.", False)
    assert f"E-mail: {NEW}" in world.card(lead)["desc"].split("\n")
    world.assert_idle()


# A fallback title


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("synced", [True, False], ids=["synced-between", "at-once"])
@pytest.mark.parametrize("email", [OLD, None], ids=["e-mail", "unnamed"])
def test_name_given_after_the_state_was_lost_becomes_the_title(world, lose_state, email, synced, policy):
    """The title was only a fallback: whoever wins, no conflict, and the e-mail never becomes the name."""
    lead = world.linked(None, "NEW", email=email)
    lose_state()
    if synced:
        assert world.assert_idle(SYNC_CONFLICT=policy).conflicts == []
    world.airtable.edit(lead, name="Ada")
    report = world.sync(SYNC_CONFLICT=policy)
    assert (report.conflicts, world.writes("airtable")) == ([], 0)
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == ("Ada", "Ada")
    world.assert_idle(SYNC_CONFLICT=policy)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", ["Ada", None], ids=["name-too", "e-mail-alone"])
@pytest.mark.parametrize("synced", [True, False], ids=["synced-between", "at-once"])
def test_email_edited_after_the_state_was_lost_leaves_no_fallback_as_a_name(world, lose_state, synced, name, policy):
    """The card's own block shows of which e-mail the title was made."""
    lead = world.linked(None, "NEW", email=OLD)
    lose_state()
    if synced:
        world.sync(SYNC_CONFLICT=policy)
    world.airtable.edit(lead, email=NEW, **({"name": name} if name else {}))
    report = world.sync(SYNC_CONFLICT=policy)
    assert (report.conflicts, world.writes("airtable")) == ([], 0)
    assert (world.cells(lead).get("name"), world.card(lead)["name"]) == (name, name or NEW)
    world.assert_idle(SYNC_CONFLICT=policy)


@pytest.mark.parametrize("policy", POLICIES)
def test_long_and_rewritten_emails_are_known_as_fallbacks(world, lose_state, policy):
    """A title cut to what a card holds, and a block line that the editor has made a link."""
    long = "x" * 17_000 + "@example.com"
    leads = {email: world.linked(None, "NEW", email=email) for email in (long, "a_b@example.com")}
    world.trello.save_in_editor(world.card(leads["a_b@example.com"])["id"])
    lose_state()
    for email, lead in leads.items():
        world.airtable.edit(lead, name=f"Ada {email[0]}", email=NEW)
    report = world.sync(SYNC_CONFLICT=policy)
    assert report.conflicts == []
    assert [world.card(lead)["name"] for lead in leads.values()] == ["Ada x", "Ada a"]
    world.assert_idle(SYNC_CONFLICT=policy)


@pytest.mark.parametrize(("policy", "both"), [("airtable", "Ada"), ("trello", OLD)])
def test_card_really_renamed_to_the_email_of_a_named_lead_is_an_edit(world, policy, both):
    """With a base it is known what the title was; against an edited name it is a conflict like any other."""
    alone, against = (world.linked(name, "NEW", email=OLD) for name in ("Eve", "Bob"))
    for lead in (alone, against):
        world.trello.edit(world.card(lead)["id"], name=OLD)
    world.airtable.edit(against, name="Ada")
    report = world.sync(SYNC_CONFLICT=policy)
    assert (world.cells(alone)["name"], world.card(alone)["name"]) == (OLD, OLD)
    assert findings(report.conflicts, against) == [("name", "Ada", OLD)]
    assert (world.cells(against)["name"], world.card(against)["name"]) == (both, both)
    world.assert_idle(SYNC_CONFLICT=policy)


def test_title_of_a_nameless_lead_written_by_a_person_is_its_name_without_a_base_too(world, lose_state):
    lead = world.linked(None, "NEW", email=OLD)
    lose_state()
    world.trello.edit(world.card(lead)["id"], name="Ada")
    world.sync()
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == ("Ada", "Ada")
    world.assert_idle()


# Leads that come back after their cards


@pytest.mark.parametrize("read", ["full", "delta"])
@pytest.mark.parametrize("archived", ["by-the-sync", "by-hand-later"])
def test_lead_that_was_deleted_when_the_state_was_lost_gets_no_second_card(world, lose_state, archived, read):
    """Its card was met before it, and is in no read any more; as on a first contact it stays archived."""
    lead = world.linked("Ada", "NEW")
    world.linked("Bob", "NEW")
    world.airtable.delete(lead)
    if archived == "by-the-sync":
        world.sync()
    lose_state()
    world.sync()
    if archived == "by-hand-later":
        world.trello.archive(world.card(lead)["id"])
        world.sync()
    assert world.card(lead)["closed"]
    world.airtable.restore(lead)
    assert world.sync(read=read).changes == []
    assert world.card(lead)["closed"]
    world.assert_idle()
    world.airtable.edit(lead, status="CONTACTED")
    world.sync(read=read)
    assert (world.place(lead), world.card(lead)["closed"]) == ("IN_PROGRESS", False)
    world.assert_idle()


@pytest.mark.parametrize("gone", ["deleted", "elsewhere", "another's"])
def test_lead_whose_card_is_gone_since_it_was_met_gets_a_card(world, lose_state, gone):
    """What was noted of it is a hint, and the board says how it is."""
    lead, other = world.linked("Ada", "NEW"), world.linked("Bob", "NEW")
    card = world.card(lead)
    world.airtable.delete(lead)
    world.sync()
    lose_state()
    world.sync()
    if gone == "deleted":
        world.trello.delete(card["id"])
    elif gone == "elsewhere":
        world.trello.move_to_board(card["id"], world.trello.add_board("Elsewhere"))
    else:
        world.trello.edit(card["id"], desc=card["desc"].replace(lead, other))
    world.airtable.restore(lead)
    world.sync()
    assert [each["closed"] for each in world.cards_of(lead) if each["id"] != card["id"]] == [False]
    world.assert_idle()
