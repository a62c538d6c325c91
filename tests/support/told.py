"""A report as programs read it: each row is the object that --json prints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from leadsync.report.report import Report

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Told:
    """`report` itself, but for the rows of its lists."""

    report: Report

    @property
    def changes(self) -> Rows:
        return self._rows("changes")

    @property
    def conflicts(self) -> Rows:
        return self._rows("conflicts")

    @property
    def quarantine(self) -> Rows:
        return self._rows("quarantine")

    @property
    def failures(self) -> Rows:
        return self._rows("failures")

    @property
    def notes(self) -> Rows:
        return self._rows("notes")

    @property
    def postponed(self) -> Rows:
        return self._rows("postponed")

    @property
    def moved(self) -> Rows:
        return self._rows("moved")

    def _rows(self, name: str) -> Rows:
        rows: Rows = self._object[name]
        return rows

    @cached_property
    def _object(self) -> dict[str, Any]:
        return self.report.as_object()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.report, name)
