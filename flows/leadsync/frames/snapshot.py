"""
What both sides looked like when they were last read, and how far their feeds were taken in. Pure.

Never here: the database that keeps it, a request.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from leadsync.frames.actions import Item, moment


@dataclass(frozen=True)
class Mark:
    """
    How far the payloads of a webhook have been taken in: the next is number `cursor`.

    `at`: Airtable's clock when it was last asked [s since 1970]. `unread`: leads that its payloads named and that no
    read has shown since.
    """

    webhook: str = ""
    cursor: int = 1
    at: float = 0.0
    unread: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether what it tells follows on what was seen; without Airtable's time a gap would go unnoticed."""
        return bool(self.webhook) and self.at > 0


@dataclass(frozen=True)
class Concerned:
    """Leads and cards, by id, of which a run has something new, or something to decide anew."""

    leads: frozenset[str] = frozenset()
    cards: frozenset[str] = frozenset()


@dataclass
class Snapshot:
    """
    The last read of a pair. `records` and `cards`: id -> item; cards are the open ones that are ours, or of another
    pair, as `theirs` are. `concerned`: the only ones that were recalled, None = all; of those `leads` and `held` count
    how many there are.

    Times in seconds since 1970: `full_at` by our clock, when both sides were last read whole; `airtable_at` and
    `trello_at` by the services' clocks, 0 if they never said. `question`: a digest of what was asked for; under other
    settings all this is void. `open_cards`: on the whole board, -1 if unknown. `recent`: leads known to have changed
    since the newest one was created. `written`: lead and card ids written since. `actions`: ids of the latest actions,
    told already. `lists_checked`: board and lists are known to be unchanged. `feed`: where Airtable's change feed goes
    on, kept with the items so that neither runs ahead of the other. `newest`: when the newest lead was created, by
    Airtable's clock. `options`: statuses as the leads spell them. `ruling`: a digest of what decides about a lead.
    """

    records: dict[str, Item] = field(default_factory=dict)
    cards: dict[str, Item] = field(default_factory=dict)
    open_cards: int = -1
    question: str = ""
    full_at: float = 0.0
    airtable_at: float = 0.0
    trello_at: float = 0.0
    recent: int = 0
    written: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    lists_checked: bool = False
    feed: Mark = Mark()
    leads: int = -1
    held: int = -1
    theirs: list[str] = field(default_factory=list)
    newest: float = 0.0
    options: list[str] = field(default_factory=list)
    ruling: str = ""
    concerned: Concerned | None = None

    def marks(self) -> Item:
        """All but the items, to be kept as JSON."""
        marks = {name: value for name, value in vars(self).items() if name not in ("records", "cards", "concerned")}
        return marks | {"feed": vars(self.feed)}

    @property
    def is_known(self) -> bool:
        """Whether any side was read; if not, its feed may be known all the same."""
        return self.full_at > 0

    @classmethod
    def of_marks(cls, marks: Mapping[str, Any]) -> Snapshot:
        """What `marks` kept; the items are still to be added."""
        known = {name: value for name, value in marks.items() if name in cls.__dataclass_fields__}
        feed = known.pop("feed", {})
        return cls(**known, feed=Mark(**{**feed, "unread": tuple(feed.get("unread", ()))}))


def sides_by_delta(read: str, snapshot: Snapshot, now: float, full_every: float, page: int) -> tuple[bool, bool]:
    """
    Whether Airtable and Trello are asked only for what changed.

    `read`: full | delta | auto. `now`, `full_every`: our clock [s]. `page`: leads in a page. auto asks for everything
    when the last full read is too long ago, and for all leads where that costs no more: it shows the deleted ones. The
    board's feed costs no more than a page of cards, shows deletions, and saves the check of the lists.
    """
    if not snapshot.is_known or read == "full" or (read == "auto" and not 0 <= now - snapshot.full_at < full_every):
        return False, False
    leads = len(snapshot.records) if snapshot.leads < 0 else snapshot.leads
    return snapshot.airtable_at > 0 and (read == "delta" or leads > page), snapshot.trello_at > 0


def newest_lead(records: Iterable[Item]) -> float:
    """When the newest lead was created, by Airtable's clock [s since 1970]; 0 if there is none."""
    newest = max((str(record.get("createdTime")).rstrip("Z") for record in records), default="")
    return moment(newest) if newest else 0.0


def pages_of(items: int, page: int) -> int:
    """Requests that a full read of so many items costs."""
    return max(1, math.ceil(items / page))
