"""
The gateway's HTTP face: health, syncs on request, webhook receivers. Every refusal is problem+json (RFC 9457).

What is never here: how a run is made, a signature's arithmetic, an answer that holds a secret.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, StrictBool
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadsync.deliveries import Inbox, Verdict
from leadsync.pipeline import Options
from leadsync.settings import ConflictPolicy, Read
from leadsync.signatures import is_token
from leadsync.trigger import SyncRun, Trigger
from leadsync.webhooks import AIRTABLE_PATH, TRELLO_PATH

log = logging.getLogger("leadsync")

BODY_LIMIT = 1024 * 1024
"""Bytes of a request's body; a delivery has some ten thousand."""
BODY_TIMEOUT = 10.0
"""Seconds in which a body has to arrive."""
WAIT_MOST = 900.0
"""Seconds that `?wait=true` waits before it answers 202 after all."""
NAMED_WITHIN = 3.0
"""Seconds in which a run made by a deployment usually gets its id from Prefect."""
LOOK_AGAIN = 0.05
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Gate:
    """
    What the gateway is made of.

    host: what it listens on. token: SYNC_API_TOKEN. public_url: where it is reached from outside. look_up: a run
    this process no longer knows, by id, as Prefect tells it. lock: who took the pair's lock last.
    """

    trigger: Trigger
    inbox: Inbox
    host: str
    token: str | None = None
    public_url: str | None = None
    by_deployment: bool = False
    look_up: Callable[[str], dict[str, Any] | None] = lambda _run_id: None
    lock: Callable[[], dict[str, Any]] = dict


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[dict[str, Any]] = []


class SyncChoices(BaseModel):
    """The choices of one run; all may be left out."""

    model_config = ConfigDict(extra="forbid")

    dry_run: StrictBool = False
    """Show what would change and write nothing."""
    allow_mass_change: StrictBool = False
    """For this run, accept that many known leads or cards are missing."""
    read: Read = Read.FULL
    """Read both sides whole, only what changed, or whichever costs fewer calls."""
    conflict: ConflictPolicy | None = None
    """Who wins when both sides moved one cell apart; null takes SYNC_CONFLICT."""


class RunStatus(BaseModel):
    """One run. Times are seconds since 1970; `report` is there once it has ended."""

    id: str
    flow_run_id: str | None = None
    stage: str
    status_url: str
    asked_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    report: dict[str, Any] | None = None


class Health(BaseModel):
    """`status` is ok while the process answers; the rest is for those who may also start a sync."""

    status: str = "ok"
    ready: bool | None = None
    """Not stopping, and the last run was not refused (exit codes 2 and 3)."""
    last_run: dict[str, Any] | None = None
    runs_ended: int | None = None
    """Since the gateway was started."""
    queue: dict[str, Any] | None = None
    lock: dict[str, Any] | None = None


class Receipt(BaseModel):
    """What became of a delivery."""

    verdict: Verdict


def build_app(gate: Gate) -> FastAPI:
    """The ASGI application."""
    app = FastAPI(
        title="leadsync gateway",
        description="Starts syncs of the Airtable table Leads and a Trello board, on request and by webhook.",
        version="1",
        redoc_url=None,
    )
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)
    app.add_middleware(Limits)
    _add_health(app, gate)
    _add_runs(app, gate)
    _add_webhooks(app, gate)
    return app


# --- endpoints ------------------------------------------------------------------------------------------------

BEARER = Depends(HTTPBearer(auto_error=False, description="SYNC_API_TOKEN"))


def _problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of an endpoint, for the OpenAPI page."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        code: {"model": Problem, "description": HTTPStatus(code).phrase, "content": {PROBLEM_TYPE: {"schema": schema}}}
        for code in codes
    }


def _add_health(app: FastAPI, gate: Gate) -> None:
    @app.get("/health", dependencies=[BEARER], response_model_exclude_none=True, openapi_extra={"security": [{}]})
    def health(request: Request) -> Health:
        """Whether the process is alive, and, for those who may know, how the last run ended and what waits."""
        if objection(request.headers, gate) is not None:
            return Health()
        running, waiting, last = gate.trigger.queue()
        code = (last.report or {}).get("exit_code") if last else None
        return Health(
            ready=not gate.trigger.closing and code not in (2, 3),
            last_run=_last(last),
            runs_ended=gate.trigger.runs_ended,
            queue={"running": running.id if running else None, "waiting": waiting},
            lock={"held_here": running is not None, "last_taken_by": gate.lock() or None},
        )


def _last(run: SyncRun | None) -> dict[str, Any] | None:
    if run is None or run.ended_at is None:
        return None
    report = run.report or {}
    age = round(time.time() - run.ended_at, 1)
    return {"id": run.id, "exit_code": report.get("exit_code"), "message": report.get("message"), "age_seconds": age}


ENDED: dict[int | str, dict[str, Any]] = {200: {"model": RunStatus, "description": "With wait=true: the run has ended"}}


def _add_runs(app: FastAPI, gate: Gate) -> None:
    def allowed(request: Request) -> None:
        refused = objection(request.headers, gate)
        if refused is not None:
            raise refused

    guarded = [BEARER, Depends(allowed)]

    @app.post(
        "/sync",
        dependencies=[*guarded, Depends(_is_json)],
        status_code=202,
        responses=_problems(400, 401, 403, 408, 413, 415, 422, 503) | ENDED,
    )
    async def sync(
        response: Response,
        choices: SyncChoices | None = None,
        wait: Annotated[bool, Query(description="Answer when the run has ended, with its report.")] = False,
    ) -> RunStatus:
        """Start a sync now, or as soon as the one under way has ended."""
        chosen = choices or SyncChoices()
        run = gate.trigger.ask(Options(chosen.dry_run, chosen.allow_mass_change, chosen.conflict, chosen.read))
        if run is None:
            raise HTTPException(503, "The gateway is stopping; nothing was started.")
        if wait:
            await _until(run.ended.is_set, WAIT_MOST)
        elif gate.by_deployment:
            await _until(lambda: run.flow_run_id is not None or gate.trigger.is_behind(run), NAMED_WITHIN)
        status = _status(run)
        response.headers["Location"] = status.status_url
        response.status_code = 200 if wait and run.ended.is_set() else 202
        return status

    @app.get("/runs/{run_id}", dependencies=guarded, responses=_problems(400, 401, 403, 404, 422, 503))
    def run(run_id: str) -> RunStatus:
        """One of the last hundred runs, or one that Prefect knows."""
        found = gate.trigger.find(run_id)
        if found is not None:
            return _status(found)
        try:
            told = gate.look_up(run_id)
        except Exception as error:  # whatever Prefect's client throws
            log.warning("Prefect's server could not be asked for a run (%s).", type(error).__name__)
            raise HTTPException(503, "Prefect's server could not be asked for the run.") from None
        if told is None:
            raise HTTPException(404, "No run of this id is known.")
        return RunStatus(id=run_id, flow_run_id=run_id, status_url=f"/runs/{run_id}", **told)


def _add_webhooks(app: FastAPI, gate: Gate) -> None:
    refusals = _problems(400, 401, 408, 413)

    async def taken(request: Request, judge: Callable[[bytes, Mapping[str, str]], Verdict]) -> Receipt:
        body = await request.body()
        verdict = await run_in_threadpool(judge, body, request.headers)
        if verdict is Verdict.FORGED:
            raise HTTPException(401, "The signature is missing, or is not of this body.")
        if verdict is Verdict.MALFORMED:
            raise HTTPException(400, "The body is not a JSON object.")
        if verdict is Verdict.HINT:
            gate.trigger.hint()
        return Receipt(verdict=verdict)

    @app.head(TRELLO_PATH, response_class=Response, responses={200: {"description": "Trello may deliver here"}})
    def trello_probe() -> Response:
        """Trello asks this when the webhook is made."""
        return Response()

    @app.post(TRELLO_PATH, responses=refusals, openapi_extra=_delivery("x-trello-webhook"))
    async def trello_delivery(request: Request) -> Receipt:
        """A delivery of Trello, signed with TRELLO_API_SECRET. Trello wants exactly 200."""
        return await taken(request, gate.inbox.judge_trello)

    @app.post(AIRTABLE_PATH, responses=refusals, openapi_extra=_delivery("x-airtable-content-mac"))
    async def airtable_delivery(request: Request) -> Receipt:
        """A ping of Airtable, signed with the webhook's own secret."""
        return await taken(request, gate.inbox.judge_airtable)


def _delivery(signature: str) -> dict[str, Any]:
    """The raw body and the signature, which FastAPI does not read for us."""
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "parameters": [{"name": signature, "in": "header", "required": True, "schema": {"type": "string"}}],
    }


def _status(run: SyncRun) -> RunStatus:
    shown = run.flow_run_id or run.id
    return RunStatus(
        id=shown,
        flow_run_id=run.flow_run_id,
        stage=run.stage,
        status_url=f"/runs/{shown}",
        asked_at=run.asked_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        report=run.report,
    )


async def _until(reached: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:
        await asyncio.sleep(LOOK_AGAIN)


async def _is_json(request: Request) -> None:
    """A page in a browser can send any other kind of body across sites without asking."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and await request.body():
        raise HTTPException(415, "The body must be sent as application/json.")


# --- who may ask ----------------------------------------------------------------------------------------------


def objection(headers: Mapping[str, str], gate: Gate) -> HTTPException | None:
    """
    Why this request may not start or see runs; None if it may.

    With a token set, the token decides. Without one only this machine may ask: not through a proxy, not under a name
    that a foreign DNS server made up, not from a page of another site.
    """
    if gate.token is not None:
        if is_token(gate.token, headers.get("authorization")):
            return None
        return _unauthorised("SYNC_API_TOKEN has to be shown as a bearer token.")
    if not is_loopback(gate.host) or _is_exposed(gate.public_url):
        return _unauthorised("SYNC_API_TOKEN is not set, so nobody but this machine may ask, and only directly.")
    if any(name in headers for name in PROXY_HEADERS):
        return _unauthorised("The request came through a proxy; set SYNC_API_TOKEN and show it as a bearer token.")
    if _host_of(f"//{headers.get('host', '')}") not in LOOPBACK:
        return HTTPException(403, "Without SYNC_API_TOKEN the gateway answers under localhost and 127.0.0.1 only.")
    if "origin" in headers and _host_of(headers["origin"]) not in LOOPBACK:
        return HTTPException(403, "A page of another site may not ask.")
    return None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on `host`."""
    return host in LOOPBACK or host.startswith("127.")


def _is_exposed(public_url: str | None) -> bool:
    """A proxy that forwards everything, and says nothing about it, makes the whole world look like this machine."""
    return public_url is not None and _host_of(public_url) not in LOOPBACK


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _unauthorised(detail: str) -> HTTPException:
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})


# --- limits and refusals --------------------------------------------------------------------------------------


class Limits:
    """Counts a body while it arrives, so that neither its stated length nor its slowness costs anything."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        stated = dict(scope["headers"]).get(b"content-length", b"")
        if stated.isdigit() and int(stated) > BODY_LIMIT:
            return await _problem(413, TOO_LARGE)(scope, receive, send)
        return await self.app(scope, _counted(receive), send)


TOO_LARGE = f"The body is longer than {BODY_LIMIT:,} bytes."


def _counted(receive: Receive) -> Receive:
    seen, whole, deadline = 0, False, time.monotonic() + BODY_TIMEOUT

    async def counted() -> Message:
        nonlocal seen, whole
        if whole:
            return await receive()  # only the end of the connection is to come
        try:
            message = await asyncio.wait_for(receive(), max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            raise HTTPException(408, f"The body did not arrive within {BODY_TIMEOUT:g} s.") from None
        seen += len(message.get("body", b""))
        if seen > BODY_LIMIT:
            raise HTTPException(413, TOO_LARGE)
        whole = not message.get("more_body", False)
        return message

    return counted


def _problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail} | more
    return Response(json.dumps(told).encode(), status, headers, media_type=PROBLEM_TYPE)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else ""
    return _problem(error.status_code, detail, error.headers)


async def _invalid(_request: Request, error: Exception) -> Response:
    """What is wrong where; not what was sent."""
    assert isinstance(error, RequestValidationError)
    errors = [{"where": [*map(str, each["loc"])], "what": str(each["msg"])} for each in error.errors()]
    return _problem(422, "The request is not as /docs describes it.", errors=errors)


async def _failed(_request: Request, error: Exception) -> Response:
    log.error("A request failed with %s.", type(error).__name__)
    return _problem(500, "The gateway stumbled; its log says over what.")
