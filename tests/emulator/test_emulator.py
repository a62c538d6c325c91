"""Settings, recorded requests, clocks, and the life of the emulator itself."""

import ast
import subprocess
import sys
import time

import pytest
import requests

from emulator import Emulator, ManualClock, RealTimeClock
from support.places import FLOWS

PACKAGE = FLOWS / "emulator"


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


def test_start_and_stop_come_to_an_end_and_the_port_stays(airtable):
    """A stop that is stuck is given up after five seconds."""
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
    assert time.monotonic() - began < 4.5


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
            assert child.stdout.readline().startswith("# Airtable and Trello answer at http://127.0.0.1:")
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
