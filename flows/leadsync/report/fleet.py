"""What became of many pairs: counts, and a row for each that changed something, failed, or was told of. Never here: how
a pair was synced."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from leadsync.errors import Exit, LeadsyncError
from leadsync.report.markdown import as_shown
from leadsync.report.report import Report, json_text

ROWS_SHOWN = 200
"""Rows of a table in an artifact."""
COLUMNS = ("pair", "outcome", "changes", "conflicts", "quarantine", "failures", "message")


@dataclass(frozen=True)
class PairRow:
    """One pair. `outcome`: what its run was called; `exit_code`: how it ended; the numbers count findings."""

    pair: str
    outcome: str
    exit_code: int
    changes: int
    conflicts: int
    quarantine: int
    failures: int
    message: str

    @classmethod
    def of(cls, pair: str, report: Report) -> PairRow:
        """From the pair's own report."""
        findings = (len(report.changes), len(report.conflicts), len(report.quarantine), len(report.failures))
        how = f" Read it with: python flows/sync.py --pair {shlex.quote(pair)} --review always" if report.plan else ""
        return cls(pair, report.title, int(report.exit_code), *findings, f"{report.message}{how}")

    @property
    def is_news(self) -> bool:
        """Whether it changed something, or failed."""
        return bool(self.changes or self.exit_code)


@dataclass
class FleetReport:
    """
    One run of the fleet. `pairs`: how many there are, `due`: of these, when it began; `elsewhere`: seen to by another.

    `rows`: of those that were synced here; `calls`: requests a side, of all together.
    """

    dry_run: bool = False
    pairs: int = 0
    due: int = 0
    elsewhere: int = 0
    rows: list[PairRow] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=lambda: {"airtable": 0, "trello": 0})
    seconds: float = 0.0
    error: str = ""
    title: str = "Completed"
    exit_code: Exit = Exit.DONE

    def add(self, pair: str, report: Report | None) -> PairRow | None:
        """A pair has ended; None if another process has seen to it. Returns: its row."""
        if report is None:
            self.elsewhere += 1
            return None
        for side, calls in report.calls.items():
            self.calls[side] += calls
        self.rows.append(PairRow.of(pair, report))
        return self.rows[-1]

    def fail(self, error: LeadsyncError) -> None:
        """End with `error`; what became of pairs before stays listed."""
        self.error, self.title, self.exit_code = str(error), error.title, error.exit_code

    def judge(self) -> None:
        """Pairs that failed make the whole incomplete: they are listed, and tried again later."""
        if self.failed:
            self.title, self.exit_code = "Incomplete", Exit.INCOMPLETE

    @property
    def failed(self) -> list[PairRow]:
        """Pairs that did not end well."""
        return [row for row in self.rows if row.exit_code]

    @property
    def news(self) -> list[PairRow]:
        """Those that failed, then those that changed something."""
        return sorted((row for row in self.rows if row.is_news), key=lambda row: (not row.exit_code, row.pair))

    @property
    def counts(self) -> dict[str, int]:
        """How many of what."""
        return {
            "pairs": self.pairs,
            "due": self.due,
            "synced": len(self.rows),
            "changed": sum(bool(row.changes) for row in self.rows),
            "failed": len(self.failed),
            "elsewhere": self.elsewhere,
            "changes": sum(row.changes for row in self.rows),
            "conflicts": sum(row.conflicts for row in self.rows),
        }

    @property
    def message(self) -> str:
        """One line for people."""
        if self.error:
            return self.error
        count = self.counts
        parts = [f"{count['synced']} of {count['pairs']} pairs synced", f"{count['changed']} with changes"]
        parts += [f"{count['failed']} failed"] if count["failed"] else []
        parts += [f"{count['elsewhere']} by another process"] if count["elsewhere"] else []
        calls = f"{self.calls['airtable']} Airtable + {self.calls['trello']} Trello calls"
        return f"{', '.join(parts)} ({calls}, {self.seconds:.1f} s)"

    def as_json(self) -> str:
        """The machine-readable report, in ASCII; `pairs` has a row for each that was synced."""
        body = {"message": self.message, "exit_code": int(self.exit_code), "dry_run": self.dry_run}
        rows = [asdict(row) for row in sorted(self.rows, key=lambda row: row.pair)]
        return json_text(body | {"counts": self.counts, "pairs": rows, "calls": self.calls, "seconds": self.seconds})

    def as_markdown(self) -> str:
        """The report as Prefect's UI shows it."""
        lines = [f"# {self.title}", "", as_shown(self.message), ""]
        if self.news:
            lines += [_line(COLUMNS), "|---" * len(COLUMNS) + "|"]
            lines += [_line([as_shown(value) for value in cells(row)]) for row in self.news[:ROWS_SHOWN]]
        if len(self.news) > ROWS_SHOWN:
            lines += ["", f"… and {len(self.news) - ROWS_SHOWN} more, which have task runs of their own."]
        return "\n".join(lines)


def cells(row: PairRow) -> list[str]:
    """As COLUMNS has them."""
    return [" ".join(str(getattr(row, column)).split()) for column in COLUMNS]


def _line(values: Sequence[str]) -> str:
    return f"| {' | '.join(values)} |"
