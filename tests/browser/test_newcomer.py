"""
A newcomer at the playground, who reads nothing but what is on the page; and the picture that the README shows.

With README_SCREENSHOTS=1 the picture goes beside this file.
"""

import os
from pathlib import Path

import pytest

from support.browser import Tab

pytestmark = pytest.mark.installation

PICTURE = Path(__file__).parent / "playground.png"
LARGEST_PICTURE = 150_000


def lists(tab):
    """What lies where, as the page shows it."""
    found = tab.page.locator(".list")
    return {each.get_attribute("data-list"): each.locator("summary").all_inner_texts() for each in found.all()}


def drag(tab, card, to):
    """As with a mouse."""
    with tab.page.expect_navigation():
        tab.page.locator(".card", has_text=card).first.drag_to(tab.page.locator(f"[data-list={to}]"))


def choose(tab, field, value):
    """A cell of the table: it is saved when it is left."""
    with tab.page.expect_navigation():
        tab.page.get_by_label(field, exact=True).select_option(value)


def test_newcomer_takes_one_side_of_what_is_set_aside(opened, play):
    """A status without a list waits, with what the button would write beside it; then both sides say the same."""
    url, world = play
    with Tab(opened, url) as tab:
        tab.go("/play")
        tab.press("Sync now")
        choose(tab, "Status of lead 2", "ON HOLD")
        drag(tab, "Bruno Keller", "DONE")
        tab.press("Sync now")
        tab.sees("unknown status 'ON HOLD'")
        tab.page.get_by_role("link", name="To decide").click()
        tab.sees("Airtable's status becomes QUALIFIED.")
        assert tab.page.get_by_role("button", name="Take Airtable's").count() == 0
        tab.page.get_by_role("button", name="Take Trello's status of Bruno Keller").focus()
        with tab.page.expect_navigation():
            tab.page.keyboard.press("Enter")
        tab.sees("It was set aside.")
        tab.page.get_by_role("link", name="Playground").click()
        assert tab.page.get_by_label("Status of lead 2", exact=True).input_value() == "QUALIFIED"
        assert "Of Bruno Keller is taken: trello status" in tab.text
        tab.press("Sync now")
        tab.sees("Nothing had to be changed.")
        assert (tab.elsewhere, tab.complaints, world.emulator.errors) == ([], [], [])


def test_newcomer_drags_syncs_settles_and_undoes(opened, play):
    """All of it in the browser, by what stands on the buttons."""
    url, world = play
    with Tab(opened, url) as tab:
        tab.go("/play")
        tab.press("Sync now")
        tab.sees("12 leads, 0 cards")
        drag(tab, "Chiara Rossi", "DONE")
        assert "Chiara Rossi" in lists(tab)["DONE"]

        tab.press("Preview")
        tab.sees("The plan")
        plan = tab.page.get_by_role("row").filter(has_text="Chiara Rossi").filter(has_text="QUALIFIED")
        assert "Changed on the card since both sides last agreed" in plan.inner_text()
        assert world.emulator.airtable.records()[world.leads[2]]["status"] == "CONTACTED"

        tab.press("Sync now")
        tab.sees("What was changed")
        assert tab.page.get_by_label("Status of lead 3", exact=True).input_value() == "QUALIFIED"

        choose(tab, "Status of lead 1", "CONTACTED")
        drag(tab, "Amelia Hart", "DONE")
        tab.press("Sync now")
        tab.sees("1 conflict")
        tab.page.get_by_role("link", name="To decide").click()
        tab.press("Take Trello's status of Amelia Hart")
        tab.sees("Take Trello's value")
        tab.sees("Calls:")
        tab.page.get_by_role("link", name="Playground").click()
        assert tab.page.get_by_label("Status of lead 1", exact=True).input_value() == "QUALIFIED"

        tab.page.get_by_role("link", name="History").click()
        tab.page.get_by_role("table").get_by_role("link").nth(1).click()
        assert "Chiara Rossi" in tab.text
        tab.press("Undo this run…")
        tab.sees("What would change")
        tab.press("Do this now")
        tab.sees("What was changed")
        tab.page.get_by_role("link", name="Playground").click()
        assert tab.page.get_by_label("Status of lead 3", exact=True).input_value() == "CONTACTED"
        assert "Chiara Rossi" in lists(tab)["IN_PROGRESS"]

        tab.press("Sync now")
        tab.sees("Nothing had to be changed.")
        assert (tab.elsewhere, tab.complaints) == ([], [])
        assert world.emulator.errors == []


def test_link_leads_another_browser_to_the_same_state(opened, play, tmp_path):
    """All that was done is in the address; going back takes a step back."""
    from support.play_world import playing

    url, _ = play
    with Tab(opened, url) as tab:
        tab.go("/play")
        tab.press("Sync now")
        drag(tab, "Chiara Rossi", "DONE")
        choose(tab, "Status of lead 1", "LOST")
        tab.press("Lose the answer to the next write")
        tab.press("Sync now")
        link, shown = tab.page.url.removeprefix(url), lists(tab)
        (tmp_path / "other").mkdir()
        with playing(tmp_path / "other") as (other, _), Tab(opened, other) as again:
            again.go(link)
            assert lists(again) == shown
            assert "What was changed" in again.text
        for _ in range(3):
            tab.page.go_back()
        assert "Amelia Hart" in lists(tab)["TODO"]
        assert tab.page.get_by_label("Status of lead 1", exact=True).input_value() == "NEW"


def test_every_button_of_the_playground_does_what_it_says(opened, play):
    """Each is pressed, by keyboard alone."""
    url, world = play

    def enter(name, scope=None):
        with tab.page.expect_navigation():
            (scope or tab.page).get_by_role("button", name=name, exact=True).first.press("Enter")

    with Tab(opened, url) as tab:
        tab.go("/play")
        tab.page.get_by_label("New lead").fill("Zoë")
        enter("Add")
        tab.page.get_by_label("Name of lead 2", exact=True).fill("Bruno K.")
        with tab.page.expect_navigation():
            tab.page.get_by_label("Name of lead 2", exact=True).press("Enter")
        enter("Sync now")
        tab.sees("13 leads, 0 cards")

        def on_card(number, button, *keys, label="", text=""):
            card = tab.page.locator(f"[data-lead='{number}']").first
            card.locator("summary").press("Enter")
            if label:
                card.get_by_label(label).fill(text)
            for key in keys:
                card.locator("select").press(key)
            enter(button, card)

        on_card(2, "Rename", label="Title", text="Bruno & Co")
        on_card(3, "Move", "End")
        on_card(4, "Archive")
        on_card(5, "Copy")
        enter("Trello says 429 once")
        enter("Sync now")
        tab.sees("Bruno & Co")
        assert "It would have waited" in tab.text
        assert "a copy: another card already carries this LeadID" in tab.text
        assert "Chiara Rossi" in lists(tab)["DONE"]
        assert world.emulator.airtable.records()[world.leads[1]]["name"] == "Bruno & Co"
        tab.page.get_by_role("link", name="To decide").press("Enter")
        enter("Untie the copies of Elif Demir")
        tab.sees("It was a copy.")
        tab.page.get_by_role("link", name="Playground").press("Enter")
        assert "The copies of the card of Elif Demir become cards of their own" in tab.text
        on_card(4, "Un-archive")
        enter("Preview")
        tab.sees("The plan")
        tab.page.get_by_label("Seed of all ids").fill("7")
        enter("Start over")
        assert tab.page.url.endswith("/play?seed=7")
        assert world.steps == []
        assert tab.complaints == []


def test_picture_for_the_readme(opened, play, tmp_path):
    """The table, the board, and a plan with its reasons; small enough to be kept."""
    url, _ = play
    with Tab(opened, url, width=1440, scale=0.75) as tab:
        tab.page.set_viewport_size({"width": 1440, "height": 960})
        tab.go("/play?seed=0&step=sync&step=move+3+DONE&step=status+1+LOST&step=title+2+Bruno+Keller+GmbH")
        tab.press("Preview")
        tab.sees("The plan")
        picture = PICTURE if os.environ.get("README_SCREENSHOTS") else tmp_path / "playground.png"
        tab.page.evaluate("window.scrollTo(0, 0); document.activeElement.blur()")
        tab.page.screenshot(path=picture, animations="disabled")
        assert 10_000 < picture.stat().st_size < LARGEST_PICTURE
