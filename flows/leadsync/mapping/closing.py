"""Which lists mean that a lead is closed, and what a tick on a card says about its list. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from leadsync.model import DONE


@dataclass(frozen=True)
class Closing:
    """
    `lists`: those that mean closed, in order: cards there may stay archived. `tick`: the list to which a card goes that
    is ticked "done", "" if ticks say nothing about it.
    """

    lists: tuple[str, ...]
    tick: str

    @classmethod
    def of(cls, lists: Collection[str], named: Collection[str] | None, ticks_mapped: bool = False) -> Closing:
        """
        `lists`: those of the map. `named`: the user's choice, None = DONE if there is such a list.

        `ticks_mapped`: a row of the mapping takes the ticks. Raises: ValueError naming a list to which no status leads.
        """
        for name in named or ():
            if name not in lists:
                raise ValueError(f"no status is mapped to {name!r}; allowed are {', '.join(lists)}")
        closed = tuple(dict.fromkeys(name for name in ([DONE] if named is None else named) if name in lists))
        return cls(closed, "" if ticks_mapped else next(iter(closed), ""))

    def judged(self, agreed: str, now: str, was_ticked: bool, ticked: bool) -> str:
        """
        The list in which a card counts to lie: where it lies, "" if outside the mapping, or that of the ticked ones if
        it was ticked since the base and not moved. `agreed`: its list in the base, "" if there is none.
        """
        newly = ticked and not was_ticked and now == agreed != ""
        return self.tick if newly and self.tick and now not in self.lists else now

    def clears_tick(self, judged: str, now: str, to: str) -> bool:
        """Whether a ticked card that the sync puts into `to` loses its tick: it leaves the closed, or stays out."""
        return self.tick != "" and to not in self.lists and (now in self.lists or judged in self.lists)
