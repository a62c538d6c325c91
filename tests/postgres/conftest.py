"""A private PostgreSQL cluster for the folder, and a fresh database for each test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.gateway_world import serve
from support.harness import world
from support.ports import free_port

__all__ = ["serve", "world"]

USER, PASSWORD = "leadsync", "hush/hush@hush:1"
QUOTED_PASSWORD = "hush%2Fhush%40hush%3A1"
ACCOUNT = "postgres"
"""The server refuses to run as root; then this account of the operating system runs it."""
START_TIMEOUT = 30.0
_numbers = count(1)


@dataclass(frozen=True)
class Cluster:
    """A running server; `execute` acts as its superuser."""

    port: int

    def url(self, database: str) -> str:
        return f"postgresql://{USER}:{QUOTED_PASSWORD}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, *values: Any, database: str = "postgres") -> list[tuple[Any, ...]]:
        import psycopg

        place = {"host": "127.0.0.1", "port": self.port, "dbname": database}
        with psycopg.connect(**place, user=USER, password=PASSWORD, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def cut(self, database: str, only_the_lock: bool = False) -> int:
        """End connections to a database from the server's side. Returns: how many."""
        holds = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')" if only_the_lock else "true"
        ended = self.execute(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND {holds}", database
        )
        return len(ended)


def _program(name: str) -> str | None:
    newest_first = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or next((str(path) for path in newest_first), None)


def _account() -> dict[str, Any]:
    """How to start a process that is not root's. Skips where root has nobody to lend it to."""
    if os.geteuid() != 0:
        return {}
    pwd = pytest.importorskip("pwd")
    try:
        account = pwd.getpwnam(ACCOUNT)
    except KeyError:
        pytest.skip(f"the server does not run as root, and there is no account {ACCOUNT}")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """
    The server, on a free loopback port, stopped at the end.

    Its files are in a temporary folder of their own: pytest's are closed to the account that runs it.
    """
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed", exc_type=ImportError)
    initdb, postgres = _program("initdb"), _program("postgres")
    if not initdb or not postgres:
        pytest.skip("PostgreSQL's server programs (initdb, postgres) are not installed")
    account = _account()
    with tempfile.TemporaryDirectory(prefix="leadsync-postgres-") as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        if account:
            for path in (folder, folder / "password"):
                os.chown(path, account["user"], account["group"])
        making = {"--username": USER, "--pwfile": folder / "password", "--auth": "scram-sha-256", "--encoding": "UTF8"}
        options = [f"{option}={value}" for option, value in making.items()]
        data = folder / "data"
        command = [initdb, f"--pgdata={data}", "--no-sync", "--locale=C", *options]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **account)
        port = free_port()
        command = [postgres, "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **account)
        try:
            yield _answering(Cluster(port), server, folder / "log")
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown
            server.wait(timeout=30)


def _answering(cluster: Cluster, server: subprocess.Popen[bytes], log: Path) -> Cluster:
    import psycopg

    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            cluster.execute("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return cluster
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    """The name of an empty database."""
    name = f"state{next(_numbers)}"
    cluster.execute(f"CREATE DATABASE {name}")
    yield name
    cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty state database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'contract.sqlite3'}"
    return request.getfixturevalue("cluster").url(request.getfixturevalue("database"))


@pytest.fixture
def team(world, cluster, database):
    """The world of the harness with its state on the server."""
    world.env["SYNC_STATE_URL"] = cluster.url(database)
    return world
