"""
Airtable as the sync sees it: fetch, look up, update. The only file that imports pyairtable.

What is never here: a decision, a frame of cards, a retry (see wire.py).
"""

from __future__ import annotations

import contextlib
import datetime
import re
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pyairtable import Api
from pyairtable.formulas import CREATED_TIME, DATETIME_PARSE, EQ, IS_AFTER, LAST_MODIFIED_TIME, OR, RECORD_ID

from leadsync.errors import ConfigurationError, IncompleteReadError, LeadsyncError, ReadAgainError, ServiceRefusedError
from leadsync.frames.actions import Item
from leadsync.frames.leads import absent_leads, leads_frame
from leadsync.frames.payloads import LeadChange
from leadsync.frames.shown import pared
from leadsync.frames.snapshot import Mark
from leadsync.settings import Settings
from leadsync.transport.pacing import Pace
from leadsync.transport.wire import Wire, session

BATCH = 10
"""Records in one PATCH [reference/airtable-api.md 2.3]."""
PAGE = 100
PENALTY = 30.0
"""Seconds that Airtable refuses everything after a 429 [reference/airtable-api.md 4]."""
ALLOWED = 5
"""Requests a second that a base takes [reference/airtable-api.md 4]."""
READ_ATTEMPTS = 3
PAYLOADS = 50
"""Payloads of a webhook in one answer."""
PAYLOAD_PAGES = 20
"""Answers that are asked for in one run; a webhook that has more to tell is caught up with by the next."""
RECORD_PARTS = ("id", "createdTime", "fields")

EDITED_BY_HAND = frozenset(
    {
        *("singleLineText", "multilineText", "richText", "email", "url", "phoneNumber", "barcode", "checkbox"),
        *("number", "currency", "percent", "duration", "rating", "date", "dateTime", "createdTime"),
        *("singleSelect", "multipleSelects", "singleCollaborator", "multipleCollaborators"),
        *("multipleRecordLinks", "multipleAttachments"),
    }
)
"""Types of which every change of a cell moves the record's LAST_MODIFIED_TIME; what is computed does not."""
GONE = (403, 404)
PERMISSION = ("INVALID_PERMISSIONS", "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND")
CELL_REFUSALS = (403, 422)
"""Answers to a batch that may be about one of its cells."""
Cells = dict[str, dict[str, str]]
"""What a PATCH sets: lead_id -> our field -> text."""


def refused_setting(refused: ServiceRefusedError) -> str:
    """The setting that Airtable says it does not accept, "" if the refusal is about something else."""
    return "AIRTABLE_API_TOKEN" if refused.status == 401 else ""


@dataclass(frozen=True)
class LeadsRead:
    """
    `leads`: as frames.leads_frame; `records`: the same as Airtable sent them, by id.

    `whole`: False if only what changed was asked for; `changed` are the ids that came. `at`: Airtable's clock when the
    read began, or somewhat earlier [s since 1970], 0 if it never said. `feed`: how far the change feed has been taken
    in by this read, and `told` what it told; `feed_asked`: it was asked for what there was until the read began.
    """

    leads: pd.DataFrame
    records: dict[str, Item]
    at: float = 0.0
    whole: bool = True
    changed: frozenset[str] = frozenset()
    feed: Mark = Mark()
    feed_asked: bool = False
    told: tuple[LeadChange, ...] = ()


@dataclass(frozen=True)
class PayloadsRead:
    """
    Payloads of a webhook, in order. `cursor`: the next one to ask for; `more`: there are more already.

    `lost`: some that were asked for are no longer kept. `at`: as in LeadsRead.
    """

    payloads: list[Any]
    cursor: int
    more: bool
    lost: bool
    at: float


class Airtable:
    """The table Leads. `calls`: requests sent so far."""

    def __init__(self, settings: Settings, wire: Wire | None = None) -> None:
        token = settings.airtable_api_token.get_secret_value()
        per_second = settings.airtable_requests_per_second
        burst = max(1, int(per_second))  # so that a slow request is made up for by the next ones
        pace = Pace(limit=burst, seconds=burst / per_second, penalty=PENALTY, allowed=ALLOWED)
        self.wire = wire or Wire("Airtable", pace, secrets=(token,), credential=refused_setting)
        self._unwritable: dict[str, ServiceRefusedError] = {}  # our field -> why it takes no value in this run
        self._written: set[str] = set()  # our fields that took one
        self._settings, self._columns = settings, settings.columns
        self._options: dict[str, str] = {}  # a status without outer blanks -> the option as it is spelt
        self._options_asked, self._options_lock = False, threading.Lock()
        by_id = {is_id(column, "fld") for column in self._columns.values()}
        if len(by_id) > 1:
            raise ConfigurationError("AIRTABLE_*_FIELD: give all four columns by name, or all four by id (fld…).")
        self._api = Api(
            token, endpoint_url=settings.airtable_endpoint_url, retry_strategy=None, use_field_ids=by_id.pop()
        )
        self._api.session = session(self.wire, self._api.session.headers)  # type: ignore[arg-type]
        self._table = self._api.table(settings.airtable_base_id, settings.airtable_table_name)

    @property
    def calls(self) -> int:
        """Requests sent so far, retries included."""
        return self.wire.calls

    @property
    def clock(self) -> float:
        """Airtable's clock at its last answer [s since 1970], 0 if it never said."""
        return self.wire.server_time

    @property
    def url(self) -> str:
        """Where a person opens the base."""
        return f"https://airtable.com/{self._settings.airtable_base_id}"

    def fetch_leads(self) -> LeadsRead:
        """
        All leads of the table or view.

        Cost: max(1, ceil(n / 100)) requests. Raises: ConfigurationError naming the setting on 401, 403, 404 and
        422; IncompleteReadError when the pages do not come to an end.
        """
        try:
            records, at = self._read(view=self._settings.airtable_view)
        except ServiceRefusedError as refused:
            raise self._misconfigured(refused) from None
        return LeadsRead(self.leads_of(records), by_id(records), at)

    def fetch_changed_leads(self, seen: Mapping[str, Item], since: float, written: Collection[str]) -> LeadsRead | None:
        """
        The leads as last `seen`, brought up to date with those created or changed after `since` [s since 1970].

        Leads that were deleted stay in. Cost: max(1, ceil(changed / 100)) requests. Returns: None if the answer
        cannot be relied on: the table's times cannot be asked for, or one of those `written` by us is not in it.
        """
        moment = DATETIME_PARSE(iso(since))
        formula = OR(IS_AFTER(LAST_MODIFIED_TIME(), moment), IS_AFTER(CREATED_TIME(), moment))
        try:
            records, at = self._read(formula=str(formula))
        except ServiceRefusedError as refused:
            if refused.status != 422:
                raise self._misconfigured(refused) from None
            return None
        changed = by_id(records)
        if not changed.keys() >= {*written} & seen.keys():
            return None
        now = {**seen, **changed}
        return LeadsRead(self.leads_of(now.values()), now, at, whole=False, changed=frozenset(changed))

    def _read(self, **options: Any) -> tuple[list[Item], float]:
        """One list to its end, begun anew if it expires. Returns: the records, and when it began, see LeadsRead."""
        for _ in range(READ_ATTEMPTS):
            try:
                pages, asked = self._records(**options), time.monotonic()
                first = next(pages)
                at = max(0.0, self.wire.server_time - (time.monotonic() - asked))
                return [*first, *(record for page in pages for record in page)], at
            except ServiceRefusedError as refused:
                if refused.kind != "LIST_RECORDS_ITERATOR_NOT_AVAILABLE":
                    raise
        raise IncompleteReadError(
            f"Airtable's list of leads expired while it was read, {READ_ATTEMPTS} times; nothing was written. "
            "Run again."
        )

    def reread_leads(self, lead_ids: Sequence[str]) -> LeadsRead:
        """The given leads as they are now, in one filtered list of at most 100; a lead that is gone is absent."""
        found = self.fetch_records(lead_ids)
        return LeadsRead(self.leads_of(found.values()), found, whole=False)

    def fetch_records(self, lead_ids: Sequence[str]) -> dict[str, Item]:
        """The given leads as Airtable sends them, by id; one that is gone is absent. Cost: 1 request for each 100."""
        found, wanted = dict[str, Item](), set(lead_ids)
        for start in range(0, len(lead_ids), PAGE):
            formula = OR(*(EQ(RECORD_ID(), lead_id) for lead_id in lead_ids[start : start + PAGE]))
            found |= by_id(record for page in self._records(formula=str(formula)) for record in page)
        return {lead_id: record for lead_id, record in found.items() if lead_id in wanted}

    def look_up_leads(self, lead_ids: Sequence[str]) -> pd.DataFrame:
        """
        Leads that were missing from a read, asked for by id: presence out_of_view or gone, 1 request each.

        Raises: IncompleteReadError if one is there although no view hides it: then the read was not whole.
        """
        found = {lead_id: self._look_up(lead_id) for lead_id in lead_ids}
        present = [lead_id for lead_id, presence in found.items() if presence == "out_of_view"]
        if present and not self._settings.airtable_view:
            raise IncompleteReadError(
                f"Airtable's list left out {len(present)} leads that exist, for example {present[0]}; nothing was "
                "written. Run again."
            )
        return absent_leads(found)

    def update_leads(
        self, updates: Mapping[str, Mapping[str, str]]
    ) -> Iterator[tuple[Cells, list[Item] | LeadsyncError]]:
        """
        PATCH the given cells, at most 10 leads a request.

        A batch that is refused because of a cell is divided until the cell stands alone; a column that is computed or
        may not be edited is not tried again in this run. Yields: the cells of each answer, with the records as
        Airtable returned them or the error; each of `updates` once, unless it is left off at a ReadAgainError.
        """
        ids = list(updates)
        batches = deque(
            {lead_id: dict(updates[lead_id]) for lead_id in ids[start : start + BATCH]}
            for start in range(0, len(ids), BATCH)
        )
        while batches:
            batch = batches.popleft()
            for field, refused in list(self._unwritable.items()):
                batch, refused_cells = _without(batch, field)
                if refused_cells:
                    yield refused_cells, refused
            if not batch:
                continue
            try:
                records = self._patch(batch)
            except ServiceRefusedError as refused:
                parts = self._divided(batch, refused)
                if not parts:
                    yield batch, refused
                batches.extendleft(reversed(parts))
            except LeadsyncError as failed:
                yield batch, failed
            else:
                self._written |= _fields_of(batch)
                yield batch, records

    def _divided(self, batch: Cells, refused: ServiceRefusedError) -> list[Cells]:
        """
        What to send instead of a refused batch, [] if its one cell is refused.

        A column that takes no value from us is noted, and the batch goes on without it, whatever its size. Else a 403
        is looked for in the columns first, since rights are a column's, and a 422 in the leads.
        """
        if refused.status not in CELL_REFUSALS:
            return []
        fields = _fields_of(batch)
        unwritable = self._unwritable_field(fields, refused, alone=len(batch) == 1)
        if unwritable:
            self._unwritable[unwritable] = refused
            return [batch]
        if len(fields) > 1 and (refused.status == 403 or len(batch) == 1):
            return [_without(batch, field)[1] for field in sorted(fields)]
        if len(batch) > 1:
            ids = list(batch)
            half = len(ids) // 2
            return [{lead_id: batch[lead_id] for lead_id in part} for part in (ids[:half], ids[half:])]
        return []

    def _unwritable_field(self, fields: Collection[str], refused: ServiceRefusedError, alone: bool) -> str:
        """Which of `fields` takes no value from us, as far as one refusal tells; `alone`: it was for a single lead."""
        of_column = refused.status == 403 or refused.kind == "UNKNOWN_FIELD_NAME" or _is_computed(refused)
        named = [field for field in sorted(fields) if _names(refused, self._columns[field])]
        if of_column and named:
            return named[0]
        single = next(iter(fields)) if len(fields) == 1 else ""
        return single if alone and of_column and single not in self._written else ""

    def give_back(self, lead_id: str, cell: str, value: str) -> Item:
        """PATCH one cell (our field); "" empties it. Returns: the record. Cost: 1 request."""
        record = {"id": lead_id, "fields": {self._columns[cell]: value or None}}
        (answered,) = by_id(self._table.batch_update([record])).values()  # type: ignore[list-item]
        return answered

    def leads_of(self, records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
        """Records as Airtable sent them, as leads."""
        records = list(records)
        leads = leads_frame(records, self._columns)
        fields = (record.get("fields") for record in records)
        self._learn_options(cells.get(self._columns["status"]) for cells in fields if isinstance(cells, dict))
        return leads

    def may_write(self) -> bool:
        """Whether the token may write records; asked with an empty batch, which changes nothing. Cost: 1 request."""
        tries = 0
        while True:
            try:
                self._api.patch(self._table.urls.records, json={"records": []})
            except ServiceRefusedError as refused:
                return refused.status not in (401, 403)
            except ReadAgainError as again:
                tries += again.sent
                self.wire.wait_again(again, tries)
            else:
                return True

    def fetch_columns(self) -> dict[str, dict[str, Any]] | None:
        """The table's columns by name and by id, with type and options; None without schema.bases:read."""
        try:
            tables = self._api.get(self._api.build_url("meta", "bases", self._settings.airtable_base_id, "tables"))
        except ServiceRefusedError:
            return None
        wanted = self._settings.airtable_table_name
        for table in tables.get("tables", []) if isinstance(tables, dict) else []:
            if wanted in (table["id"], table["name"]):
                fields = [{**column, "table_id": table["id"]} for column in table["fields"]]
                return {column[key]: column for column in fields for key in ("name", "id")}
        return None

    def fetch_computed(self) -> dict[str, str] | None:
        """
        Those of our columns whose cells change without an edit of the record, with their types.

        Returns: None if that cannot be told, as without schema.bases:read. Cost: 1 request.
        """
        columns = self.fetch_columns()
        if columns is None:
            return None
        types = {name: str(columns.get(name, {}).get("type")) for name in self._columns.values()}
        return {name: kind for name, kind in types.items() if kind not in EDITED_BY_HAND}

    def fetch_role(self) -> str:
        """What the token's user is: read, comment, edit or create; "" without schema.bases:read. Cost: 1 request."""
        try:
            bases = self._api.get(self._api.build_url("meta", "bases")).get("bases", [])
        except ServiceRefusedError:
            return ""
        levels = {base["id"]: str(base.get("permissionLevel", "")) for base in bases}
        return levels.get(self._settings.airtable_base_id, "")

    def fetch_webhooks(self) -> list[dict[str, Any]]:
        """The base's webhooks: id, notificationUrl, specification, areNotificationsEnabled … Cost: 1 request."""
        hooks = self._webhooks("get").get("webhooks", [])
        return [hook for hook in hooks if isinstance(hook, dict) and hook.get("id")]

    def add_webhook(self, callback_url: str | None, table_id: str | None) -> tuple[str, str]:
        """
        Be told when records of the table (None: of any table of the base) change, and what the cells held before.

        `callback_url`: None if the payloads are only to be collected. There is no filter on who changes what: with one,
        our own writes and deletions might be missing. Returns: the webhook's id and its secret (base64), which is shown
        only here. It lives for 7 days. Raises: ConfigurationError without the scope webhook:manage, or when the base
        has its ten webhooks. Cost: 1 request.
        """
        filters = {"dataTypes": ["tableData"]} | ({"recordChangeScope": table_id} if table_id else {})
        options = {"filters": filters, "includes": {"includePreviousCellValues": True}}
        wanted = {"notificationUrl": callback_url, "specification": {"options": options}}
        made = self._webhooks("post", json=wanted)
        return str(made["id"]), str(made["macSecretBase64"])

    def fetch_payloads(self, webhook_id: str, cursor: int) -> PayloadsRead:
        """
        What a webhook has collected from number `cursor` on (1 is the first); asking prolongs its life by 7 days.

        Cost: 1 request for each 50 payloads, at most PAYLOAD_PAGES. Raises: ServiceRefusedError if it is gone;
        IncompleteReadError for an answer that makes no sense.
        """
        payloads: list[Any] = []
        more, lost, at, asked = True, False, 0.0, time.monotonic()
        for number in range(PAYLOAD_PAGES):
            page = self._webhooks("get", webhook_id, "payloads", params={"cursor": cursor, "limit": PAYLOADS})
            told, following = (page.get(key) if isinstance(page, dict) else None for key in ("payloads", "cursor"))
            if not isinstance(told, list) or not isinstance(following, int) or following < cursor + len(told):
                raise IncompleteReadError("Airtable sent payloads of a webhook that make no sense. Run again.")
            if number == 0:
                at = max(0.0, self.clock - (time.monotonic() - asked))
            payloads += told
            lost |= following > cursor + len(told)
            cursor, more = following, bool(page.get("mightHaveMore"))
            if not (more and told):
                break
        return PayloadsRead(payloads, cursor, more, lost, at)

    def refresh_webhook(self, webhook_id: str, enable: bool = False) -> bool:
        """
        Another 7 days; with `enable`, notifications are switched on again. Returns: False if it is gone.

        Cost: 1 request, 2 with `enable`.
        """
        try:
            self._webhooks("post", webhook_id, "refresh")
            if enable:
                self._webhooks("post", webhook_id, "enableNotifications", json={"enable": True})
        except ServiceRefusedError as refused:
            if refused.status in GONE:
                return False
            raise
        return True

    def delete_webhook(self, webhook_id: str) -> None:
        """Stop it; one that is gone already is no error. Cost: 1 request."""
        try:
            self._webhooks("delete", webhook_id)
        except ServiceRefusedError as refused:
            if refused.status not in GONE:
                raise

    def fetch_table_id(self) -> str | None:
        """The table's id; None if it was given by name and may not be looked up. Cost: at most 1 request."""
        name = self._settings.airtable_table_name
        if is_id(name, "tbl"):
            return name
        columns = self.fetch_columns() or {}
        return next((str(column["table_id"]) for column in columns.values()), None)

    def fetch_ids(self) -> tuple[str, dict[str, str]] | None:
        """
        Ids of the table and of the columns (our field -> fld…), which payloads speak of.

        Returns: None if they were given by name and may not be looked up. Cost: at most 1 request.
        """
        name = self._settings.airtable_table_name
        if is_id(name, "tbl") and self._api.use_field_ids:
            return name, dict(self._columns)
        columns = self.fetch_columns() or {}
        if not all(column in columns for column in self._columns.values()):
            return None
        table_id = str(columns[self._columns["status"]]["table_id"])
        return table_id, {ours: str(columns[column]["id"]) for ours, column in self._columns.items()}

    def explain(self, refused: ServiceRefusedError, cells: Mapping[str, str]) -> tuple[str, str]:
        """Why cells of a lead (our field -> text) could not be written, and what to do about it."""
        column = " and ".join(repr(self._columns[field]) for field in cells)
        if refused.kind == "INVALID_MULTIPLE_CHOICE_OPTIONS":
            option = " or ".join(cells.values())
            return (
                f"column {column} has no option {option!r}",
                f"Add the option {option!r} to column {column}, or change SYNC_STATUS_MAP.",
            )
        if refused.kind == "UNKNOWN_FIELD_NAME":
            return f"there is no column {column}", "Rename the column back, or change AIRTABLE_*_FIELD."
        if refused.kind == "ROW_DOES_NOT_EXIST":
            return "the lead is gone", "Nothing to do; the next run sees that it was deleted."
        if _is_computed(refused):
            return (
                f"column {column} is computed, so the card's edit cannot be taken over ({refused.text})",
                "Edit what it is computed from, or let AIRTABLE_*_FIELD name a column that can be written.",
            )
        if refused.status == 403 and self._names_a_field(refused):
            return (
                f"column {column} may not be edited ({refused.text})",
                f"Give the user of AIRTABLE_API_TOKEN the right to edit column {column} in Airtable.",
            )
        if refused.status in (401, 403):
            words = refused.text or refused.kind or f"status {refused.status}"
            return (
                f"the token may not write to column {column} of the table ({words})",
                "Give AIRTABLE_API_TOKEN the scope data.records:write and its user the role editor, and the right to "
                "edit this column.",
            )
        return f"column {column}: {refused}", "Correct the cell or the column's type in Airtable."

    def forbids(self, refused: ServiceRefusedError) -> bool:
        """Whether a write's refusal is about the token or the table, and not about a cell."""
        return refused.status == 401 or (refused.status == 403 and not self._names_a_field(refused))

    def _names_a_field(self, refused: ServiceRefusedError) -> bool:
        return any(_names(refused, column) for column in self._columns.values())

    def _webhooks(self, method: str, *path: str, **options: Any) -> dict[str, Any]:
        """Raises: ConfigurationError that names the missing scope; ServiceRefusedError for a single webhook."""
        url = self._api.build_url("bases", self._settings.airtable_base_id, "webhooks", *path)
        try:
            answer: dict[str, Any] = getattr(self._api, method)(url, **options)
        except ServiceRefusedError as refused:
            if refused.kind.startswith("TOO_MANY_WEBHOOKS"):
                raise ConfigurationError(
                    f"Base {self._settings.airtable_base_id} has its ten webhooks already; delete one that is not used."
                ) from None
            if refused.status in (401, 403) and not path:
                raise ConfigurationError(
                    "Airtable did not let us see or make webhooks: AIRTABLE_API_TOKEN needs the scopes webhook:manage "
                    f"and data.records:read, and its user the role creator in {self._settings.airtable_base_id}."
                ) from None
            raise
        return answer

    def _records(self, **options: Any) -> Iterator[list[dict[str, Any]]]:
        """The pages of a list."""
        options = {name: value for name, value in options.items() if value is not None}
        options |= {"fields": list(self._columns.values()), "page_size": PAGE}
        if self._api.use_field_ids:
            options["use_field_ids"] = True
        offsets: set[str] = set()
        urls = self._table.urls
        pages = self._api.iterate_requests("GET", urls.records, fallback=("POST", urls.records_post), options=options)
        for page in pages:
            if not isinstance(page, dict) or not isinstance(page.get("records"), list):
                raise IncompleteReadError("Airtable sent a page without records; nothing was written. Run again.")
            yield page["records"]
            offset = page.get("offset")
            if offset in offsets:
                raise IncompleteReadError("Airtable's pages go in a circle; nothing was written. Run again.")
            offsets.add(str(offset))

    def _look_up(self, lead_id: str) -> str:
        try:
            self._api.get(self._table.urls.record(lead_id))
        except ServiceRefusedError as refused:
            if refused.status in GONE:
                return "gone"
            raise
        return "out_of_view"

    def _patch(self, updates: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
        """Statuses go out as their option is spelt. Where no record has shown it, the schema is asked, once."""
        sent = self._spelt(updates)
        try:
            return self._send(sent)
        except ServiceRefusedError as refused:
            if refused.kind != "INVALID_MULTIPLE_CHOICE_OPTIONS":
                raise
            self._ask_for_options()
            again = self._spelt(updates)
            if again == sent:
                raise
            return self._send(again)

    def _send(self, records: list[Any]) -> list[dict[str, Any]]:
        return [dict(record) for record in self._table.batch_update(records)]

    def _spelt(self, updates: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
        """Our cells as records: the columns' names, and the options' own blanks."""
        return [
            {"id": lead_id, "fields": {self._columns[ours]: self._option(ours, text) for ours, text in cells.items()}}
            for lead_id, cells in updates.items()
        ]

    def _option(self, ours: str, text: str) -> str:
        return self._options.get(text, text) if ours == "status" else text

    def _learn_options(self, options: Iterable[Any]) -> None:
        """An option without blanks around it goes before one with them."""
        for option in options:
            if isinstance(option, str) and (option == option.strip() or option.strip() not in self._options):
                self._options[option.strip()] = option

    def _ask_for_options(self) -> None:
        """Costs 1 request a run, and nothing where the schema may not be read."""
        with self._options_lock:
            if self._options_asked:
                return
            self._options_asked = True
            with contextlib.suppress(LeadsyncError):  # the refusal that led here says more
                column = (self.fetch_columns() or {}).get(self._columns["status"], {})
                if choices := column.get("options", {}).get("choices"):
                    self._options = {}
                    self._learn_options(choice["name"] for choice in choices)

    def _misconfigured(self, refused: ServiceRefusedError) -> LeadsyncError:
        """Which setting a refused read points to [reference/airtable-api.md 2.1, 3.3]."""
        base, table = self._settings.airtable_base_id, self._settings.airtable_table_name
        if setting := refused_setting(refused):
            return ConfigurationError(f"{setting} was not accepted by Airtable; make a new token.")
        if refused.kind == "UNKNOWN_FIELD_NAME":
            settings = ", ".join(f"AIRTABLE_{ours.upper()}_FIELD={column}" for ours, column in self._columns.items())
            return ConfigurationError(
                f"Table {table!r} lacks a column: {refused.text}. Columns asked for: {settings}. "
                "Rename the column back or change the setting."
            )
        if refused.kind.startswith("VIEW_"):
            view = self._settings.airtable_view
            return ConfigurationError(f"AIRTABLE_VIEW {view!r} does not exist in table {table!r}.")
        if refused.kind == "TABLE_NOT_FOUND" or refused.kind in PERMISSION:
            return ConfigurationError(
                f"AIRTABLE_TABLE_NAME {table!r} was not found in AIRTABLE_BASE_ID {base}, or AIRTABLE_API_TOKEN has no "
                "access to it: the token needs the scope data.records:read and the base added to it."
            )
        if refused.status in (403, 404):
            return ConfigurationError(
                f"AIRTABLE_BASE_ID {base} was not found, or AIRTABLE_API_TOKEN has no access to it "
                f"(table asked for: AIRTABLE_TABLE_NAME {table!r})."
            )
        return ConfigurationError(f"Airtable refused to list table {table!r} of base {base}: {refused}.")


def _fields_of(batch: Cells) -> set[str]:
    return {field for cells in batch.values() for field in cells}


def _without(batch: Cells, field: str) -> tuple[Cells, Cells]:
    """The batch without the cells of `field`, and those cells."""
    rest = {lead_id: {name: text for name, text in cells.items() if name != field} for lead_id, cells in batch.items()}
    taken = {lead_id: {field: cells[field]} for lead_id, cells in batch.items() if field in cells}
    return {lead_id: cells for lead_id, cells in rest.items() if cells}, taken


def _is_computed(refused: ServiceRefusedError) -> bool:
    return refused.kind == "INVALID_VALUE_FOR_COLUMN" and "computed" in refused.text


def _names(refused: ServiceRefusedError, column: str) -> bool:
    """Whether the service's words name the column (by name or id), as a word of its own."""
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", refused.text, re.IGNORECASE) is not None


def iso(moment: float) -> str:
    """A moment [s since 1970] as formulas take it, to the millisecond."""
    exact = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    return exact.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_id(name: str, prefix: str) -> bool:
    """Whether a table or column was given by its id, like tbl… or fld…."""
    return name.startswith(prefix) and len(name) == 17


def by_id(records: Iterable[Mapping[str, Any]]) -> dict[str, Item]:
    """Records cut down to what the sync reads, by id."""
    return {str(record["id"]): {part: pared(record.get(part)) for part in RECORD_PARTS} for record in records}
