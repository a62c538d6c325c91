"""
Trello's REST API under /1: routing, credentials, and who may call what, in the order of its checks; and its batch call.

What a call does is in the files called `…_calls`.
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from emulator.ids import OBJECT_ID, SHORT_LINK
from emulator.trello.account import Actor, TrelloToken
from emulator.trello.board_calls import BoardCalls
from emulator.trello.call import TrelloCall, given_to
from emulator.trello.card_calls import CardCalls
from emulator.trello.card_part_calls import CardPartCalls
from emulator.trello.custom_field_calls import CustomFieldCalls
from emulator.trello.custom_field_item_calls import CustomFieldItemCalls
from emulator.trello.label_calls import LabelCalls
from emulator.trello.limits import TrelloLimits
from emulator.trello.list_calls import ListCalls
from emulator.trello.member_calls import MemberCalls
from emulator.trello.refusals import coded, invalid, plain
from emulator.trello.search_calls import SearchCalls
from emulator.trello.webhook_calls import WebhookCalls
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import WRITES, Refused, Reply, Request, json_reply, parse_query, unsupported
from emulator.wire.routing import Route, RouteMatch, RouteTable, route

OAUTH_MEMBER = re.compile(r'\b(\w+)="([^"]*)"')
ID_SEGMENTS = ("board", "list", "card", "action", "label", "webhook", "model", "customField", "option")
SHORT_LINK_SEGMENTS = ("board", "card")
ALSO_CALLED = {"card": "cards", "customfields": "customFields"}
"""First parts of paths that are taken for others: py-trello and ruby-trello write them so."""
COLLECTIONS = frozenset(
    {"actions", "applications", "batch", "boards", "cards", "checklists", "customFields", "emoji", "enterprises"}
    | {"labels", "lists", "members", "notifications", "organizations", "plugins", "search", "tokens", "webhooks"}
)
"""First parts of Trello's paths: what is below them and has no route here, Trello may have."""
BATCH_MOST = 10


@dataclass(frozen=True)
class Credentials:
    """Key and token as sent; None when absent, empty counts as absent."""

    key: str | None
    token: str | None


class TrelloService:
    """Answers requests; the caller holds the emulator's lock."""

    def __init__(self, world: TrelloWorld, strict: bool) -> None:
        self._world = world
        self.limits = TrelloLimits(world.knobs, strict)
        parts = (
            *(MemberCalls, LabelCalls, CustomFieldCalls, CustomFieldItemCalls, CardPartCalls),
            *(BoardCalls, ListCalls, CardCalls, SearchCalls, WebhookCalls),
        )
        routes: list[Route] = [route("GET", "batch", self._batch, takes="urls")]
        for part in parts:
            routes += part(world).routes()
        self.routes = RouteTable(routes)

    def answer(self, request: Request) -> Reply:
        """The reply to a request, with the rate headers."""
        credentials = self._credentials(request)
        try:
            reply = self._routed(request, credentials)
        except Refused as refused:
            reply = refused.reply
        headers = self.limits.headers(credentials.key or "", credentials.token or "", self._world.clock.now())
        return Reply(reply.status, reply.body, reply.content_type, headers | dict(reply.headers))

    def _routed(self, request: Request, credentials: Credentials) -> Reply:
        """The order of checks: route, id format, credentials, then the endpoint's own."""
        match = self._matched(request)
        self._check_ids(match)
        if credentials.token is None:
            # A token in the path vouches for itself: py-trello's create_hook sends the key only.
            credentials = replace(credentials, token=match.values.get("token"))
        token = self._authorised(request, match, credentials)
        self._count(request, match, token)
        reply = self._executed(request, match, token)
        if request.method in WRITES and reply.status == 200:
            return replace(reply, status=self._world.knobs.trello_write_status)
        return reply

    def _matched(self, request: Request) -> RouteMatch:
        segments = [ALSO_CALLED.get(each, each) for each in request.segments[:1]] + request.segments[1:]
        match = self.routes.match(request.method, segments)
        if match is None and _may_be_trellos(request.method, segments):
            raise unsupported(f"{request.method} {request.path}")
        if match is None:
            echoed = request.path + (f"?{request.raw_query}" if request.raw_query else "")
            raise plain(404, f"Cannot {request.method} {echoed}")
        return match

    def _check_ids(self, match: RouteMatch) -> None:
        for name, value in match.values.items():
            if name not in ID_SEGMENTS or OBJECT_ID.fullmatch(value):
                continue
            if name in SHORT_LINK_SEGMENTS and SHORT_LINK.fullmatch(value):
                continue
            raise plain(400, "invalid id")

    def _credentials(self, request: Request) -> Credentials:
        """A valid header wins over query and body."""
        header = request.headers.get("authorization", "")
        if header.startswith("OAuth"):
            members = dict(OAUTH_MEMBER.findall(header))
            return Credentials(
                unquote(members.get("oauth_consumer_key", "")) or None,
                unquote(members.get("oauth_token", "")) or None,
            )
        body = request.body if isinstance(request.body, dict) else {}
        key = request.query.get("key") or body.get("key")
        token = request.query.get("token") or body.get("token")
        return Credentials(_one(key), _one(token))

    def _authorised(self, request: Request, match: RouteMatch, credentials: Credentials) -> TrelloToken:
        if credentials.key is None and credentials.token is None:
            raise self._without_credentials(request, match)
        if credentials.key is None:
            raise self._keyless()
        if credentials.key not in self._world.keys:
            raise plain(401, "invalid key")
        if credentials.token is None:
            raise coded(401, "missing scopes")
        token = self._world.tokens.get(credentials.token)
        now = self._world.clock.now()
        if token is None or token.key != credentials.key:
            raise plain(401, "invalid token")
        if token.expires is not None and token.expires <= now:
            raise plain(401, "expired token")
        if request.method in WRITES and not token.writes:
            raise coded(401, "missing scopes")
        return token

    def _keyless(self) -> Refused:
        if self._world.knobs.trello_keyless_text == "invalid key":
            return plain(401, "invalid key")
        return coded(401, "missing scopes")

    def _without_credentials(self, request: Request, match: RouteMatch) -> Refused:
        if request.method in WRITES:
            return coded(401, "missing scopes")
        if match.route.pattern[0] == "members":
            return plain(401, "unauthorized member permission requested.")
        kind = "card " if match.route.pattern[0] == "cards" else ""
        return plain(401, f"unauthorized {kind}permission requested")

    def _count(self, request: Request, match: RouteMatch, token: TrelloToken) -> None:
        cost = 1
        if match.route.pattern == ("batch",) and self._world.knobs.trello_batch_cost == "each":
            cost = len(str(request.query.get("urls", "")).split(","))
        is_member_call = match.route.pattern[0] == "members" and len(match.route.pattern) == 2
        self.limits.count(token.key, token.text, self._world.clock.now(), cost, is_member_call)

    def _executed(self, request: Request, match: RouteMatch, token: TrelloToken) -> Reply:
        if request.malformed_body:
            raise plain(400, "Invalid JSON")
        given = given_to(match.route, request)
        identifier = request.headers.get("x-trello-client-identifier")
        actor = Actor(self._world.member_id, self._world.keys[token.key], identifier)
        reply: Reply = match.route.endpoint(TrelloCall(request, given, match.values, actor, token))
        return reply

    def _batch(self, call: TrelloCall) -> Reply:
        """Up to ten GET routes, answered in order; one bad route does not fail the others."""
        routes = [part for part in str(call.given.get("urls", "")).split(",") if part]
        if not 1 <= len(routes) <= BATCH_MOST:
            raise invalid("urls")
        return json_reply([self._batched(call, each) for each in routes])

    def _batched(self, call: TrelloCall, url: str) -> dict[str, Any]:
        path, _, raw_query = url.partition("?")
        path = path if path.startswith("/1/") else "/1" + path
        parameters, query = parse_query(raw_query)
        inner = Request("trello", "GET", path, query, None, {}, call.request.at, None, parameters, raw_query)
        try:
            match = self._matched(inner)
            if match.route.pattern == ("batch",):
                raise invalid("urls")
            self._check_ids(match)
            reply = self._executed(inner, match, call.token)
        except Refused as refused:
            text = refused.reply.body.decode()
            return {
                "name": _error_name(refused.reply.status),
                "message": text,
                "statusCode": refused.reply.status,
            }
        return {"200": json.loads(reply.body)}


def _may_be_trellos(method: str, segments: list[str]) -> bool:
    """Whether Trello may have a route where there is none here; few of its paths end where an id belongs."""
    whole = all(segments) and (len(segments) > 1 or method == "POST" or segments == ["emoji"])
    return whole and segments[0] in COLLECTIONS and method != "PATCH"


def _one(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[-1]
    return str(value) if value else None


def _error_name(status: int) -> str:
    return {400: "BadRequestError", 401: "UnauthorizedError", 404: "NotFoundError"}.get(status, "Error")
