"""A command from its start to its end: what its environment is before Prefect sees it, and what a crash shows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request

import httpx
import pytest
import requests
from prefect.settings import PREFECT_API_URL, temporary_settings

from runs.command import prepare_local_run, spare_loopback, spare_prefect
from support.places import FLOWS

NAMES = [spelt for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY") for spelt in (name, name.lower())]
PROXY = "http://127.0.0.1:9"
LOCAL = ("http://127.0.0.1:4200", "http://localhost:4200", "https://localhost", "http://[::1]:4200")
CRASH = """
import sys
sys.path.insert(0, {flows!r})
from runs.command import run_command
def command() -> None:
    token = "sE" + "cr3t"
    raise RuntimeError("broken")
run_command(command)
"""


@pytest.fixture
def environment(monkeypatch):
    """`environment(NAME=value)`: these proxy variables and no others, then the command's start. Returns: NO_PROXY."""

    def started(**values):
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        spare_loopback()
        return os.environ["NO_PROXY"]

    before = dict(os.environ)
    yield started
    os.environ.clear()
    os.environ.update(before)


def goes_by_proxy(url):
    """Whether requests, httpx, and what websockets asks would go by a proxy."""
    by_requests = bool(requests.utils.get_environ_proxies(url, no_proxy=None))
    with httpx.Client() as client:
        by_httpx = client._transport_for_url(httpx.URL(url)) is not client._transport
    host = httpx.URL(url).host
    by_urllib = bool(urllib.request.getproxies()) and not urllib.request.proxy_bypass_environment(host)
    return by_requests, by_httpx, by_urllib


@pytest.mark.parametrize("others", [{}, {"NO_PROXY": "intra.example"}, {"no_proxy": "intra.example"}, {"no_proxy": ""}])
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_this_machine_is_never_asked_through_a_proxy(environment, name, others):
    """Prefect's own server and the emulator are here; no proxy reaches them. All else stays as it is."""
    environment(**{name: PROXY, "HTTPS_PROXY": PROXY}, **others)
    assert {goes_by_proxy(url) for url in LOCAL} == {(False, False, False)}
    assert goes_by_proxy("https://api.trello.com") == (True, True, True)
    assert goes_by_proxy("https://intra.example")[0] is not bool(others.get("NO_PROXY") or others.get("no_proxy"))


def test_no_proxy_for_anything_stays_so(environment):
    assert environment(HTTPS_PROXY=PROXY, NO_PROXY="*") == "*"
    assert goes_by_proxy("https://api.trello.com") == (False, False, False)


@pytest.mark.parametrize("address", [None, "http://127.0.0.1:4200/api"])
@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "socks5h://127.0.0.1:9", "SOCKS://127.0.0.1:9"])
@pytest.mark.parametrize("others", [{}, {"NO_PROXY": "intra.example"}, {"no_proxy": "intra.example"}])
def test_proxy_of_another_kind_does_not_end_prefects_client(environment, proxy, address, others):
    """Desktops set one beside the others. The services are asked by theirs, as before."""
    environment(ALL_PROXY=proxy, HTTPS_PROXY=PROXY, **others)
    with pytest.raises((ImportError, ValueError)):
        httpx.Client()
    with temporary_settings({PREFECT_API_URL: address}):
        spare_prefect()
    httpx.Client().close()
    assert requests.utils.get_environ_proxies("https://api.trello.com", no_proxy=None)["https"] == PROXY
    assert bool(requests.utils.get_environ_proxies("https://intra.example", no_proxy=None)) is not bool(others)


@pytest.mark.parametrize("no_proxy", ["prefect.example", ".example", "intra.example,prefect.example"])
def test_server_elsewhere_that_is_asked_directly_is_asked_so_beside_a_proxy_of_another_kind(environment, no_proxy):
    """Prefect's client would not begin, though it is not to go through that."""
    environment(ALL_PROXY="socks5://127.0.0.1:9", HTTPS_PROXY=PROXY, NO_PROXY=no_proxy)
    with temporary_settings({PREFECT_API_URL: "https://prefect.example/api"}):
        spare_prefect()
    httpx.Client().close()
    assert requests.utils.get_environ_proxies("https://api.trello.com", no_proxy=None)["https"] == PROXY


@pytest.mark.parametrize(
    ("proxies", "address"),
    [
        ({"HTTPS_PROXY": PROXY, "ALL_PROXY": "127.0.0.1:9"}, None),
        ({"ALL_PROXY": "socks5://127.0.0.1:9"}, "https://prefect.example/api"),
        ({"ALL_PROXY": "socks5://127.0.0.1:9", "NO_PROXY": "*"}, None),
        ({}, None),
    ],
)
def test_prefects_client_keeps_to_the_proxies(environment, proxies, address):
    """HTTP's are good for it, and a server elsewhere may be behind any."""
    listed = environment(**proxies)
    with temporary_settings({PREFECT_API_URL: address}):
        spare_prefect()
    assert os.environ["NO_PROXY"] == listed


@pytest.mark.parametrize(("words", "begins"), [(["--json"], False), (["take"], True), (["--pair=north"], True)])
def test_command_that_only_looks_begins_no_server(environment, monkeypatch, words, begins):
    """What Prefect is for is a run, or a saved pair."""
    begun = []
    environment()
    monkeypatch.setattr("runs.command.begin_server_if_needed", begun.append)
    for each in ("harden_streams", "_at_signals", "spare_prefect"):
        monkeypatch.setattr(f"runs.command.{each}", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["conflicts.py", *words])
    prepare_local_run(only_for=("take", "--pair"))
    assert bool(begun) is begins


def test_crash_shows_no_value():
    """A secret in a variable is not for the terminal."""
    done = subprocess.run(
        [sys.executable, "-c", CRASH.format(flows=str(FLOWS))], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "broken" in done.stderr
    assert "RuntimeError" in done.stderr
    assert "sEcr3t" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "door", [path for path in FLOWS.glob("*.py") if "typer" in path.read_text()], ids=lambda p: p.name
)
def test_every_command_is_run_so(door):
    """Typer's own way shows every variable of a crash."""
    assert "typer.run(" not in door.read_text()


HANGING = """
import atexit, sys, threading, time
from runs import command
command.LINGER = 0.3
with command.ending_soon():
    atexit.register(time.sleep, 60)
    print("said")
    sys.exit({code})
"""


@pytest.mark.parametrize(("code", "ended"), [("0", 0), ("3", 3), ("None", 0)])
def test_process_that_hangs_at_its_end_is_left(code, ended):
    """As it does where Prefect hands in records to a server that takes none; what was said is not lost."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", HANGING.format(code=code)],
        env={**os.environ, "PYTHONPATH": str(FLOWS)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (ended, "said\n", "")
    assert time.monotonic() - begun < 50
