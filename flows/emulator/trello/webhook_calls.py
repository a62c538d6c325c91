"""
Webhook endpoints, and the probe that a callback has to answer.

What a webhook hears and sends is in `webhooks`.
"""

from emulator.trello.call import TrelloCall
from emulator.trello.refusals import coded, invalid, not_found, plain
from emulator.trello.values import boolean, object_id, text
from emulator.trello.webhooks import TrelloWebhook
from emulator.trello.world import TrelloWorld
from emulator.wire.courier import call as call_back
from emulator.wire.courier import is_loopback
from emulator.wire.messages import Refused, Reply, json_reply, unsupported
from emulator.wire.routing import Route, route

WRITABLE = "description callbackURL idModel active"
PROBE_TIMEOUT = 10.0
"""Seconds that the callback has for the HEAD probe; the emulator answers nobody meanwhile."""


class WebhookCalls:
    """Endpoints under /1/webhooks, and the one under a token that creates them."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        return [
            route("POST", "webhooks", self._create, takes=WRITABLE),
            route("POST", "tokens/{token}/webhooks", self._create, takes=WRITABLE),
            route("GET", "webhooks/{webhook}", self._get),
            route("PUT", "webhooks/{webhook}", self._update, takes=WRITABLE),
            route("DELETE", "webhooks/{webhook}", self._delete),
        ]

    def _create(self, call: TrelloCall) -> Reply:
        owner = call.values.get("token", call.token.text)
        model = object_id(call.given.get("idModel"), "idModel")
        url = call.given.get("callbackURL")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise invalid("callbackURL")
        known = {*self._world.boards, *self._world.lists, *self._world.cards, self._world.member_id}
        if model not in known:
            raise invalid("idModel")
        for hook in self._world.webhooks.values():
            if (hook.token, hook.values["idModel"], hook.values["callbackURL"]) == (owner, model, url):
                raise plain(400, "A webhook with that callback, model, and token already exists")
        words = text(call.given.get("description") or "", "description", self._world.knobs)
        active = boolean(call.given.get("active", True), "active")
        self._probe(url)
        values = {"description": words, "idModel": model, "callbackURL": url, "active": active}
        hook = TrelloWebhook(self._world.ids.object_id(self._world.clock.now()), owner, values)
        self._world.webhooks[hook.id] = hook
        return json_reply(hook.model())

    def _probe(self, url: str) -> None:
        """HEAD must get a 200, else the webhook is refused."""
        if not is_loopback(url):
            raise unsupported(f"a callback that is no http address of this machine, such as {url},")
        status = call_back(url, "HEAD", {"user-agent": "Trello"}, timeout=PROBE_TIMEOUT)
        if status != 200:
            raise _unreached(url, str(status or "no answer"))

    def _get(self, call: TrelloCall) -> Reply:
        return json_reply(self._named(call).model())

    def _update(self, call: TrelloCall) -> Reply:
        hook = self._named(call)
        if call.given.get("callbackURL") is not None:
            self._probe(text(call.given["callbackURL"], "callbackURL", self._world.knobs))
        for name in ("description", "callbackURL", "idModel"):
            if call.given.get(name) is not None:
                hook.values[name] = text(call.given[name], name, self._world.knobs)
        if call.given.get("active") is not None:
            hook.values["active"] = boolean(call.given["active"], "active")
        return json_reply(hook.model())

    def _delete(self, call: TrelloCall) -> Reply:
        self._world.forget_webhook(self._named(call))
        return json_reply({"_value": None})

    def _named(self, call: TrelloCall) -> TrelloWebhook:
        hook = self._world.webhooks.get(call.values["webhook"])
        if hook is None or hook.token != call.token.text:
            raise not_found()
        return hook


def _unreached(url: str, got: str) -> Refused:
    return coded(400, f"URL ({url}) did not return 200 status code, got {got}", "VALIDATOR_URL_RETURNED_ERROR")
