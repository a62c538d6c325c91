"""
The words of the product: statuses and lists, policies, ways to read.

What is never here: I/O, a third-party client, a rule that needs two sides (see core/).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ConflictPolicy(StrEnum):
    """Who wins when both sides moved one cell apart."""

    AIRTABLE = "airtable"
    TRELLO = "trello"
    HOLD = "hold"


class ConflictChoice(StrEnum):
    """The policy of one run: that of the settings, or another."""

    SETTINGS = "settings"
    AIRTABLE = "airtable"
    TRELLO = "trello"
    HOLD = "hold"

    @property
    def policy(self) -> ConflictPolicy | None:
        """None if the settings decide."""
        return None if self is ConflictChoice.SETTINGS else ConflictPolicy(self.value)


class Adopt(StrEnum):
    """What becomes of leads without a card, where cards without a LeadID line look like theirs."""

    ASK = "ask"
    EMAIL = "email"
    NAME = "name"
    NONE = "none"


class Read(StrEnum):
    """How both sides are read: whole, only what changed, or whichever costs fewer calls."""

    FULL = "full"
    DELTA = "delta"
    AUTO = "auto"


class Review(StrEnum):
    """Which runs wait until a person has read their plan: none, those that risk something, or all that write."""

    NEVER = "never"
    RISKY = "risky"
    ALWAYS = "always"


class ChangeFeed(StrEnum):
    """Whether Airtable is asked to keep a record of changes for us."""

    OFF = "off"
    ON = "on"


class CreateLeads(StrEnum):
    """Whether cards without a LeadID line become leads."""

    OFF = "off"
    ON = "on"


class OnLeadDeleted(StrEnum):
    """What happens to the card of a deleted lead."""

    ARCHIVE = "archive"
    LEAVE = "leave"


class OnCardDeleted(StrEnum):
    """What happens to the lead of a deleted card."""

    LEAVE = "leave"
    RECREATE = "recreate"


TODO: Final = "TODO"
IN_PROGRESS: Final = "IN_PROGRESS"
DONE: Final = "DONE"
STAGES: Final = (TODO, IN_PROGRESS, DONE)
"""The lists of the default map."""
TRELLO_TEXT_LIMIT: Final = 16_384
"""Characters that a card's title or description holds."""


@dataclass(frozen=True)
class StatusMap:
    """
    The lens between a lead's status and a card's stage, that is a list of the board by the name or id the user gave it.

    `stage_of`: status -> stage, total over the known statuses. `status_for`: stage -> the status which a
    card dragged there gives. Raises: ValueError naming the offending value when a law does not hold.
    """

    stage_of: dict[str, str]
    status_for: dict[str, str]

    def __post_init__(self) -> None:
        if not self.stage_of:
            raise ValueError(f"it maps no status; allowed are statuses with the list of each, as in NEW to {TODO}")
        for status, stage in self.stage_of.items():
            if not status or status != status.strip():
                raise ValueError(f"status {status!r} is empty or has blanks around it")
            if not isinstance(stage, str) or not stage or stage != stage.strip():
                raise ValueError(f"status {status!r} is mapped to {stage!r}; allowed is a list's name or id")
            if stage not in self.status_for:
                raise ValueError(f"{stage} gives no status back; a card moved there would have none")
        for stage, reverse in self.status_for.items():
            if self.stage_of.get(reverse) != stage:
                raise ValueError(f"{stage} gives {reverse!r}, which maps to {self.stage_of.get(reverse)!r}")

    @classmethod
    def from_stages(cls, stage_of: dict[str, str]) -> StatusMap:
        """
        The map in which the first status named for a stage is the one that stage gives back.

        Blanks around names mean nothing. Raises: ValueError also for two statuses that are the same without them.
        """
        bare: dict[str, str] = {}
        named: dict[str, str] = {}
        for status, stage in stage_of.items():
            if named.setdefault(status.strip(), status) != status:
                raise ValueError(f"statuses {named[status.strip()]!r} and {status!r} are the same but for blanks")
            bare[status.strip()] = stage.strip() if isinstance(stage, str) else stage
        status_for: dict[str, str] = {}
        for status, stage in bare.items():
            if isinstance(stage, str):
                status_for.setdefault(stage, status)
        return cls(bare, status_for)

    @property
    def stages(self) -> tuple[str, ...]:
        """The lists, in order."""
        return tuple(self.status_for)

    @property
    def empty_means(self) -> str:
        """The status an empty cell counts as, that of TODO or else of the first list; it is never written."""
        return self.status_for.get(TODO, self.status_for[self.stages[0]])

    def effective(self, status: str) -> str:
        """What a status counts as: an empty one as the first."""
        return status or self.empty_means

    def stage_of_cell(self, status: str) -> str:
        """The stage in which a lead's card belongs, "" if the status is unknown."""
        return self.stage_of.get(self.effective(status), "")

    def put(self, stage: str, status: str) -> str:
        """The status a lead gets when its card lies in `stage`: its own if that already maps there."""
        return status if self.stage_of.get(status) == stage else self.status_for[stage]


DEFAULT_STAGE_OF: Final = {"NEW": TODO, "CONTACTED": IN_PROGRESS, "QUALIFIED": DONE, "LOST": DONE}
