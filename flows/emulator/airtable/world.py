"""
Bases, tokens and webhooks of the emulated Airtable: what HTTP endpoints and people share.

Records are changed by `record_changes`, not here.
"""

from collections.abc import Callable

from emulator.airtable.account import Token
from emulator.airtable.model import Base, Table
from emulator.airtable.payloads import Transaction
from emulator.airtable.webhooks import Webhook
from emulator.clock import Clock
from emulator.ids import IdSource
from emulator.knobs import Knobs
from emulator.wire.courier import Post


class AirtableWorld:
    """State shared by the HTTP endpoints and the person-API."""

    def __init__(self, knobs: Knobs, clock: Clock, ids: IdSource) -> None:
        self.knobs, self.clock, self.ids = knobs, clock, ids
        self.bases: list[Base] = []
        self.tokens: dict[str, Token] = {}
        self.webhooks: list[Webhook] = []
        self.owner_id = ids.airtable("usr")
        self.send: Callable[[Post], None] = lambda _post: None
        """Hands a ping to the courier."""
        self.is_waiting: Callable[[str], bool] = lambda _url: False
        """Whether a ping to this address has not been delivered yet."""
        self._transactions = 0

    def base(self, base_id: str) -> Base | None:
        """A base by id, or None."""
        return next((base for base in self.bases if base.id == base_id), None)

    def base_of(self, table: Table) -> Base:
        """The base that a table is in."""
        return next(base for base in self.bases if table in base.tables)

    def commit(self, transaction: Transaction) -> None:
        """Tell every webhook of the table's base."""
        if transaction.is_empty:
            return
        self._transactions += 1
        base_id = self.base_of(transaction.table).id
        for webhook in self.webhooks:
            if webhook.base_id == base_id:
                self._collect(webhook, transaction)

    def removed(self, ids: set[str]) -> None:
        """Webhooks whose specification names one of these tables, views or fields end with an error."""
        self._transactions += 1
        for webhook in self.webhooks:
            if webhook.is_enabled and webhook.names() & ids:
                webhook.fail(self._transactions, self.clock.now())

    def _collect(self, webhook: Webhook, transaction: Transaction) -> None:
        """A ping still on its way stands for this change as well."""
        now = self.clock.now()
        if webhook.collect(transaction, self._transactions, now) and not self.is_waiting(str(webhook.url)):
            self.send(webhook.ping(now))
