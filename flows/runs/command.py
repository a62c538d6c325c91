"""
A command of ours from its start to its end: quiet before Prefect is imported, a sentence when it is stopped, and an end
that waits for nobody.

What is never here: Prefect itself.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from leadsync.env_file import read_env_file
from leadsync.environment import the_env_files
from leadsync.errors import ConfigurationError, Exit
from leadsync.loopback import is_loopback
from leadsync.texts import printable
from runs.streams import OneLine, harden_streams
from runs.temporary_server import AT_ONCE, begin_server_if_needed, log, stop_server

ABORTED = 130
"""What the command line library makes of Ctrl-C."""
LINGER = 10.0
"""Seconds that Prefect gets at the end to hand in its last records; a server that takes none must not keep us."""
STOPPED = "Stopped. What was written is recorded; the next run goes on from there."

AS_EVER = gc.get_threshold()
"""How often Python looks for garbage by itself; a command does so once all is imported."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
_signals: list[int] = []
"""Those that came while the command can be stopped."""
PAIR = "--pair"
"""The option of every door that takes the settings of a further pair from Prefect."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the run's log is kept all the same
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",  # records that a server did not take would be printed whole
}


def prepare_local_run(pairs: bool = False, only_for: tuple[str, ...] = ()) -> None:
    """
    Call first: outputs that cannot fail us, quiet defaults, the temporary server on its way if one is needed, and
    garbage looked for but rarely until all is imported.

    `pairs`: as begin_server_if_needed has it; so it is wherever --pair names one. `only_for`: words of the command line
    without which none is needed.
    """
    gc.set_threshold(AT_ONCE)
    harden_streams()
    _at_signals(_stop_at_once)
    spare_loopback()
    for name, value in {**QUIET, **_said_to_prefect()}.items():
        os.environ.setdefault(name, value)
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(message)s"))
    log.addHandler(handler)
    helping = {"--help", "-h", "--install-completion", "--show-completion"} & set(sys.argv)
    offline = bool(only_for) and not any(word.startswith(only_for) for word in sys.argv[1:])
    if not (helping or offline):
        try:
            begin_server_if_needed(pairs or any(word.partition("=")[0] == PAIR for word in sys.argv[1:]))
        except ConfigurationError as error:
            print(printable(error), file=sys.stderr)
            _leave(error.exit_code)
        spare_prefect()


def spare_loopback() -> None:
    """What runs on this machine, Prefect's server and the emulator, is not asked through a proxy: none reaches it."""
    for name in ("NO_PROXY", "no_proxy"):
        listed = os.environ.get(name, "" if name == "NO_PROXY" else None)
        if listed is not None and listed.strip() != "*":
            os.environ[name] = ",".join(filter(None, (listed, *LOOPBACK)))


def spare_prefect() -> None:
    """
    A proxy of another kind than HTTP ends Prefect's client, whoever it asks. A server on this machine needs none, nor
    one that NO_PROXY names.

    To httpx a * among other names is every host, to requests it is none: the services are asked as before.
    """
    from prefect.settings import get_current_settings

    address = get_current_settings().api.url
    if not other_proxy():
        return
    host = "127.0.0.1" if address is None else urlsplit(address).netloc.rpartition("@")[2]
    if is_loopback(urlsplit(f"//{host}").hostname) or urllib.request.proxy_bypass(host):
        for name in ("NO_PROXY", "no_proxy"):
            listed = os.environ.get(name)
            if listed is not None and listed.strip() != "*":
                os.environ[name] = f"{listed},*"


def other_proxy() -> str:
    """The kind of a proxy in the environment that is none of HTTP, such as socks5; "" if there is none."""
    proxies = urllib.request.getproxies()
    kinds = {proxies.get(name, "").rpartition("://")[0].lower() for name in ("http", "https", "all")}
    return next(iter(sorted(kinds - {"", "http", "https"})), "")


def _said_to_prefect() -> dict[str, str]:
    """Prefect's settings in the files that ours are read from; by itself it looks into the working directory only."""
    said: dict[str, str] = {}
    with contextlib.suppress(ConfigurationError, OSError):  # told when our settings are read
        for file in filter(Path.is_file, the_env_files()):
            given = read_env_file(file)
            said |= {name: value for name, value in given.items() if name.startswith("PREFECT_") and value}
    return said


def run_command(command: Callable[..., Any]) -> None:
    """The command with the arguments it was called with; a crash shows where, and the value of no variable."""
    import typer

    gc.set_threshold(*AS_EVER)
    app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
    app.command()(command)
    with ending_soon():
        app()


@contextlib.contextmanager
def ending_soon() -> Iterator[None]:
    """However the command inside ends, its process does not stay much longer, and has the exit code it says."""
    try:
        yield
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else Exit.DONE
        leaving = threading.Timer(LINGER, _leave, [code])
        leaving.daemon = True
        leaving.start()
        raise


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """
    SIGTERM counts as Ctrl-C, and neither waits at the end for an answer that is still under way.

    Whoever is inside turns KeyboardInterrupt into a sentence, and calls `nothing_to_stop` once the outcome is known.
    """
    _signals.clear()
    _at_signals(_interrupt)
    gc.set_threshold(*AS_EVER)
    try:
        yield
    except SystemExit as ended:
        if was_stopped():
            if ended.code == ABORTED:
                print(STOPPED, file=sys.stderr)
            _leave(Exit.INCOMPLETE if ended.code in (None, ABORTED) else int(ended.code))
        raise
    finally:
        _signals.clear()  # what came here concerns no command after this one


def was_stopped() -> bool:
    """Whether a signal came, whatever became of its KeyboardInterrupt."""
    return bool(_signals)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """What is inside comes to its end: a signal that comes meanwhile is felt after it."""
    late: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: late.append(number)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
    if late:
        signal.raise_signal(late[0])


def nothing_to_stop() -> None:
    """From here on a signal changes nothing: the outcome is known, and what is left takes a moment."""
    _at_signals(signal.SIG_IGN)


def _interrupt(number: int, _frame: object) -> None:
    _signals.append(number)
    raise KeyboardInterrupt


def _at_signals(action: Any) -> None:
    for number in SIGNALS:
        signal.signal(number, action)


def _stop_at_once(_number: int, _frame: object) -> None:
    """While everything is still being imported."""
    with contextlib.suppress(OSError):
        os.write(2, b"Stopped before anything was done.\n")
    _leave(Exit.INCOMPLETE)


def _leave(code: int) -> None:
    """End the process here and now."""
    sys.stdout.flush()
    stop_server()
    os._exit(code)
