"""
The managed block in a card's description: reading it tolerantly, writing it without touching a person's text.

A block is a short paragraph whose last line is the marker. A bare marker line, as older tools and people write
it, counts too. What is never here: a card, a client, a decision whether to write.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

HEADER: Final = "Lead details from Airtable"
MARKER_LABEL: Final = "LeadID:"
EMPTY_VALUE: Final = "–"
VALUE_LIMIT: Final = 1_000
"""Characters of a value shown in the block; a longer one ends in an ellipsis, the whole one is in Airtable."""
MARKER: Final = re.compile(r"^LeadID:\s*(rec[0-9A-Za-z]{14})\s*$")

# What Trello's web editor makes of a line when a person saves the card. An escaped bracket begins no link: beginning
# anew at each of them would take a time that grows with the square of the line.
_LINK: Final = re.compile(
    r"(\\.)|\[(?=((?:[^\[\]\\]|\\.)*))\2\]\((?=((?:[^()\s]|\([^()\s]*\))*))\3(?:\s+\"[^\"]*\")?\)"
)
_AUTOLINK: Final = re.compile(r"<((?:https?://|mailto:)?[^<>\s]+)>")
_ESCAPE: Final = re.compile(r"\\([!-/:-@\[-`{-~])")


@dataclass(frozen=True)
class Parsed:
    """What a description says: its different markers in order, and the block's lines, by label, as `plain` text."""

    markers: tuple[str, ...]
    block: bool = False
    lines: Mapping[str, str] = field(default_factory=dict)


def one_line(text: str) -> str:
    """`text` as a block line shows it: no line ends, at most VALUE_LIMIT characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= VALUE_LIMIT else flat[: VALUE_LIMIT - 1] + "…"


def unescaped(text: str) -> str:
    """`text` without the backslashes that Trello's editor puts before punctuation."""
    return _ESCAPE.sub(r"\1", text)


def plain(line: str) -> str:
    """The text of a block value without the markup that Trello's editor adds; equal texts are no change."""
    text = unescaped(_AUTOLINK.sub(r"\1", _LINK.sub(r"\1\2", line)))
    text = " ".join(text.split()).rstrip("\\").rstrip()
    return "" if text == EMPTY_VALUE else text


def parse(description: str, labels: Sequence[str] = ()) -> Parsed:
    """Read markers and block; anything else in the text is a person's and not looked at. `labels`: of our lines."""
    lines = description.split("\n")
    markers = tuple(dict.fromkeys(found.group(1) for line in lines if (found := MARKER.match(line))))
    region = _region(lines, labels)
    if region is None:
        return Parsed(markers)
    found_at = _value_lines(lines, region, labels)
    values = {label: plain(lines[at].strip().removeprefix(f"{label}:")) for label, at in found_at.items()}
    return Parsed(markers, True, dict.fromkeys(labels, "") | values)


def render(lead_id: str, values: Mapping[str, str]) -> str:
    """The managed block, without a line end after it. `values`: by label, in order."""
    lines = (f"{label}: {one_line(value) or EMPTY_VALUE}" for label, value in values.items())
    return "\n".join((HEADER, *lines, f"{MARKER_LABEL} {lead_id}"))


def with_block(description: str, lead_id: str, values: Mapping[str, str]) -> str:
    """
    `description` with its block, or its bare marker, replaced by a fresh block; appended where there is neither.

    Text outside stays byte for byte. A foreign line inside the old block is kept, above the new one.
    """
    block = render(lead_id, values)
    lines = description.split("\n")
    region = _region(lines, values) or _bare_marker(lines, lead_id)
    if region is not None:
        return "\n".join([*lines[: region.start], *_foreign(lines, region, [*values]), block, *lines[region.stop :]])
    return description + gap_before(description) + block


def without_block(description: str, lead_id: str, labels: Sequence[str]) -> str:
    """`description` without blocks and markers of the lead; all else stays byte for byte. `labels`: of our lines."""
    lines = description.split("\n")
    while (region := _bare_marker(lines, lead_id)) is not None:
        region = _region(lines, labels) or region
        lines[region.start : region.stop] = _foreign(lines, region, labels)
    return "\n".join(lines)


def gap_before(description: str) -> str:
    """What with_block puts between a text without a block and the one that it appends."""
    return "\n" * max(0, 2 - len(description) + len(description.rstrip("\n"))) if description else ""


def without_appended(description: str, lead_id: str, labels: Sequence[str], gap: str) -> str:
    """Likewise of a block that was appended behind `gap`, which goes as well if nothing has come after the block."""
    lines = description.split("\n")
    region = _region(lines, labels)
    if region is not None and region.stop == len(lines) and not _foreign(lines, region, labels):
        description = "".join(f"{line}\n" for line in lines[: region.start]).removesuffix(gap)
    return without_block(description, lead_id, labels)


def _region(lines: list[str], labels: Iterable[str]) -> range | None:
    """The lines from the header to the marker below it, or to the last value line where the marker is gone."""
    headers = [index for index, line in enumerate(lines) if line.strip() == HEADER]
    markers = [index for index, line in enumerate(lines) if MARKER.match(line)]
    for start in reversed(headers):
        if (below := bisect(markers, start)) < len(markers):
            return range(start, markers[below] + 1)
    if not headers:
        return None
    stop, begins = headers[-1] + 1, tuple(f"{label}:" for label in labels)
    while stop < len(lines) and lines[stop].strip().startswith(begins):
        stop += 1
    return range(headers[-1], stop)


def _bare_marker(lines: list[str], lead_id: str) -> range | None:
    for index, line in enumerate(lines):
        if (found := MARKER.match(line)) and found.group(1) == lead_id:
            return range(index, index + 1)
    return None


def _value_lines(lines: list[str], region: range, labels: Sequence[str]) -> dict[str, int]:
    """
    Label -> its line: the first of each kind below the header; others are a person's.

    In whichever order: that of the mapping's rows may have been another when the block was written.
    """
    found: dict[str, int] = {}
    for at in region:
        for label in labels:
            if label not in found and lines[at].strip().startswith(f"{label}:"):
                found[label] = at
    return found


def _foreign(lines: list[str], region: range, labels: Sequence[str]) -> list[str]:
    """What a person wrote inside the block, line by line."""
    ours = set(_value_lines(lines, region, labels).values())
    kept = [
        lines[at] for at in region if at not in ours and lines[at].strip() != HEADER and not MARKER.match(lines[at])
    ]
    return kept if any(line.strip() for line in kept) else []
