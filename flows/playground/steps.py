"""
What somebody did in the playground, as words in an address: a link that holds them leads to the same state. Pure.

Never here: what a step does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote_plus, urlencode

MOST = 200
"""Steps that an address holds."""


class Do(StrEnum):
    """Kinds of steps."""

    ADD = "add"
    NAME = "name"
    EMAIL = "email"
    STATUS = "status"
    SOURCE = "source"
    MOVE = "move"
    TITLE = "title"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    COPY = "copy"
    SYNC = "sync"
    TAKE = "take"
    UNTIE = "untie"
    UNDO = "undo"
    LOST = "lost"
    LIMIT = "limit"


CELLS = (Do.NAME, Do.EMAIL, Do.STATUS, Do.SOURCE)
OF_A_LEAD = (*CELLS, Do.MOVE, Do.TITLE, Do.ARCHIVE, Do.UNARCHIVE, Do.COPY, Do.TAKE, Do.UNTIE)
WITH_TEXT = (Do.ADD, *CELLS, Do.MOVE, Do.TITLE, Do.TAKE, Do.UNDO)
SAID = {
    Do.ADD: "Airtable: {text!r} is added",
    Do.MOVE: "Trello: the card of {name} is moved to {text}",
    Do.TITLE: "Trello: the card of {name} is called {text!r}",
    Do.ARCHIVE: "Trello: the card of {name} is archived",
    Do.UNARCHIVE: "Trello: the card of {name} is un-archived",
    Do.COPY: "Trello: the card of {name} is copied, LeadID line included",
    Do.SYNC: "Sync",
    Do.UNDO: "Undo of what is in the history as number {text}",
    Do.UNTIE: "The copies of the card of {name} become cards of their own",
    Do.TAKE: "Of {name} is taken: {text}",
    Do.LOST: "The answer to the next write is lost on its way",
    Do.LIMIT: "Trello answers the next call with 429: too many requests",
}


class StepError(ValueError):
    """A step that is none, or that cannot be done here; says which, and what is allowed."""


@dataclass(frozen=True)
class Step:
    """One thing that was done. `lead`: its number in the table, from 1 on; 0 if the step is about none."""

    do: Do
    lead: int = 0
    text: str = ""

    def __str__(self) -> str:
        """As it stands in an address."""
        return " ".join(filter(None, (self.do.value, str(self.lead or ""), self.text)))

    @classmethod
    def of(cls, written: str) -> Step:
        """Raises: StepError."""
        kind, _, rest = written.strip().partition(" ")
        if kind not in {*Do}:
            raise StepError(f"{written[:80]!r} is no step; steps are {', '.join(Do)}.")
        do, lead, text = Do(kind), 0, rest
        if do in OF_A_LEAD:
            number, _, text = rest.partition(" ")
            if not number.isascii() or not number.isdecimal() or not 0 < int(number[:6]) < 10**5:
                raise StepError(f"{written[:80]!r} does not say which lead, by its number in the table.")
            lead = int(number[:6])
        if do not in WITH_TEXT and text:
            raise StepError(f"{written[:80]!r} says more than {do} takes.")
        return cls(do, lead, text)

    def said(self, name: str) -> str:
        """For people. `name`: the lead's."""
        told = SAID.get(self.do, "Airtable: {field} of {name} becomes {text!r}")
        return told.format(field=self.do.value, name=name, text=self.text)


def steps_of(written: Iterable[str]) -> list[Step]:
    """Raises: StepError."""
    steps = [Step.of(each) for each in written]
    if len(steps) > MOST:
        raise StepError(f"An address holds {MOST} steps at most.")
    return steps


def query_of(seed: int, steps: Iterable[Step]) -> str:
    """What stands behind the question mark of a link."""
    return urlencode([("seed", str(seed)), *(("step", str(step)) for step in steps)], quote_via=quote_plus)
