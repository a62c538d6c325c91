"""
A file like `.env` as names and values; what of it cannot be read becomes a sentence that shows none of its text.

What is never here: which files there are (see environment.py), which names are settings (see setting_names.py).
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from leadsync.errors import ConfigurationError

OURS = re.compile(r"\b(?:AIRTABLE|TRELLO|SYNC|LEADSYNC)_", re.IGNORECASE)
PLAIN = re.compile(r"[\w./:@+,=-]+", re.ASCII)
"""Values that mean themselves without quotes."""
FOREIGN_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


def read_env_file(file: Path) -> dict[str, str]:
    """
    What a file sets, by the names as they stand there; "" is set to nothing.

    Raises: ConfigurationError if it cannot be read, is no UTF-8 text, or in which lines a setting is not written as
    NAME=value.
    """
    try:
        held = file.read_bytes()
    except OSError as exc:
        raise ConfigurationError(f"{file} could not be read ({exc.strerror}); correct its rights.") from None
    if held.startswith(FOREIGN_MARKS) or b"\0" in held:
        raise ConfigurationError(f"{file} is not UTF-8 text (it looks like UTF-16); save it as UTF-8.")
    try:
        text = held.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} is not UTF-8 text; save it as UTF-8.") from None
    if lines := _unreadable_lines(text):
        where = f"line {lines[0]}" if len(lines) == 1 else f"lines {', '.join(map(str, lines))}"
        raise ConfigurationError(
            f"{file} cannot be read in {where}; allowed is NAME=value, and quotes that are closed."
        )
    return {name: value or "" for name, value in dotenv_values(stream=io.StringIO(text)).items()}


def env_text(values: Mapping[str, str]) -> str:
    """Lines in which `read_env_file` finds just these values."""
    return "".join(f"{name}={_written(value)}\n" for name, value in values.items())


def _written(value: str) -> str:
    if PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + escaped.replace("${", "${:-$}{") + "'"  # else it would stand for a variable


def _unreadable_lines(text: str) -> list[int]:
    """The numbers of lines that speak of a setting and set nothing; other lines may belong to other programs."""
    written = [
        (found.original, found.error or (found.key and found.value is None))
        for found in parse_stream(io.StringIO(text))
    ]
    return [
        original.line + original.string[: -len(original.string.lstrip()) or None].count("\n")
        for original, sets_nothing in written
        if sets_nothing and OURS.search(original.string)
    ]
