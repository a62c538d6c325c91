"""The real command, killed with SIGKILL just before or just after a request took effect; then it is run again."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import count

import pytest

from support.harness import Scene
from support.places import FLOWS

SCRIPT = FLOWS / "sync.py"
SOME = ((6, True), (11, False))
"""Requests, and whether they took effect, at which the plain run kills; the marker has them all."""


def command(scene):
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), "--json"],
        env={**os.environ, **scene.env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_and_kill(scene, at, after):
    """Returns: False if the run came to its end before request number `at`."""
    scene.emulator.clear_requests()
    process = command(scene)

    def kill(_request, index):
        if index == at and not after:
            process.send_signal(signal.SIGKILL)
            process.wait()

    remove = scene.emulator.before_request(kill)
    while process.poll() is None:
        if after and len(scene.emulator.requests) > at and scene.emulator.requests[at].status is not None:
            process.send_signal(signal.SIGKILL)
        time.sleep(0.001)
    remove()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def recover(scene):
    """The next run needs no help, and is not kept out by the dead one's lock."""
    done = command(scene)
    printed, errors = done.communicate(timeout=120)
    assert (done.returncode, errors) == (0, ""), printed
    assert json.loads(printed)["exit_code"] == 0
    scene.assert_done()


@pytest.mark.installation
@pytest.mark.parametrize(("at", "after"), SOME)
def test_killed_command_is_finished_by_the_next(tmp_path, at, after):
    scene = Scene(tmp_path)
    assert run_and_kill(scene, at, after)
    recover(scene)
    scene.close()


@pytest.mark.exhaustive
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_command_killed_at_any_request_is_finished_by_the_next(tmp_path, after):
    for at in count():
        scene = Scene(tmp_path / str(at))
        killed = run_and_kill(scene, at, after)
        if killed:
            recover(scene)
        scene.close()
        if not killed:
            return
