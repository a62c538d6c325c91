"""The report of a run: what was done, listed, refused, and what it cost. Never here: how it is shown."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from leadsync.core.conflicts import Conflict
from leadsync.core.decisions import Direction
from leadsync.core.explain import Explained
from leadsync.core.moved_since import Moved
from leadsync.core.saved_plan import SavedPlan
from leadsync.core.told import Change, ChangeOutcome, Failure, Note, SetAside
from leadsync.errors import Exit, FirstContactError, LeadsyncError

Row = Change | Conflict | SetAside | Failure | Note | Moved
Finding = Conflict | SetAside

LISTS = ("changes", "conflicts", "quarantine", "failures", "notes")
FINDINGS = {
    "conflicts": ("conflict", "conflicts"),
    "quarantine": ("in quarantine", "in quarantine"),
    "failures": ("failure", "failures"),
    "postponed": ("postponed", "postponed"),
}


@dataclass
class Report:
    """
    One run. Each row of a list names its lead, its card, or both; `postponed`: ids of leads.

    `calls`: requests a side. `read`: how each side was read, full or delta. `unmarked_cards`: those of the board that
    are no lead's, None if nobody looked, or the activity alone did not tell. `moved`: what is not as it was when a
    saved plan was made; `plan`: the one made now. `standing`: what waited for a person before the run; `waiting`: what
    has done so for more than a day. `subject`: what a person has decided about, as they call it. Where a person opens
    things: `…_url`, `card_urls` by id. `titles`: of leads, by id.
    """

    dry_run: bool = False
    leads: int = 0
    cards: int = 0
    unmarked_cards: int | None = None
    changes: list[Change] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    quarantine: list[SetAside] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    postponed: list[str] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    plan: SavedPlan | None = None
    pair: str = ""  # as the settings name it: base/table/board
    pair_name: str = ""  # of its block, as commands take it; "" for the one of the environment
    explained: Explained | None = None  # the lead that a dry run was asked about
    waiting: list[str] = field(default_factory=list)
    subject: str = ""
    standing: frozenset[Finding] = frozenset()
    calls: dict[str, int] = field(default_factory=lambda: {"airtable": 0, "trello": 0})
    read: dict[str, str] = field(default_factory=dict)  # airtable and trello -> full | delta
    seconds: float = 0.0
    exit_code: Exit = Exit.DONE
    gave_back: bool = False  # a person's value was written back, which is no change
    title: str = "Completed"
    error: str = ""
    asks_to_adopt: bool = False  # it ended with the question whose the cards are that look like leads
    skipped: str = ""
    base_url: str = ""
    table_url: str = ""
    board_url: str = ""
    titles: dict[str, str] = field(default_factory=dict)
    card_urls: dict[str, str] = field(default_factory=dict)

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
            "to_trello": sum(change.direction is Direction.TO_TRELLO for change in self.changes),
            "to_airtable": sum(change.direction is Direction.TO_AIRTABLE for change in self.changes),
            "conflicts": len(self.conflicts),
            "quarantine": len(self.quarantine),
            "failures": len(self.failures),
            "postponed": len(self.postponed),
        }

    @property
    def rows(self) -> Iterator[Row]:
        """Of all lists."""
        for name in (*LISTS, "moved"):
            yield from getattr(self, name)

    @property
    def news(self) -> list[Finding]:
        """Findings that did not wait for a person before."""
        found: list[Finding] = [*self.conflicts, *self.quarantine]
        return [each for each in found if each not in self.standing]

    @property
    def glance(self) -> str:
        """What came of the run in a few words with counts, for a list of runs."""
        return ", ".join([self._became, *filter(None, map(self._found, FINDINGS))])

    @property
    def summary(self) -> str:
        """One line with counts, calls a side, and seconds."""
        read = f"{self.leads} leads, {self.cards} cards"
        others = self.unmarked_cards
        read += f", {others} other card{'s' if others > 1 else ''} on the board" if others else ""
        calls = f"{self.calls['airtable']} Airtable + {self.calls['trello']} Trello calls"
        return f"{self.glance}: {read} ({calls}, {self.seconds:.1f} s)"

    @property
    def message(self) -> str:
        """The sentence for people: the error if there was one, else why nothing was done, else the summary."""
        return self.error or self.skipped or self.summary

    def name_of(self, row: Row) -> str:
        """What people call the lead, "" if that is not known."""
        return self.titles.get(row.lead_id, "")

    def about(self, row: Row) -> str:
        """The row's lead, by name and id, and its card."""
        return " ".join(filter(None, (self.name_of(row), row.lead_id, row.card_id and f"card {row.card_id}"))) or "run"

    def fail(self, error: LeadsyncError) -> None:
        """End with `error`; what was written before stays listed, and then the run counts as incomplete."""
        written = self.gave_back or any(change.outcome is ChangeOutcome.DONE for change in self.changes)
        self.error, self.asks_to_adopt = str(error), isinstance(error, FirstContactError)
        self.exit_code = Exit.INCOMPLETE if written and error.exit_code != Exit.BUSY else error.exit_code
        self.title = "Incomplete" if written else error.title
        if written:
            self.error += " Before that, changes were written; they are listed, and the next run goes on from there."

    def note(self, text: str) -> None:
        """Something a person should know that is about no lead."""
        self.notes.append(Note("", "", text))

    def skip(self, why: str) -> None:
        """End before anything was asked."""
        self.skipped, self.title = why, "Skipped"

    def expect_nothing(self) -> None:
        """Fail if there is anything to do."""
        if self.changes:
            self.exit_code, self.title = Exit.SOMETHING_TO_DO, "SomethingToDo"
            self.error = f"There is something to do, and nothing was expected: {self.summary}"

    def judge(self) -> None:
        """Set exit code and title from what became of the writes; a finding is told by the title once, not for ever."""
        if self.failures:
            self.exit_code, self.title = Exit.INCOMPLETE, "Incomplete"
        elif self.news:
            self.title = "CompletedWithFindings"

    def as_object(self) -> dict[str, Any]:
        """The machine-readable report: the lists hold one object a row, each with its lead's name."""
        return {
            "message": self.message,
            "exit_code": self.exit_code,
            "dry_run": self.dry_run,
            "counts": self.counts,
            **{name: self._objects(getattr(self, name)) for name in LISTS},
            "postponed": [{"lead_id": lead_id} for lead_id in self.postponed],
            "moved": self._objects(self.moved),
            "calls": self.calls,
            "read": self.read,
            "seconds": round(self.seconds, 3),
        }

    def as_json(self, indent: int | None = 2) -> str:
        """The same in ASCII: any output takes it, no terminal finds a command in it. `indent`: None for one line."""
        return json_text(self.as_object(), indent)

    @property
    def _became(self) -> str:
        number = len(self.changes)
        if self.skipped:
            return "skipped"
        if self.error:
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.title).lower()
            return f"{number} changed, {words}" if number and not self.dry_run else words
        if self.dry_run:
            many = "1 cell or card" if number == 1 else f"{number} cells or cards"
            return f"would change {many if number else 'nothing'}"
        unfinished = self.news or self.failures or self.postponed
        return f"{number} changed" if number else "nothing changed" if unfinished else "nothing to do"

    def _found(self, kind: str) -> str:
        """How many there are of a kind of finding, and how many of them are new; "" if there is none."""
        found: Sequence[Any] = getattr(self, kind)
        new = sum(each not in self.standing for each in found)
        said = f"{len(found)} {FINDINGS[kind][len(found) != 1]}" if found else ""
        return said if new == len(found) else f"{said} ({f'{new} new' if new else 'as before'})"

    def _objects(self, rows: Sequence[Row]) -> list[dict[str, str | None]]:
        return [vars(row) | {"lead_name": self.name_of(row)} for row in rows]


def json_text(body: Any, indent: int | None = 2) -> str:
    """JSON in printable ASCII, for programs and for terminals."""
    return json.dumps(body, indent=indent).replace("\x7f", "\\u007f")


def _kind_of(change: Change) -> str:
    if change.field not in ("card", "lead"):
        return "cell"
    return "created" if change.before == "" else change.after
