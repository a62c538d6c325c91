"""
Member and token calls.

The webhooks of a token are listed here, and made in `webhook_calls`.
"""

from typing import Any

from emulator.clock import iso_milliseconds
from emulator.trello.account import TrelloToken
from emulator.trello.call import TrelloCall
from emulator.trello.fields import BOARD_DEFAULT_FIELDS, chosen
from emulator.trello.refusals import invalid, not_found, plain
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Reply, json_reply
from emulator.wire.routing import Route, route


class MemberCalls:
    """Endpoints under /1/members and /1/tokens."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        return [
            route("GET", "members/{member}", self._member),
            route("GET", "members/{member}/boards", self._boards),
            route("GET", "members/{member}/boardStars", self._stars),
            route("GET", "tokens/{token}", self._token),
            route("DELETE", "tokens/{token}", self._revoke),
            route("GET", "tokens/{token}/webhooks", self._webhooks),
            route("GET", "tokens/{token}/member", self._owner),
        ]

    def _member(self, call: TrelloCall) -> Reply:
        self._check_member(call)
        fields = call.given.get("fields")
        return json_reply(chosen(self._model(), None if fields is None else str(fields)))

    def _boards(self, call: TrelloCall) -> Reply:
        self._check_member(call)
        wanted, fields = str(call.given.get("filter") or "all"), call.given.get("fields")
        states = {"open": (False,), "closed": (True,), "all": (False, True), "starred": ()}
        if wanted not in states:
            raise invalid("filter")
        seen = [board for board in self._world.boards.values() if board.visible and board.closed in states[wanted]]
        chosen_fields = None if fields is None else str(fields)
        return json_reply([chosen(board.model(), chosen_fields, BOARD_DEFAULT_FIELDS) for board in seen])

    def _stars(self, call: TrelloCall) -> Reply:
        self._check_member(call)
        return json_reply([])

    def _owner(self, call: TrelloCall) -> Reply:
        self._named_token(call)
        return json_reply(self._model())

    def _token(self, call: TrelloCall) -> Reply:
        token = self._named_token(call)
        grants = [("Member", self._world.member_id), ("Board", "*"), ("Organization", "*")]
        model: dict[str, Any] = {
            "id": token.id,
            "identifier": "Lead sync",
            "idMember": self._world.member_id,
            "dateCreated": iso_milliseconds(token.created),
            "dateExpires": None if token.expires is None else iso_milliseconds(token.expires),
            "permissions": [
                {"idModel": target, "modelType": kind, "read": True, "write": token.writes} for kind, target in grants
            ],
        }
        if str(call.given.get("webhooks", "false")).lower() == "true":
            model["webhooks"] = self._hooks_of(token)
        return json_reply(model)

    def _webhooks(self, call: TrelloCall) -> Reply:
        return json_reply(self._hooks_of(self._named_token(call)))

    def _revoke(self, call: TrelloCall) -> Reply:
        self._world.revoke(self._named_token(call).text)
        return json_reply({"_value": None})

    def _hooks_of(self, token: TrelloToken) -> list[dict[str, Any]]:
        return [hook.model() for hook in self._world.webhooks.values() if hook.token == token.text]

    def _named_token(self, call: TrelloCall) -> TrelloToken:
        token = self._world.tokens.get(call.values["token"])
        if token is None:
            raise plain(401, "invalid token")
        return token

    def _check_member(self, call: TrelloCall) -> None:
        member = self._world.member
        if call.values["member"] not in ("me", member["id"], member["username"]):
            raise not_found()

    def _model(self) -> dict[str, Any]:
        boards = [board.id for board in self._world.boards.values() if board.visible]
        more: dict[str, Any] = {
            "bio": "",
            "bioData": None,
            "confirmed": True,
            "memberType": "normal",
            "status": "disconnected",
        }
        more |= {"url": "https://trello.com/salesowner", "email": "owner@example.com", "idOrganizations": []}
        return self._world.member | more | {"idBoards": boards, "products": [], "prefs": {"locale": "en"}, "limits": {}}
