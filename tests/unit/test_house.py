"""The house: who may import whom, what a file may be called, and that the tests mirror it."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from support.places import FLOWS, ROOT

DOORS = sorted(FLOWS.glob("*.py"))
EVERY_FILE = sorted(path for path in FLOWS.rglob("*.py") if "__pycache__" not in path.parts)
FOLDERS = sorted({path.parent for path in EVERY_FILE})
TESTS = ROOT / "tests"
TEST_FILES = sorted(path for path in TESTS.rglob("*.py") if "__pycache__" not in path.parts)
TESTS_OF = {"leadsync": TESTS / "unit", "emulator": TESTS / "emulator"}
TESTS_OF |= {name: TESTS / "unit" / name for name in ("playground", "runs")}
"""A folder of flows/ -> where its tests are, in folders of the same names."""
PURE = (
    "errors.py",
    "model.py",
    "texts.py",
    "mapping",
    "frames",
    "core",
    "report/report.py",
    "report/markdown.py",
    "report/to_do.py",
)
"""Of leadsync: what has no way to ask or tell the world anything, and knows nothing of what has."""
EMULATOR = FLOWS / "emulator"
EMULATOR_FILES = [path for path in EVERY_FILE if EMULATOR in path.parents]
EMULATOR_FLOOR_OF = {
    name: floor
    for floor, names in enumerate(
        [
            ["clock.py", "ids.py", "knobs.py", "rate_limits.py"],
            ["wire"],
            ["airtable", "trello"],
            ["demo_leads.py"],
            ["control.py"],
            ["__init__.py"],
            ["__main__.py"],
        ]
    )
    for name in names
}
IN_BOTH_CLIENTS = {"client.py", "feed.py", "refusals.py", "setup.py", "shapes.py", "webhooks.py", "writing.py"}
IN_BOTH_SERVICES = {
    "account.py",
    "call.py",
    "desk.py",
    "limits.py",
    "listing.py",
    "model.py",
    "person.py",
    "refusals.py",
    "service.py",
    "structure.py",
    "values.py",
    "webhook_calls.py",
    "webhooks.py",
    "world.py",
}
IN_SIGHT = 220
"""Lines that a reader keeps in sight."""
ONLY_IN = {
    "pyairtable": ("leadsync/airtable",),
    "trello": ("leadsync/trello",),
    "sqlalchemy": ("leadsync/state",),
    "requests": ("leadsync/transport",),
    "fastapi": ("leadsync/gateway",),
    "uvicorn": ("leadsync/gateway",),
    "prefect": ("runs", *(path.name for path in DOORS)),
}


def imports_of(path: Path) -> Iterator[str]:
    """Dotted names of everything a file imports, at any depth of it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def file_of(dotted: str, below: Path = FLOWS) -> Path | None:
    """The file of ours in which a dotted name is found: its module, else the package that holds it."""
    parts = dotted.split(".")
    for size in range(len(parts), 0, -1):
        place = below.joinpath(*parts[:size])
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.exists():
                return path
    return None


@cache
def files_imported(path: Path) -> frozenset[Path]:
    """Files of ours that a file imports, also where only types ask for it."""
    return frozenset(found for found in map(file_of, imports_of(path)) if found is not None)


def neighbours_of(folder: Path) -> dict[str, set[str]]:
    """Each file and folder in a folder, and what else there the code in it imports."""
    graph: dict[str, set[str]] = {}
    for path in EVERY_FILE:
        if folder in path.parents:
            entry = path.relative_to(folder).parts[0]
            inside = {other.relative_to(folder).parts[0] for other in files_imported(path) if folder in other.parents}
            graph.setdefault(entry, set()).update(inside - {entry})
    return graph


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """One circle of imports, its first name again at its end; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def outside(path: Path) -> set[str]:
    """Top-level names that a file imports."""
    return {name.split(".")[0] for name in imports_of(path)}


def by_name(path: Path) -> str:
    return path.relative_to(FLOWS).as_posix()


def is_pure(path: Path) -> bool:
    places = [FLOWS / "leadsync" / place for place in PURE]
    return any(path == place or place in path.parents for place in places)


@pytest.mark.parametrize("path", [path for path in EVERY_FILE if path not in DOORS], ids=by_name)
def test_doors_stand_above(path):
    """What is below imports no door, and the product below them not what concerns Prefect."""
    above = {door.stem for door in DOORS} | ({"runs"} if path.is_relative_to(FLOWS / "leadsync") else set())
    assert not outside(path) & above


@pytest.mark.parametrize("folder", FOLDERS, ids=by_name)
def test_imports_make_no_circle(folder):
    """
    Of two files or folders side by side one may import the other, never each the other, nor along a way round: so
    folders are floors, imports point down, and no circle is possible anywhere.
    """
    assert circle_in(neighbours_of(folder)) == []


def test_package_says_which_floors_there_are():
    """Its docstring names every folder, and nothing that it names imports what it names later."""
    text = ast.get_docstring(ast.parse((FLOWS / "leadsync/__init__.py").read_text(encoding="utf-8")))
    told = " ".join(text.split()).partition("The floors, from below: ")[2].partition(".")[0]
    floor_of = {name: floor for floor, names in enumerate(told.split(" → ")) for name in names.split(", ")}
    graph = neighbours_of(FLOWS / "leadsync")
    assert {path.name for path in (FLOWS / "leadsync").iterdir() if (path / "__init__.py").exists()} <= floor_of.keys()
    imports = {
        (name, other.removesuffix(".py")) for name in floor_of for other in graph.get(name, graph.get(f"{name}.py"))
    }
    upwards = {(name, other) for name, other in imports if floor_of.get(other, -1) > floor_of[name]}
    assert upwards == set()


def test_circle_is_found():
    """The rule above would see one."""
    assert set(circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}


def test_emulator_imports_downwards():
    """Floors are its folders and the files beside them; on one floor nobody knows of another."""
    graph = neighbours_of(EMULATOR)
    assert graph.keys() == EMULATOR_FLOOR_OF.keys()
    upwards = {
        (name, imported)
        for name, others in graph.items()
        for imported in others
        if EMULATOR_FLOOR_OF[imported] >= EMULATOR_FLOOR_OF[name]
    }
    assert upwards == set()


@pytest.mark.parametrize(
    ("house", "in_both"), [("emulator", IN_BOTH_SERVICES), ("leadsync", IN_BOTH_CLIENTS)], ids=["emulator", "leadsync"]
)
def test_services_have_the_same_files(house, in_both):
    """Who knows one service finds the way in the other: what both do is in files of the same names."""
    airtable, trello = ({path.name for path in (FLOWS / house / name).glob("*.py")} for name in ("airtable", "trello"))
    assert (airtable & trello) - {"__init__.py"} == in_both


@pytest.mark.parametrize("path", EVERY_FILE, ids=by_name)
def test_file_stays_in_sight(path):
    """One subject a file."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= IN_SIGHT


@pytest.mark.parametrize("path", EVERY_FILE, ids=by_name)
def test_module_has_a_docstring(path):
    """Each module says what it is for."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("library", ONLY_IN)
def test_library_stays_in_its_adapter(library):
    """What is third-party is known to one folder only."""
    product = [path for path in EVERY_FILE if "emulator" not in path.relative_to(FLOWS).parts]
    users = {by_name(path) for path in product if library in outside(path)}
    assert users
    assert all(f"{user}/".startswith(tuple(f"{place}/" for place in ONLY_IN[library])) for user in users), users


def test_emulator_and_product_know_nothing_of_each_other():
    """The emulator fakes the wire; sharing code would let one mistake hide another."""
    for path in EVERY_FILE:
        where = path.relative_to(FLOWS).parts[0]
        if where == "emulator":
            assert "leadsync" not in outside(path), path
        if where == "leadsync":
            assert "emulator" not in outside(path), path


@pytest.mark.parametrize("path", [path for path in EVERY_FILE if is_pure(path)], ids=by_name)
def test_pure_file_knows_no_io(path):
    """What decides has no way to ask or tell the world anything, and imports nothing that has."""
    forbidden = {"os", "io", "time", "datetime", "logging", "pathlib", "requests", "sqlalchemy", "socket", "random"}
    if path.parent.name == "mapping":
        forbidden.remove("datetime")  # days and moments are what it is about; the time it is now is not
    assert not outside(path) & forbidden
    assert all(is_pure(found) or found.name == "__init__.py" for found in files_imported(path))


@pytest.mark.parametrize("path", DOORS, ids=by_name)
def test_door_is_not_named_like_a_dependency(path):
    """`flows/` comes first on the import path, so a door called like a package would hide it."""
    installed = set(importlib.metadata.packages_distributions()) | set(sys.stdlib_module_names)
    assert path.stem not in installed - {"leadsync"}


@pytest.mark.parametrize("path", EVERY_FILE, ids=by_name)
def test_pattern_is_matched_alike_by_every_python(path):
    """Python before 3.11.5 matches a possessive group, as in (ab|c)*+, wrongly; Debian 12 has such a one."""
    assert not re.search(r"\)[*+?]\+|\(\?>", path.read_text(encoding="utf-8"))


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_file_with_tokens_in_it_is_not_committed(tmp_path):
    """A pair's settings (`north.env`) hold tokens as `.env` does; the sample holds none, and belongs to the project."""
    shutil.copy(FLOWS.parent / ".gitignore", tmp_path)
    files = [".env", "north.env", "pairs/south.env", ".env.sample"]
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    ignored = subprocess.run(["git", "check-ignore", *files], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ignored.stdout.split() == files[:3]


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder != FLOWS], ids=by_name)
def test_package_has_tests_of_its_own(folder):
    """Where the code of a package is, one knows where its tests are."""
    package, *inside = folder.relative_to(FLOWS).parts
    assert list(TESTS_OF[package].joinpath(*inside).glob("test_*.py"))


def test_tests_share_only_what_is_in_support():
    """A test folder is read by itself; what two of them need is no test, and support imports none."""
    shared = {
        (path.relative_to(TESTS).as_posix(), imported.relative_to(TESTS).as_posix())
        for path in TEST_FILES
        for dotted in imports_of(path)
        if (imported := file_of(dotted, TESTS)) and imported.name != "conftest.py"
        if imported.relative_to(TESTS).parts[0] not in ("support", path.relative_to(TESTS).parts[0])
    }
    assert shared == set()


def test_only_support_holds_what_is_no_test():
    """Beside fixtures in conftest.py and what is a program: the simulation and the benchmarks."""
    others = [path.relative_to(TESTS) for path in TEST_FILES if not path.name.startswith(("test_", "conftest"))]
    assert {path.parts[0] for path in others} == {"support", "simulation", "benchmarks"}
