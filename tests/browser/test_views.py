"""Each view of the page in a browser: readable at every width, in the dark, by keyboard, and without a script."""

import pytest

from support.browser import Tab, barriers

pytestmark = pytest.mark.installation

NASTY = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\u202eevil", "שלום עולם", "x" * 16_000)
STORY = (
    "sync",
    "move 1 DONE",
    "status 1 CONTACTED",
    "copy 2",
    "archive 4",
    *(f"name {number} {name}" for number, name in enumerate(NASTY, 5)),
    "status 5 ON HOLD",
    "status 10 ON HOLD",
    "move 10 IN_PROGRESS",
    "sync",
    "status 3 LOST",
)
WIDTHS = (320, 768, 1280, 1920)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A playground with a conflict, a copy, cells set aside, an archived card, names that are none, an edit to come."""
    from playground.steps import steps_of
    from support.play_world import playing

    with playing(tmp_path_factory.mktemp("scene")) as (url, world):
        world.become(0, steps_of(STORY))
        (run, *_) = world.desk.runs(world.desk.pair, 0.0)
        views = {
            "playground": "/play",
            "leads": "/",
            "decide": "/decide",
            "history": "/history",
            "run": f"/history/{run.run_id}",
            "lead": f"/leads/{world.leads[0]}",
            "nasty": f"/leads/{world.leads[5]}",
            "aside": f"/leads/{world.leads[4]}",
            "nothing": "/?q=nobody",
            "problem": "/leads/none",
        }
        yield url, world, views


VIEWS = ("playground", "leads", "decide", "history", "run", "lead", "nasty", "aside", "nothing", "problem")


@pytest.mark.parametrize("view", VIEWS)
def test_view_shuts_nobody_out(opened, scene, view):
    """Light and dark, wide and narrow: nothing is cut off, nothing is asked of others, and axe finds no barrier."""
    url, _, views = scene
    for width in WIDTHS:
        for dark in (False, True):
            with Tab(opened, url, width, dark) as tab:
                tab.go(views[view])
                assert tab.overflow <= 0, (view, width)
                assert tab.elsewhere == []
                expected = ["404"] if view == "problem" else []
                assert [each for each in tab.complaints if not any(code in each for code in expected)] == []
                if width in (320, 1280):
                    assert barriers(tab.page) == []


@pytest.mark.parametrize("view", VIEWS)
def test_view_has_an_order_that_is_heard(opened, scene, view):
    """One heading of the first rank, no rank left out, landmarks, and the menu says where one is."""
    url, _, views = scene
    with Tab(opened, url) as tab:
        tab.go(views[view])
        ranks = tab.page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(each => Number(each.tagName[1]))")
        assert ranks[0] == 1
        assert ranks.count(1) == 1
        assert all(after - before <= 1 for before, after in zip(ranks, ranks[1:], strict=False)), ranks
        nameless = tab.page.eval_on_selector_all(
            "input:not([type=hidden]), select, button",
            "all => all.filter(each => !each.ariaLabel && !(each.labels && each.labels.length) &&"
            " !(each.tagName == 'BUTTON' && each.textContent.trim())).map(each => each.outerHTML)",
        )
        assert nameless == []
        for landmark in ("banner", "main", "contentinfo"):
            assert tab.page.get_by_role(landmark).count() == 1
        if view in ("playground", "leads", "decide", "history"):
            assert tab.page.locator("nav [aria-current=page]").count() == 1


@pytest.mark.parametrize("view", VIEWS)
def test_keyboard_reaches_everything(opened, scene, view):
    """Tab goes through every link, button and field once, in the order in which they are read, each with a mark."""
    url, _, views = scene
    with Tab(opened, url) as tab:
        tab.go(views[view])
        wanted = tab.page.eval_on_selector_all(
            "a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']",
            "all => all.filter(each => each.checkVisibility({visibilityProperty: true}) && !each.disabled).length",
        )
        seen = []
        for _ in range(wanted + 1):
            tab.page.keyboard.press("Tab")
            seen.append(
                tab.page.evaluate(
                    "() => { const at = document.activeElement; if (!at || at === document.body) return null;"
                    " const all = [...document.querySelectorAll('*')]; const style = getComputedStyle(at);"
                    " return [all.indexOf(at), style.outlineStyle !== 'none' && style.outlineWidth !== '0px'] }"
                )
            )
        places = [place for place in seen if place]
        assert len({number for number, _ in places}) == wanted
        assert [number for number, _ in places][:wanted] == sorted(number for number, _ in places)[:wanted]
        assert all(marked for _, marked in places)


def test_names_from_outside_stay_names(opened, scene):
    """No script of theirs runs, no picture of theirs is asked for, and no direction of theirs turns the page around."""
    url, _, views = scene
    with Tab(opened, url) as tab:
        said = []
        tab.page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        for view in VIEWS:
            tab.go(views[view])
        tab.go("/")
        assert (said, tab.elsewhere) == ([], [])
        assert "<script>alert(1)</script>" in tab.text
        assert "\\u202eevil" in tab.text


def test_page_works_without_a_script(opened, play):
    """Search, preview, sync, a step in the playground, and a conflict that is settled."""
    url, world = play
    with Tab(opened, url, script=False) as tab:
        tab.go("/play")
        tab.press("Sync now")
        tab.sees("12 leads, 0 cards")
        card = tab.page.locator("[data-lead='1']")
        card.locator("summary").click()
        card.locator("select").select_option("DONE")
        with tab.page.expect_navigation():
            card.get_by_role("button", name="Move", exact=True).click()
        tab.page.get_by_label("Status of lead 1", exact=True).select_option("CONTACTED")
        tab.press("Save lead 1")
        tab.go("/")
        tab.press("Preview")
        tab.sees("held: make both equal by hand")
        tab.press("Sync now")
        tab.sees("1 conflict")
        tab.page.get_by_role("link", name="To decide").click()
        tab.press("Take Trello's status of Amelia Hart")
        tab.sees("Take Trello's value")
        tab.sees("QUALIFIED")
        tab.go("/?q=amelia")
        assert "1 lead " in tab.text
        assert world.emulator.airtable.records()[world.leads[0]]["status"] == "QUALIFIED"
