"""`flows/alerts.py` on a Prefect server of its own: what is told, about which pair, and what is no sign of life."""

import queue
import sqlite3
import threading

import pytest

from emulator import Emulator
from support.chat import open_chat
from support.installation import Installation

pytestmark = pytest.mark.installation

HOURS = "0.025"
"""Of silence, a minute and a half: several times what two runs take on a busy machine."""
SILENCE = 450.0
"""Seconds in which it is told, on a busy machine."""


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as running:
        running.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
        yield running


@pytest.fixture(scope="module")
def north():
    with Emulator(seed=2) as running:
        running.airtable.add_lead("Nora", "nora@example.com", "NEW", "web")
        yield running


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("state") / "state.sqlite3"


@pytest.fixture(scope="module")
def prefect(emulator, state, tmp_path_factory):
    """A server, and commands that know of it."""
    held = {"SYNC_STATE_URL": f"sqlite:///{state}", "SYNC_CONFLICT": "hold"}
    installation = Installation(tmp_path_factory.mktemp("prefect"), emulator.settings() | held)
    try:
        installation.start_server()
        yield installation
    finally:
        installation.stop()


@pytest.fixture(scope="module")
def chat():
    with open_chat() as opened:
        yield opened


@pytest.fixture
def done(prefect):
    """`done(script, …)`: what a command of ours has printed, once it has ended as expected."""

    def done(script, *arguments, code=0):
        ended = prefect.script(f"flows/{script}", *arguments)
        assert ended.returncode == code, f"{ended.stdout}{ended.stderr}"
        return " ".join(ended.stdout.split())

    return done


def test_alerts_that_are_not_installed_are_not_tested(done):
    assert "No alerts are installed" in done("alerts.py", "--test", code=2)


def test_test_arrives_and_says_so(done, chat):
    """On the way that all others take: an event, an automation, the webhook."""
    assert "which took it" in done("alerts.py", "--url", chat.address, "--test")
    assert "leadsync: a test" in chat.heard()


def test_webhook_that_refuses_is_told(done):
    with open_chat() as deaf:
        deaf.status = 410
        done("alerts.py", "--url", deaf.address)
        assert "the webhook did not take it" in done("alerts.py", "--test", code=1)


def test_what_waits_longer_than_a_day_is_told_once_a_day(done, chat, emulator, state):
    done("alerts.py", "--url", chat.address)
    done("sync.py")
    ((lead, _), ((card, _),)) = next(iter(emulator.airtable.records().items())), emulator.trello.cards().items()
    emulator.airtable.edit(lead, status="CONTACTED")
    emulator.trello.move(card, "DONE")
    done("sync.py")
    with sqlite3.connect(state) as database:
        assert database.execute("UPDATE leadsync_conflict SET since = since - 90000").rowcount == 1
    done("sync.py")
    told = chat.heard()
    assert "waits for a person" in told
    assert f"{lead}: conflict about status, since " in told
    done("sync.py")
    done("alerts.py", "--test")
    assert "leadsync: a test" in chat.heard()  # and nothing before it
    done("conflicts.py", "take", "airtable", "--lead", lead)


def test_silent_pair_is_noticed_beside_a_lively_one(done, chat, north, tmp_path):
    """Its dry runs, and a demo's runs, are no sign of life."""
    file, own = tmp_path / "north.env", ("AIRTABLE_", "TRELLO_")
    known = {name: value for name, value in north.settings().items() if name.startswith(own)}
    file.write_text("".join(f"{name}={value}\n" for name, value in known.items()))
    done("pairs.py", "north", "--env", str(file))
    done("alerts.py", "--url", chat.address, "--silent-after", HOURS)
    done("sync.py", "--pair", "north")
    ended, broken = threading.Event(), []

    def live():
        try:
            while not ended.is_set():
                done("sync.py")
                done("sync.py", "--pair", "north", "--dry-run")
        except AssertionError as error:
            broken.append(error)

    alive = threading.Thread(target=live)
    alive.start()
    try:
        told = chat.heard(SILENCE)
    finally:
        ended.set()
        alive.join()
    assert broken == []
    assert told.startswith("leadsync: north is silent")
    with pytest.raises(queue.Empty):
        chat.texts.get_nowait()
