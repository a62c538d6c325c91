"""The state file deleted, locked, read-only, full or damaged: exit code 2 and a sentence, or found by the markers."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def linked(world):
    """Three linked leads, and something to tell on either side."""
    world.leads = [world.linked(f"Lead {number}", "NEW", email=f"{number}@example.com") for number in range(3)]
    return world


@pytest.fixture
def busy(linked):
    linked.airtable.edit(linked.leads[0], status="CONTACTED")
    linked.trello.move(linked.card(linked.leads[1])["id"], "DONE")
    linked.lead("New")
    return linked


def state_of(world):
    return Path(make_url(world.env["SYNC_STATE_URL"]).database)


def refused(world):
    """A run that ends with exit code 2, a sentence that names the setting, and neither service touched."""
    before = world.airtable.records(), world.trello.cards()
    report = world.sync(exit_code=2)
    assert (world.airtable.records(), world.trello.cards(), report.changes) == (*before, [])
    assert "SYNC_STATE_URL" in report.message
    assert len(report.message.splitlines()) == 1
    return report.message


def assert_mended(world):
    world.sync()
    world.assert_one_card_each()
    world.assert_equal()
    world.assert_idle()


# Deleted


def test_deleted_state_is_found_again_by_the_markers(linked):
    state_of(linked).unlink()
    report = linked.assert_idle()
    assert (report.conflicts, report.quarantine) == ([], [])
    linked.trello.move(linked.card(linked.leads[0])["id"], "DONE")
    assert_mended(linked)
    assert linked.status(linked.leads[0]) == "QUALIFIED"


def test_deleted_state_makes_differences_first_matches(busy):
    state_of(busy).unlink()
    report = busy.sync()
    assert {row["kind"] for row in report.conflicts} == {"first match"}
    assert_mended(busy)


@pytest.mark.parametrize("left", [0, 1], ids=["empty", "one-byte"])
def test_emptied_state_file_counts_as_a_deleted_one(linked, left):
    state_of(linked).write_bytes(b"S" * left)
    linked.assert_idle()


# Locked


def test_state_held_by_another_program_is_refused(busy, monkeypatch):
    monkeypatch.setattr("leadsync.state.database.LOCK_WAIT", 0.1)
    command = [sys.executable, "-c", LOCKER, state_of(busy)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "locked\n"
        assert "locked" in refused(busy)
        other.stdin.close()
    assert_mended(busy)


# Read-only and full


@pytest.fixture
def pragma():
    """`pragma(statement)`: what every use of a state database begins with from now on; None ends it."""
    chosen = []

    def checkout(connection, _record, _proxy):
        if chosen:
            connection.execute(f"PRAGMA {chosen[-1]}")

    sa.event.listen(sa.Pool, "checkout", checkout)
    yield lambda statement: chosen.append(statement) if statement else chosen.clear()
    sa.event.remove(sa.Pool, "checkout", checkout)


def test_state_that_may_only_be_read_is_refused(busy, pragma):
    pragma("query_only = ON")
    assert "readonly" in refused(busy)
    pragma(None)
    assert_mended(busy)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any file")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_file_without_the_right_to_write_is_refused(busy, what):
    path = state_of(busy) if what == "file" else state_of(busy).parent
    rights = stat.S_IMODE(path.stat().st_mode)
    path.chmod(rights & ~0o222)
    refused(busy)
    path.chmod(rights)
    for beside in state_of(busy).parent.glob("state.sqlite3-*"):  # SQLite's own files, made with the same rights
        beside.chmod(rights)
    assert_mended(busy)


def test_disk_without_room_for_a_new_state_is_refused(world, pragma):
    world.env["SYNC_STATE_URL"] += ".new"
    pragma("max_page_count = 2")
    assert "full" in refused(world)
    pragma(None)
    assert_mended(world)


def test_disk_that_is_full_before_the_first_write_is_refused(busy, pragma):
    """The journal comes first."""
    for number in range(30):
        busy.lead(f"Lead {number} {'x' * 2_000}")
    pragma("max_page_count = 1")
    assert "full" in refused(busy)
    pragma(None)
    assert_mended(busy)


@pytest.fixture
def spoil(world, pragma):
    """`spoil(n, statement)`: the report of a run, card after card, whose state takes no more from the n-th card on."""

    def run(number, statement):
        def strike(request, index):
            if request.is_write and world.writes() == number:
                pragma(statement)

        world.ordered = True
        for each in range(20):
            world.lead(f"Lead {each} {'x' * 8_000}")
        remove = world.emulator.before_request(strike)
        report = world.sync(exit_code=None)
        remove()
        pragma(None)
        return report

    return run


FULL, READ_ONLY = (1, "max_page_count = 1"), (3, "query_only = ON")


@pytest.mark.parametrize(("trouble", "told"), [(FULL, "full"), (READ_ONLY, "readonly")], ids=["full", "read-only"])
def test_state_that_takes_no_more_half_way_stops_the_run_and_doubles_nothing(world, spoil, trouble, told):
    """The card under way is the last one."""
    assert told in spoil(*trouble).message
    assert world.writes() == trouble[0]
    assert_mended(world)


@pytest.mark.parametrize("trouble", [FULL, READ_ONLY], ids=["full", "read-only"])
def test_run_whose_state_took_no_more_half_way_is_incomplete(spoil, trouble):
    """Exit code 2 would say that nothing was written."""
    report = spoil(*trouble)
    assert (report.exit_code, bool(report.changes)) == (1, True)


# Damaged


@pytest.mark.parametrize("left", [99, 100, 4_096, 8_192], ids=lambda left: f"{left}-bytes")
def test_truncated_state_is_refused(busy, left):
    path = state_of(busy)
    path.write_bytes(path.read_bytes()[:left])
    refused(busy)
    path.unlink()
    assert_mended(busy)


@pytest.mark.parametrize(
    "garbage",
    [b"my novel, chapter one. " * 500, b"\x00" * 9_000, bytes(range(1, 256)) * 40],
    ids=["text", "zeros", "bytes"],
)
def test_file_that_is_no_database_is_refused_and_kept(busy, garbage):
    path = state_of(busy)
    path.write_bytes(garbage)
    refused(busy)
    assert path.read_bytes() == garbage


DAMAGES = {
    "facts-not-json": "UPDATE leadsync_facts SET facts = 'x'",
    "facts-not-an-object": "UPDATE leadsync_facts SET facts = '5'",
    "facts-of-another-shape": """UPDATE leadsync_facts SET facts = '{"a": 1}'""",
    "lists-not-an-object": "UPDATE leadsync_facts SET facts = json_set(facts, '$.lists', 'x')",
    "intent-not-json": "INSERT INTO leadsync_intent (pair, side, lead_id, card_id, record, since) "
    "SELECT pair, 'card', lead_id, card_id, 'x', 0 FROM leadsync_base",
    "intent-of-another-shape": "INSERT INTO leadsync_intent (pair, side, lead_id, card_id, record, since) "
    "SELECT pair, 'card', lead_id, card_id, '[1]', 0 FROM leadsync_base",
    "text-not-utf-8": "UPDATE leadsync_base SET name = CAST(x'ff' AS TEXT)",
    "flag-not-a-flag": "UPDATE leadsync_base SET due_complete = 'x'",
    "no-schema-version": "DELETE FROM leadsync_schema",
    "table-dropped": "DROP TABLE leadsync_intent",
    "unknown-presence": "UPDATE leadsync_base SET card_presence = 'x'",
    "unknown-stage": "UPDATE leadsync_base SET stage = 'x', status = 'y'",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_content_never_ends_in_an_exception(busy, damage):
    """Refused, or decided as far as it can be read; once the file is deleted, the markers mend everything."""
    with closing(sqlite3.connect(state_of(busy))) as connection, connection:
        connection.execute(DAMAGES[damage])
    assert busy.sync(exit_code=None).exit_code in (0, 2)
    state_of(busy).unlink()
    assert_mended(busy)
