"""
Webhook endpoints under /v0/bases/{base}/webhooks.

What a webhook collects and sends is in `webhooks`.
"""

from typing import Any

from emulator.airtable.call import Call
from emulator.airtable.refusals import NOT_PERMITTED_OR_MISSING, refusal
from emulator.airtable.values import whole_number
from emulator.airtable.webhooks import LIFETIME, LIMIT_PER_BASE, Webhook
from emulator.airtable.world import AirtableWorld
from emulator.clock import iso_milliseconds
from emulator.wire.courier import is_loopback
from emulator.wire.messages import Reply, json_reply, unsupported
from emulator.wire.routing import Route, refuse_unknown, route

MANAGE, READ = "webhook:manage", "data.records:read"
DATA_TYPES = {"tableData", "tableFields", "tableMetadata"}
FILTERS = ("dataTypes", "recordChangeScope", "changeTypes", "fromSources", "watchDataInFieldIds")
INCLUDES = ("includeCellValuesInFieldIds", "includePreviousCellValues")


class WebhookCalls:
    """Create, list, delete, enable, refresh and read payloads."""

    def __init__(self, world: AirtableWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        hooks = "bases/{base}/webhooks"
        return [
            route("POST", hooks, self._create, MANAGE, READ, holds="notificationUrl specification"),
            route("GET", hooks, self._list, MANAGE),
            route("DELETE", hooks + "/{webhook}", self._delete, MANAGE),
            route("POST", hooks + "/{webhook}/enableNotifications", self._enable, MANAGE, holds="enable"),
            route("POST", hooks + "/{webhook}/refresh", self._refresh, MANAGE),
            route("GET", hooks + "/{webhook}/payloads", self._payloads, MANAGE, READ, takes="cursor limit"),
        ]

    def _create(self, call: Call) -> Reply:
        self._must_be_creator(call)
        base_id, body = call.values["base"], call.request.body or {}
        specification: dict[str, Any] = body.get("specification") or {}
        if not _is_valid(specification):
            raise refusal(422, "INVALID_REQUEST_UNKNOWN")
        _check_parts(specification)
        if not self._knows(base_id, specification):
            raise refusal(422, "INVALID_REQUEST_UNKNOWN")
        if len(self._of_base(base_id)) >= LIMIT_PER_BASE:
            raise refusal(self._world.knobs.airtable_webhook_limit_status, "TOO_MANY_WEBHOOKS_IN_BASE", "")
        url = body.get("notificationUrl")
        if url is not None and not (isinstance(url, str) and is_loopback(url)):
            raise unsupported(f"a notificationUrl that is no http address of this machine, such as {url},")
        webhook = Webhook(
            self._world.ids.airtable("ach"),
            base_id,
            specification,
            url,
            self._world.ids.raw_bytes(128),
            self._world.clock.now() + LIFETIME,
            self._world.knobs,
        )
        self._world.webhooks.append(webhook)
        return json_reply(webhook.created_model())

    def _list(self, call: Call) -> Reply:
        now = self._world.clock.now()
        return json_reply({"webhooks": [hook.listed_model(now) for hook in self._of_base(call.values["base"])]})

    def _delete(self, call: Call) -> Reply:
        self._must_be_creator(call)
        webhook = self._webhook(call)
        webhook.notifies = False  # what it has not delivered is not tried again
        self._world.webhooks.remove(webhook)
        return json_reply({})

    def _enable(self, call: Call) -> Reply:
        self._must_be_creator(call)
        webhook = self._webhook(call)
        wanted = (call.request.body or {}).get("enable")
        if not isinstance(wanted, bool):
            raise refusal(422, "INVALID_REQUEST_UNKNOWN")
        webhook.notifies = wanted
        return json_reply({})

    def _refresh(self, call: Call) -> Reply:
        self._must_be_creator(call)
        webhook = self._webhook(call)
        webhook.expires = self._world.clock.now() + LIFETIME
        return json_reply({"expirationTime": iso_milliseconds(webhook.expires)})

    def _payloads(self, call: Call) -> Reply:
        webhook, now = self._webhook(call), self._world.clock.now()
        cursor, limit = (whole_number(call.request.query.get(*each)) for each in (("cursor", "1"), ("limit", "50")))
        if cursor is None or limit is None or cursor < 1 or not 1 <= limit <= 50:
            raise refusal(422, "INVALID_REQUEST_UNKNOWN")
        if now < webhook.expires:
            webhook.expires = max(webhook.expires, now + LIFETIME)
        return json_reply(webhook.page(cursor, limit, now))

    def _must_be_creator(self, call: Call) -> None:
        if not call.token.has_level("create"):
            raise refusal(403, "INVALID_PERMISSIONS")

    def _knows(self, base_id: str, specification: dict[str, Any]) -> bool:
        """A specification names tables, views and fields by id, never by name."""
        base = self._world.base(base_id)
        ids = {each for table in (base.tables if base else []) for each in table.all_ids()}
        return Webhook("", base_id, specification, None, b"", 0.0).names() <= ids

    def _of_base(self, base_id: str) -> list[Webhook]:
        """Webhooks of a base; one stays readable for seven days after its expiry."""
        now = self._world.clock.now()
        return [w for w in self._world.webhooks if w.base_id == base_id and now < w.expires + LIFETIME]

    def _webhook(self, call: Call) -> Webhook:
        for webhook in self._of_base(call.values["base"]):
            if webhook.id == call.values["webhook"]:
                return webhook
        raise refusal(403, NOT_PERMITTED_OR_MISSING)


def _is_valid(specification: Any) -> bool:
    try:
        data_types = specification["options"]["filters"]["dataTypes"]
    except (TypeError, KeyError):
        return False
    return isinstance(data_types, list) and bool(data_types) and set(data_types) <= DATA_TYPES


def _check_parts(specification: dict[str, Any]) -> None:
    """Raises: Refused with 501 for what a payload here would never show, or a filter that nobody would mind."""
    options = specification["options"]
    filters, includes = options["filters"], options.get("includes") or {}
    for part, known in ((specification, ("options",)), (options, ("filters", "includes"))):
        refuse_unknown(part, known, (), "a specification")
    refuse_unknown(filters, FILTERS, (), "a specification's filters")
    refuse_unknown(includes, INCLUDES, (), "a specification's includes")
    if unknown := sorted({*filters["dataTypes"]} - {"tableData"}):
        raise unsupported(f"telling of {', '.join(unknown)}")
