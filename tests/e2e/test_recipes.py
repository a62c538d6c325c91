"""The three recipes with which the package opens, followed to the letter: in a copy of the code, or by settings."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import textwrap

import pytest

import leadsync
from leadsync.pipeline.checks import check_setup
from leadsync.pipeline.clients import open_clients
from support.harness import STATUS_FOR, World
from support.places import FLOWS, ROOT

RECIPES = dict(re.findall(r"^(\d)\. (.*?)(?=^\d\. |\Z)", leadsync.__doc__, re.DOTALL | re.MULTILINE))


def lines_of(number):
    """The lines that a recipe gives to be copied."""
    return [line.strip() for line in RECIPES[number].splitlines() if line.startswith("    ")]


class Copy:
    """A copy of the code, into which lines are put."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(FLOWS, folder / "flows", ignore=shutil.ignore_patterns("__pycache__"))

    def put(self, line, file, name, above=False):
        """As the last row of a table or enum, in place of the row with the same key if there is one; or above it."""
        path = self.folder / "flows/leadsync" / file
        source = path.read_text(encoding="utf-8")
        node, lines = place_of(source, name), source.splitlines()
        key = re.match(r"\(.*?\):", line)
        same = [number for number in range(node.lineno, node.end_lineno) if key and key[0] in lines[number]]
        if same:
            lines[same[0]] = f"    {line}"
        elif above:
            lines.insert(node.lineno - 1, line)
        else:
            lines.insert(node.end_lineno - (not isinstance(node, ast.ClassDef)), f"    {line}")
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def run(self, script):
        """The script with a world of this code's own."""
        path = os.pathsep.join([str(self.folder / "flows"), str(ROOT / "tests")])
        head = (
            f"from pathlib import Path\nfrom support.harness import World\nworld = World(Path({str(self.folder)!r}))\n"
        )
        code = f"{head}{textwrap.dedent(script)}\nworld.close()\nprint('followed')"
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
        assert done.stdout == "followed\n", done.stderr[-3000:]


def place_of(source, name):
    """The class, or the table, that is called so."""
    for node in ast.parse(source).body:
        if name in (getattr(node, "name", ""), getattr(getattr(node, "target", None), "id", "")):
            return node
    raise AssertionError(f"no {name}")


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


def test_card_property_is_one_row(copy):
    """Tied to a column it goes both ways, in full reads and in deltas, and both sides then rest."""
    fits, row = lines_of("1")
    copy.put(fits, "mapping/properties.py", "_ROWS", above=True)
    copy.put(row, "mapping/properties.py", "_ROWS")
    copy.run("""
        from leadsync.core.digests import digests_of
        assert digests_of({"pos": "0.00001"}) == digests_of({"pos": 1e-05})  # as sent, as the feed tells it
        world.airtable.add_field("Rank", "number", {"precision": 1})
        world.env["SYNC_FIELDS"] = '[[field]]\\nairtable = "Rank"\\ncard = "pos"'
        lead, bare = world.lead("Ada", Rank=12.5), world.lead("Bob")
        world.sync()
        world.assert_idle()
        card = world.card(lead)
        assert card["pos"] == 12.5
        world.airtable.edit(lead, Rank=20)
        world.sync()
        assert world.card(lead)["pos"] == 20
        for read, place in (("full", 30), ("delta", 40)):
            world.trello.edit(card["id"], pos=place)
            report = world.sync(read=read)
            assert report.read["trello"] == read
            assert world.cells(lead)["Rank"] == place
            assert [row["field"] for row in report.changes] == ["pos"]
        world.assert_idle()
        world.airtable.edit(lead, Rank=50)
        world.trello.edit(card["id"], pos=60)
        [conflict] = world.sync().conflicts
        assert (conflict["field"], conflict["airtable"], conflict["trello"]) == ("pos", "50", "60")
        assert world.card(lead)["pos"] == 50
        world.airtable.edit(lead, Rank=None)
        world.sync()
        assert "Rank" not in world.cells(lead)
        world.assert_idle()
        assert "Rank" not in world.cells(bare)
    """)


def test_status_and_list_are_settings_alone(tmp_path):
    """validate creates the list; then a card goes there and comes from there."""
    world = World(tmp_path)
    ((name, _, value),) = [line.partition("=") for line in lines_of("2")]
    [status] = [word for word in re.findall(r'"(\w+)":', value) if word not in ("LOST", *STATUS_FOR.values())]
    world.airtable.add_select_option("status", status)
    world.env[name] = value
    settings = world.settings()
    with open_clients(settings, world.transport) as clients:
        [missing] = check_setup(settings, clients, 60).repairs
        missing.create()
        assert check_setup(settings, clients, 60).ok
    lead, moved = world.lead("Ada", status), world.lead("Bob", "NEW")
    world.sync()
    assert world.place(lead) == "Offer"
    world.trello.move(world.card(moved)["id"], "Offer")
    world.sync()
    assert world.status(moved) == status
    assert world.sync().changes == []
    world.close()


def test_rule_is_a_row_of_a_table(copy):
    """The new outcome is decided, planned and written; nothing else changes, and what comes back is compared again."""
    member, decision, planner = lines_of("3")
    copy.put(member, "core/decisions.py", "RowDecision")
    copy.put(decision, "core/decisions.py", "ROW_DECISIONS")
    copy.put(planner, "core/plan_rows.py", "ROW_PLANNERS")
    copy.run("""
        world.airtable.add_view("Active", lambda cells: bool(cells.get("source")))
        world.env["AIRTABLE_VIEW"] = "Active"
        stays, lead = (world.lead(name, source="web") for name in ("Stays", "Leaves"))
        world.sync()
        world.airtable.edit(lead, source=None)
        world.sync()
        assert (world.card(lead)["closed"], world.card(stays)["closed"]) == (True, False)
        world.assert_idle()
        world.airtable.edit(lead, source="web")
        world.sync()
        assert not world.card(lead)["closed"]
        world.assert_idle()
    """)
