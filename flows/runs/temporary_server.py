"""
A plain `python flows/sync.py`: quick, quiet, and leaving nothing behind.

Prefect records a run on a server. If Prefect knows of none and none answers at the default address, a temporary one
is started here, before anything else that is slow is imported, so that both come up side by side. Unlike the one that
Prefect would start by itself it is out of reach of Ctrl-C, dies with this process, and prints nothing to the terminal.
What is never here: where Prefect finds its settings, a rule.
"""

from __future__ import annotations

import atexit
import ctypes
import http.client
import io
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from functools import partial

import platformdirs
from pydantic import ValidationError

from leadsync.errors import ConfigurationError, LeadsyncError
from leadsync.private_files import make_private

START_TIMEOUT = 90.0
"""Seconds; a small machine under load needs most of it."""
STOP_TIMEOUT = 3.0
PR_SET_PDEATHSIG = 1
ONLY_OURS = 0o077 if os.name == "posix" else -1
"""The umask of the server: its database holds reports, and the pairs that are saved."""
ONLY_RECORD = {
    "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_FOREMAN_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
}
AT_ONCE = 50_000
"""Objects between two searches for garbage: of what is imported none is, and to look took an eighth of the time."""
SERVE = f"""
import gc, sys
gc.set_threshold({AT_ONCE})
import uvicorn
app = "prefect.server.api.server:create_app"
uvicorn.run(app, factory=True, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
"""What `prefect server start` does, without the command line that comes with it: that takes a quarter of the time."""
log = logging.getLogger("leadsync")
_started: list[tuple[subprocess.Popen[bytes], int]] = []


def begin_server_if_needed(pairs: bool = False) -> None:
    """
    Unless Prefect knows of a server, or one answers at the default address, a temporary one is on its way.

    `pairs`: the server keeps them, with their secrets and the addresses these are sent to, so whatever happens to
    answer at the default address will not do.
    Raises: ConfigurationError if Prefect cannot read its settings, which it does when it is first imported.
    """
    try:
        from prefect.context import refresh_global_settings_context
        from prefect.settings import get_current_settings
    except (ValueError, OSError) as error:
        raise ConfigurationError(
            f"Prefect cannot read its settings ({_wrong(error)}). They are in the environment (PREFECT_…), in .env, "
            "prefect.toml or pyproject.toml of the working directory, and in its profiles.toml; files are UTF-8 text."
        ) from None
    if get_current_settings().api.url:
        return
    if not pairs and _answers(_default_port()):
        os.environ["PREFECT_API_URL"] = _api_url(_default_port())
        refresh_global_settings_context()
    else:
        atexit.register(stop_server)  # before Prefect registers anything, hence called after all of it
        _started.append(_spawn_server())


def _wrong(error: ValueError | OSError) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else type(error).__name__


def started_here() -> str | None:
    """
    Wait for the temporary server; one that died since the last run is replaced.

    It is stopped when the process ends, after Prefect has handed in its last records. Returns: its API's address, None
    if none was begun. Raises: LeadsyncError if it did not come up.
    """
    if not _started:
        return None
    if _started[0][0].poll() is not None:
        _started[0] = _spawn_server()
    process, port = _started[0]
    _wait_for(process, port)
    return _api_url(port)


def run_page(ui_url: str | None, run_id: str) -> str:
    """One line that says where a run can be seen. `ui_url`: the UI's address in Prefect's settings."""
    page = f"/runs/flow-run/{run_id}"
    if _started:
        return f"Prefect keeps this run; to see it: prefect server start, then {_ui_url(_default_port())}{page}"
    return f"This run in Prefect: {(ui_url or _ui_url(_default_port())).rstrip('/')}{page}"


def stop_server() -> None:
    """End the temporary server, if there is one. Two threads may do so at once, and either leaves it ended."""
    for process, _ in _started:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _spawn_server() -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with _log_file() as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", SERVE, str(port)],
            umask=ONLY_OURS,
            env={**os.environ, **ONLY_RECORD},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=partial(_die_with, os.getpid()) if sys.platform == "linux" else None,
        )
    return process, port


def _log_file() -> io.BufferedWriter:
    """Raises: ConfigurationError if there is no place for it."""
    path = platformdirs.user_log_path("leadsync") / "prefect-server.log"
    try:
        make_private(path)
        return path.open("wb")
    except OSError as error:
        raise ConfigurationError(
            f"The log of Prefect's temporary server, {path}, cannot be written ({error.strerror}). Correct the rights "
            "of its folder, let HOME name one that can be written, or let PREFECT_API_URL name a server."
        ) from None


def _die_with(parent: int) -> None:
    """In the child: be told when the parent is gone, even if it was killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # gone before we could ask to be told
        os._exit(0)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(port):
            return
        time.sleep(0.05)
    raise LeadsyncError(
        "Prefect's temporary server did not start; nothing was written. Its log is "
        f"{platformdirs.user_log_path('leadsync') / 'prefect-server.log'}. Run again, or start `prefect server start`."
    )


def _default_port() -> int:
    """Where `prefect server start` listens unless told otherwise."""
    from prefect.settings import get_current_settings

    port: int = get_current_settings().server.api.port
    return port


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().read().strip() == b"true"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _ui_url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _api_url(port: int) -> str:
    return f"{_ui_url(port)}/api"
