"""
A command of ours from its start to its end: quiet before Prefect is imported, and a sentence when it is stopped.

What is never here: Prefect itself.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from leadsync.errors import Exit
from runs.temporary_server import begin_server_if_needed, log, stop_server

ABORTED = 130
"""What the command line library makes of Ctrl-C."""
STOPPED = "Stopped. What was written is recorded; the next run goes on from there."

LOOPBACK = ("127.0.0.1", "localhost", "::1")
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the run's log is kept all the same
    "PREFECT_LOGGING_EXTRA_LOGGERS": "leadsync",
}


def prepare_local_run(secrets: bool = False) -> None:
    """Call first: quiet defaults, and the temporary server on its way if one is needed. `secrets`: as it has it."""
    _at_signals(_stop_at_once)
    spare_loopback()
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    helping = {"--help", "-h", "--install-completion", "--show-completion"} & set(sys.argv)
    if not helping:
        begin_server_if_needed(secrets)


def spare_loopback() -> None:
    """What runs on this machine, Prefect's server and the emulator, is not asked through a proxy: none reaches it."""
    for name in ("NO_PROXY", "no_proxy"):
        listed = os.environ.get(name, "" if name == "NO_PROXY" else None)
        if listed is not None and listed.strip() != "*":
            os.environ[name] = ",".join(filter(None, (listed, *LOOPBACK)))


def run_command(command: Callable[..., Any]) -> None:
    """The command with the arguments it was called with; a crash shows where, and the value of no variable."""
    import typer

    app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
    app.command()(command)
    app()


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """
    SIGTERM counts as Ctrl-C, and neither waits at the end for an answer that is still under way.

    Whoever is inside turns KeyboardInterrupt into a sentence, and calls `nothing_to_stop` once the outcome is known.
    """
    stopped: list[int] = []

    def stop(number: int, _frame: object) -> None:
        stopped.append(number)
        raise KeyboardInterrupt

    _at_signals(stop)
    try:
        yield
    except SystemExit as ended:
        if stopped:
            if ended.code == ABORTED:
                print(STOPPED, file=sys.stderr)
            stop_server()
            sys.stdout.flush()
            os._exit(Exit.INCOMPLETE if ended.code in (None, ABORTED) else int(ended.code))
        raise


def nothing_to_stop() -> None:
    """From here on a signal changes nothing: the outcome is known, and what is left takes a moment."""
    _at_signals(signal.SIG_IGN)


def _at_signals(action: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, action)


def _stop_at_once(_number: int, _frame: object) -> None:
    """While everything is still being imported."""
    stop_server()
    os.write(sys.stderr.fileno(), b"Stopped before anything was done.\n")
    os._exit(Exit.INCOMPLETE)
