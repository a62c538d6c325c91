"""
What the page reads: from the state database alone, so that looking costs no request to a service.

Never here: HTML, a write, a route.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from leadsync.page.leads import LeadState, Places, Row, rows_side_by_side
from leadsync.pipeline.lists import known_board, known_pair
from leadsync.pipeline.vital_signs import VitalSigns, signs_of
from leadsync.settings import Settings
from leadsync.state.history import PastChange, PastRun
from leadsync.state.listed import Show
from leadsync.state.pair import Pair
from leadsync.state.store import StateStore
from leadsync.state.waiting import OpenConflict, Waiting

ROWS = 50
"""Leads on a page."""


@dataclass(frozen=True)
class Leads:
    """A page of leads: `rows` of `total`, page `number` of `pages`."""

    rows: list[Row]
    total: int
    number: int
    pages: int


@dataclass(frozen=True)
class Links:
    """Where the whole of each is opened; `prefect` is "" if nobody keeps its runs."""

    airtable: str
    trello: str
    prefect: str


class Desk:
    """One pair, looked at. `prefect`: where Prefect's pages are, "" if there is no server that stays."""

    def __init__(self, settings: Settings, store: StateStore, prefect: str = "") -> None:
        self.settings, self.store, self.prefect = settings, store, prefect

    @property
    def pair(self) -> Pair | None:
        """As the settings name it; None while no run has asked for its board."""
        return known_pair(self.settings, self.store)

    def links(self) -> Links:
        """To both services and Prefect."""
        board = known_board(self.settings, self.store)
        trello = board.url if board and board.url.startswith("https://") else ""
        return Links(f"https://airtable.com/{self.settings.airtable_base_id}", trello, self.prefect)

    def signs(self) -> VitalSigns | None:
        """When a sync last succeeded, and the like; None while there is no pair."""
        pair = self.pair
        return next((each for each in signs_of(self.settings, self.store) if pair and each.pair == pair.key), None)

    def leads(self, pair: Pair, search: str, show: Show, number: int) -> Leads:
        """Page `number`, or the last one if there are fewer."""
        waiting = self.waiting(pair)
        found = self.store.listed.load(pair.key, search, show, waiting, (number - 1) * ROWS, ROWS)
        pages = max(1, -(-found.total // ROWS))
        if number > pages:
            return self.leads(pair, search, show, pages)
        places = self._places(pair)
        return Leads(rows_side_by_side(found.rows, places, waiting), found.total, number, pages)

    def names(self, pair: Pair, lead_ids: Collection[str]) -> dict[str, str]:
        """What people call these leads."""
        found = self.store.listed.load_some(pair.key, lead_ids)
        rows = rows_side_by_side([*found.values()], self._places(pair), {})
        return {row.lead_id: row.name for row in rows}

    def lead(self, pair: Pair, lead_id: str) -> Row | None:
        """One lead, None if nothing is known of it."""
        found = self.store.listed.load_some(pair.key, [lead_id])
        rows = rows_side_by_side([*found.values()], self._places(pair), self.waiting(pair))
        return rows[0] if rows else None

    def waiting(self, pair: Pair) -> Mapping[str, LeadState]:
        """Leads about which somebody has to decide something, and what."""
        aside = {each.entry.lead_id: LeadState.SET_ASIDE for each in self.aside(pair) if each.entry.lead_id}
        return aside | {each.conflict.lead_id: LeadState.CONFLICT for each in self.conflicts(pair)}

    def conflicts(self, pair: Pair, lead_id: str = "") -> list[OpenConflict]:
        """Those that are open, the oldest first; of one lead, or of all."""
        known = self.store.waiting.conflicts(pair.key)
        return sorted((each for each in known if lead_id in ("", each.conflict.lead_id)), key=lambda each: each.since)

    def aside(self, pair: Pair, lead_id: str = "") -> list[Waiting]:
        """What is set aside, the oldest first; likewise."""
        known = self.store.waiting.aside(pair.key)
        return sorted((each for each in known if lead_id in ("", each.entry.lead_id)), key=lambda each: each.since)

    def runs(self, pair: Pair, since: float) -> list[PastRun]:
        """Those that changed something after then [s since 1970], the newest first."""
        return self.store.history.runs(pair.key, since)

    def run(self, pair: Pair, run_id: str) -> tuple[PastRun, list[PastChange]] | None:
        """One of them with what it changed; None if it is not kept."""
        found = [run for run in self.store.history.runs_called(pair.key, run_id) if run.run_id == run_id]
        return (found[0], self.store.history.changes(pair.key, run_id)) if found else None

    def timeline(self, pair: Pair, lead_id: str) -> list[PastChange]:
        """What was changed of a lead, the newest first."""
        return self.store.history.lead(pair.key, lead_id)[::-1]

    def _places(self, pair: Pair) -> Places:
        settings = self.settings
        columns = {name: settings.columns[name] for name in ("name", "status")}
        board = known_board(settings, self.store)
        stages = board.stages if board else self.store.journal.load_lists(pair.key)
        return Places(pair.base_id, pair.table, pair.board_id, stages, columns)
