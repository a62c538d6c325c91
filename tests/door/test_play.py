"""`flows/play.py` as it is started: no account, no settings of anybody, one process, and an end."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests

from support.gateway_process import free_port
from support.places import ROOT

pytestmark = pytest.mark.installation


def started(*arguments, **environment):
    command = [sys.executable, "flows/play.py", "--no-browser", *arguments]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, **output)


def test_playground_is_served_until_it_is_stopped(tmp_path):
    """Whatever settings there are, and from somebody's link; nothing is left behind."""
    port, temporary = free_port(), tmp_path / "tmp"
    temporary.mkdir()
    link = "http://elsewhere.example:1/play?seed=3&step=sync&step=move+3+DONE"
    strange = {"TMPDIR": str(temporary), "AIRTABLE_BASE_ID": "nonsense", "SYNC_STATUS_MAP": "{", "SYNC_CONFLICT": "x"}
    process = started("--port", str(port), link, **strange)
    try:
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/play\S*", line)[0]
        assert address == f"http://127.0.0.1:{port}/play?seed=3&step=sync&step=move+3+DONE"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                page = requests.get(address, timeout=60)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        assert "12 leads, 0 cards" in page.text
        assert re.findall(r"[?&]step=([^&]*)", page.url) == ["sync", "move+3+DONE"]
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["hello"], "'hello' is no link of a playground; one ends like /play?seed=0&step=sync."),
        (["--port", "0"], "Invalid value for '--port'"),
    ],
)
def test_wrong_option_is_a_sentence(arguments, sentence):
    process = started(*arguments)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert sentence in " ".join(errors.split())
    assert "Traceback" not in output + errors


def test_port_that_is_taken_is_a_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = started("--port", str(taken.getsockname()[1]))
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "is not to be had; choose another with --port." in " ".join(errors.split())
