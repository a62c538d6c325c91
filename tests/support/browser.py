"""A browser without a window, in which pages of ours are looked at: it reaches nothing but this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from support.prefect_pages import CHROMIUMS, FLAGS, SECONDS

SERIOUS = ("serious", "critical")


@contextmanager
def browser() -> Iterator[Any]:
    """An installed Chromium, or Playwright's own; the test is skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        own = running.chromium.executable_path
        found = [*filter(None, map(shutil.which, CHROMIUMS)), *([own] if Path(own).exists() else [])]
        if not found:
            pytest.skip("there is no Chromium")
        opened = running.chromium.launch(executable_path=found[0], headless=True, args=FLAGS)
        yield opened
        opened.close()


class Tab:
    """
    A page of `url` in a browser. `elsewhere`: addresses of others that it asked for, in vain; `complaints`: errors of
    scripts, and what its security policy had to stop.
    """

    def __init__(
        self, opened: Any, url: str, width: int = 1280, dark: bool = False, script: bool = True, scale: float = 1.0
    ) -> None:
        self.context = opened.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            device_scale_factor=scale,
            locale="en-GB",
            timezone_id="UTC",
        )
        self.page, self.url = self.context.new_page(), url
        self.elsewhere: list[str] = []
        self.complaints: list[str] = []
        self.page.set_default_timeout(SECONDS * 1000)
        self.page.on("request", lambda request: self._note(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    def __enter__(self) -> Tab:
        return self

    def __exit__(self, *_error: object) -> None:
        self.context.close()

    def _note(self, address: str) -> None:
        if not address.startswith(f"{self.url}/"):
            self.elsewhere.append(address)

    def go(self, path: str) -> None:
        self.page.goto(self.url + path)

    def press(self, name: str, exact: bool = True) -> None:
        """The button of this name, and what follows."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=exact).first.click()

    def sees(self, text: str) -> None:
        """The text is there, or comes: a page of a run that has not ended asks again by itself."""
        self.page.get_by_text(text).first.wait_for()

    @property
    def text(self) -> str:
        return " ".join(str(self.page.locator("body").inner_text()).split())

    @property
    def overflow(self) -> int:
        """By how much the page is wider than its window [px]."""
        found: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return found


def barriers(page: Any) -> list[str]:
    """What axe finds that shuts somebody out, each with the places; skips where axe is not installed."""
    pytest.importorskip("axe_playwright_python")
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{each['id']}: {each['help']} {[node['html'][:200] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in SERIOUS
    ]
