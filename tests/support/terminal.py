"""A command at a terminal of its own, as a person sees it and types to it."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;[^\x1b]*\x1b\\|\r")
LINKS = re.compile(r"\x1b\]8;[^;]*;(?P<address>[^\x1b]+)\x1b\\")
START = (
    "import fcntl, os, signal, sys, termios; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Ctrl-C goes to whoever has the terminal, also if these tests run in the background, where a shell has it ignored."""
CTRL_C = "\x03"
SECONDS = 300.0
"""For whatever is waited for, on a busy machine."""


class Terminal:
    """
    `python ARGUMENTS` in a session with a pseudo-terminal of 120 columns.

    `raw`: all that was printed; `screen`: the same without colours and links.
    """

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], cwd: str | None = None) -> None:
        self._ours, theirs = pty.openpty()
        shown = {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "50", "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, sys.executable, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**env, **shown},
            cwd=cwd,
            start_new_session=True,
        )
        os.close(theirs)
        self.raw, self._read = "", 0

    @property
    def screen(self) -> str:
        return ESCAPES.sub("", self.raw)

    @property
    def links(self) -> list[str]:
        return LINKS.findall(self.raw)

    def wait_for(self, text: str, seconds: float = SECONDS) -> None:
        """Until `text` has been printed since the last one that was waited for."""
        deadline = time.monotonic() + seconds
        while text not in self.screen[self._read :]:
            assert self._more(deadline), f"{text!r} was not printed in {seconds} s; printed was:\n{self.screen}"
        self._read += self.screen[self._read :].index(text) + len(text)

    def type(self, text: str, enter: bool = True) -> None:
        os.write(self._ours, (text + ("\n" if enter else "")).encode())

    def interrupt(self, seconds: float = 30) -> None:
        """Ctrl-C until it is answered: one just before a line is waited for counts with the next key only."""
        deadline, before = time.monotonic() + seconds, len(self.screen)
        while "Stopped" not in self.screen[before:] and time.monotonic() < deadline:
            self.type(CTRL_C, enter=False)
            while "Stopped" not in self.screen[before:] and self._more(time.monotonic() + 2):
                pass

    def end(self, seconds: float = SECONDS) -> int:
        """Wait for the end. Returns: the exit code."""
        deadline = time.monotonic() + seconds
        while self._more(deadline):
            pass
        try:
            return self.process.wait(timeout=max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end in {seconds} s; printed was:\n{self.screen}") from None

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)

    def _more(self, deadline: float) -> bool:
        """Whether more came before the deadline; a terminal that nobody holds any more gives nothing."""
        ready, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            came = os.read(self._ours, 65536)
        except OSError:  # Linux's way to say so
            return False
        self.raw += came.decode(errors="replace")
        return bool(came)
