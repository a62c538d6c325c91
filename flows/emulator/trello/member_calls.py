"""
Member and token calls.

The webhooks of a token are listed here, and made in `webhook_calls`.
"""

from typing import Any

from emulator.clock import iso_milliseconds
from emulator.trello.account import Member, TrelloToken
from emulator.trello.call import TrelloCall, board_of
from emulator.trello.fields import BOARD_DEFAULT_FIELDS, chosen
from emulator.trello.listing import members_page
from emulator.trello.model import ORGANIZATION
from emulator.trello.refusals import invalid, not_found, plain
from emulator.trello.values import asked
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Reply, json_reply, unsupported
from emulator.wire.routing import Route, route

MEMBER_OFF = "actions badges boards boardsInvited boardStars cards notifications organizations tokens"
"""py-trello sends `badges`, which Trello does not know."""
BOARDS_OFF = "actions lists memberships organization"


class MemberCalls:
    """Endpoints under /1/members and /1/tokens, and those that list the members of a board."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        return [
            route("GET", "boards/{board}/members", self._of_board, takes="filter fields"),
            route("GET", "boards/{board}/members/{filter}", self._of_board, takes="fields"),
            route("GET", "boards/{board}/memberships", self._memberships, off="filter activity orgMemberType member"),
            route("GET", "members/{member}", self._member, takes="fields", off=MEMBER_OFF),
            route("GET", "members/{member}/boards", self._boards, takes="filter fields", off=BOARDS_OFF),
            route("GET", "members/{member}/boardStars", self._stars),
            route("GET", "tokens/{token}", self._token, takes="webhooks"),
            route("DELETE", "tokens/{token}", self._revoke),
            route("GET", "tokens/{token}/webhooks", self._webhooks),
            route("GET", "tokens/{token}/member", self._owner),
        ]

    def _of_board(self, call: TrelloCall) -> Reply:
        board = board_of(self._world, call)
        wanted = str(call.values.get("filter") or call.given.get("filter") or "all")
        kinds = {
            "all": ("admin", "normal"),
            "admins": ("admin",),
            "owners": ("admin",),
            "normal": ("normal",),
            "none": (),
        }
        if wanted not in kinds:
            raise invalid("filter")
        seen = [each["idMember"] for each in board.memberships() if each["memberType"] in kinds[wanted]]
        return json_reply(members_page(self._world, seen, call.given.get("fields")))

    def _memberships(self, call: TrelloCall) -> Reply:
        board = board_of(self._world, call)
        return json_reply(board.memberships())

    def _member(self, call: TrelloCall) -> Reply:
        member, fields = self._named(call), call.given.get("fields")
        return json_reply(chosen(self._model(member), None if fields is None else str(fields)))

    def _boards(self, call: TrelloCall) -> Reply:
        self._check_owner(call)
        wanted, fields = str(call.given.get("filter") or "all"), call.given.get("fields")
        states = {"open": (False,), "closed": (True,), "all": (False, True), "starred": ()}
        if wanted not in states:
            raise unsupported(f"filter={wanted} of boards")
        seen = [board for board in self._world.boards.values() if board.visible and board.closed in states[wanted]]
        chosen_fields = None if fields is None else str(fields)
        return json_reply([chosen(board.model(), chosen_fields, BOARD_DEFAULT_FIELDS) for board in seen])

    def _stars(self, call: TrelloCall) -> Reply:
        self._check_owner(call)
        return json_reply([])

    def _owner(self, call: TrelloCall) -> Reply:
        self._named_token(call)
        return json_reply(self._model(self._world.members[self._world.member_id]))

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
        if asked(call.given, "webhooks"):
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

    def _named(self, call: TrelloCall) -> Member:
        key = call.values["member"]
        for member in self._world.members.values():
            if key in (member.id, member.username) or (key == "me" and member.id == self._world.member_id):
                return member
        raise not_found()

    def _check_owner(self, call: TrelloCall) -> None:
        if self._named(call).id != self._world.member_id:
            raise unsupported("what belongs to another member than the token's")

    def _model(self, member: Member) -> dict[str, Any]:
        is_owner = member.id == self._world.member_id
        boards = [each.id for each in self._world.boards.values() if each.visible and member.id in each.member_ids]
        more: dict[str, Any] = {
            "bio": "",
            "bioData": {"emoji": {}},
            "confirmed": True,
            "memberType": "normal",
            "status": "disconnected",
        }
        more |= {"url": f"https://trello.com/{member.username}", "idOrganizations": [ORGANIZATION]}
        more |= {"email": "owner@example.com" if is_owner else None}
        return member.model() | more | {"idBoards": boards, "products": [], "prefs": {"locale": "en"}, "limits": {}}
