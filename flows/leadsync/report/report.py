"""The report of a run: what was done, listed, refused, and what it cost. Never here: how it is shown."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from leadsync.core.explain import Explained
from leadsync.core.saved_plan import SavedPlan
from leadsync.errors import Exit, LeadsyncError

Row = dict[str, Any]

FINDINGS = {
    "conflicts": ("conflict", "conflicts"),
    "quarantine": ("in quarantine", "in quarantine"),
    "failures": ("failure", "failures"),
    "postponed": ("postponed", "postponed"),
}


@dataclass
class Report:
    """
    One run. Lists hold one dict a row, each with `lead_id` and/or `card_id`.

    `changes`: field, before, after, direction, note, outcome (planned | done). `conflicts`: field, airtable,
    trello, kind, resolution. `quarantine` and `failures`: reason, remedy. `notes`: note. `calls`: requests a side.
    `moved`: field, side, planned, now: what is not as it was when a saved plan was made. `plan`: the one made now.
    `read`: how each side was read, full or delta. `unmarked_cards`: those of the board that are no lead's, None if
    nobody looked, or the activity alone did not tell.
    """

    dry_run: bool = False
    leads: int = 0
    cards: int = 0
    unmarked_cards: int | None = None
    changes: list[Row] = field(default_factory=list)
    conflicts: list[Row] = field(default_factory=list)
    quarantine: list[Row] = field(default_factory=list)
    failures: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    postponed: list[Row] = field(default_factory=list)
    moved: list[Row] = field(default_factory=list)
    plan: SavedPlan | None = None
    pair: str = ""  # as the settings name it: base/table/board
    explained: Explained | None = None  # the lead that a dry run was asked about
    waiting: list[str] = field(default_factory=list)  # what has waited for a person longer than a day
    calls: dict[str, int] = field(default_factory=lambda: {"airtable": 0, "trello": 0})
    read: dict[str, str] = field(default_factory=dict)  # airtable and trello -> full | delta
    seconds: float = 0.0
    exit_code: Exit = Exit.DONE
    gave_back: bool = False  # a person's value was written back, which is no change
    title: str = "Completed"
    error: str = ""
    skipped: str = ""
    base_url: str = ""
    board_url: str = ""
    titles: dict[str, str] = field(default_factory=dict)  # lead_id -> what a person calls it; for tables only

    @property
    def counts(self) -> dict[str, int]:
        """How many of what."""
        of = Counter(_kind_of(change) for change in self.changes)
        unmarked = {} if self.unmarked_cards is None else {"unmarked_cards": self.unmarked_cards}
        return {
            "leads": self.leads,
            "cards": self.cards,
            **unmarked,
            "changes": len(self.changes),
            "created": of["created"],
            "archived": of["archived"],
            "to_trello": sum(change["direction"] == "to_trello" for change in self.changes),
            "to_airtable": sum(change["direction"] == "to_airtable" for change in self.changes),
            "conflicts": len(self.conflicts),
            "quarantine": len(self.quarantine),
            "failures": len(self.failures),
            "postponed": len(self.postponed),
        }

    @property
    def summary(self) -> str:
        """One line with counts, calls a side, and seconds."""
        count = self.counts
        verb = "would change" if self.dry_run else "changed"
        parts = [f"{count['leads']} leads, {count['cards']} cards: {verb} {count['changes']} cells or cards"]
        if others := self.unmarked_cards:
            parts.append(f"{others} other card{'s' if others > 1 else ''} on the board")
        parts += [f"{count[name]} {words[count[name] != 1]}" for name, words in FINDINGS.items() if count[name]]
        calls = f"{self.calls['airtable']} Airtable + {self.calls['trello']} Trello calls"
        return f"{', '.join(parts)} ({calls}, {self.seconds:.1f} s)"

    @property
    def message(self) -> str:
        """The sentence for people: the error if there was one, else why nothing was done, else the summary."""
        return self.error or self.skipped or self.summary

    def fail(self, error: LeadsyncError) -> None:
        """End with `error`; what was written before stays listed, and then the run counts as incomplete."""
        done = any(change.get("outcome") != "planned" for change in self.changes)
        written = (done or self.gave_back) and not self.dry_run
        self.error = str(error)
        self.exit_code = Exit.INCOMPLETE if written and error.exit_code != Exit.BUSY else error.exit_code
        self.title = "Incomplete" if written else error.title
        if written:
            self.error += " Before that, changes were written; they are listed, and the next run goes on from there."

    def note(self, text: str) -> None:
        """Something a person should know that is about no lead."""
        self.notes.append({"lead_id": "", "card_id": "", "note": text})

    def skip(self, why: str) -> None:
        """End before anything was asked."""
        self.skipped, self.title = why, "Skipped"

    def wait(self, why: str) -> None:
        """End quietly: somebody else is to decide."""
        self.error, self.skipped, self.exit_code = "", why, Exit.DONE

    def expect_nothing(self) -> None:
        """Fail if there is anything to do."""
        if self.changes:
            self.exit_code, self.title = Exit.SOMETHING_TO_DO, "SomethingToDo"
            self.error = f"There is something to do, and nothing was expected: {self.summary}"

    def judge(self) -> None:
        """Set exit code and title from what became of the writes; a finding that is listed is no failure."""
        if self.failures:
            self.exit_code, self.title = Exit.INCOMPLETE, "Incomplete"
        elif self.conflicts or self.quarantine:
            self.title = "CompletedWithFindings"

    def as_json(self, indent: int | None = 2) -> str:
        """
        The machine-readable report, in ASCII: any output takes it, and no terminal finds a command in it.

        `indent`: None for one line.
        """
        body = {
            "message": self.message,
            "exit_code": self.exit_code,
            "dry_run": self.dry_run,
            "counts": self.counts,
            "changes": self.changes,
            "conflicts": self.conflicts,
            "quarantine": self.quarantine,
            "failures": self.failures,
            "notes": self.notes,
            "postponed": self.postponed,
            "moved": self.moved,
            "calls": self.calls,
            "read": self.read,
            "seconds": round(self.seconds, 3),
        }
        return json_text(body, indent)


def json_text(body: Any, indent: int | None = 2) -> str:
    """JSON in printable ASCII, for programs and for terminals."""
    return json.dumps(body, indent=indent).replace("\x7f", "\\u007f")


def rows_of(items: Iterable[Any], **more: Any) -> list[Row]:
    """Dataclass instances as report rows."""
    return [asdict(item) | more for item in items]


def _kind_of(change: Row) -> str:
    if change["field"] not in ("card", "lead"):
        return "cell"
    return "created" if change["before"] == "" else str(change["after"])
