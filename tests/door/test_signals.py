"""The real command, stopped by a signal: it ends soon, in a sentence, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

from emulator.wire.faults import Fault
from support.harness import Scene
from support.places import FLOWS

SCRIPT = FLOWS / "sync.py"
PROCESSES = Path("/proc")
MARK = "STARTED_BY_TEST"
SECONDS_TO_END = 5
STOPPED = "Stopped. What was written is recorded; the next run goes on from there."

pytestmark = [
    pytest.mark.installation,
    pytest.mark.skipif(not (PROCESSES / "self/environ").exists(), reason="looks for orphans in Linux's /proc"),
]


class Command:
    """
    `python flows/sync.py` in a session of its own, as a terminal or a service manager starts it.

    Whatever it starts inherits a mark in its environment, by which it is found.
    """

    def __init__(self, scene):
        self.name = str(uuid.uuid4())
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            env={**os.environ, **scene.env, "PYTHONUNBUFFERED": "1", MARK: self.name},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def alive(self):
        """Process ids of the command and of everything that descends from it."""
        return [int(path.name) for path in PROCESSES.glob("[0-9]*") if f"{MARK}={self.name}" in environment_of(path)]

    def has_children(self):
        return len(self.alive()) > 1

    def signal(self, number, *, group):
        (os.killpg if group else os.kill)(self.process.pid, number)

    def end(self):
        """Returns: seconds until it ended, exit code, stdout, stderr."""
        started = time.monotonic()
        printed, errors = self.process.communicate(timeout=60)
        return time.monotonic() - started, self.process.returncode, printed, errors


def environment_of(process):
    try:
        return (process / "environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:  # ended meanwhile, or another user's
        return []


def until(condition, seconds):
    """Wait for `condition`. Returns: whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def assert_ends_well(command, *sentences):
    """Soon, exit code 1, one sentence, nothing else printed, no process left."""
    seconds, code, printed, errors = command.end()
    assert code == 1
    assert " ".join((printed + errors).split()) in (sentences or [STOPPED])
    assert seconds < SECONDS_TO_END
    assert until(lambda: not command.alive(), SECONDS_TO_END), command.alive()


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    yield made
    made.close()


RARE = pytest.mark.exhaustive


@pytest.mark.parametrize(
    ("number", "group"),
    [
        pytest.param(signal.SIGINT, True, id="ctrl-c-in-a-terminal"),
        pytest.param(signal.SIGTERM, False, id="kill"),
        pytest.param(signal.SIGINT, False, id="kill-int", marks=RARE),
        pytest.param(signal.SIGTERM, True, id="service-manager", marks=RARE),
    ],
)
def test_command_stopped_during_a_request_is_finished_by_the_next(scene, number, group):
    """A card was created, and its answer does not come: nothing waits for it, and no lock is left."""
    under_way = threading.Event()
    scene.emulator.inject(Fault("timeout_after", service="trello", method="POST", path="/cards$", seconds=60))
    scene.emulator.before_request(lambda request, _index: request.method == "POST" and under_way.set())
    command = Command(scene)
    assert under_way.wait(90)
    assert command.has_children(), "the temporary server is found by its mark"
    command.signal(number, group=group)
    assert_ends_well(command)
    scene.sync()
    scene.assert_done()


@pytest.mark.parametrize("seconds", [pytest.param(0, id="importing"), pytest.param(2.5, id="waiting-for-prefect")])
def test_command_stopped_during_start_up_has_asked_nobody(scene, seconds):
    """Prefect's temporary server is on its way, and goes away as well."""
    scene.emulator.clear_requests()
    command = Command(scene)
    assert until(command.has_children, 30)
    time.sleep(seconds)
    command.signal(signal.SIGINT, group=True)
    assert_ends_well(command, STOPPED, "Stopped before anything was done.")
    assert scene.emulator.requests == []


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(0, id="at-once"),
        pytest.param(0.3, id="clearing-away", marks=RARE),
    ],
)
def test_command_stopped_after_its_report_ends_as_the_report_says(scene, seconds):
    """Everything was done; the impatient only shorten the clearing away."""
    command = Command(scene)
    while ": 8 leads" not in (line := command.process.stdout.readline()):
        assert line
    time.sleep(seconds)
    with suppress(ProcessLookupError):
        command.signal(signal.SIGINT, group=True)
    _, code, _, errors = command.end()
    assert (code, errors) == (0, "")
    assert until(lambda: not command.alive(), SECONDS_TO_END), command.alive()
    scene.assert_done()
