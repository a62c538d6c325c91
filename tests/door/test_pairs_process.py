"""`flows/pairs.py` as it is started: whom it tells a pair's secrets."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.places import ROOT

pytestmark = pytest.mark.installation

SETTINGS = {
    "AIRTABLE_API_TOKEN": "patSecretOfNorth",
    "AIRTABLE_BASE_ID": "appNORTH",
    "TRELLO_API_KEY": "keySecretOfNorth",
    "TRELLO_API_TOKEN": "tokenSecretOfNorth",
    "TRELLO_BOARD_ID": "abcd1234",
}
START = """
import os, runpy, sys
os.environ["PREFECT_SERVER_API_PORT"] = sys.argv.pop(1)
sys.argv[0] = sys.argv.pop(1)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def stranger():
    """Whatever answers at Prefect's default port, and says that it is in good health. `told`: what it was sent."""

    class Answer(BaseHTTPRequestHandler):
        def answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            server.told.append(f"{self.command} {self.path} {self.headers} {self.rfile.read(length)!r}")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"true")

        do_GET = do_POST = do_PATCH = do_PUT = answer

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.told = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_pair_is_told_to_nobody_who_happens_to_answer_at_the_default_port(stranger, tmp_path):
    """Without PREFECT_API_URL it goes through a server of our own into Prefect's usual place, and is found there."""
    file = tmp_path / "north.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in SETTINGS.items()))
    environment = os.environ | {"PREFECT_HOME": str(tmp_path / "prefect"), "PYTHONPATH": str(ROOT / "flows")}

    def run(door, *arguments):
        command = [sys.executable, "-c", START, str(stranger.server_port), f"flows/{door}.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False
        )
        return done.returncode, done.stdout + done.stderr

    saved, listed = run("pairs", "north", "--env", str(file)), run("pairs")
    assert [saved[0], listed[0]] == [0, 0], saved[1] + listed[1]
    assert "appNORTH" in listed[1]
    for door in ("sync", "serve"):  # whoever told them of a pair could name base, board and endpoints
        code, told = run(door, "--pair", "south")
        assert code == 2, told
        assert "There is no pair 'south'; there are: north; did you mean 'north'?" in " ".join(told.split())
    assert stranger.told == []
