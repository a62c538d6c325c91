"""
What the page reads: from the state database alone, so that looking costs no request to a service.

Never here: HTML, a write, a route.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from leadsync.page.leads import LeadState, Places, Row, rows_side_by_side
from leadsync.pipeline.lists import known_board, known_pair
from leadsync.pipeline.scope import question
from leadsync.pipeline.ties import known_table_id
from leadsync.pipeline.vital_signs import VitalSigns, pair_or_name, signs_of
from leadsync.settings import Settings
from leadsync.state.ends import Failed
from leadsync.state.history import PastChange, PastRun
from leadsync.state.listed import Show
from leadsync.state.pair import Pair
from leadsync.state.store import StateStore
from leadsync.state.waiting import OpenConflict, Waiting

ROWS = 50
"""Leads on a page."""


@dataclass(frozen=True)
class Leads:
    """A page of leads: `rows` of `total`, page `number` of `pages`; `runs`: which run changed each last, by lead id."""

    rows: list[Row]
    total: int
    number: int
    pages: int
    runs: Mapping[str, str]


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
        rows = rows_side_by_side(found.rows, self._places(pair), waiting)
        runs = self.store.history.last_runs(pair.key, [row.lead_id for row in rows]) if self.prefect else {}
        return Leads(rows, found.total, number, pages, runs)

    def some(self, pair: Pair, lead_ids: Collection[str]) -> dict[str, Row]:
        """Leads by their ids; those of which nothing is known are left out."""
        found = self.store.listed.load_some(pair.key, lead_ids)
        rows = rows_side_by_side([*found.values()], self._places(pair), self.waiting(pair))
        return {row.lead_id: row for row in rows}

    def waiting(self, pair: Pair) -> Mapping[str, LeadState]:
        """Leads about which somebody has to decide something, and what."""
        found = {each.entry.lead_id: LeadState.SET_ASIDE for each in self.aside(pair)}
        failed = self.failed()
        found |= {each.lead_id: LeadState.FAILED for each in (failed.failures if failed else ())}
        found |= {each.conflict.lead_id: LeadState.CONFLICT for each in self.conflicts(pair)}
        return {lead_id: state for lead_id, state in found.items() if lead_id}

    def failed(self, lead_id: str = "") -> Failed | None:
        """
        How the last sync ended, whoever made it, if it did not end well; what could not be written of one lead, or all.
        """
        failed = self.store.ends.load(pair_or_name(self.settings, self.store).key).failed
        if failed is None or not lead_id:
            return failed
        of_lead = tuple(each for each in failed.failures if each.lead_id == lead_id)
        return replace(failed, message="", failures=of_lead) if of_lead else None

    def conflicts(self, pair: Pair, lead_id: str = "") -> list[OpenConflict]:
        """Those that are open, the oldest first; of one lead, or of all. What is set aside as well is shown once."""
        aside = {(each.entry.lead_id, each.entry.field) for each in self.store.waiting.aside(pair.key)}
        known = [each for each in self.store.waiting.conflicts(pair.key) if _cell(each) not in aside]
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
        table_id = known_table_id(settings, self.store, question(settings, board) if board else "")
        return Places(pair.base_id, table_id, pair.board_id, stages, columns)


def _cell(each: OpenConflict) -> tuple[str, str]:
    return each.conflict.lead_id, each.conflict.field
