"""
The managed block in a card's description: reading it tolerantly, writing it without touching a person's text.

A block is a short paragraph whose last line is the marker. A bare marker line, as older tools and people write
it, counts too. What is never here: a card, a client, a decision whether to write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

HEADER: Final = "Lead details from Airtable"
EMAIL_LABEL: Final = "E-mail:"
SOURCE_LABEL: Final = "Source:"
MARKER_LABEL: Final = "LeadID:"
EMPTY_VALUE: Final = "–"
VALUE_LIMIT: Final = 1_000
"""Characters of a value shown in the block; a longer one ends in an ellipsis, the whole one is in Airtable."""
MARKER: Final = re.compile(r"^LeadID:\s*(rec[0-9A-Za-z]{14})\s*$")

# What Trello's web editor makes of a line when a person saves the card. An escaped bracket begins no link: beginning
# anew at each of them would take a time that grows with the square of the line.
_LINK: Final = re.compile(r"(\\.)|\[((?:[^\[\]\\]|\\.)*+)\]\((?:[^()\s]|\([^()\s]*\))*+(?:\s+\"[^\"]*\")?\)")
_AUTOLINK: Final = re.compile(r"<((?:https?://|mailto:)?[^<>\s]+)>")
_ESCAPE: Final = re.compile(r"\\([!-/:-@\[-`{-~])")


@dataclass(frozen=True)
class Parsed:
    """What a description says: its different markers in order, and the block's lines as `plain` text."""

    markers: tuple[str, ...]
    block: bool
    email_line: str
    source_line: str


def one_line(text: str) -> str:
    """`text` as a block line shows it: no line ends, at most VALUE_LIMIT characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= VALUE_LIMIT else flat[: VALUE_LIMIT - 1] + "…"


def plain(line: str) -> str:
    """The text of a block value without the markup that Trello's editor adds; equal texts are no change."""
    text = _ESCAPE.sub(r"\1", _AUTOLINK.sub(r"\1", _LINK.sub(r"\1\2", line)))
    text = " ".join(text.split()).rstrip("\\").rstrip()
    return "" if text == EMPTY_VALUE else text


def parse(description: str) -> Parsed:
    """Read markers and block; anything else in the text is a person's and not looked at."""
    lines = description.split("\n")
    markers = tuple(dict.fromkeys(found.group(1) for line in lines if (found := MARKER.match(line))))
    region = _region(lines)
    if region is None:
        return Parsed(markers, False, "", "")
    values = {label: plain(lines[at].strip().removeprefix(label)) for label, at in _value_lines(lines, region).items()}
    return Parsed(markers, True, values.get(EMAIL_LABEL, ""), values.get(SOURCE_LABEL, ""))


def render(lead_id: str, email: str, source: str) -> str:
    """The managed block, without a line end after it."""
    shown = [one_line(value) or EMPTY_VALUE for value in (email, source)]
    lines = (HEADER, f"{EMAIL_LABEL} {shown[0]}", f"{SOURCE_LABEL} {shown[1]}", f"{MARKER_LABEL} {lead_id}")
    return "\n".join(lines)


def with_block(description: str, lead_id: str, email: str, source: str) -> str:
    """
    `description` with its block, or its bare marker, replaced by a fresh block; appended where there is neither.

    Text outside stays byte for byte. A foreign line inside the old block is kept, above the new one.
    """
    block = render(lead_id, email, source)
    lines = description.split("\n")
    region = _region(lines) or _bare_marker(lines, lead_id)
    if region is not None:
        return "\n".join([*lines[: region.start], *_foreign(lines, region), block, *lines[region.stop :]])
    if not description:
        return block
    gap = "" if description.endswith("\n\n") else "\n" if description.endswith("\n") else "\n\n"
    return description + gap + block


def _region(lines: list[str]) -> range | None:
    """The lines from the header to the marker below it, or to the last value line where the marker is gone."""
    headers = [index for index, line in enumerate(lines) if line.strip() == HEADER]
    markers = [index for index, line in enumerate(lines) if MARKER.match(line)]
    for start in reversed(headers):
        below = [index for index in markers if index > start]
        if below:
            return range(start, below[0] + 1)
    if not headers:
        return None
    stop = headers[-1] + 1
    while stop < len(lines) and lines[stop].strip().startswith((EMAIL_LABEL, SOURCE_LABEL)):
        stop += 1
    return range(headers[-1], stop)


def _bare_marker(lines: list[str], lead_id: str) -> range | None:
    for index, line in enumerate(lines):
        if (found := MARKER.match(line)) and found.group(1) == lead_id:
            return range(index, index + 1)
    return None


def _value_lines(lines: list[str], region: range) -> dict[str, int]:
    """Label -> its line: the first of each kind below the header, e-mail before source; later ones are a person's."""
    found: dict[str, int] = {}
    for at in region:
        for label in (EMAIL_LABEL, SOURCE_LABEL):
            if label not in found and SOURCE_LABEL not in found and lines[at].strip().startswith(label):
                found[label] = at
    return found


def _foreign(lines: list[str], region: range) -> list[str]:
    """What a person wrote inside the block, line by line."""
    ours = set(_value_lines(lines, region).values())
    kept = [
        lines[at] for at in region if at not in ours and lines[at].strip() != HEADER and not MARKER.match(lines[at])
    ]
    return kept if any(line.strip() for line in kept) else []
