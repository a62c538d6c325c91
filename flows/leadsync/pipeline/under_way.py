"""What is the same in each pass of a run. Never here: what one pass finds."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from leadsync.apply.target import Target
from leadsync.core.conflicts import UNDONE
from leadsync.core.ledger import ID_SHOWN, Begun
from leadsync.core.plan import Plan
from leadsync.frames.actions import Item
from leadsync.mapping.rules import Rules, Take
from leadsync.model import CreateLeads
from leadsync.pipeline.change_feed import ChangeFeed
from leadsync.pipeline.clients import Clients
from leadsync.pipeline.mapped import Mapped, mind_names
from leadsync.pipeline.rows import OurRows
from leadsync.pipeline.steps import Options, Steps
from leadsync.pipeline.telling import Telling
from leadsync.pipeline.undoing import Undo
from leadsync.pipeline.waiting import without_taken
from leadsync.settings import Settings
from leadsync.state.lock import StillHeld
from leadsync.trello.board import Board


@dataclass(frozen=True)
class Run:
    """
    One run under way, which holds the lock. `feed`: Airtable's change feed, if it is switched on. `mapped`: what
    is kept of the mapping. `take`: the conflicts, `undo`: the earlier run that this one is about, None if it is about
    everything. `made`: leads that an earlier pass has made of cards, by id, in the view or not.
    """

    settings: Settings
    options: Options
    steps: Steps
    clients: Clients
    rows: OurRows
    feed: ChangeFeed | None
    still_held: StillHeld
    telling: Telling
    mapped: Mapped
    begun: Begun
    take: Take | None = None
    undo: Undo | None = None
    made: Mapping[str, Item] = field(default_factory=dict)

    @property
    def run_id(self) -> str:
        """What history and journal know it by."""
        return self.begun.run_id

    @property
    def pair(self) -> str:
        """The key of our rows."""
        return self.rows.pair.key

    @property
    def is_about_all(self) -> bool:
        """Whether all is to be brought in step, and not only conflicts settled, or an earlier run taken back."""
        return self.take is None and self.undo is None

    def concerned(self, leads: pd.DataFrame) -> pd.DataFrame:
        """Those of the leads that the run is about; an undo asks for nothing that there is not."""
        if self.undo:
            return leads.iloc[:0]
        return leads[leads.index == self.take.lead_id] if self.take else leads

    def about(self, plan: Plan) -> Plan:
        """A plan as far as a report is to tell it: what else is set aside is for the next run's."""
        if self.take is None:
            return plan
        left = without_taken(plan.quarantine, self.take)
        return replace(plan, quarantine=[each for each in left if each.lead_id == self.take.lead_id])

    def rules(self, board: Board) -> Rules:
        """What the planner may know."""
        chosen = self.settings.rules(conflict=self.options.conflict, allow_mass_change=self.options.allow_mass_change)
        undone: dict[str, set[str]] = {}
        for each in self.clients.store.waiting.conflicts(self.pair):
            if each.conflict.kind == UNDONE:
                undone.setdefault(each.conflict.lead_id, set()).add(each.cell)
        return replace(
            chosen,
            cells=board.cells,
            lists_apart=self.mapped.redrawn,
            undone=undone,
            command=self._undo_command if self.undo else self.options.sync_command,
            makes_leads=self.settings.sync_create_leads is CreateLeads.ON,
        )

    @property
    def _undo_command(self) -> str:
        """What is typed to make this undo."""
        begun = self.begun
        of = {"--lead": begun.lead_id, "--field": begun.field, "--pair": self.options.pair}
        chosen = [said for option, value in of.items() if value for said in (option, value)]
        return shlex.join(["flows/history.py", "undo", begun.undoes[:ID_SHOWN], *chosen])

    def mapped_anew(self, board: Board) -> Run:
        """The run as it goes on once columns or custom fields have turned out to be others."""
        timezone = self.settings.mapping.timezone
        mapped = mind_names(self.clients.store, self.pair, board.cells, timezone, self.options.dry_run)
        return replace(self, mapped=mapped)

    def target(self, board: Board) -> Target:
        """Where a pass writes."""
        return Target(board, self.clients.store, self.pair, self.still_held, self.begun)
