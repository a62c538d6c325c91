"""What a check of the set-up finds, and how it can be mended. Never here: a check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warning", "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the checklist. `level`: ok, warning or fail; `remedy` is "" where nothing is to be done."""

    check: str
    level: str
    detail: str
    remedy: str = ""


@dataclass
class Repair:
    """Something missing that can be created safely, and the call that creates it."""

    what: str
    create: Callable[[], None]


@dataclass
class Checkup:
    """The findings so far, in order, and what could be repaired."""

    findings: list[Finding]
    repairs: list[Repair]

    @property
    def ok(self) -> bool:
        """No finding that would stop a sync."""
        return all(finding.level != FAIL for finding in self.findings)
