"""A command that is called without the virtual environment says what to type, and shows no traceback."""

import os
import shutil
import subprocess
import sys

import pytest

from support.places import ROOT

FLOWS = ROOT / "flows"
COMMANDS = sorted(
    path for path in FLOWS.glob("*.py") if "run_command(" in path.read_text() or "app()" in path.read_text()
)


def without_packages(program, folder):
    """As a Python that has nothing installed runs it."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-S", program, "--help"], cwd=folder, env=mine, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("program", COMMANDS, ids=lambda path: path.name)
def test_command_without_its_packages_says_what_to_type(program, tmp_path):
    code, said = without_packages(program, tmp_path)
    assert (code, len(said.splitlines())) == (2, 1), said
    assert f"{sys.executable} lacks a package of this project (" in said
    assert f"In {ROOT} type " in said


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (False, "type `pip install uv && uv sync`, then `source .venv/bin/activate`, and the command again."),
        (True, "type `source .venv/bin/activate`, and the command again."),
    ],
    ids=["no-environment", "environment"],
)
def test_what_to_type_depends_on_what_is_there(tmp_path, there, words):
    (tmp_path / "flows/runs").mkdir(parents=True)
    shutil.copy(FLOWS / "runs/missing.py", tmp_path / "flows/runs")
    (tmp_path / "flows/door.py").write_text(
        "from runs.missing import tell_what_is_missing\n\ntell_what_is_missing()\nimport typer\n"
    )
    if there:
        (tmp_path / ".venv").mkdir()
    code, said = without_packages(tmp_path / "flows/door.py", tmp_path)
    assert (code, words in said) == (2, True), said


@pytest.mark.parametrize("fault", ["import leadsync.nowhere", "import runs.nowhere", "1 / 0"])
def test_fault_of_ours_keeps_its_traceback(tmp_path, fault):
    door = tmp_path / "door.py"
    door.write_text(
        f"import sys\nsys.path.insert(0, {str(FLOWS)!r})\nfrom runs.missing import tell_what_is_missing\n\n"
        f"tell_what_is_missing()\n{fault}\n"
    )
    code, said = without_packages(door, tmp_path)
    assert (code, "Traceback" in said) == (1, True)
