"""The page over real HTTP: what it shows, who may see it, and that its buttons work for nobody else."""

import base64
import html
import re

import pytest
import requests

from leadsync.errors import StateStoreError
from leadsync.pipeline.clients import month_name, now_utc
from leadsync.pipeline.vital_signs import signs_of
from support.gateway_process import TOKEN
from support.page_world import paged

BUTTONS = ["/page/sync", "/page/preview", "/page/take", "/page/untie"]
VIEWS = ["/", "/decide", "/history", "/page/style.css", "/page/script.js", "/asked/none"]
PUBLIC = "https://sync.example"


def shown(answer):
    """The text of a page."""
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", answer.text).split()))


@pytest.fixture
def page(tmp_path):
    with paged(tmp_path, "Ada", "Bo", "Cy") as made:
        yield made


@pytest.fixture
def guarded_page(serve, page):
    """A page that wants a token; its runs do nothing."""
    return serve(token=TOKEN, views=page.gate.views, public_url=PUBLIC)


def basic(password):
    return {"Authorization": "Basic " + base64.b64encode(f"me:{password}".encode()).decode()}


BEARER = {"Authorization": f"Bearer {TOKEN}"}


def test_leads_are_shown_without_a_call(page):
    """Each with its card, where both are, and how they stand."""
    before = len(page.world.emulator.requests)
    answer = page.get("/")
    assert answer.status_code == 200
    assert "3 leads" in shown(answer)
    for name in ("Ada", "Bo", "Cy"):
        assert f"{name} Airtable NEW {name} Trello TODO in step" in shown(answer)
    assert len(page.world.emulator.requests) == before


def test_page_is_there_before_the_first_run(tmp_path):
    with paged(tmp_path) as made:
        assert "No lead is known yet" in shown(made.get("/"))
        assert not made.world.emulator.requests


def test_preview_tells_and_sync_does(page):
    """Both end on a page of the run, with every change and its reason."""
    lead = next(iter(page.world.airtable.records()))
    page.world.trello.move(page.world.card(lead)["id"], "DONE")
    why = "NEW QUALIFIED to Airtable Changed on the card since both sides last agreed"
    told = page.press("/page/preview")
    assert why in shown(told)
    assert "What would change" in shown(told)
    assert page.world.status(lead) == "NEW"
    done = page.press("/page/sync")
    assert why in shown(done)
    assert "What was changed" in shown(done)
    assert page.world.status(lead) == "QUALIFIED"
    assert [report.dry_run for report in page.reports] == [True, False]


def test_run_under_way_is_looked_at_again(serve, page):
    """The browser asks again by itself, without a script."""
    served = serve(views=page.gate.views)
    served.hold.clear()
    asked = served.ask("POST", "/page/sync", headers={"Origin": served.url})
    assert (asked.status_code, asked.headers["Refresh"]) == (200, "1")
    served.hold.set()
    served.settled()
    ended = served.ask("GET", asked.url.removeprefix(served.url))
    assert "Refresh" not in ended.headers
    assert "done" in shown(ended)


# Who may


@pytest.mark.parametrize("path", VIEWS)
def test_page_wants_the_token_as_a_password(guarded_page, path):
    """A browser asks for it; any user name will do."""
    refused = guarded_page.ask("GET", path)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert "Ada" not in refused.text
    for wrong in (basic("x" * 20), basic(""), {"Authorization": "Basic !"}, {"Authorization": "Basic " + "QQ=="}):
        assert guarded_page.ask("GET", path, headers=wrong).status_code == 401
    for right in (basic(TOKEN), BEARER):
        assert guarded_page.ask("GET", path, headers=right).status_code in (200, 404)


@pytest.mark.parametrize("path", BUTTONS)
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no-origin"),
        pytest.param({"Origin": "null"}, id="null"),
        pytest.param({"Origin": "https://evil.example"}, id="other-site"),
        pytest.param({"Origin": "http://127.0.0.1:1"}, id="other-port"),
        pytest.param({"Origin": "http://evil.example", "Host": "evil.example"}, id="made-up-name"),
        pytest.param({"Origin": PUBLIC, "Host": "evil.example"}, id="made-up-host"),
        pytest.param({"Origin": "http://sync.example"}, id="other-scheme"),
        pytest.param({"Origin": "https://me@sync.example"}, id="with-a-name"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="cross-site"),
    ],
)
def test_password_does_nothing_from_elsewhere(guarded_page, page, path, headers):
    """The browser sends it by itself, whoever's page asks; nor does this machine's trust, without one."""
    refused = guarded_page.ask("POST", path, headers=basic(TOKEN) | headers, allow_redirects=False)
    assert (refused.status_code, guarded_page.runs) == (403, [])
    refused = requests.post(page.url + path, headers=headers, timeout=10, allow_redirects=False)
    assert (refused.status_code, page.reports) == (403, [])


@pytest.mark.parametrize("path", BUTTONS)
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(BEARER, id="program"),
        pytest.param(basic(TOKEN) | {"Origin": PUBLIC, "Host": "sync.example"}, id="behind-a-proxy"),
        pytest.param(basic(TOKEN) | {"Origin": PUBLIC}, id="behind-a-proxy-that-renames"),
        pytest.param(basic(TOKEN) | {"Sec-Fetch-Site": "same-origin"}, id="same-origin"),
    ],
)
def test_button_works_from_our_page(guarded_page, path, headers):
    fields = {"side": "airtable", "lead": "rec1"}
    answer = guarded_page.ask("POST", path, headers=headers, data=fields, allow_redirects=False)
    assert answer.status_code == 303
    assert guarded_page.settled() == 1


def test_password_is_not_taken_where_programs_ask(guarded_page):
    """Another site's page could have a browser send it there."""
    assert guarded_page.ask("POST", "/sync", headers=basic(TOKEN)).status_code == 401


def test_gateway_without_a_desk_has_no_page(served):
    assert served.ask("GET", "/").status_code == 404


# What a browser may do with it


@pytest.mark.parametrize("path", ["/", "/page/style.css", "/page/script.js", "/page/nothing", "/asked/none"])
def test_nothing_is_loaded_from_elsewhere(page, path):
    """Nor shown inside of another page, nor run that stands in the page itself."""
    answer = page.get(path)
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {policy["script-src"], policy["style-src"], policy["form-action"]} == {"'self'"}
    if answer.headers["Content-Type"].startswith("text/html"):
        assert not re.search(r"<script(?! src=\"/page/)|<style|\son\w+=|\sstyle=|javascript:", answer.text)
        loaded = re.findall(r"<(?:link|script|img)[^>]*(?:href|src)=\"([^\"]*)", answer.text)
        assert loaded
        assert all(address.startswith("/page/") for address in loaded)


NAMES = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "{{ 7 * 7 }}",
    "\u202eevil\u202c",
    "x" * 16_000,
    "שלום",
]


def test_text_from_outside_stays_text(tmp_path):
    """Whatever it is, on every page that shows it; a long one is cut."""
    with paged(tmp_path, *NAMES) as made:
        for lead, fields in made.world.airtable.records().items():
            made.world.airtable.edit(lead, name=fields["name"] + "<b>")
        pages = [made.get("/"), made.press("/page/preview"), made.get("/?q=<i>&show=<u>&page=<s>")]
        for answer in pages:
            assert answer.status_code == 200
            assert not re.search(r"<(b|i|u|s|img|svg)\b|<script>|>49<", answer.text)
            assert len(answer.text) < 60_000
        assert "<script>alert(1)</script>" in html.unescape(pages[0].text)
        assert "\\u202eevil" in pages[0].text


# Finding one lead


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("ada", {"Ada"}),
        ("BO", {"Bo"}),
        ("ÖZ", {"Özge"}),
        ("özge", {"Özge"}),
        ("%", set()),
        ("_", set()),
        ("web@x", {"Cy"}),
        ("mail", set()),
        ("jürgen@", {"Cy"}),
        ("STRASSE", {"Straße"}),
        ("straße", {"Straße"}),
    ],
)
def test_search_finds_names_and_addresses_in_any_case(tmp_path, asked, found):
    with paged(tmp_path) as made:
        names = ("Ada", "Bo", "Özge", "Straße", "Cy")
        for name in names[:-1]:
            made.world.lead(name)
        made.world.lead("Cy", email="WEB@x.example, JÜRGEN@x.example")
        made.world.sync()
        text = shown(requests.get(f"{made.url}/", params={"q": asked}, timeout=10))
        assert {name for name in names if f"{name} Airtable" in text} == found
        lead = next(iter(made.world.airtable.records()))
        assert "1 lead " in shown(requests.get(f"{made.url}/", params={"q": lead}, timeout=10))


def test_many_leads_have_pages(tmp_path):
    """In the order of their names, each lead on one of them."""
    names = [f"Lead {number:03}" for number in range(120)]
    with paged(tmp_path, *names) as made:
        seen = [re.findall(r"Lead \d{3}(?= Airtable)", shown(made.get(f"/?page={number}"))) for number in (1, 2, 3)]
        assert [name for part in seen for name in part] == names
        assert "page 3 of 3" in shown(made.get("/?page=999999"))
        for wrong in ("0", "-1", "x", "9" * 40, ""):
            assert "page 1 of 3" in shown(made.get(f"/?page={wrong}"))


def test_state_of_a_lead_is_told(tmp_path):
    """As the last run found it."""
    with paged(tmp_path, "Ada", "Bo", "Cy", "Di", "Ed", "Flo") as made:
        world, by_name = made.world, {cells["name"]: lead for lead, cells in made.world.airtable.records().items()}
        world.trello.add_list("Somewhere")
        world.trello.archive(world.card(by_name["Ada"])["id"])
        world.trello.move(world.card(by_name["Bo"])["id"], "Somewhere")
        world.trello.delete(world.card(by_name["Cy"])["id"])
        world.airtable.delete(by_name["Di"])
        world.airtable.add_select_option("status", "Nobody knows")
        world.lead("Gus", "Nobody knows")
        world.sync(exit_code=None)
        text = shown(made.get("/"))
        for told in (
            "Ada Airtable NEW Ada Trello TODO archived",
            "Bo Trello another list parked",
            "Cy Trello TODO card deleted",
            "Di Trello TODO lead deleted",
            "Ed Trello TODO in step",
            "Gus Airtable Nobody knows",
        ):
            assert told in text, (told, text)
        for show, name in (("shut", "Ada"), ("gone", "Cy"), ("new", "Gus")):
            found = shown(made.get(f"/?show={show}"))
            assert f"{name} Airtable" in found
            assert "Ed Airtable" not in found


# What waits for somebody, and what was done


@pytest.fixture
def held(tmp_path):
    """Ada's status is in conflict, and Bo's card has a copy."""
    with paged(tmp_path, "Ada", "Bo", "Cy", SYNC_CONFLICT="hold") as made:
        by_name = {cells["name"]: lead for lead, cells in made.world.airtable.records().items()}
        made.ada, made.bo, made.cy = (by_name[name] for name in ("Ada", "Bo", "Cy"))
        made.world.trello.move(made.world.card(made.ada)["id"], "DONE")
        made.world.airtable.edit(made.ada, status="CONTACTED")
        made.world.trello.copy(made.world.card(made.bo)["id"])
        made.world.sync()
        yield made


def test_what_waits_is_told_with_its_remedy(held):
    """Why, since when, and both values; the menu counts it, the list shows it, and looking asks nobody."""
    before = len(held.world.emulator.requests)
    text = shown(held.get("/decide"))
    assert "To decide 2" in text
    assert "Ada : status differs (conflict, since 20" in text
    assert "Take one of the two, or make both equal by hand. Airtable Trello" in text
    assert "Agreed before NEW Airtable CONTACTED Trello DONE Take Airtable's Take Trello's" in text
    assert "Bo : a copy: another card already carries this LeadID" in text
    assert "Remove the LeadID line from the copy, or have flows/conflicts.py untie do it. Untie the copy" in text
    listed = shown(held.get("/?show=decide"))
    assert "Ada Airtable CONTACTED Ada Trello DONE conflict" in listed
    assert "Bo Airtable NEW Bo Trello TODO set aside" in listed
    assert "2 leads" in listed
    assert len(held.world.emulator.requests) == before


@pytest.mark.parametrize(
    ("side", "status", "card"), [("airtable", "CONTACTED", "IN_PROGRESS"), ("trello", "QUALIFIED", "DONE")]
)
def test_conflict_is_settled_by_a_button(held, side, status, card):
    """As the command does: that cell, and nothing else."""
    held.world.airtable.edit(held.cy, status="LOST")
    told = shown(held.press("/page/take", lead=held.ada, field="status", side=side))
    assert f"Take {side.title()}'s value" in told
    assert "Both sides changed it: " in told
    assert held.world.status(held.ada) == status
    lists = {each["id"]: each["name"] for each in held.world.trello.lists()}
    assert lists[held.world.card(held.ada)["idList"]] == card
    assert lists[held.world.card(held.cy)["idList"]] == "TODO"
    assert "To decide 1" in shown(held.get("/decide"))


def test_copy_is_untied_by_a_button(held):
    """It is a card of its own then; the lead's card is not written, and who comes too late is told."""
    card, _ = sorted(held.world.cards_of(held.bo), key=lambda each: each["id"])
    told = shown(held.press("/page/untie", lead=held.bo))
    assert "Untie the copies of Bo" in told
    assert "Bo card Bo untied to Trello It was a copy." in told
    assert held.world.cards_of(held.bo) == [card]
    text = shown(held.get("/decide"))
    assert ("To decide 1" in text, "Untie the copy" in text) == (True, False)
    late = shown(held.press("/page/untie", lead=held.bo))
    assert "Somebody may have settled it meanwhile" in late
    assert held.press("/page/untie").status_code == 422


@pytest.fixture
def aside(tmp_path):
    """Ada's status is one that nobody knows, by the worst of names, while her card moved on; Bo's card is parked."""
    with paged(tmp_path, "Ada", "Bo", "Cy") as made:
        world, by_name = made.world, {cells["name"]: lead for lead, cells in made.world.airtable.records().items()}
        made.ada, made.bo, made.cy = (by_name[name] for name in ("Ada", "Bo", "Cy"))
        world.airtable.add_select_option("status", NAMES[0])
        world.airtable.edit(made.ada, status=NAMES[0])
        world.trello.move(world.card(made.ada)["id"], "DONE")
        world.trello.add_list("Elsewhere")
        world.trello.move(world.card(made.bo)["id"], "Elsewhere")
        world.sync()
        yield made


def test_cell_set_aside_is_told_with_what_each_side_would_get(aside):
    """And a button for the sides that can be taken, no others; looking asks nobody, on the lead's own page neither."""
    before = len(aside.world.emulator.requests)
    answer = aside.get("/decide")
    text = shown(answer)
    assert f"Ada : unknown status {NAMES[0]!r} , since 20" in text
    assert f"Airtable {NAMES[0]} Trello DONE Take Trello's Airtable's status becomes QUALIFIED ." in text
    assert "Bo : the card is parked in a list outside the mapping" in text
    assert "Take Airtable's Trello's status becomes TODO ." in text
    assert text.count("Take ") == 2
    assert "<script>alert" not in answer.text
    assert "Take Trello's Airtable's status becomes QUALIFIED ." in shown(aside.get(f"/leads/{aside.ada}"))
    assert len(aside.world.emulator.requests) == before


def test_cell_set_aside_is_taken_by_a_button(aside):
    """As the command does: that cell, and nothing else; who comes too late is told."""
    aside.world.airtable.edit(aside.cy, status="LOST")
    told = shown(aside.press("/page/take", lead=aside.ada, field="status", side="trello"))
    assert "Take Trello's value of Ada" in told
    assert f"{NAMES[0]} QUALIFIED to Airtable It was set aside." in told
    assert (aside.world.status(aside.ada), aside.world.place(aside.cy)) == ("QUALIFIED", "TODO")
    assert "To decide 1" in shown(aside.get("/decide"))
    assert "It was set aside; Trello's value was taken." in shown(aside.get(f"/leads/{aside.ada}"))
    late = shown(aside.press("/page/take", lead=aside.ada, field="status", side="trello"))
    assert "Somebody may have settled it meanwhile" in late


def test_take_that_was_undone_waits_once(aside):
    """As a conflict until a sync has set the cell aside again; it can be taken all along."""
    for sync in (False, True):
        aside.press("/page/take", lead=aside.ada, field="status", side="trello")
        (run, *_) = aside.store.history.runs(aside.desk.pair.key)
        aside.press("/page/undo", run=run.run_id, do="yes")
        assert aside.world.status(aside.ada) == NAMES[0]
        if sync:
            aside.press("/page/sync")
        assert "To decide 2" in shown(aside.get("/decide"))
    aside.press("/page/take", lead=aside.ada, field="status", side="trello")
    assert aside.world.status(aside.ada) == "QUALIFIED"
    assert "To decide 1" in shown(aside.get("/decide"))


def test_cell_that_was_edited_since_the_page_was_made_is_not_overwritten(aside):
    aside.world.airtable.add_select_option("status", "Later")
    aside.world.airtable.edit(aside.ada, status="Later")
    told = shown(aside.press("/page/take", lead=aside.ada, field="status", side="trello"))
    assert "was edited since: Airtable holds 'Later'" in told
    assert aside.world.status(aside.ada) == "Later"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"side": "both", "lead": "x"},
        {"side": "airtable"},
        {"side": "trello", "lead": ""},
        {"side": "trello", "lead": "\0"},
    ],
)
def test_button_of_another_form_is_refused(held, fields):
    assert held.press("/page/take", **fields).status_code == 422
    assert held.reports == []


def test_conflict_that_is_none_any_more_is_told(held):
    """The page was old."""
    held.press("/page/take", lead=held.ada, field="status", side="trello")
    told = shown(held.press("/page/take", lead=held.ada, field="status", side="trello"))
    assert "Take Trello's value of Ada No conflict of" in told
    assert "Somebody may have settled it meanwhile: To decide shows what is open." in told


def test_history_tells_runs_and_their_changes(held):
    """The newest first, each with its reason; a lead has its own."""
    held.press("/page/take", lead=held.ada, field="status", side="trello")
    answer = held.get("/history")
    assert "2 runs that changed something" in shown(answer)
    newest, oldest = re.findall(r'href="(/history/[^"?]+)"', answer.text)
    assert "1 change of 1 lead" in shown(held.get(newest))
    assert (
        "Ada Airtable Trello status CONTACTED QUALIFIED to Airtable Both sides were edited; Trello's value was taken."
        in shown(held.get(newest))
    )
    assert "3 changes of 3 leads" in shown(held.get(oldest))
    timeline = shown(held.get(f"/leads/{held.ada}"))
    assert timeline.index("CONTACTED QUALIFIED") < timeline.index("It had no card.")
    assert "No run changed anything" in shown(held.get("/history?days=0"))


@pytest.mark.parametrize(
    "path", ["/history/none", "/leads/none", "/leads/%3Cb%3E", "/history/%00", "/leads/" + "x" * 5000]
)
def test_what_is_not_known_is_a_page_that_says_so(held, path):
    answer = held.get(path)
    assert answer.status_code == 404
    assert "<b>" not in answer.text


def test_health_tells_of_the_pair(held, serve):
    """Age of the last success, conflicts that wait, calls this month; a dry run and a failed one are no success."""
    served = serve(views=held.gate.views, signs=lambda: signs_of(held.settings, held.store))
    (pair,) = served.ask("GET", "/health").json()["pairs"]
    assert pair["pair"] == held.desk.pair.key
    assert (pair["conflicts"], pair["calls_this_month"]) == (1, held.store.calls.load(month_name(now_utc())))
    assert pair["calls_this_month"] > 0
    assert 0 <= pair["last_success_age_seconds"] < 600
    held.store.facts.save(f"success {pair['pair']}", {"at": 0.0})
    held.press("/page/preview")
    held.world.airtable.revoke()
    held.press("/page/sync")
    (pair,) = served.ask("GET", "/health").json()["pairs"]
    assert pair["last_success_age_seconds"] > 1e9
    assert "Last sync without a failure" in shown(held.get("/"))


def test_health_is_told_while_the_state_is_away(serve):
    def away():
        raise StateStoreError("away")

    told = serve(signs=away).ask("GET", "/health").json()
    assert (told["status"], "pairs" in told) == ("ok", False)
