"""Settings, credentials and schemas that are wrong, and services that are away: a sentence, and nothing written."""

import logging

import pytest

from emulator import Fault
from leadsync.state.journal import Journal
from support.harness import World


@pytest.fixture
def busy(world):
    """A linked world in which each side has something to tell the other, and a lead waits for its card."""
    moved, edited = world.linked("Moved"), world.linked("Edited")
    world.trello.move(world.card(moved)["id"], "DONE")
    world.airtable.edit(edited, status="LOST")
    world.lead("New")
    return world


def refused(world, caplog, **settings):
    """A run of which both sides stay as they were and no secret becomes known. Returns: the report."""
    before = world.airtable.records(), world.trello.cards()
    with caplog.at_level(logging.DEBUG):
        report = world.sync(exit_code=None, **settings)
    assert (world.airtable.records(), world.trello.cards()) == before
    told = report.as_json() + "".join(f"{record.getMessage()}{record.exc_text}" for record in caplog.records)
    secret = [world.trello.key, world.trello.token, world.trello.secret, world.airtable.token]
    secret += [settings[name] for name in settings if name.endswith(("_TOKEN", "_KEY"))]
    assert not [text for text in secret if text and text in told]
    return report


WRONG = {
    "AIRTABLE_API_TOKEN": "patWrongWrongWrong.0123456789",
    "AIRTABLE_BASE_ID": "app" + "X" * 14,
    "AIRTABLE_TABLE_NAME": "Customers",
    "AIRTABLE_VIEW": "No such view",
    "AIRTABLE_STATUS_FIELD": "Stage",
    "TRELLO_API_KEY": "0" * 32,
    "TRELLO_API_TOKEN": "ATTA" + "0" * 72,
    "TRELLO_BOARD_ID": "0" * 24,
    "TRELLO_LIST_TODO_ID": "0" * 24,
    "TRELLO_LIST_DONE_ID": "not-an-id",
}


@pytest.mark.parametrize(
    "known", [pytest.param(False, marks=pytest.mark.exhaustive), True], ids=["first-run", "later-run"]
)
@pytest.mark.parametrize("name", WRONG)
def test_wrong_setting_is_named(busy, tmp_path, caplog, name, known):
    if not known:
        busy.env["SYNC_STATE_URL"] = f"sqlite:///{tmp_path / 'fresh.sqlite3'}"
    report = refused(busy, caplog, **{name: WRONG[name]})
    assert (report.exit_code, busy.writes()) == (2, 0)
    assert name in report.message


@pytest.mark.parametrize("name", ["AIRTABLE_TABLE_NAME", "TRELLO_BOARD_ID"])
def test_rejected_short_board_and_slashed_table_are_named(busy, caplog, name):
    wrong = {"AIRTABLE_TABLE_NAME": "Leads / 2", "TRELLO_BOARD_ID": "abc"}[name]
    report = refused(busy, caplog, **{name: wrong})
    assert (report.exit_code, name in report.message) == (2, True)


DISTURBANCES = {
    "token-revoked-at-airtable": (lambda w: w.airtable.revoke(), "AIRTABLE_API_TOKEN"),
    "token-revoked-at-trello": (lambda w: w.trello.revoke_token(), "TRELLO_API_TOKEN"),
    "column-renamed": (lambda w: w.airtable.rename_field("status", "Stage"), "AIRTABLE_STATUS_FIELD"),
    "column-deleted": (lambda w: w.airtable.delete_field("email"), "AIRTABLE_EMAIL_FIELD"),
    "table-renamed": (lambda w: w.airtable.rename_table("Customers"), "AIRTABLE_TABLE_NAME"),
    "board-closed": (lambda w: w.trello.close_board(), "TRELLO_BOARD_ID"),
    "board-hidden": (lambda w: w.trello.hide_board(), "TRELLO_BOARD_ID"),
    "list-archived": (lambda w: w.trello.archive_list("DONE"), "TRELLO_LIST_DONE_ID"),
}


@pytest.mark.parametrize("what", DISTURBANCES)
def test_disturbed_ground_is_refused_and_mended(busy, caplog, what):
    disturb, name = DISTURBANCES[what]
    disturb(busy)
    report = refused(busy, caplog)
    assert (report.exit_code, busy.writes()) == (2, 0)
    assert name in report.message


def test_list_archived_while_cards_only_move_elsewhere_does_no_harm(world):
    """A card in an archived list is open and may not be taken for a deleted one."""
    lead = world.linked("Ada", "QUALIFIED")
    world.trello.archive_list("DONE")
    world.sync(exit_code=None)
    assert (world.status(lead), world.card(lead)["closed"], len(world.cards_of(lead))) == ("QUALIFIED", False, 1)


def test_list_with_an_id_may_be_renamed(busy):
    busy.trello.rename_list("DONE", "Closed deals")
    busy.sync()
    assert busy.writes() > 0


def test_lists_found_by_name_must_keep_it(busy, caplog):
    for stage in ("TODO", "IN_PROGRESS", "DONE"):
        busy.env.pop(f"TRELLO_LIST_{stage}_ID")
    busy.sync()
    busy.airtable.edit(next(iter(busy.airtable.records())), status="LOST")
    busy.trello.rename_list("DONE", "Closed deals")
    report = refused(busy, caplog)
    assert (report.exit_code, "TRELLO_LIST_DONE_ID" in report.message) == (2, True)


def test_list_may_be_given_by_its_name(busy):
    """What people type into a setting that is called …_ID."""
    done = busy.trello.list_id("DONE")
    busy.trello.rename_list("DONE", "Closed deals")
    busy.env["TRELLO_LIST_DONE_ID"] = "Closed deals"
    lead = busy.linked("Zoe", "LOST")
    assert busy.card(lead)["idList"] == done


def test_list_whose_name_is_on_the_board_twice_is_refused(busy, caplog):
    """Which of them is meant, nobody guesses."""
    second = busy.trello.add_list("DONE")
    report = refused(busy, caplog, TRELLO_LIST_DONE_ID="DONE")
    assert (report.exit_code, busy.writes()) == (2, 0)
    assert "2 lists are called DONE; set TRELLO_LIST_DONE_ID to an id." in report.message
    assert second in report.message


def test_archived_list_of_the_same_name_is_not_meant(world):
    """Nor is it in the way; alone, it is named."""
    world.trello.add_list("Won")
    world.trello.archive_list("Won")
    world.env["TRELLO_LIST_DONE_ID"] = "Won"
    assert "'Won' is archived" in world.sync(exit_code=2).message
    won = world.trello.add_list("Won")
    assert world.card(world.linked("Zoe", "LOST"))["idList"] == won


def test_list_of_the_same_name_put_in_place_of_another_is_noticed(busy):
    for stage in ("TODO", "IN_PROGRESS", "DONE"):
        busy.env.pop(f"TRELLO_LIST_{stage}_ID")
    busy.sync()
    lead = next(iter(busy.airtable.records()))
    busy.airtable.edit(lead, status="LOST")
    busy.trello.rename_list("DONE", "Closed deals")
    new = busy.trello.add_list("DONE")
    busy.sync()
    assert busy.card(lead)["idList"] == new


def test_board_may_be_given_by_short_link(busy):
    busy.sync(TRELLO_BOARD_ID=busy.trello.board()["shortLink"])
    busy.assert_one_card_each()
    busy.assert_idle()


def test_columns_may_be_called_otherwise(busy):
    busy.airtable.rename_field("status", "Lead Status")
    busy.sync(AIRTABLE_STATUS_FIELD="Lead Status")
    busy.assert_idle(AIRTABLE_STATUS_FIELD="Lead Status")


def test_airtable_token_that_may_only_read_writes_nothing(busy, caplog):
    busy.sync()
    busy.trello.move(busy.card(next(iter(busy.airtable.records())))["id"], "DONE")
    report = refused(busy, caplog, AIRTABLE_API_TOKEN=busy.airtable.add_token({"data.records:read"}))
    assert (report.exit_code, "AIRTABLE_API_TOKEN" in report.message) == (2, True)
    busy.sync()
    busy.assert_idle()


def test_airtable_user_without_the_role_editor_writes_nothing(busy, caplog):
    busy.sync()
    busy.trello.move(busy.card(next(iter(busy.airtable.records())))["id"], "DONE")
    token = busy.airtable.add_token({"data.records:read", "data.records:write"}, role="comment")
    report = refused(busy, caplog, AIRTABLE_API_TOKEN=token)
    assert (report.exit_code, "AIRTABLE_API_TOKEN" in report.message) == (2, True)


def test_trello_token_that_may_only_read_writes_nothing(busy, caplog):
    busy.sync()
    busy.airtable.edit(next(iter(busy.airtable.records())), status="LOST")
    busy.lead("Another")
    report = refused(busy, caplog, TRELLO_API_TOKEN=busy.trello.add_token(writes=False))
    assert (report.exit_code, "TRELLO_API_TOKEN" in report.message) == (2, True)
    busy.sync()
    busy.assert_one_card_each()
    busy.assert_idle()


def test_one_side_that_may_not_be_written_does_not_stop_the_other(busy):
    report = busy.sync(exit_code=1, TRELLO_API_TOKEN=busy.trello.add_token(writes=False))
    assert "TRELLO_API_TOKEN" in str(report.failures)
    assert (busy.writes("airtable"), report.counts["to_airtable"]) == (1, 1)
    busy.sync()
    busy.assert_one_card_each()
    busy.assert_idle()


# Columns that take no value


def patches(world):
    return [request for request in world.emulator.requests if request.method == "PATCH"]


@pytest.fixture
def moved(world):
    """`moved(count, renamed)`: so many leads whose cards were moved, the first `renamed` of them retitled as well."""

    def make(count, renamed=1):
        leads = [world.lead(f"Lead {number}", "NEW") for number in range(count)]
        world.sync()
        for lead in leads:
            world.trello.move(world.card(lead)["id"], "DONE")
        for lead in leads[:renamed]:
            world.trello.edit(world.card(lead)["id"], name="Renamed")
        return leads

    return make


@pytest.mark.parametrize("read", ["full", "auto"])
def test_computed_name_does_not_hold_up_the_status(world, moved, read):
    """A card renamed and moved: the status arrives, and every run tells about the name."""
    (lead,) = moved(1)
    world.airtable.retype_field("name", "formula")
    for _ in range(3):
        report = world.sync(read=read, exit_code=1)
        (failure,) = report.failures
        assert failure["lead_id"] == lead
        assert "'name' is computed" in failure["reason"]
        assert "cannot accept a value because the field is computed" in failure["reason"]
        assert world.status(lead) == "QUALIFIED"
    assert (len(patches(world)), report.conflicts) == (1, [])
    world.airtable.retype_field("name", "singleLineText")
    world.sync(read=read)
    assert world.cells(lead)["name"] == "Renamed"
    world.assert_idle()


LOCKED = {
    "named": 'You are not permitted to edit values in field "{field}"',
    "named-differently": "Insufficient permissions: {field} is locked for your user",
    "not-named": "You are not permitted to perform this operation",
}


@pytest.mark.parametrize("words", LOCKED)
def test_locked_name_does_not_hold_up_ten_statuses(tmp_path, words):
    """One of ten moved cards is renamed as well: ten statuses arrive, and Airtable's words are passed on."""
    world = World(tmp_path, airtable_locked_field_message=LOCKED[words])
    leads = [world.lead(f"Lead {number}", "NEW") for number in range(10)]
    world.sync()
    for lead in leads:
        world.trello.move(world.card(lead)["id"], "DONE")
    world.trello.edit(world.card(leads[4])["id"], name="Renamed")
    world.airtable.lock_field("name")
    report = world.sync(exit_code=1)
    assert [world.status(lead) for lead in leads] == ["QUALIFIED"] * 10
    assert report.counts["to_airtable"] == 10
    (failure,) = report.failures
    assert failure["lead_id"] == leads[4]
    assert "'name'" in failure["reason"]
    assert LOCKED[words].format(field="name") in failure["reason"]
    assert "AIRTABLE_API_TOKEN" in failure["remedy"]
    world.airtable.lock_field("name", locked=False)
    world.sync()
    assert world.cells(leads[4])["name"] == "Renamed"
    world.assert_idle()
    world.close()


@pytest.mark.parametrize("column", ["name", "status"])
def test_locked_column_costs_one_refusal_a_run(world, moved, column):
    """Thirty leads want it: each is listed, none of the others waits, and it is not asked for again."""
    leads = moved(30, renamed=30)
    world.airtable.lock_field(column)
    report = world.sync(exit_code=1)
    assert {row["lead_id"] for row in report.failures} == set(leads)
    assert len({(row["reason"], row["remedy"]) for row in report.failures}) == 1
    assert report.counts["to_airtable"] == 30
    assert len(patches(world)) <= 3 + 1


@pytest.mark.parametrize("column", ["name", "status"])
def test_computed_column_costs_one_refusal_a_run(world, moved, column):
    leads = moved(30, renamed=30)
    world.airtable.retype_field(column, "formula")
    report = world.sync(exit_code=1)
    assert {row["lead_id"] for row in report.failures} == set(leads)
    assert (report.counts["to_airtable"], len(patches(world))) == (30, 3 + 1)


def test_locked_column_alone_is_no_matter_of_the_token(world):
    """Its name is told, so that nobody goes looking for a scope."""
    lead = world.linked()
    world.trello.edit(world.card(lead)["id"], name="Renamed")
    world.airtable.lock_field("name")
    report = world.sync(exit_code=1)
    assert "right to edit column 'name'" in report.failures[0]["remedy"]
    assert "scope" not in report.failures[0]["remedy"]


@pytest.mark.parametrize("kind", ["INVALID_PERMISSIONS", "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"])
def test_token_that_may_only_read_is_found_out_in_a_few_requests(tmp_path, kind):
    """Thirty leads with two cells each; no refusal names anything."""
    world = World(tmp_path, airtable_missing_scope_type=kind)
    leads = [world.lead(f"Lead {number}", "NEW") for number in range(30)]
    world.sync()
    for lead in leads:
        world.trello.edit(world.card(lead)["id"], name="Renamed", list_name="DONE")
    report = world.sync(exit_code=2, AIRTABLE_API_TOKEN=world.airtable.add_token({"data.records:read"}))
    assert "data.records:write" in report.message
    assert len(patches(world)) <= 10
    world.close()


class Killed(BaseException):
    """The end of the process."""


def test_kill_after_the_second_of_two_cells_is_proven_by_the_journal(world, moved, monkeypatch):
    """A refusal parted the lead's cells; both were written, none recorded: a later move is a person's, no conflict."""
    (lead,) = moved(1)
    world.emulator.inject(Fault("status", method="PATCH", status=403, body={"error": {"type": "INVALID_PERMISSIONS"}}))
    record = Journal.record

    def die(*args):
        if len(patches(world)) == 3:
            raise Killed
        record(*args)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "record", die)
        with pytest.raises(Killed):
            world.sync()
    assert (world.status(lead), world.cells(lead)["name"]) == ("QUALIFIED", "Renamed")
    world.trello.move(world.card(lead)["id"], "IN_PROGRESS")
    assert world.sync().conflicts == []
    assert (world.status(lead), world.place(lead)) == ("CONTACTED", "IN_PROGRESS")


# The same at Trello


@pytest.mark.parametrize("words", ["invalid value for name", "Bad Request"], ids=["named", "not-named"])
@pytest.mark.parametrize(
    ("member", "field"), [("name", "name"), ("desc", "email"), ("idList", "status")], ids=lambda value: value
)
def test_cell_that_trello_refuses_takes_no_other_with_it(world, member, field, words):
    """One PUT holds the list, the title and the description."""
    lead = world.linked("Ada", "NEW", email="old@example.com")
    world.airtable.edit(lead, name="Ada L.", status="LOST", email="new@example.com")
    refusal = Fault("status", method="PUT", member=member, status=400, body=words.replace("name", member), times=9)
    world.emulator.inject(refusal)
    report = world.sync(exit_code=1)
    card = world.card(lead)
    there = {"name": card["name"] == "Ada L.", "email": "new@example.com" in card["desc"]}
    there["status"] = world.list_name(card) == "DONE"
    assert there == {"name": True, "email": True, "status": True} | {field: False}
    (failure,) = report.failures
    assert (failure["lead_id"], refusal.body in failure["reason"]) == (lead, True)
    assert sorted(row["field"] for row in report.changes) == sorted({"name", "email", "status"} - {field})
    world.emulator.clear_faults()
    assert [row["field"] for row in world.sync().changes] == [field]
    world.assert_equal(lead)
    world.assert_idle()


def test_cell_that_trello_refuses_does_not_hold_up_airtables(world):
    """The title is refused on every run, and a move of the card arrives all the same."""
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, name="Ada L.")
    world.trello.move(world.card(lead)["id"], "DONE")
    refusal = Fault("status", method="PUT", member="name", status=400, body="invalid value for name", times=9)
    world.emulator.inject(refusal)
    world.sync(exit_code=1)
    assert world.status(lead) == "QUALIFIED"


# A token that dies in the middle


@pytest.fixture
def crowd(world):
    """Thirty leads, each edited on one side: the first fifteen in Airtable, the others on Trello."""
    leads = [world.lead(f"Lead {number}", "NEW") for number in range(30)]
    world.sync()
    for lead in leads[:15]:
        world.airtable.edit(lead, status="LOST")
    for lead in leads[15:]:
        world.trello.move(world.card(lead)["id"], "DONE")
    return leads


DEATHS = {
    "invalid": "invalid token",
    "expired": "expired token",
    "key": "invalid key",
    "scopes": {"message": "missing scopes"},
}


@pytest.mark.parametrize("death", DEATHS)
def test_trello_token_that_dies_ends_that_side(world, crowd, death):
    """After five cards: those under way are told, the rest is not tried, and Airtable's leads go on."""
    body = DEATHS[death]
    fault = Fault("status", service="trello", method="PUT", status=401, body=body, nth=6, times=99)
    world.emulator.inject(fault)
    report = world.sync(exit_code=1)
    setting = "TRELLO_API_KEY" if death == "key" else "TRELLO_API_TOKEN"
    assert report.counts["to_trello"] == 5
    assert {row["lead_id"] for row in report.failures} | {row["lead_id"] for row in report.changes} == set(crowd)
    assert (len(report.failures), report.counts["to_airtable"]) == (10, 15)
    assert world.writes("trello") <= 5 + 4
    assert sum("not tried" in row["reason"] for row in report.failures) >= 10 - 4
    assert all(setting in row["remedy"] and "new" in row["remedy"] for row in report.failures)
    assert not any("scope write" in row["remedy"] for row in report.failures)
    world.emulator.clear_faults()
    world.sync()
    world.assert_idle()


def test_trello_token_that_dies_before_anything_was_written_is_exit_2(world):
    leads = [world.linked(f"Lead {number}", "NEW") for number in range(9)]
    for lead in leads:
        world.airtable.edit(lead, status="LOST")
    world.emulator.inject(Fault("status", method="PUT", status=401, body="invalid token", times=99))
    report = world.sync(exit_code=2)
    assert "TRELLO_API_TOKEN" in report.message
    assert "expired or was revoked" in report.message
    assert world.writes("trello") <= 4


def test_card_out_of_the_tokens_reach_is_about_that_card(world, crowd):
    """Its text names no token: the other cards are written."""
    fault = Fault("status", method="PUT", status=401, body="unauthorized card permission requested")
    world.emulator.inject(fault)
    report = world.sync(exit_code=1)
    assert (len(report.failures), report.counts["to_trello"], report.counts["to_airtable"]) == (1, 14, 15)


@pytest.mark.parametrize("method", ["PATCH", "GET"], ids=["at-the-write", "at-the-re-read"])
def test_airtable_token_that_dies_ends_that_side(world, crowd, method):
    """After the cards were written, in the middle of the leads."""

    asked = []

    def revoke(request, index):
        if request.service == "airtable" and request.method == method and asked:
            world.airtable.revoke()
        asked.extend([index] * (request.service == "airtable"))

    forget = world.emulator.before_request(revoke)
    report = world.sync(exit_code=1)
    forget()
    assert (report.counts["to_trello"], len(report.failures)) == (15, 15)
    assert world.writes("airtable") == (method == "PATCH")
    assert all("AIRTABLE_API_TOKEN" in row["remedy"] for row in report.failures)
    assert sum("not tried" in row["reason"] for row in report.failures) == (5 if method == "PATCH" else 15)
    assert not any("scope data" in row["remedy"] for row in report.failures)


def test_airtable_token_that_dies_before_anything_was_written_is_exit_2(world):
    lead = world.linked()
    world.trello.move(world.card(lead)["id"], "DONE")
    world.emulator.inject(Fault("status", service="airtable", method="PATCH", status=401, body={"error": "X"}))
    report = world.sync(exit_code=2)
    assert "AIRTABLE_API_TOKEN" in report.message
    assert "expired or was revoked" in report.message


def test_trello_token_that_dies_at_a_look_up_moves_no_card_away(world):
    """A refusal of the token says nothing about where a card is."""
    lead = world.linked()
    world.trello.archive(world.card(lead)["id"])
    world.emulator.inject(Fault("status", path="/1/cards/", method="GET", status=401, body="invalid token"))
    report = world.sync(exit_code=2)
    assert "TRELLO_API_TOKEN" in report.message
    assert "moved" not in str(world.sync().notes)


# Tokens that may not read


@pytest.mark.parametrize("kind", [{"data.records:write"}, set()])
def test_token_without_the_read_scope_is_refused(busy, caplog, kind):
    report = refused(busy, caplog, AIRTABLE_API_TOKEN=busy.airtable.add_token(kind))
    assert (report.exit_code, "data.records:read" in report.message) == (2, True)


def test_token_without_the_base_is_refused(busy, caplog):
    token = busy.airtable.add_token({"data.records:read", "data.records:write"}, bases=False)
    report = refused(busy, caplog, AIRTABLE_API_TOKEN=token)
    assert (report.exit_code, "AIRTABLE_BASE_ID" in report.message) == (2, True)


@pytest.mark.parametrize("service", ["AIRTABLE", "TRELLO"])
def test_service_that_is_down_is_named(busy, caplog, service):
    report = refused(busy, caplog, **{f"{service}_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert (report.exit_code, busy.writes()) == (1, 0)
    assert service.capitalize() in report.message
    busy.sync()
    busy.assert_one_card_each()


@pytest.mark.parametrize("service", ["airtable", "trello"])
@pytest.mark.parametrize(
    "status", [429, 503, *(pytest.param(each, marks=pytest.mark.exhaustive) for each in (500, 502))]
)
def test_service_that_stays_away_ends_the_run(busy, caplog, service, status):
    busy.emulator.inject(Fault("status", service=service, status=status, times=99))
    report = refused(busy, caplog)
    assert (report.exit_code, busy.emulator.calls(service)) == (1, 5)
    busy.emulator.clear_faults()
    busy.sync()
    busy.assert_idle()


def test_service_that_stays_away_while_written_to_leaves_the_rest_for_later(busy):
    for method in ("PUT", "POST"):
        busy.emulator.inject(Fault("status", service="trello", method=method, status=503, times=999))
    report = busy.sync(exit_code=1)
    assert report.failures
    busy.emulator.clear_faults()
    busy.sync()
    busy.assert_one_card_each()
    busy.assert_idle()


def test_used_up_quota_is_final(tmp_path, caplog):
    world = World(tmp_path, monthly_quota=3)
    world.linked()
    world.sync()
    world.sync()
    report = refused(world, caplog)
    assert (report.exit_code, "quota" in report.message) == (1, True)
    assert world.emulator.calls("airtable") == 1
    world.close()


# Reads that are not whole


@pytest.fixture
def large(tmp_path):
    """Two Airtable pages of linked leads, the second with one."""
    world = World(tmp_path)
    leads = [world.lead(f"Lead {number}") for number in range(101)]
    for number, lead in enumerate(leads):
        world.trello.add_card("TODO", f"Lead {number}", f"LeadID: {lead}")
    world.sync()
    yield world
    world.close()


UNFINISHED = {
    "cut-short": Fault("truncate"),
    "empty-page": Fault("empty_page"),
    "proxy-page": Fault("html", status=200),
    "not-a-list": Fault("status", status=200, body={"records": "none"}),
    "null": Fault("status", status=200, body="null"),
    "odd-items": Fault("status", status=200, body=[1, None, {}]),
}


@pytest.mark.parametrize("times", [pytest.param(1, marks=pytest.mark.exhaustive), 99])
@pytest.mark.parametrize(
    ("service", "nth"),
    [pytest.param("airtable", 1, marks=pytest.mark.exhaustive), ("airtable", 2), ("trello", 1)],
)
@pytest.mark.parametrize("kind", UNFINISHED)
def test_unfinished_read_deletes_and_doubles_nothing(large, caplog, kind, service, nth, times):
    fault = UNFINISHED[kind]
    large.emulator.inject(Fault(**{**vars(fault), "service": service, "nth": nth, "times": times}))
    before = large.airtable.records(), large.trello.cards()
    report = large.sync(exit_code=None)
    assert (large.airtable.records(), large.trello.cards()) == before
    assert report.exit_code in (0, 1, 2, 3)
    large.emulator.clear_faults()
    large.assert_idle()


def test_iterator_that_expired_is_started_anew(large):
    expired = []

    def expire(request, index):
        if request.query.get("offset") and not expired:
            expired.append(index)
            large.airtable.expire_offsets()

    large.emulator.before_request(expire)
    large.assert_idle()
    assert expired
    assert large.emulator.calls("airtable") == 4


def test_iterator_that_keeps_expiring_ends_the_run(large):
    def expire(request, index):
        if request.query.get("offset"):
            large.airtable.expire_offsets()

    large.emulator.before_request(expire)
    report = large.sync(exit_code=3)
    assert (large.writes(), "Run again" in report.message) == (0, True)


@pytest.mark.parametrize("snapshot", [True, False])
def test_rows_added_and_deleted_between_pages_are_neither_lost_nor_doubled(large, snapshot):
    object.__setattr__(large.emulator.knobs, "airtable_iterator_snapshot", snapshot)
    first = next(iter(large.airtable.records()))
    done = []

    def shuffle(request, index):
        if request.query.get("offset") and not done:
            done.append(index)
            large.airtable.delete(first)
            large.lead("Latecomer")

    large.emulator.before_request(shuffle)
    for _ in range(3):
        large.sync(exit_code=None)
    large.assert_one_card_each()
    large.assert_idle()
    assert [card["closed"] for card in large.cards_of(first)] == [True]
