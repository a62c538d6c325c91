"""What the page tells of runs that others made: how the last one ended, and where Prefect, lead and card are opened."""

import html
import re
from uuid import uuid4

import pytest

from leadsync.pipeline.clients import month_name, now_utc
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options, Steps, UndoChoice
from leadsync.pipeline.vital_signs import signs_of
from support.page_world import PREFECT, paged


def shown(answer):
    """The text of a page."""
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", answer.text).split()))


@pytest.fixture
def page(tmp_path):
    with paged(tmp_path, "Ada", "Bo") as made:
        by_name = {cells["name"]: lead for lead, cells in made.world.airtable.records().items()}
        made.ada, made.bo = by_name["Ada"], by_name["Bo"]
        yield made


def lock_out(world, lead):
    """What the card is moved to is no option of the column: the lead cannot be written."""
    world.airtable.delete_select_option("status", "QUALIFIED")
    world.trello.move(world.card(lead)["id"], "DONE")


# Failures, whoever made the run


def test_lead_that_a_scheduled_run_could_not_write_waits(page):
    """Named, with reason, remedy and links, until a sync ends well; the list and the lead tell it, too."""
    lock_out(page.world, page.ada)
    page.world.sync(exit_code=1)
    before = len(page.world.emulator.requests)
    text = shown(page.get("/decide"))
    assert "To decide 1 " in text
    assert "The last sync did not end well" in text
    assert re.search(r"Ada : .*QUALIFIED.* Airtable Trello .*Add the option 'QUALIFIED'", text)
    listed = shown(page.get("/?show=decide"))
    assert ("1 lead " in listed, "DONE failed" in listed) == (True, True)
    assert "Add the option 'QUALIFIED'" in shown(page.get(f"/leads/{page.ada}"))
    assert "Add the option" not in shown(page.get(f"/leads/{page.bo}"))
    assert len(page.world.emulator.requests) == before
    page.world.airtable.add_select_option("status", "QUALIFIED")
    page.world.sync()
    assert "Nothing waits for anybody" in shown(page.get("/decide"))
    assert "1 lead " not in shown(page.get("/?show=decide"))


def test_sync_that_ended_early_says_why(page):
    """Since when the first of several did so; neither a preview nor a run that another one kept out changes that."""
    page.world.airtable.revoke()
    page.world.sync(exit_code=2)
    since = page.store.ends.load(page.desk.pair.key).failed.since
    page.world.sync(exit_code=2)
    page.world.sync(exit_code=None, dry_run=True)
    assert page.store.ends.load(page.desk.pair.key).failed.since == since
    text = shown(page.get("/decide"))
    assert "AIRTABLE_API_TOKEN" in text
    assert "To decide 1 " in text


def test_first_sync_of_all_may_fail(tmp_path):
    """No run has asked for the board, and its id is not known: what is to be done is told all the same."""
    with paged(tmp_path) as made:
        board = made.world.env["TRELLO_BOARD_ID"]
        made.settings = made.desk.settings = made.world.settings(TRELLO_BOARD_ID="AbCd1234")
        made.world.sync(exit_code=2, TRELLO_BOARD_ID="AbCd1234", TRELLO_API_TOKEN="ATTAwrong")
        assert "TRELLO_API_TOKEN" in shown(made.get("/decide"))
        key = f"{made.settings.airtable_base_id}/Leads/{board}"
        made.store.ends.well(key, 1.0, "", f"{made.settings.airtable_base_id}/Leads/AbCd1234")
        assert "TRELLO_API_TOKEN" not in shown(made.get("/decide"))
        assert [*made.store.ends.load_all()] == [key]


def test_what_a_service_said_of_a_lead_is_forgotten_with_it(page):
    """It may hold the person's values."""
    lock_out(page.world, page.ada)
    page.world.sync(exit_code=1)
    page.store.history.forget(page.desk.pair.key, page.bo)
    assert len(page.desk.failed().failures) == 1
    page.store.history.forget(page.desk.pair.key, page.ada)
    assert page.desk.failed().failures == ()


def test_person_who_settles_something_hears_of_failures_at_once(page):
    """It is no failure of the sync: nothing waits after it."""
    page.press("/page/take", lead=page.ada, side="trello")
    page.press("/page/undo", run="none", do="yes")
    assert page.desk.failed() is None


# Links


def made_by(page, flow_run, **options):
    """A run as a flow run of Prefect's makes it. Returns: its report."""
    return run_sync(page.settings, Options(**options), Steps(flow_run=flow_run), page.world.transport)


def test_history_of_a_flow_run_is_a_link_away_from_it(page):
    """From each of its rows, and from the leads that it changed; the run's own id stays short, and names it."""
    flow_run = str(uuid4())
    url = f"{PREFECT}/runs/flow-run/{flow_run}"
    page.world.airtable.edit(page.ada, status="LOST")
    made_by(page, flow_run)
    (run, earlier) = page.desk.runs(page.desk.pair, 0.0)
    for path in ("/", "/history", f"/history/{run.run_id}", f"/leads/{page.ada}"):
        assert page.get(path).text.count(f'href="{url}"') == 1, path
    assert url not in page.get(f"/leads/{page.bo}").text
    assert "/runs/flow-run/" not in page.get(f"/history/{earlier.run_id}").text
    undo = made_by(page, str(uuid4()), undo=UndoChoice(run.run_id[:8]))
    assert undo.exit_code == 0, undo.message


def test_one_flow_run_may_make_several_runs(page):
    """As that of a fleet does, or one that is begun again: each has its own place in the history."""
    flow_run = str(uuid4())
    for status in ("LOST", "CONTACTED"):
        page.world.airtable.edit(page.ada, status=status)
        made_by(page, flow_run)
    first, second, _ = (run.run_id for run in page.desk.runs(page.desk.pair, 0.0))
    assert first[:8] != second[:8]
    assert page.get("/history").text.count(f"/runs/flow-run/{flow_run}") == 2


def test_every_row_has_its_links(page):
    """What waits, and what was done: lead and card are opened from there."""
    lock_out(page.world, page.ada)
    page.world.trello.copy(page.world.card(page.bo)["id"])
    page.world.sync(exit_code=1)
    card = page.world.card(page.ada)["shortUrl"]
    (run,) = page.desk.runs(page.desk.pair, 0.0)
    for path in ("/", "/decide", f"/history/{run.run_id}", f"/leads/{page.ada}"):
        assert f'href="{card}"' in page.get(path).text, path


def test_table_that_is_named_by_its_name_has_an_address_once_a_run_asked_for_its_columns(page):
    """A delta does; until then the base is opened. An id needs nobody."""
    base = page.settings.airtable_base_id
    assert f'href="https://airtable.com/{base}"' in page.get("/").text
    assert f'{page.ada}"' not in re.sub(r'href="/leads/[^"]*"', "", page.get("/").text)
    page.world.sync(read="delta")
    (table,) = re.findall(rf'href="https://airtable.com/{base}/(tbl\w+)/{page.ada}"', page.get("/").text)
    report = made_by(page, "")
    assert report.table_url == f"https://airtable.com/{base}/{table}"


# Health, of several pairs


def test_pair_is_counted_in_its_own_workspace(page, tmp_path):
    """Calls are counted by workspace: each pair shows those of its own, whichever gateway is asked."""
    for _ in range(2):
        page.world.sync(AIRTABLE_WORKSPACE="sales")
    ours, others = page.world.settings(AIRTABLE_WORKSPACE="sales"), page.settings
    (pair,) = signs_of(ours, page.store)
    assert (pair.calls, page.store.calls.load(month_name(now_utc()))) == (2, 1)
    assert signs_of(others, page.store) == [pair]
