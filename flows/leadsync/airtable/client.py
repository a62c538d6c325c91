"""
Airtable as the sync sees it: the connection, and what is read of the table Leads.

What is never here: a write (see writing.py), a decision, a frame of cards, a retry (see transport/).
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pyairtable import Api
from pyairtable.formulas import CREATED_TIME, DATETIME_PARSE, EQ, IS_AFTER, LAST_MODIFIED_TIME, OR, RECORD_ID, Formula

from leadsync.airtable.columns import Columns
from leadsync.airtable.pages import pages_of
from leadsync.airtable.refusals import AIRTABLE, GONE, misconfigured
from leadsync.errors import IncompleteReadError, ServiceRefusedError
from leadsync.frames.actions import Item
from leadsync.frames.leads import absent_leads, leads_frame
from leadsync.frames.payloads import LeadChange
from leadsync.frames.shown import pared
from leadsync.frames.snapshot import Mark
from leadsync.model import CreateLeads
from leadsync.settings import Settings
from leadsync.transport.lines import session
from leadsync.transport.pacing import Pace
from leadsync.transport.wire import Transport, Wire

PAGE = 100
PENALTY = 30.0
"""Seconds that Airtable refuses everything after a 429."""
ALLOWED = 5
"""Requests a second that a base takes."""
READ_ATTEMPTS = 3
RECORD_PARTS = ("id", "createdTime", "fields")


@dataclass(frozen=True)
class LeadsRead:
    """
    `leads`: as frames.leads_frame; `records`: the same as Airtable sent them, by id.

    `whole`: False if only what changed was asked for; `changed` are the ids that came, `gone` those that left. `total`:
    how many there are, -1 if these are all. `at`: Airtable's clock when the read began, or earlier [s since 1970], 0 if
    it never said. `feed`, `told`: how far this read took the change feed in, and what that told; `feed_asked`: until
    the read began.
    """

    leads: pd.DataFrame
    records: dict[str, Item]
    at: float = 0.0
    whole: bool = True
    changed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    total: int = -1
    feed: Mark = Mark()
    feed_asked: bool = False
    told: tuple[LeadChange, ...] = ()

    @property
    def number(self) -> int:
        """How many leads there are."""
        return len(self.records) if self.total < 0 else self.total


class Airtable:
    """
    The table Leads: its reads, and what the other files here ask with.

    `wire`: the path to it, closed by whoever opened the client. `api`, `table`: pyairtable's, over that path.
    Raises: ConfigurationError if some columns are given by name and some by id.
    """

    def __init__(self, settings: Settings, transport: Transport = Wire) -> None:
        token = settings.airtable_api_token.get_secret_value()
        per_second = settings.airtable_requests_per_second
        base = settings.airtable_base_id
        burst = max(1, int(per_second))  # so that a slow request is made up for by the next ones
        pace = Pace(limit=burst, seconds=burst / per_second, penalty=PENALTY, allowed=ALLOWED, place=base)
        card_id = settings.airtable_card_id_field if settings.sync_create_leads is CreateLeads.ON else ""
        self.settings, self.columns = settings, Columns(settings.mapping, settings.untied, card_id)
        self.wire = transport(AIRTABLE, pace, secrets=(token,))
        url, by_id = settings.airtable_endpoint_url, self.columns.by_id
        self.api = Api(token, endpoint_url=url, retry_strategy=None, use_field_ids=by_id)
        self.api.session = session(self.wire, self.api.session.headers)  # type: ignore[arg-type]
        self.table = self.api.table(base, settings.airtable_table_name)

    @property
    def url(self) -> str:
        """Where a person opens the base."""
        return f"https://airtable.com/{self.settings.airtable_base_id}"

    def fetch_leads(self) -> LeadsRead:
        """
        All leads of the table or view.

        Cost: max(1, ceil(n / 100)) requests. Raises: ConfigurationError naming the setting on 401, 403, 404 and
        422; IncompleteReadError when the pages do not come to an end.
        """
        try:
            records, at = self._read(view=self.settings.airtable_view)
        except ServiceRefusedError as refused:
            raise misconfigured(refused, self.settings) from None
        return LeadsRead(self.leads_of(records.values()), records, at)

    def fetch_changed_leads(self, since: float, written: Collection[str]) -> LeadsRead | None:
        """
        Records, not yet as leads, created or changed after `since` [s since 1970]; of deleted ones nothing is told.

        Cost: max(1, ceil(changed / 100)) requests. Returns: None if it cannot be relied on, as if one `written` lacks.
        """
        moment = DATETIME_PARSE(_iso(since))
        formula = OR(IS_AFTER(LAST_MODIFIED_TIME(), moment), IS_AFTER(CREATED_TIME(), moment))
        try:
            records, at = self._read(formula=str(formula))
        except ServiceRefusedError as refused:
            if refused.status != 422:
                raise misconfigured(refused, self.settings) from None
            return None
        if not records.keys() >= {*written}:
            return None
        return LeadsRead(self.leads_of(()), records, at, whole=False, changed=frozenset(records))

    def reread_leads(self, lead_ids: Sequence[str]) -> LeadsRead:
        """The given leads as they are now, in one filtered list of at most 100; a lead that is gone is absent."""
        found = self.fetch_records(lead_ids)
        return LeadsRead(self.leads_of(found.values()), found, whole=False)

    def fetch_records(self, lead_ids: Sequence[str]) -> dict[str, Item]:
        """The given leads as Airtable sends them, by id; one that is gone is absent. Cost: 1 request for each 100."""
        found, wanted = dict[str, Item](), set(lead_ids)
        for start in range(0, len(lead_ids), PAGE):
            found |= self.fetch_where(OR(*(EQ(RECORD_ID(), each) for each in lead_ids[start : start + PAGE])))
        return {lead_id: record for lead_id, record in found.items() if lead_id in wanted}

    def fetch_where(self, formula: Formula) -> dict[str, Item]:
        """All leads for which a formula holds, whatever the view, by id. Cost: 1 request for each 100, 1 at least."""
        return by_id(record for page in self._pages(formula=str(formula)) for record in page)

    def look_up_leads(self, lead_ids: Sequence[str]) -> pd.DataFrame:
        """
        Leads that were missing from a read, asked for by id: presence out_of_view or gone, 1 request each.

        Raises: IncompleteReadError if one is there although no view hides it: then the read was not whole.
        """
        found = {lead_id: self._look_up(lead_id) for lead_id in lead_ids}
        present = [lead_id for lead_id, presence in found.items() if presence == "out_of_view"]
        if present and not self.settings.airtable_view:
            raise IncompleteReadError(
                f"Airtable's list left out {len(present)} leads that exist, for example {present[0]}; nothing was "
                "written. Run again."
            )
        return absent_leads(found)

    def leads_of(self, records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
        """Records as Airtable sent them, as leads."""
        records, names = list(records), self.columns.names
        leads = leads_frame(records, names, list(self.columns.cells.values()))
        fields = (record.get("fields") for record in records)
        self.columns.learn_options(cells.get(names["status"]) for cells in fields if isinstance(cells, dict))
        return leads

    def _read(self, **options: Any) -> tuple[dict[str, Item], float]:
        """One list to its end, begun anew if it expires: by id what the sync reads, and when it began."""
        for _ in range(READ_ATTEMPTS):
            try:
                pages, asked = self._pages(**options), time.monotonic()
                records = by_id(next(pages))
                at = max(0.0, self.wire.server_time - (time.monotonic() - asked))
                return records | by_id(record for page in pages for record in page), at
            except ServiceRefusedError as refused:
                if refused.kind != "LIST_RECORDS_ITERATOR_NOT_AVAILABLE":
                    raise
        raise IncompleteReadError(
            f"Airtable's list of leads expired while it was read, {READ_ATTEMPTS} times; nothing was written. "
            "Run again."
        )

    def _pages(self, **options: Any) -> Iterator[list[dict[str, Any]]]:
        """The pages of a list. Our columns are asked for by name: a renamed one is an error, not emptied cells."""
        options = {name: value for name, value in options.items() if value is not None}
        options |= {"fields": self.columns.asked, "page_size": PAGE}
        if self.columns.by_id:
            options["use_field_ids"] = True
        return pages_of(self.table, options)

    def _look_up(self, lead_id: str) -> str:
        try:
            self.api.get(self.table.urls.record(lead_id))
        except ServiceRefusedError as refused:
            if refused.status in GONE:
                return "gone"
            raise
        return "out_of_view"


def _iso(moment: float) -> str:
    """A moment [s since 1970] as formulas take it, to the millisecond."""
    exact = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    return exact.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def by_id(records: Iterable[Mapping[str, Any]]) -> dict[str, Item]:
    """Records cut down to what the sync reads, by id."""
    return {str(record["id"]): {part: pared(record.get(part)) for part in RECORD_PARTS} for record in records}
