"""The pages of Prefect's UI that a sync fills, what must be readable there, and a browser without a window."""

import re
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

WIDTH, HEIGHT = 1024, 1_000
SECONDS = 20
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@dataclass(frozen=True)
class View:
    """
    A page and what must be readable there; {names} stand for what `known` says.

    rows: cells that stand in one row of a table. tabs: clicked first. choices: of the first field that has some.
    start: the text at the upper edge of the picture. in_readme: the picture is kept.
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
        words=("sync-report", "{findings.state.message}"),
    ),
    "artifacts": View("/artifacts", words=("sync-report", "sync-changes")),
    "report": View(
        "/artifacts/artifact/{sync-report.id}",
        words=(
            *(
                "{findings.state.message}",
                "Trello board",
                "What you must do (1)",
                "Changes (3)",
                "Settled conflicts (1)",
            ),
            *("name Chiara Rossi → Chiara Rossi (Lumen S.p.A.) on Airtable", "CONTACTED on Airtable, DONE on Trello"),
            *("a copy: another card already carries this LeadID", "or have flows/conflicts.py untie do it."),
        ),
        rows=(
            ("what", "how many"),
            ("leads", "12"),
        ),
        start="What you must do (1)",
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
            "accept that many known leads, cards or values are gone",
            "read",
            "Read both sides whole, only what changed",
            "pair",
            "Name of the Leadsync Pair block",
        ),
        choices=("settings", "airtable", "trello", "hold"),
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


@contextmanager
def chromium(playwright, profile):
    """An installed Chromium, or Playwright's own, whose files are kept in `profile`. Yields: None if there is none."""
    with playwright.sync_playwright() as running:
        own = running.chromium.executable_path
        found = [*filter(None, map(shutil.which, CHROMIUMS)), *([own] if Path(own).exists() else [])]
        if not found:
            yield None
            return
        context = running.chromium.launch_persistent_context(
            profile,
            executable_path=found[0],
            headless=True,
            args=FLAGS,
            viewport={"width": WIDTH, "height": HEIGHT},
            locale="en-GB",
            timezone_id="UTC",
        )
        yield context
        context.close()


class Tab:
    """A page of the UI. Requests to anywhere else are refused and kept in `elsewhere`."""

    def __init__(self, browser, url):
        from playwright.sync_api import TimeoutError as TimedOut

        self.page, self.url, self.elsewhere, self.timed_out = browser.new_page(), url, [], TimedOut
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

    def look(self, view, known):
        """Open the view's page and find there all that it should show. Raises: AssertionError with what is there."""
        self.page.goto(self.url + filled(view.address, known))
        try:
            for words in view.tabs:
                self.page.get_by_text(words, exact=True).first.click()
            for words in view.words:
                self.see(filled(words, known))
            for cells in view.rows:
                self.see_row(cells)
            if view.choices:
                self.see_choices(view.choices)
        except self.timed_out as error:
            shown = self.page.locator("body").inner_text()
            raise AssertionError(f"{error}\non this page:\n{shown}") from None

    def see(self, words):
        """The text is visible, if need be after scrolling: long lists are drawn only where one looks."""
        text = self.page.get_by_text(words).filter(visible=True).first
        self.page.mouse.move(WIDTH * 0.6, HEIGHT * 0.8)
        deadline = time.monotonic() + SECONDS
        for step in count(1):
            try:
                text.wait_for(timeout=400)
            except self.timed_out:
                if time.monotonic() > deadline:
                    raise
                self.page.mouse.wheel(0, -100_000 if step % 15 == 0 else 400)
            else:
                return

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
        """Bring the text to the upper edge."""
        place = self.page.get_by_text(re.compile(rf"^\s*{re.escape(words)}"))
        place.last.evaluate("place => place.scrollIntoView()")

    def picture(self, view, path):
        if view.start:
            self.scroll_to(view.start)
        self.page.wait_for_load_state("networkidle")
        self.page.screenshot(path=path, animations="disabled", style="* { background-image: none !important }")


def filled(text, known):
    """`text` with {a.b.c} replaced by known["a"]["b"]["c"]."""

    def value(match):
        found = known
        for part in match.group(1).split("."):
            found = found[part]
        return str(found)

    return re.sub(r"{([\w.-]+)}", value, text)
