"""
The README's commands in the real thing: server, work pool, deployments, worker, watched runs, and Prefect's UI.

All in one file, so that it takes one installation. With README_SCREENSHOTS=1 the pictures that flows/README.md shows go
to tests/deploy/screenshots.
"""

import json
import os
import shlex
import threading
from pathlib import Path

import pytest

from demo import edit_both_sides
from emulator import Emulator
from leadsync.report.markdown import as_markdown, change_rows
from leadsync.report.report import Report
from support.chat import open_chat
from support.installation import Installation
from support.pages import set_up
from support.prefect_pages import VIEWS, Tab, View, chromium
from support.reported import change

pytestmark = pytest.mark.installation

SCREENSHOTS = Path(__file__).parent / "screenshots"
LARGEST_PICTURE = 150_000
ON_DEMAND = shlex.split("deployment run sync-leads/on-demand --watch")


@pytest.fixture(scope="module")
def emulator():
    """Both services, with the demo's leads."""
    with Emulator.demo() as running:
        yield running


@pytest.fixture(scope="module")
def prefect(emulator, tmp_path_factory):
    """All that the README says to do once, in its own words."""
    folder = tmp_path_factory.mktemp("prefect")
    state = {"SYNC_STATE_URL": f"sqlite:///{folder}/state.sqlite3"}
    installation = Installation(folder / "home", emulator.settings() | state)
    try:
        installation.follow(set_up())
        yield installation
    finally:
        installation.stop()


@pytest.fixture(scope="module")
def history(prefect, emulator):
    """A first sync, the demo's edits on both sides, a dry run, and a sync. Returns: these runs, by what they are."""
    runs = {}
    for what, edit, options in (
        ("first", None, []),
        ("dry", edit_both_sides, ["--param", "dry_run=true"]),
        ("findings", None, []),
    ):
        if edit:
            edit(emulator)
        watched = prefect.prefect(*ON_DEMAND, *options)
        assert watched.returncode == 0, watched.stdout
        runs[what] = prefect.last_run() | {"watched": " ".join(watched.stdout.split())}
    return runs


def test_runs_on_demand_sync_and_leave_a_report(prefect, emulator, history):
    """`prefect deployment run --watch` does a sync; its state, tasks and report are in the history."""
    cards = emulator.trello.cards().values()
    for lead in emulator.airtable.records():
        assert any(lead in card["desc"] for card in cards), lead
    states = {what: (run["state_type"], run["state_name"]) for what, run in history.items()}
    assert states == {
        "first": ("COMPLETED", "Completed"),
        "dry": ("COMPLETED", "CompletedWithFindings"),
        "findings": ("COMPLETED", "CompletedWithFindings"),
    }
    assert "12 changed: 12 leads, 0 cards" in history["first"]["state"]["message"]
    assert "would change 3" in history["dry"]["state"]["message"]
    for run in history.values():  # what came of it is in its name, which the line before the last has
        counts = run["name"].partition(": ")[2]
        assert run["state"]["message"].startswith(f"{counts}: ")
        last = f"Flow run finished successfully in '{run['state_name']}'."
        assert run["watched"].endswith(f"prefect.flow-run.{run['state_name']} * {run['name']} {last}")
    run = history["first"]["id"]
    reports = prefect.post("artifacts/filter", artifacts={"key": {"any_": ["sync-report"]}})
    (report,) = (report["data"] for report in reports if report["flow_run_id"] == run)
    assert all(lead in report for lead in emulator.airtable.records())
    tasks = {task["name"] for task in prefect.post("task_runs/filter") if task["flow_run_id"] == run}
    assert tasks >= {"extract leads", "extract cards", "join and diff", "load cards", "report"}


def test_wrong_value_is_refused_by_the_form(prefect):
    """With the choices, before a run is created."""
    refused = prefect.prefect("deployment", "run", "sync-leads/on-demand", "--param", "conflict=both")
    assert refused.returncode == 1
    assert "'both' is not one of ['settings', 'airtable', 'trello', 'hold']" in " ".join(refused.stdout.split())


@pytest.fixture
def inbox():
    with open_chat() as chat:
        yield chat


def test_refused_run_fails_the_watch_and_is_told(prefect, emulator, history, inbox):
    """A guard's refusal is of type Failed: `--watch` answers 1, the automation notifies, the log ends with it."""
    for _ in range(2):  # installing twice leaves one of each
        installed = prefect.script("flows/alerts.py", "--url", inbox.address)
        assert installed.returncode == 0, installed.stdout
    assert len(prefect.post("automations/filter")) == 5
    leads = list(emulator.airtable.records())
    for lead in leads:
        emulator.airtable.delete(lead)
    watched = prefect.prefect("deployment", "run", "sync-leads/on-demand", "--watch")
    for lead in leads:
        emulator.airtable.restore(lead)
    assert watched.returncode == 1
    assert "RefusedByGuard" in watched.stdout
    told = inbox.heard()
    assert "RefusedByGuard" in told
    assert "Airtable came back empty" in told
    of_run = {"flow_run_id": {"any_": [prefect.last_run()["id"]]}}
    lines = [line["message"] for line in prefect.post("logs/filter", logs=of_run, sort="TIMESTAMP_ASC")]
    assert "Airtable came back empty" in lines[-1]
    assert not [line for line in lines if "Traceback" in line]


def test_scheduled_deployment_is_active(prefect):
    """The schedule is the polling loop."""
    scheduled = prefect.prefect("deployment", "inspect", "sync-leads/scheduled").stdout
    assert "'interval': 3600" in scheduled
    assert "'active': True" in scheduled
    assert "'collision_strategy': 'CANCEL_NEW'" in scheduled


SYNC = {"dry_run": False, "conflict": "settings", "allow_mass_change": False, "pair": "", "adopt": "ask"}
SYNC |= {"review": "never"}


@pytest.mark.parametrize(
    ("name", "parameters", "schedules"),
    [
        ("scheduled", SYNC | {"read": "auto", "paced": True}, [{"interval": 3600.0, "timezone": "Etc/UTC"}]),
        ("on-demand", SYNC | {"read": "full", "paced": False}, []),
        ("daily", {"every_minutes": 60, "pair": ""}, [{"cron": "30 5 * * *", "timezone": "Etc/UTC"}]),
    ],
)
def test_server_has_the_deployment_that_is_meant(prefect, name, parameters, schedules):
    """Parameters, schedules and limit, as they are after `deploy --all`; a mistake in reading the file is silent."""
    flow = {"name": {"any_": ["validate-setup" if name == "daily" else "sync-leads"]}}
    (deployment,) = prefect.post("deployments/filter", deployments={"name": {"any_": [name]}}, flows=flow)
    assert deployment["parameters"] == parameters
    for kept, meant in zip(deployment["schedules"], schedules, strict=True):
        assert kept["active"]
        assert kept["schedule"].items() >= meant.items()
    assert deployment["global_concurrency_limit"]["limit"] == 1
    assert deployment["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"


# --- what people see ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with chromium(playwright, tmp_path_factory.mktemp("chromium")) as started:
        if started is None:
            pytest.skip("no Chromium on this machine")
        yield started


@pytest.fixture
def tab(browser, prefect):
    opened = Tab(browser, prefect.url)
    yield opened
    opened.page.close()


@pytest.fixture(scope="module")
def known(prefect, history):
    """What the views' {names} stand for, by what the API says."""
    made = prefect.post("artifacts/filter", sort="CREATED_DESC")
    of_run = {each["key"]: each for each in made if each["flow_run_id"] == history["findings"]["id"]}
    ours = {"name": {"any_": ["sync-leads", "validate-setup"]}}  # fleets have a schedule of the same name
    deployments = {each["name"]: each["id"] for each in prefect.post("deployments/filter", flows=ours)}
    return {**history, **of_run, **deployments}


def folder_for(view, tmp_path):
    if not (view.in_readme and os.environ.get("README_SCREENSHOTS") == "1"):
        return tmp_path
    SCREENSHOTS.mkdir(exist_ok=True)
    return SCREENSHOTS


@pytest.mark.parametrize("name", VIEWS)
def test_page_shows_what_the_sync_left(tab, known, tmp_path, name):
    """Rendered, readable, and without asking any machine but the server itself."""
    view = VIEWS[name]
    tab.look(view, known)
    picture = folder_for(view, tmp_path) / f"{name}.png"
    tab.picture(view, picture)
    assert picture.stat().st_size > 10_000
    assert picture.stat().st_size < LARGEST_PICTURE or not view.in_readme
    assert tab.elsewhere == []


def test_form_explains_every_parameter(tab, prefect):
    """Whatever parameters the flow has: each by its name, with a sentence of help."""
    (deployment,) = prefect.post("deployments/filter", deployments={"name": {"any_": ["on-demand"]}})
    parameters = deployment["parameter_openapi_schema"]["properties"].values()
    words = [parameter[part] for parameter in parameters for part in ("title", "description")]
    assert len(words) >= 8
    tab.look(View(f"/deployments/deployment/{deployment['id']}/run", words=tuple(words)), {})


HOSTILE = {
    "picture": "![x](http://127.0.0.1:9/t.png)",
    "html": "<img src=http://127.0.0.1:9/i.png>",
    "link": "[text](https://elsewhere.example)",
    "address": "see https://elsewhere.example/a or www.elsewhere.example",
    "e-mail": "ada@elsewhere.example",
    "bar": r"a\|b|c",
}


@pytest.mark.parametrize("interface", ["", "/v2"], ids=["first", "second"])
@pytest.mark.parametrize("kind", ["markdown", "table"])
def test_page_of_a_hostile_report_fetches_and_links_nothing(prefect, tab, interface, kind):
    """In both of Prefect's interfaces, whose Markdown differs: leads are read there as they are called."""
    changes = [change(lead_id=lead, after=text) for lead, text in HOSTILE.items()]
    report = Report(changes=changes, titles=HOSTILE, error=" ".join(HOSTILE.values()))
    data = as_markdown(report) if kind == "markdown" else json.dumps(change_rows(report))
    made = prefect.post("artifacts/", key=f"hostile-{kind}", type=kind, data=data)
    tab.page.goto(f"{tab.url}{interface}/artifacts/artifact/{made['id']}")
    tab.see("see https://elsewhere.example/a or www.elsewhere.example")
    links = [link.get_attribute("href") or "" for link in tab.page.locator("a").all()]
    assert not [link for link in links if "elsewhere.example" in link]
    assert not [address for address in tab.elsewhere if "127.0.0.1" in address or "elsewhere.example" in address]
    if kind == "markdown":
        seen = tab.page.locator("body").inner_text()
        assert [text for text in HOSTILE.values() if text not in seen] == []


def test_request_to_elsewhere_is_refused_and_noticed(tab):
    """What the test above relies on."""
    tab.page.goto(tab.url + "/runs")
    answer = tab.page.evaluate("fetch('https://elsewhere.example/').catch(error => error.message)")
    assert answer == "Failed to fetch"
    assert tab.elsewhere == ["https://elsewhere.example/"]


def test_second_run_of_a_deployment_is_cancelled_and_not_queued(prefect, emulator, history):
    """The limit of one, with CANCEL_NEW: a slow run does not make stale ones queue up behind it."""
    asked, go_on = threading.Event(), threading.Event()

    def hold(_request, _index):
        asked.set()
        go_on.wait(60)

    let_go = emulator.before_request(hold)
    started = prefect.prefect("deployment", "run", "sync-leads/on-demand")
    assert (started.returncode, asked.wait(60)) == (0, True)
    second = prefect.prefect(*ON_DEMAND)
    go_on.set()
    let_go()
    assert second.returncode == 1
    assert "Cancelled" in second.stdout
