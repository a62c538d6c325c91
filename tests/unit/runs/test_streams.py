"""What a command prints through: whatever becomes of its output, it goes on, and ends with its own exit code."""

import os
import subprocess
import sys

import pytest

from support.places import FLOWS

COMMAND = """
import sys
from pathlib import Path
from runs.streams import harden_streams
harden_streams()
from rich.console import Console
import logging
print("said")
Console().print("Zo\\u00eb \\U0001f680 \\u2192 and more")
sys.stdout.flush()
logging.getLogger("of.the.test").warning("warned of \\U0001f680")
print("x" * 300_000)
print("told", file=sys.stderr)
state = open("state", "w")
Path("done").write_text(f"{state.fileno() > 2}")
sys.exit(3)
"""


def ended(folder, shell='"$@"', **environment):
    """Run COMMAND by a shell's line. Returns: its exit code, stdout and stderr."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LC_", "LANG"))}
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {shell}", "bash", sys.executable, "-c", COMMAND],
        env=clean | {"PYTHONPATH": str(FLOWS)} | environment,
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "shell",
    [
        pytest.param('"$@"', id="as-it-is"),
        pytest.param('"$@" | true', id="pipe-that-nobody-reads"),
        pytest.param('"$@" | head -c 3 >/dev/null', id="pipe-read-a-little"),
        pytest.param('"$@" 2>&1 | true', id="both-in-that-pipe"),
        pytest.param('"$@" >/dev/full', id="full-disk"),
        pytest.param('"$@" 2>/dev/full', id="full-disk-for-errors"),
        pytest.param('"$@" >/dev/full 2>&1', id="full-disk-for-both"),
        pytest.param('"$@" >&-', id="closed"),
        pytest.param('"$@" 2>&-', id="errors-closed"),
        pytest.param('"$@" <&- >&- 2>&-', id="all-closed"),
    ],
)
def test_output_that_fails_changes_neither_deed_nor_exit_code(tmp_path, shell):
    """Nor do files opened later take the place of an output that was closed."""
    code, _, errors = ended(tmp_path, shell)
    assert (code, (tmp_path / "done").read_text()) == (3, "True")
    assert b"Error" not in errors
    assert b"Exception" not in errors


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "Zoë 🚀 → and more".encode()),
        ("cp1252", b"Zo\xeb \\U0001f680 -> and more"),
        ("ascii", b"Zo\\xeb \\U0001f680 -> and more"),
        ("latin-1", b"Zo\xeb \\U0001f680 -> and more"),
    ],
)
def test_character_that_the_encoding_lacks_is_written_out(tmp_path, encoding, shown):
    code, printed, errors = ended(tmp_path, PYTHONIOENCODING=encoding)
    assert (code, printed.splitlines()[1]) == (3, shown)
    assert errors.splitlines()[-1] == b"told"


def test_locale_without_letters_is_no_matter(tmp_path):
    code, printed, _ = ended(tmp_path, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (code, printed.splitlines()[1]) == (3, b"Zo\\xeb \\U0001f680 -> and more")


def test_pipe_that_does_not_wait_gets_everything(tmp_path):
    """Where whoever started us left it non-blocking, a slow reader loses nothing."""
    unready = "import os, sys; os.set_blocking(1, False); os.execvp(sys.argv[1], sys.argv[1:])"
    code, printed, _ = ended(tmp_path, f'{sys.executable} -c "{unready}" "$@" | (sleep 0.5; cat)')
    assert (code, len(printed.splitlines()[2])) == (3, 300_000)


@pytest.mark.parametrize("columns", ["0", " 0", "-5", "many", "80"])
def test_words_are_printed_whatever_the_width_is_said_to_be(tmp_path, columns):
    """None is one that is not known."""
    code, said, _ = ended(tmp_path, COLUMNS=columns, PYTHONIOENCODING="utf-8")
    assert (code, "Zoë 🚀 → and more" in said.decode()) == (3, True)
