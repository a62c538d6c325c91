"""Whether a command starts a server of its own: where Prefect has an address from any place, it does not."""

import json
import os
import subprocess
import sys

import pytest

from leadsync.errors import ConfigurationError
from runs import temporary_server
from support.places import FLOWS

COMMAND = """
import json, os, sys
from runs import command, temporary_server
temporary_server._spawn_server = lambda: (None, 0)
temporary_server._answers = lambda port: port == int(os.environ.get("ANSWERS", "0"))
temporary_server.atexit.register = lambda _stop: None
command.prepare_local_run()
from prefect.settings import get_current_settings
print(json.dumps([get_current_settings().api.url, len(temporary_server._started)]))
"""
ADDRESS = "http://prefect.example/prefect/api"
PROFILES = f"""
active = "ours"
[profiles.ours]
PREFECT_API_URL = "{ADDRESS}"
"""


def started(folder, *arguments, **environment):
    """A command whose working directory and Prefect's home are in `folder`."""
    here = folder / "here"
    here.mkdir(exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    mine = {"PREFECT_HOME": str(folder / "home"), "PYTHONPATH": str(FLOWS)}
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        env=clean | mine | environment,
        cwd=here,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def asked(folder, *arguments, **environment):
    """What it finds: the address, and how many servers it started."""
    done = started(folder, *arguments, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("here/.env", f"PREFECT_API_URL={ADDRESS}\n"),
        ("here/prefect.toml", f'[api]\nurl = "{ADDRESS}"\n'),
        ("here/pyproject.toml", f'[tool.prefect.api]\nurl = "{ADDRESS}"\n'),
        ("home/profiles.toml", PROFILES),
    ],
)
def test_address_is_found_wherever_prefect_finds_it(tmp_path, place, text):
    file = tmp_path / place
    file.parent.mkdir()
    file.write_text(text)
    assert asked(tmp_path) == [ADDRESS, 0]


def test_address_in_the_environment_goes_before_others(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/profiles.toml").write_text(PROFILES)
    assert asked(tmp_path, PREFECT_API_URL="http://other.example/api") == ["http://other.example/api", 0]


def test_env_file_of_the_sync_counts_from_any_folder(tmp_path):
    """Where it is not in the working directory, Prefect by itself would not look."""
    (tmp_path / "ours.env").write_text(f"PREFECT_API_URL={ADDRESS}\n")
    assert asked(tmp_path, LEADSYNC_ENV_FILE=str(tmp_path / "ours.env")) == [ADDRESS, 0]


def test_server_at_the_default_address_is_used(tmp_path):
    assert asked(tmp_path, ANSWERS="4200") == ["http://127.0.0.1:4200/api", 0]
    assert asked(tmp_path, ANSWERS="4711", PREFECT_SERVER_API_PORT="4711") == ["http://127.0.0.1:4711/api", 0]


@pytest.mark.parametrize("arguments", [("--pair", "north"), ("--dry-run", "--pair=north")])
def test_pair_is_not_asked_of_whatever_answers_at_the_default_address(tmp_path, arguments):
    """Its block says which base, board and endpoints; Prefect's own settings say who keeps it."""
    assert asked(tmp_path, *arguments, ANSWERS="4200") == [None, 1]
    assert asked(tmp_path, *arguments, PREFECT_API_URL=ADDRESS, ANSWERS="4200") == [ADDRESS, 0]


def test_without_an_address_a_server_is_started(tmp_path):
    assert asked(tmp_path) == [None, 1]


@pytest.mark.parametrize(
    ("content", "environment"),
    [
        pytest.param(b"", {"PREFECT_API_URL": "http://[/api"}, id="address"),
        pytest.param(b"", {"PREFECT_CLIENT_MAX_RETRIES": "many"}, id="number"),
        pytest.param("PREFECT_API_URL=x".encode("utf-16"), {}, id="encoding"),
    ],
)
def test_settings_that_prefect_cannot_read_are_a_sentence(tmp_path, content, environment):
    """It reads them when it is first imported."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here/.env").write_bytes(content)
    done = started(tmp_path, **environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("Prefect cannot read its settings (")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="a file that is there and cannot be read, whoever asks")
def test_env_file_that_cannot_be_read_is_a_sentence(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here/.env").symlink_to("/proc/self/mem")
    done = started(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Input/output error" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_home_without_a_place_for_the_log_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "home").write_text("a file")
    monkeypatch.setattr(temporary_server.platformdirs, "user_log_path", lambda name: tmp_path / "home" / name)
    with pytest.raises(ConfigurationError, match="temporary server, .* cannot be written"):
        temporary_server._log_file()


class Process:
    """A server's: `ended`, its exit code."""

    def __init__(self, ended=None):
        self.ended, self.told = ended, []

    def poll(self):
        return self.ended

    def terminate(self):
        self.told.append("terminate")

    def kill(self):
        self.told.append("kill")

    def wait(self, timeout=None):
        self.told.append("wait")
        if timeout and self.ended is None:
            raise subprocess.TimeoutExpired("server", timeout)


@pytest.fixture
def servers(monkeypatch):
    """Those started here; a further one is Process() on port 2."""
    running = []
    monkeypatch.setattr(temporary_server, "_started", running)
    monkeypatch.setattr(temporary_server, "_spawn_server", lambda: (Process(), 2))
    monkeypatch.setattr(temporary_server, "_answers", lambda _port: True)
    return running


def test_server_that_died_since_the_last_run_is_replaced(servers):
    """A gateway lives longer than many a server."""
    servers.append((Process(ended=-9), 1))
    assert temporary_server.started_here() == "http://127.0.0.1:2/api"
    assert temporary_server.started_here() == "http://127.0.0.1:2/api"
    assert [port for _, port in servers] == [2]


def test_server_that_does_not_end_is_ended(servers):
    """Also if another thread is just about it, whose process is left meanwhile."""
    servers.append((Process(), 1))
    for _ in range(2):
        temporary_server.stop_server()
    assert servers[0][0].told == ["terminate", "wait", "kill", "wait"] * 2


@pytest.mark.parametrize("address", ["http://prefect.example/team", "http://prefect.example/team/"])
def test_page_of_a_run_below_a_path(address):
    """Prefect makes the UI's address of the API's, a slash at its end included."""
    assert temporary_server.run_page(address, "7").endswith(" http://prefect.example/team/runs/flow-run/7")
