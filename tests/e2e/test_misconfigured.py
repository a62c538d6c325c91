"""Settings, credentials and schemas that are wrong, and services that are away: a sentence, and nothing written."""

import logging

import pytest
from harness import World

from emulator import Fault


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
