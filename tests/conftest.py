"""What holds for every test: an empty home, no settings from outside, loopback only, nothing phones home."""

import ipaddress
import os
import signal
import socket
import sqlite3
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from coverage import Coverage

HOME = tempfile.mkdtemp(prefix="leadsync-tests-")
for name in list(os.environ):
    if name.startswith(("AIRTABLE_", "TRELLO_", "SYNC_", "PREFECT_")):
        del os.environ[name]
os.environ |= {
    "HOME": HOME,
    "XDG_DATA_HOME": f"{HOME}/data",
    "XDG_STATE_HOME": f"{HOME}/state",
    "PREFECT_HOME": f"{HOME}/prefect",
    "LEADSYNC_ENV_FILE": "",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "DO_NOT_TRACK": "1",
    "NO_PROXY": "*",
}

UNMEASURED = ("fault", "property", "simulation", "hostile", "emulator")
WHOLE_RUNS = ("e2e", "door")
MEASURED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items):
    """
    Where coverage is measured, it is not where the same lines run again: for every fault, history and odd input, and
    for every further set of parameters of a test of whole runs. Tracing makes a test take nearly twice the time.
    """
    measured = set()
    for item in items:
        folder, test = item.path.relative_to(Path(__file__).parent).parts[0], item.nodeid.partition("[")[0]
        item.stash[MEASURED] = folder not in UNMEASURED and not (folder in WHOLE_RUNS and test in measured)
        measured.add(test)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Without tracing, if the test is not to be measured."""
    coverage = None if item.stash[MEASURED] else Coverage.current()
    if coverage is None:
        return (yield)
    coverage.stop()
    try:
        return (yield)
    finally:
        coverage.start()


_connect = socket.socket.connect


def _connect_to_loopback(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        host = "127.0.0.1" if address[0] == "localhost" else address[0]
        if not ipaddress.ip_address(host).is_loopback:
            raise AssertionError(f"a test tried to reach {address[0]}")
    return _connect(self, address)


@pytest.fixture(autouse=True)
def signals_stay():
    """A command run inside the tests' process sets signals aside at its end; processes started later would inherit."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, reaction in before.items():
        signal.signal(number, reaction)


@pytest.fixture(autouse=True, scope="session")
def no_power_cut():
    """No test cuts the power: states in files are not waited for until the disk has them, some 30 times a test."""

    def hurry(connection, _record, _proxy):
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=OFF")

    sa.event.listen(sa.pool.Pool, "checkout", hurry)
    yield
    sa.event.remove(sa.pool.Pool, "checkout", hurry)


@pytest.fixture(autouse=True, scope="session")
def loopback_only():
    """Any other address fails the test that asks for it."""
    socket.socket.connect = _connect_to_loopback
    yield
    socket.socket.connect = _connect
