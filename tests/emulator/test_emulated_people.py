"""The person-API, ids, clocks, settings and the life of the emulator itself."""

import ast
import subprocess
import sys
import time

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from support.places import FLOWS

from emulator import Emulator, ManualClock, RealTimeClock
from emulator.ids import IdSource
from emulator.rate_limits import FixedWindow, PenaltyWindow, SlidingWindow
from emulator.trello.editor import editor_saves

PACKAGE = FLOWS / "emulator"


# Airtable people


def test_lead_is_added_edited_cleared_deleted_restored(emulator):
    lead = emulator.airtable.add_lead("Ada", email="ada@example.com", status="NEW", notes="long")
    emulator.airtable.edit(lead, status="LOST", email=None)
    shown = {"name": "Ada", "status": "LOST", "notes": "long"}
    assert emulator.airtable.records() == {lead: shown}
    emulator.airtable.delete(lead)
    assert emulator.airtable.records() == {}
    emulator.airtable.restore(lead)
    assert emulator.airtable.records() == {lead: shown}


def test_renamed_column_answers_to_old_and_new_name(emulator):
    """Tests may go on saying `status`; what is read back carries the new name."""
    lead = emulator.airtable.add_lead("Ada", status="NEW")
    emulator.airtable.rename_field("status", "Lead Status")
    emulator.airtable.edit(lead, status="LOST")
    assert emulator.airtable.records()[lead]["Lead Status"] == "LOST"
    emulator.airtable.edit(lead, **{"lead status": "NEW"})
    assert emulator.airtable.records()[lead]["Lead Status"] == "NEW"


def test_impossible_edits_raise(emulator):
    with pytest.raises(ValueError, match="INVALID_MULTIPLE_CHOICE_OPTIONS"):
        emulator.airtable.add_lead("Ada", status="planning")
    with pytest.raises(KeyError, match="no column 'colour'"):
        emulator.airtable.add_lead("Ada", colour="red")
    with pytest.raises(KeyError):
        emulator.airtable.edit("rec" + "A" * 14, name="x")


def test_select_options_come_and_go(emulator):
    """Deleting an option empties its cells."""
    emulator.airtable.add_select_option("status", "PAUSED")
    lead = emulator.airtable.add_lead("Ada", status="PAUSED")
    emulator.airtable.rename_select_option("status", "PAUSED", "On hold")
    assert emulator.airtable.records()[lead]["status"] == "On hold"
    emulator.airtable.delete_select_option("status", "On hold")
    assert "status" not in emulator.airtable.records()[lead]


def test_retyped_and_deleted_fields_show_in_the_schema(emulator, airtable):
    emulator.airtable.retype_field("source", "singleSelect", {"choices": [{"name": "web"}]})
    emulator.airtable.delete_field("email")
    path = f"/v0/meta/bases/{emulator.airtable.base_id}/tables"
    kinds = {each["name"]: each["type"] for each in airtable(emulator)("GET", path).json()["tables"][0]["fields"]}
    assert kinds["source"] == "singleSelect"
    assert "email" not in kinds


def test_cells_that_are_no_text_are_held_as_the_service_shows_them(emulator, airtable):
    """Linked records as bare ids, collaborators as objects, attachments at an address that is soon another."""
    people, lead = emulator.airtable, emulator.airtable.add_lead("Ada")
    for name, kind in {
        "links": "multipleRecordLinks",
        "owner": "singleCollaborator",
        "team": "multipleCollaborators",
        "files": "multipleAttachments",
    }.items():
        people.add_field(name, kind)
    owner = {"id": "usr" + "A" * 14, "email": "eve@example.com", "name": "Eve"}
    people.edit(lead, links=[lead], owner=owner, team=[{"email": "bob@example.com"}])
    people.edit(lead, files=[{"url": "https://example.com/offer.pdf"}])
    path = f"/v0/{people.base_id}/Leads/{lead}"
    cells = airtable(emulator)("GET", path).json()["fields"]
    assert (cells["links"], cells["owner"]) == ([lead], owner)
    assert [set(each) for each in cells["team"]] == [{"id", "email"}]
    assert [each["filename"] for each in cells["files"]] == ["offer.pdf"]
    emulator.clock.advance(3 * 3600)
    assert airtable(emulator)("GET", path).json()["fields"]["files"][0]["url"] != cells["files"][0]["url"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("multipleRecordLinks", ["rec" + "A" * 14]),
        ("multipleRecordLinks", "Ada"),
        ("singleCollaborator", "Eve"),
        ("multipleCollaborators", {"email": "eve@example.com"}),
        ("multipleAttachments", "https://example.com/offer.pdf"),
        ("multipleAttachments", ["https://example.com/offer.pdf"]),
        ("aiText", "text"),
    ],
)
def test_cells_that_are_no_text_refuse_one(emulator, kind, value):
    lead = emulator.airtable.add_lead("Ada")
    emulator.airtable.add_field("other", kind)
    with pytest.raises(ValueError, match="error"):
        emulator.airtable.edit(lead, other=value)


def test_recomputed_cell_moves_no_time_of_change(emulator):
    lead = emulator.airtable.add_lead("Ada")
    emulator.airtable.add_field("sum", "formula")
    before = emulator.airtable.records(computed=True)[lead]
    emulator.clock.advance(60)
    emulator.airtable.recompute(lead, sum={"error": "#ERROR!"})
    assert emulator.airtable.records(computed=True)[lead] == before | {"sum": {"error": "#ERROR!"}}
    with pytest.raises(ValueError, match="not computed"):
        emulator.airtable.recompute(lead, name="Bob")


# Trello people


def test_card_is_moved_archived_copied_deleted(emulator):
    card = emulator.trello.add_card("TODO", "Ada", "LeadID: x", due="2026-03-01")
    emulator.trello.move(card, "IN_PROGRESS")
    emulator.trello.edit(card, list_name="DONE", dueComplete=True)
    emulator.trello.archive(card)
    copied = emulator.trello.copy(card, "TODO")
    shown = emulator.trello.cards()
    assert shown[card]["closed"]
    assert shown[card]["idList"] == emulator.trello.list_id("DONE")
    assert shown[copied]["desc"] == "LeadID: x"
    assert not shown[copied]["closed"]
    assert copied > card
    emulator.trello.delete(copied)
    assert list(emulator.trello.cards()) == [card]


def test_unknown_card_field_or_list_raises(emulator):
    with pytest.raises(KeyError, match="colour"):
        emulator.trello.add_card("TODO", colour="red")
    with pytest.raises(KeyError, match="no list 'BACKLOG'"):
        emulator.trello.add_card("BACKLOG")


def test_lists_and_boards_change_by_hand(emulator, trello):
    emulator.trello.add_list("OLD")
    emulator.trello.rename_list("OLD", "OLDER")
    emulator.trello.archive_list("OLDER")
    emulator.trello.close_board()
    call, board = trello(emulator), emulator.trello.board_id
    assert [each["name"] for each in call("GET", f"boards/{board}/lists?filter=closed").json()] == ["OLDER"]
    assert call("GET", f"boards/{board}").json()["closed"] is True


def test_templates_and_mirrors_can_be_planted(emulator):
    template = emulator.trello.add_card("TODO", "T", isTemplate=True)
    mirror = emulator.trello.add_card(
        "TODO", "https://trello.com/c/AbCdEf12", cardRole="mirror", mirrorSourceId=template
    )
    assert emulator.trello.card(template)["isTemplate"] is True
    assert emulator.trello.card(mirror)["cardRole"] == "mirror"


def test_editor_rewrites_a_saved_description(emulator):
    """E-mails and bare URLs become links, underscores are escaped, the marker survives."""
    text = "Email: ada_l@example.com\nSee https://example.com/a_b.\nsnake_case\n\nLeadID: recABCDEFGHIJKLMN"
    card = emulator.trello.add_card("TODO", "Ada", text)
    emulator.trello.save_in_editor(card)
    assert emulator.trello.card(card)["desc"] == (
        'Email: [ada\\_l@example.com](mailto:ada_l@example.com "")\n'
        'See [https://example.com/a_b](https://example.com/a_b "smartCard-inline").\n'
        "snake\\_case\n\nLeadID: recABCDEFGHIJKLMN"
    )


@given(st.text(alphabet='ab_@.:/ \\[]()`\n"', max_size=40))
def test_second_save_changes_nothing_more(text):
    once = editor_saves(text, "", True)
    assert editor_saves(once, "", True) == once


def test_editor_knobs(make):
    emulator = make(trello_editor_link_title="\u200c", trello_editor_escapes_link_text=False)
    card = emulator.trello.add_card("TODO", "Ada", "a_b@example.com")
    emulator.trello.save_in_editor(card)
    assert emulator.trello.card(card)["desc"] == '[a_b@example.com](mailto:a_b@example.com "\u200c")'


# Ids and windows


@given(st.lists(st.floats(0, 3, allow_nan=False), min_size=2, max_size=50))
def test_object_ids_grow_with_a_clock_that_does_not_go_back(steps):
    ids, now, made = IdSource(), 1.7e9, []
    for step in steps:
        now += step
        made.append(ids.object_id(now))
        assert int(made[-1][:8], 16) == int(now)
    assert made == sorted(set(made))


def test_equal_seeds_give_equal_worlds(make):
    first, second, other = make(), make(), make(seed=1)
    assert first.airtable.add_lead("Ada") == second.airtable.add_lead("Ada") != other.airtable.add_lead("Ada")
    assert first.trello.add_card() == second.trello.add_card()


@given(st.lists(st.floats(0, 2, allow_nan=False), max_size=60))
def test_sliding_window_never_lets_more_through_than_allowed(steps):
    window, now, passed = SlidingWindow(5, 1.0), 0.0, []
    for step in steps:
        now += step
        if window.add(now):
            passed.append(now)
    assert all(sum(at - 1.0 < other <= at for other in passed) <= 5 for at in passed)


@given(st.lists(st.floats(0, 20, allow_nan=False), max_size=60))
def test_penalty_window_refuses_for_thirty_seconds(steps):
    window, now, blocked_until = PenaltyWindow(5, 1.0, 30.0, extends=False), 0.0, -1.0
    for step in steps:
        now += step
        passed = window.add(now)
        assert not (passed and now < blocked_until)
        if not passed and now >= blocked_until:
            blocked_until = now + 30.0


def test_fixed_window_forgets_everything_when_it_closes():
    window = FixedWindow(2, 10.0)
    shown = []
    for at in (0, 1, 2, 9.9, 10.0, 11):
        shown.append(window.fits(at))
        window.add(at)
    assert shown == [True, True, False, False, True, True]
    assert window.remaining(11) == 0
    assert window.remaining(20) == 2


# Life


def test_settings_point_at_the_emulator(emulator):
    settings = emulator.settings()
    assert settings["AIRTABLE_ENDPOINT_URL"] == settings["TRELLO_ENDPOINT_URL"] == emulator.url
    assert list(settings) == [
        "AIRTABLE_ENDPOINT_URL",
        "AIRTABLE_API_TOKEN",
        "AIRTABLE_BASE_ID",
        "AIRTABLE_TABLE_NAME",
        "TRELLO_ENDPOINT_URL",
        "TRELLO_API_KEY",
        "TRELLO_API_TOKEN",
        "TRELLO_API_SECRET",
        "TRELLO_BOARD_ID",
        "TRELLO_LIST_TODO_ID",
        "TRELLO_LIST_IN_PROGRESS_ID",
        "TRELLO_LIST_DONE_ID",
    ]


def test_requests_are_recorded_in_order(emulator, airtable, trello):
    """Service, method, path without query, query, parsed body, status and time."""
    airtable(emulator)("GET", "Leads", params={"fields[]": ["name", "email"], "pageSize": 5})
    trello(emulator)("POST", "cards", json={"idList": "bad"})
    first, second = emulator.requests
    assert (first.service, first.method, first.status) == ("airtable", "GET", 200)
    assert first.path == f"/v0/{emulator.airtable.base_id}/Leads"
    assert first.query == {"fields[]": ["name", "email"], "pageSize": "5"}
    assert first.body is None
    assert (second.service, second.body, second.status) == ("trello", {"idList": "bad"}, 400)
    assert second.headers["authorization"].startswith("OAuth ")
    assert second.at == emulator.clock.now()
    assert emulator.calls("airtable", writes=True) == 0
    assert emulator.calls("trello", writes=True) == 1
    assert emulator.calls("airtable", writes=False) == emulator.calls("airtable") == 1


def test_start_and_stop_are_quick_and_the_port_stays(airtable):
    began = time.monotonic()
    emulator = Emulator()
    emulator.start()
    url = emulator.url
    emulator.airtable.add_lead("Ada")
    emulator.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=1)
    with emulator:
        assert emulator.url == url
        assert len(airtable(emulator)("GET", "Leads").json()["records"]) == 1
    assert time.monotonic() - began < 0.6


def test_starting_twice_is_an_error_and_stopping_twice_is_not(emulator):
    with pytest.raises(RuntimeError, match="already running"):
        emulator.start()
    emulator.stop(), emulator.stop()


def test_unknown_knob_is_an_error():
    with pytest.raises(TypeError, match="trello_page_capp"):
        Emulator(trello_page_capp=3)


def test_latency_delays_each_answer(make, airtable):
    emulator = make(latency=0.1)
    began = time.monotonic()
    airtable(emulator)("GET", "Leads")
    assert time.monotonic() - began >= 0.1


def test_clocks():
    """The real one jumps, the manual one stands and never goes back."""
    real, manual = RealTimeClock(), ManualClock(1000.0)
    before = real.now()
    real.advance(3600)
    manual.advance(2.5)
    assert 3600 <= real.now() - before < 3601
    assert manual.now() == 1002.5
    with pytest.raises(ValueError, match="cannot go back"):
        manual.advance(-1)


def test_demo_has_a_dozen_leads_and_no_cards():
    emulator = Emulator.demo(clock=ManualClock())
    leads = emulator.airtable.records().values()
    assert len(leads) == 12
    assert not emulator.trello.cards()
    assert {lead.get("status") for lead in leads} == {"NEW", "CONTACTED", "QUALIFIED", "LOST", None}


def test_command_prints_settings_and_serves():
    """Run as a file, as the README shows it."""
    command = [sys.executable, str(PACKAGE / "__main__.py"), "--port", "0", "--demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            settings = dict(child.stdout.readline().strip().split("=", 1) for _ in range(12))
            headers = {"Authorization": f"Bearer {settings['AIRTABLE_API_TOKEN']}"}
            url = f"{settings['AIRTABLE_ENDPOINT_URL']}/v0/{settings['AIRTABLE_BASE_ID']}/Leads"
            answer = requests.get(url, headers=headers, timeout=60)
        finally:
            child.terminate()
    assert len(answer.json()["records"]) == 12


def test_package_imports_neither_the_product_nor_a_client_library():
    allowed = set(sys.stdlib_module_names) | {"emulator", "uvicorn", "starlette"}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, path.name
