"""
Airtable's record of changes: a webhook whose payloads tell what became of a table's leads since the last read.

The webhook has no address and serves this sync alone, or is the one that the gateway registered. What is never here:
what a payload means for a lead, a write to one.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from leadsync.airtable.client import Airtable
from leadsync.airtable.feed import fetch_payloads
from leadsync.airtable.setup import fetch_ids
from leadsync.airtable.webhooks import AirtableWebhooks
from leadsync.errors import ConfigurationError, IncompleteReadError, LeadsyncError, ServiceRefusedError, StateStoreError
from leadsync.frames.actions import Item, moment
from leadsync.frames.payloads import Cells, LeadChange, PayloadError, cell_text, read_payloads
from leadsync.frames.shown import is_readable
from leadsync.frames.snapshot import Mark
from leadsync.settings import Settings
from leadsync.state.store import StateStore
from leadsync.state.webhooks import is_whole, load_known

RETENTION = 7 * 86_400.0
"""Seconds that Airtable keeps payloads, and that a webhook lives when nobody asks for them."""
ASK_AGAIN = 86_400.0
"""Seconds after which a webhook that was refused is asked for again; at once if token, table or columns are others."""
NEEDS_IDS = (
    "Payloads name table and columns by id. Give AIRTABLE_API_TOKEN the scope schema.bases:read, or give "
    "AIRTABLE_TABLE_NAME and AIRTABLE_*_FIELD as ids (tbl…, fld…)."
)


@dataclass(frozen=True)
class Subscription:
    """
    What is kept of a pair's webhook. `asked`: a digest of token, base, table and columns it was made for.

    `fields`: our field -> fld…. `own`: made by us, and so to be removed by us. `broken`: to be replaced. `refused`: why
    there is none, found out at `refused_at` by our clock [s since 1970].
    """

    asked: str
    webhook: str = ""
    table_id: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    own: bool = False
    broken: bool = False
    refused: str = ""
    refused_at: float = 0.0


FACTS = Subscription.__dataclass_fields__.keys()


@dataclass(frozen=True)
class News:
    """What the payloads since a mark tell. `whole`: False if some of them were not read. `mark`: where they go on."""

    changes: list[LeadChange]
    mark: Mark
    whole: bool


class ChangeFeed:
    """
    The change feed of one pair. `may_make`: whether a webhook may be made; a dry run makes none.

    Attributes: `note`, why it cannot be used, "" if it can.
    """

    def __init__(self, settings: Settings, airtable: Airtable, store: StateStore, pair: str, may_make: bool) -> None:
        self._settings, self._airtable, self._store, self._may_make = settings, airtable, store, may_make
        self._webhooks = AirtableWebhooks(airtable)
        self._key = f"feed {pair}"
        self._made = Mark()
        token = hashlib.sha256(settings.airtable_api_token.get_secret_value().encode()).hexdigest()
        asked = [settings.airtable_endpoint_url, token, settings.airtable_base_id, settings.airtable_table_name]
        self._asked = hashlib.sha256(json.dumps([*asked, *settings.columns.values()]).encode()).hexdigest()[:24]
        facts = store.facts.load(self._key) or {}
        self._kept = Subscription(**{"asked": "", **{name: facts[name] for name in FACTS & facts.keys()}})
        self.note = self._kept.refused if self._kept.asked == self._asked else ""

    @property
    def fields(self) -> Mapping[str, str]:
        """Our field -> the column's id."""
        return self._kept.fields

    def follows(self, mark: Mark) -> bool:
        """Whether what comes after `mark` can be asked for."""
        kept = self._kept
        return mark.usable and kept.webhook == mark.webhook and kept.asked == self._asked and not kept.broken

    def begin(self, mark: Mark) -> Mark:
        """
        Before leads are read whole: where the payloads go on that come after it.

        Cost: nothing if `mark` holds; else up to 4 requests, to find the webhook again or to make it. Returns: a mark
        that is not usable if there can be none, see `note`.
        """
        if self.follows(mark):
            return Mark(mark.webhook, mark.cursor, mark.at)
        if self.note and 0 <= time.time() - self._kept.refused_at < ASK_AGAIN:
            return Mark()
        if not self.follows(self._made):
            self._made = self._subscribe() if self._may_make else Mark()
        return self._made

    def read(self, mark: Mark) -> News | None:
        """
        What has been told since `mark`. Cost: 1 request, and 1 more for each further 50 payloads.

        Returns: None if the webhook is gone, broken, or was not asked for so long that it may have missed something;
        it is made anew before the next full read. Raises: TransientServiceError, QuotaExceededError.
        """
        try:
            page = fetch_payloads(self._airtable, mark.webhook, mark.cursor)
            changes = read_payloads(page.payloads, self._kept.table_id)
            if page.at - mark.at < RETENTION:
                return News(changes, Mark(mark.webhook, page.cursor, page.at), not page.more and not page.lost)
        except (ServiceRefusedError, PayloadError, IncompleteReadError):
            pass  # whatever the reason, it is of no use
        self._keep(replace(self._kept, broken=True))
        return None

    def cells_of(self, records: Mapping[str, Item], lead_ids: Iterable[str]) -> dict[str, Cells]:
        """Those of the leads that are in `records`, as payloads have them: by column id, but what cannot be read."""
        columns = self._airtable.columns.names
        stated = {lead_id: records[lead_id].get("fields") or {} for lead_id in lead_ids if lead_id in records}
        return {
            lead_id: {
                field_id: cell_text(value)
                for ours, field_id in self.fields.items()
                if ours in columns and is_readable(value := cells.get(columns[ours]))
            }
            for lead_id, cells in stated.items()
        }

    def _keep(self, subscription: Subscription) -> None:
        self._kept = subscription
        self._store.facts.save(self._key, asdict(subscription))

    def _subscribe(self) -> Mark:
        """The webhook found again, or a new one; what stands in the way is told in `note`, and kept if it will stay."""
        self.note = ""
        try:
            ids = fetch_ids(self._airtable)
            if ids is None:
                raise ConfigurationError(NEEDS_IDS)
            return self._find_or_make(*ids)
        except StateStoreError:
            raise
        except LeadsyncError as error:
            self.note = f"AIRTABLE_CHANGE_FEED is on and cannot be used: {error}"
            if isinstance(error, ConfigurationError | ServiceRefusedError):
                self._keep(Subscription(self._asked, refused=self.note, refused_at=time.time()))
            return Mark()

    def _find_or_make(self, table_id: str, fields: dict[str, str]) -> Mark:
        kept, hooks = self._kept, self._webhooks.fetch()
        wanted = Subscription(self._asked, table_id=table_id, fields=fields)
        for hook in hooks:
            if self._serves(hook, table_id):
                own = kept.own and hook["id"] == kept.webhook
                self._keep(replace(wanted, webhook=hook["id"], own=own))
                cursor = hook.get("cursorForNextPayload")
                return Mark(
                    hook["id"], cursor if isinstance(cursor, int) and cursor > 0 else 1, self._airtable.wire.server_time
                )
        if kept.own and any(hook["id"] == kept.webhook for hook in hooks):
            self._webhooks.delete(kept.webhook)
        made, _ = self._webhooks.add(None, table_id)
        self._keep(replace(wanted, webhook=made, own=True))
        return Mark(made, 1, self._airtable.wire.server_time)

    def _serves(self, hook: dict[str, Any], table_id: str) -> bool:
        """One without address, or the gateway's; somebody else's may be removed at any time."""
        if not is_whole(hook, table_id) or (self._kept.broken and hook["id"] == self._kept.webhook):
            return False
        expires = moment(hook.get("expirationTime"))
        lives = not 0 < expires <= self._airtable.wire.server_time
        gateways = load_known(self._store, self._settings).airtable_id
        return lives and (hook.get("notificationUrl") is None or hook["id"] == gateways)
