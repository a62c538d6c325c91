"""
What people see in Prefect's UI, in a headless Chromium: the pages that a sync fills, and the form that starts one.

With LEADSYNC_SCREENSHOTS=1 the README's pictures go to tests/deploy/screenshots; all others to a temporary folder.
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

SCREENSHOTS = Path(__file__).parent / "screenshots"
LARGEST_PICTURE = 120_000
WIDTH, HEIGHT = 1100, 700
SECONDS = 20
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = """
    --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --host-resolver-rules=MAP~*~~NOTFOUND,EXCLUDE~127.0.0.1
"""


@dataclass(frozen=True)
class View:
    """
    A page and what must be readable there; {names} stand for what `known` says.

    rows: cells that stand in one row of a table. tabs: clicked first. start: the text to which the page is scrolled
    then (long lists are drawn only where one looks). choices: of the first field that has some. in_readme: its picture
    is kept.
    """

    address: str
    words: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    tabs: tuple[str, ...] = ()
    start: str = ""
    choices: tuple[str, ...] = ()
    in_readme: bool = False


VIEWS = {
    "runs": View(
        "/runs",
        words=("{findings.name}", "{dry.name}", "CompletedWithFindings", "on-demand"),
        start="Hide subflows",
        in_readme=True,
    ),
    "flow": View(
        "/flows/flow/{findings.flow_id}", words=("{findings.name}", "{dry.name}", "{first.name}", "Completed")
    ),
    "run": View(
        "/runs/flow-run/{findings.id}",
        words=("{findings.name}", "CompletedWithFindings", "sync-leads", "on-demand", "{findings.state.message}"),
    ),
    "run-report": View(
        "/runs/flow-run/{findings.id}",
        tabs=("Artifacts",),
        start="Task runs",
        words=("sync-report", "{findings.state.message}"),
    ),
    "artifacts": View("/artifacts", words=("sync-report", "sync-changes")),
    "report": View(
        "/artifacts/artifact/{sync-report.id}",
        words=("{findings.state.message}", "Trello board", "Changes (3)", "Conflicts (1)", "Quarantine (1)"),
        rows=(
            ("what", "how many"),
            ("leads", "12"),
            ("lead_id", "field", "before", "after", "direction"),
            ("name", "Chiara Rossi", "Chiara Rossi (Lumen S.p.A.)", "to_airtable"),
            ("status", "CONTACTED", "DONE", "Airtable wins"),
            ("a copy: another card already carries this LeadID", "Remove the LeadID line from the copy."),
        ),
        start="Changes (3)",
        in_readme=True,
    ),
    "changes": View(
        "/artifacts/artifact/{sync-changes.id}",
        rows=(
            ("lead", "field", "before", "after", "direction"),
            ("Chiara Rossi", "name", "Chiara Rossi (Lumen S.p.A.)", "to_airtable"),
            ("Amelia Hart", "status", "NEW", "CONTACTED"),
        ),
    ),
    "form": View(
        "/deployments/deployment/{on-demand}/run",
        words=(
            "dry_run",
            "Show what would change and write nothing.",
            "conflict",
            "Who wins when both sides moved one cell apart",
            "allow_mass_change",
            "accept that many known leads or cards are missing",
            "pair",
            "Name of the Leadsync Pair block",
        ),
        tabs=("ConflictPolicy",),
        choices=("airtable", "trello", "hold"),
        in_readme=True,
    ),
    "deployments": View(
        "/deployments",
        rows=(
            ("scheduled", "sync-leads", "Ready", "Hourly"),
            ("on-demand", "sync-leads", "Ready"),
            ("daily", "validate-setup", "Ready"),
        ),
    ),
    "deployment": View(
        "/deployments/deployment/{scheduled}",
        tabs=("Description",),
        words=("scheduled", "sync-leads", "Makes Leads and the board equal every hour"),
    ),
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium with an empty profile, without a window."""
    with playwright.sync_playwright() as running:
        own = running.chromium.executable_path
        found = [*filter(None, map(shutil.which, CHROMIUMS)), *([own] if Path(own).exists() else [])]
        if not found:
            pytest.skip("no Chromium on this machine")
        context = running.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("chromium"),
            executable_path=found[0],
            headless=True,
            args=[flag.replace("~", " ") for flag in FLAGS.split()],
            viewport={"width": WIDTH, "height": HEIGHT},
            locale="en-GB",
            timezone_id="UTC",
        )
        yield context
        context.close()


class Tab:
    """A page of the UI. Requests to anywhere else are refused and kept in `elsewhere`."""

    def __init__(self, browser, url):
        self.page, self.url, self.elsewhere = browser.new_page(), url, []
        self.page.set_default_timeout(SECONDS * 1000)
        self.page.route("**/*", self._pass_or_refuse)
        self.page.on("websocket", lambda socket: self._note(socket.url))

    def _pass_or_refuse(self, route):
        if self._note(route.request.url):
            route.abort()
        else:
            route.continue_()

    def _note(self, url):
        own = url.startswith((self.url + "/", self.url.replace("http", "ws", 1) + "/", "data:", "blob:"))
        if not own:
            self.elsewhere.append(url)
        return not own

    def open(self, address):
        self.page.goto(self.url + address)

    def see(self, words):
        """The text is visible."""
        self.page.get_by_text(words).filter(visible=True).first.wait_for()

    def see_row(self, cells):
        """One visible row of a table holds all of them."""
        row = self.page.locator("tr, [role=row]").filter(visible=True)
        for cell in cells:
            row = row.filter(has_text=cell)
        row.first.wait_for()

    def see_choices(self, choices):
        """The first field with a list of values offers these, and no others."""
        self.page.locator(".p-select button").filter(visible=True).first.press("ArrowDown")
        offered = self.page.locator(".p-select-option").filter(visible=True)
        offered.first.wait_for()
        assert offered.all_inner_texts() == list(choices)

    def scroll_to(self, words):
        place = self.page.get_by_text(re.compile(rf"^\s*{re.escape(words)}"))
        place.last.evaluate("place => place.scrollIntoView()")

    def picture(self, path):
        self.page.wait_for_load_state("networkidle")
        self.page.screenshot(path=path, animations="disabled")


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
    deployments = {each["name"]: each["id"] for each in prefect.post("deployments/filter")}
    return {**history, **of_run, **deployments}


def filled(text, known):
    """`text` with {a.b.c} replaced by known["a"]["b"]["c"]."""

    def value(match):
        found = known
        for part in match.group(1).split("."):
            found = found[part]
        return str(found)

    return re.sub(r"{([\w.-]+)}", value, text)


def folder_for(view, tmp_path):
    if not (view.in_readme and os.environ.get("LEADSYNC_SCREENSHOTS") == "1"):
        return tmp_path
    SCREENSHOTS.mkdir(exist_ok=True)
    return SCREENSHOTS


@pytest.mark.parametrize("name", VIEWS)
def test_page_shows_what_the_sync_left(tab, known, tmp_path, name):
    """Rendered, readable, and without asking any machine but the server itself."""
    view = VIEWS[name]
    tab.open(filled(view.address, known))
    try:
        for words in view.tabs:
            tab.page.get_by_text(words, exact=True).first.click()
        if view.start:
            tab.scroll_to(view.start)
        for words in view.words:
            tab.see(filled(words, known))
        for cells in view.rows:
            tab.see_row(cells)
        if view.choices:
            tab.see_choices(view.choices)
    except playwright.TimeoutError as error:
        pytest.fail(f"{error.message}\non this page:\n{tab.page.locator('body').inner_text()}", pytrace=False)
    picture = folder_for(view, tmp_path) / f"{name}.png"
    tab.picture(picture)
    assert picture.stat().st_size < LARGEST_PICTURE
    assert tab.elsewhere == []


def test_request_to_elsewhere_is_refused_and_noticed(tab):
    """What the test above relies on."""
    tab.open("/runs")
    answer = tab.page.evaluate("fetch('https://elsewhere.example/').catch(error => error.message)")
    assert answer == "Failed to fetch"
    assert tab.elsewhere == ["https://elsewhere.example/"]
