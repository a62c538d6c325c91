"""Search, labels, actions and webhooks (Trello reference, sections 3.5, 3.6 and 6)."""

from typing import Any

from emulator.trello.call import TrelloCall
from emulator.trello.model import BOARD_DEFAULT_FIELDS, COLOURS, Card, Label, chosen
from emulator.trello.refusals import coded, invalid, not_found, plain
from emulator.trello.values import boolean, id_list, object_id, text, whole_number
from emulator.trello.webhooks import TrelloWebhook
from emulator.trello.world import TrelloWorld
from emulator.wire.courier import call as call_back
from emulator.wire.courier import is_loopback
from emulator.wire.messages import Refused, Reply, json_reply
from emulator.wire.routing import Route, route

PROBE_TIMEOUT = 10.0
"""Seconds that the callback has for the HEAD probe; the emulator answers nobody meanwhile."""


class OtherCalls:
    """Endpoints under /1/search, /1/actions, /1/labels and /1/webhooks."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        return [
            route("GET", "search", self._search),
            route("GET", "actions/{action}", self._action),
            route("POST", "labels", self._create_label),
            route("GET", "labels/{label}", self._label),
            route("PUT", "labels/{label}", self._update_label),
            route("DELETE", "labels/{label}", self._delete_label),
            route("POST", "webhooks", self._create_webhook),
            route("POST", "tokens/{token}/webhooks", self._create_webhook),
            route("GET", "webhooks/{webhook}", self._webhook),
            route("PUT", "webhooks/{webhook}", self._update_webhook),
            route("DELETE", "webhooks/{webhook}", self._delete_webhook),
        ]

    # Search

    def _search(self, call: TrelloCall) -> Reply:
        query = text(call.given.get("query"), "query", self._world.knobs)
        if not query:
            raise invalid("query")
        terms = [term for term in query.lower().split() if ":" not in term or term.endswith(":")]
        kinds = str(call.given.get("modelTypes") or "all").split(",")
        answer: dict[str, Any] = {
            "options": {
                "terms": [{"text": term} for term in terms],
                "modifiers": [],
                "modelTypes": kinds,
                "partial": False,
            }
        }
        if "cards" in kinds or "all" in kinds:
            answer["cards"] = self._found_cards(call, terms)
        if "boards" in kinds or "all" in kinds:
            seen = [b for b in self._world.boards.values() if b.visible and all(t in b.name.lower() for t in terms)]
            answer["boards"] = [chosen(board.model(), None, BOARD_DEFAULT_FIELDS) for board in seen]
        return json_reply(answer)

    def _found_cards(self, call: TrelloCall, terms: list[str]) -> list[dict[str, Any]]:
        size = whole_number(call.given, "cards_limit", 10, 1, 1000)
        page = whole_number(call.given, "cards_page", 0, 0, 100)
        scope = id_list(call.given.get("idBoards"), "idBoards") if call.given.get("idBoards") != "mine" else []
        cards = [c for c in self._world.cards.values() if self._world.boards[c.board_id].visible]
        cards = [card for card in cards if not scope or card.board_id in scope]
        found = [card for card in cards if all(term in self._indexed_text(card).lower() for term in terms)]
        fields = call.given.get("card_fields")
        wanted = None if fields is None else str(fields)
        return [chosen(card.model(), wanted) for card in found[page * size : (page + 1) * size]]

    def _indexed_text(self, card: Card) -> str:
        """What the index knew `trello_search_lag` seconds ago."""
        horizon = self._world.clock.now() - self._world.knobs.trello_search_lag
        return next((words for at, words in reversed(card.texts) if at <= horizon), "")

    def _action(self, call: TrelloCall) -> Reply:
        for action in self._world.feed:
            if action["id"] == call.values["action"]:
                return json_reply(action)
        raise not_found()

    # Labels

    def _create_label(self, call: TrelloCall) -> Reply:
        board_id = object_id(call.given.get("idBoard"), "idBoard")
        if board_id not in self._world.boards:
            raise not_found()
        name = text(call.given.get("name") or "", "name", self._world.knobs)
        label = self._world.add_label(board_id, name, self._colour(call.given.get("color")))
        return json_reply(label.model() | {"limits": {}})

    def _colour(self, value: Any) -> str | None:
        if value in (None, "", "null"):
            return None
        if str(value).partition("_")[0] not in COLOURS:
            raise invalid("color")
        return str(value)

    def _label(self, call: TrelloCall) -> Reply:
        return json_reply(self._named_label(call).model())

    def _update_label(self, call: TrelloCall) -> Reply:
        label = self._named_label(call)
        if call.given.get("name") is not None:
            label.name = text(call.given["name"], "name", self._world.knobs)
        if "color" in call.given:
            label.color = self._colour(call.given["color"])
        return json_reply(label.model())

    def _delete_label(self, call: TrelloCall) -> Reply:
        label = self._named_label(call)
        for card in self._world.cards.values():
            card.labels = [each for each in card.labels if each is not label]
        del self._world.labels[label.id]
        return json_reply({"limits": {}})

    def _named_label(self, call: TrelloCall) -> Label:
        if call.values["label"] not in self._world.labels:
            raise not_found()
        return self._world.labels[call.values["label"]]

    # Webhooks

    def _create_webhook(self, call: TrelloCall) -> Reply:
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
        """HEAD must get a 200, else the webhook is refused (section 6)."""
        if not is_loopback(url):
            raise _unreached(url, "nothing: the emulator calls http addresses of this machine alone")
        status = call_back(url, "HEAD", {"user-agent": "Trello"}, timeout=PROBE_TIMEOUT)
        if status != 200:
            raise _unreached(url, str(status or "no answer"))

    def _webhook(self, call: TrelloCall) -> Reply:
        return json_reply(self._named_webhook(call).model())

    def _update_webhook(self, call: TrelloCall) -> Reply:
        hook = self._named_webhook(call)
        if call.given.get("callbackURL") is not None:
            self._probe(text(call.given["callbackURL"], "callbackURL", self._world.knobs))
        for name in ("description", "callbackURL", "idModel"):
            if call.given.get(name) is not None:
                hook.values[name] = text(call.given[name], name, self._world.knobs)
        if call.given.get("active") is not None:
            hook.values["active"] = boolean(call.given["active"], "active")
        return json_reply(hook.model())

    def _delete_webhook(self, call: TrelloCall) -> Reply:
        self._world.forget_webhook(self._named_webhook(call))
        return json_reply({"_value": None})

    def _named_webhook(self, call: TrelloCall) -> TrelloWebhook:
        hook = self._world.webhooks.get(call.values["webhook"])
        if hook is None or hook.token != call.token.text:
            raise not_found()
        return hook


def _unreached(url: str, got: str) -> Refused:
    return coded(400, f"URL ({url}) did not return 200 status code, got {got}", "VALIDATOR_URL_RETURNED_ERROR")
