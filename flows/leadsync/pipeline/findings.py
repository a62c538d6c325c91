"""What a check of the set-up finds, and how it can be mended. Never here: a check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How much a finding weighs."""

    OK = "ok"
    WARN = "warning"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the checklist. `remedy` is "" where nothing is to be done."""

    check: str
    level: Level
    detail: str
    remedy: str = ""


@dataclass
class Repair:
    """Something missing that can be created safely, and the call that creates it."""

    what: str
    create: Callable[[], None]


@dataclass(frozen=True)
class MappingRow:
    """
    A row of the mapping: the column and its type as Airtable calls them, the card's property, which way, by which lens.

    What is not known, or does not fit, is "".
    """

    column: str
    type: str
    card: str
    direction: str
    lens: str


@dataclass
class Checklist:
    """The findings so far, in order, what could be repaired, and the rows of the mapping."""

    findings: list[Finding]
    repairs: list[Repair]
    mapping: list[MappingRow] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """No finding that would stop a sync."""
        return all(finding.level is not Level.FAIL for finding in self.findings)
