"""
What a command prints through. A terminal that cannot show a character, a pipe that nobody reads, a disk that is full
or an output that was closed changes nothing of what the command did, nor how it ends.

What is never here: what is printed.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import logging
import os
import sys
from typing import Any, TextIO

from leadsync.texts import printable

UNSHOWABLE = "leadsync.unshowable"
"""How a character that the output's encoding lacks is written."""
SIGNS = {"→": "->", "…": "...", "✓": "+", "✗": "x", "•": "*", "·": "-"}
"""Signs of ours, where they cannot be shown."""


class _Unfailing(io.FileIO):
    """A file whose writes count as done when nobody takes them."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(memoryview(data).cast("B"))


class OneLine(logging.Formatter):
    """A log line as one printable line, traceback apart."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """As logging.Formatter's."""
        return printable(super().formatMessage(record))


def harden_streams() -> None:
    """Call before anything is printed or opened. Replaces sys.stdout and sys.stderr."""
    codecs.register_error(UNSHOWABLE, _in_ascii)
    if os.environ.get("COLUMNS", "").strip() == "0":  # not known, as a terminal without a size has it
        del os.environ["COLUMNS"]
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # closed: the next file opened, the state perhaps, would take the place of the output
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    sys.stdin = sys.stdin or io.TextIOWrapper(io.FileIO(0, closefd=False), "utf-8")
    sys.stdout, sys.stderr = _unfailing(1, sys.stdout), _unfailing(2, sys.stderr)
    logging.raiseExceptions = False  # a log line that is not taken is not worth a traceback


def _unfailing(number: int, given: TextIO | None) -> TextIO:
    with contextlib.suppress(OSError):
        os.set_blocking(number, True)  # what does not fit into a pipe at once is not lost
    buffered = io.BufferedWriter(_Unfailing(number, "w", closefd=False))
    encoding = given.encoding if given else "utf-8"
    at_once = bool(getattr(given, "write_through", False))
    by_line = number == 2 or bool(getattr(given, "line_buffering", False))
    return io.TextIOWrapper(buffered, encoding, UNSHOWABLE, line_buffering=by_line, write_through=at_once)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    missing = error.object[error.start : error.end]
    written = (SIGNS.get(char) or char.encode("ascii", "backslashreplace").decode() for char in missing)
    return "".join(written), error.end
