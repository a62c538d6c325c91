"""
Airtable's Web API under /v0: routing, and who may call what, in the order of its checks.

What a call does is in the files called `…_calls`.
"""

import zlib

from emulator.airtable.account import Token
from emulator.airtable.call import Call
from emulator.airtable.limits import AirtableLimits
from emulator.airtable.listing import Listing
from emulator.airtable.record_calls import WRITE, RecordCalls
from emulator.airtable.refusals import NOT_PERMITTED_OR_MISSING, bare_refusal, refusal
from emulator.airtable.schema_calls import SchemaCalls
from emulator.airtable.webhook_calls import WebhookCalls
from emulator.airtable.world import AirtableWorld
from emulator.ids import is_airtable_id
from emulator.wire.messages import Refused, Reply, Request, json_reply, unsupported
from emulator.wire.routing import Route, RouteMatch, RouteTable, refuse_unknown

NO_BASES = ("meta", "bases")
"""First parts of paths that are no base's id, whatever comes after them."""
HEADERS = {
    "Server": "Tengine",
    "access-control-allow-origin": "*",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
}


class AirtableService:
    """Answers requests; the caller holds the emulator's lock."""

    def __init__(self, world: AirtableWorld, strict: bool, monthly_quota: int | None) -> None:
        self._world = world
        self.limits = AirtableLimits(world.knobs, strict, monthly_quota)
        self.listing = Listing(world)
        parts = (SchemaCalls(world), WebhookCalls(world), RecordCalls(world, self.listing))
        self.routes = RouteTable([each for part in parts for each in part.routes()])

    def answer(self, request: Request) -> Reply:
        """The reply to a request, with the recorded headers."""
        try:
            reply = self._routed(request)
        except Refused as refused:
            reply = refused.reply
        headers = HEADERS | {"ETag": f'W/"{len(reply.body):x}-{zlib.crc32(reply.body):08x}"'} | dict(reply.headers)
        return Reply(reply.status, reply.body, reply.content_type, headers)

    def _routed(self, request: Request) -> Reply:
        if request.url_length > self._world.knobs.airtable_url_limit:
            raise Refused(json_reply({"error": "REQUEST_URI_TOO_LONG"}, self._world.knobs.airtable_url_limit_status))
        is_api = request.path.startswith("/v0/")
        match = self.routes.match(request.method, request.segments) if is_api else None
        if match is not None and match.values.get("base") in NO_BASES:
            match = None
        if match is None and is_api and _may_be_airtables(request.segments):
            raise unsupported(f"{request.method} {request.path}")
        if match is None:
            raise bare_refusal(404, "NOT_FOUND")
        token = self._token(request)
        is_meta = match.route.pattern[0] == "meta"
        self.limits.count(token.user_id, match.values.get("base"), self._world.clock.now(), is_meta)
        self._check_base(token, match)
        self._check_scopes(token, match)
        if request.malformed_body:
            raise bare_refusal(400, "BAD_REQUEST")
        self._check_given(request, match.route)
        reply: Reply = match.route.endpoint(Call(request, token, match.values))
        return reply

    def _check_given(self, request: Request, route: Route) -> None:
        """`fields[]`, `sort[0][field]` and `records[]` are called as what stands before the bracket."""
        if not isinstance(request.body, dict | None):
            raise unsupported("a body that is no object")
        query = {name.partition("[")[0]: value for name, value in request.query.items()}
        refuse_unknown(query, route.takes, route.off, f"the query of {route.shown}")
        body = request.body or {}
        if WRITE not in route.scopes or body.keys() & {"fields", "records"}:  # else that is what Airtable misses first
            refuse_unknown(body, route.holds, (), f"the body of {route.shown}")

    def _token(self, request: Request) -> Token:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise refusal(401, "AUTHENTICATION_REQUIRED")
        token = self._world.tokens.get(text.strip())
        if token is None:
            raise refusal(401, "AUTHENTICATION_REQUIRED", self._world.knobs.airtable_unknown_token_message)
        return token

    def _check_base(self, token: Token, match: RouteMatch) -> None:
        """A missing base is 404 on the data API and 403 on the meta API."""
        base_id = match.values.get("base")
        if base_id is None:
            return
        if self._world.base(base_id) is not None and token.reaches(base_id):
            return
        is_data_call = match.route.pattern[0] == "{base}"
        if is_data_call and (
            not is_airtable_id("app", base_id) or self._world.knobs.airtable_missing_base_status == 404
        ):
            raise bare_refusal(404, "NOT_FOUND")
        raise refusal(403, NOT_PERMITTED_OR_MISSING)

    def _check_scopes(self, token: Token, match: RouteMatch) -> None:
        if not set(match.route.scopes) <= token.scopes:
            raise refusal(403, self._world.knobs.airtable_missing_scope_type)
        if WRITE in match.route.scopes and not token.has_level("edit"):
            raise refusal(403, "INVALID_PERMISSIONS")
        if "schema.bases:write" in match.route.scopes and not token.has_level("create"):
            raise refusal(403, "INVALID_PERMISSIONS")


def _may_be_airtables(segments: list[str]) -> bool:
    """Whether Airtable may have a route where there is none here: about schemas, webhooks, comments, uploads."""
    if not segments or not all(segments):
        return False
    return segments[0] in NO_BASES or (is_airtable_id("app", segments[0]) and len(segments) > 1)
