"""
The gateway's HTTP face: health, syncs on request, webhook receivers. Every refusal is problem+json (RFC 9457).

What is never here: how a run is made, a signature's arithmetic, an answer that holds a secret.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from leadsync.errors import Exit
from leadsync.gateway.access import Gate, objection
from leadsync.gateway.answers import ENDED, Health, Receipt, RunStatus, SyncChoices, last_run, status_of, told_lock
from leadsync.gateway.description import page_of
from leadsync.gateway.glance import Glance
from leadsync.gateway.inbox import Verdict
from leadsync.gateway.problems import Limits, answer_problems, problems_of
from leadsync.gateway.webhooks import AIRTABLE_PATH, TRELLO_PATH
from leadsync.pipeline.steps import Options

log = logging.getLogger("leadsync")
WAIT_MOST = 900.0
"""Seconds that `?wait=true` waits before it answers 202 after all."""
NAMED_WITHIN = 3.0
"""Seconds in which a run made by a deployment usually gets its id from Prefect."""
LOOK_AGAIN = 0.05


def build_app(gate: Gate) -> FastAPI:
    """The ASGI application."""
    app = FastAPI(
        title="leadsync gateway",
        description="Starts syncs of the Airtable table Leads and a Trello board, on request and by webhook.",
        version="1",
        docs_url=None,
        redoc_url=None,
    )
    app.state.gate = gate
    answer_problems(app)
    app.add_middleware(Limits)
    _add_health(app, gate)
    _add_runs(app, gate)
    _add_webhooks(app, gate)

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        """What the gateway takes and answers, for people."""
        return page_of(app.openapi())

    return app


class Guarded(APIRoute):
    """A route for those who may ask; who may not has no body read, nor learns what is wrong with it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI has it."""
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            refused = objection(request.headers, request.app.state.gate)
            if refused is not None:
                raise refused
            return await answer(request)

        return guarded


BEARER = Depends(HTTPBearer(auto_error=False, description="SYNC_API_TOKEN"))


def _add_health(app: FastAPI, gate: Gate) -> None:
    lock = Glance(gate.lock, "The state database does not answer.")

    @app.get("/health", dependencies=[BEARER], response_model_exclude_none=True, openapi_extra={"security": [{}]})
    def health(request: Request) -> Health:
        """Whether the process is alive, and, for those who may know, how the last run ended and what waits."""
        if objection(request.headers, gate) is not None:
            return Health()
        running, waiting, last = gate.trigger.queue()
        code = (last.report or {}).get("exit_code") if last else None
        return Health(
            ready=not gate.trigger.closing and code not in (Exit.MISCONFIGURED, Exit.REFUSED),
            last_run=last_run(last),
            runs_ended=gate.trigger.runs_ended,
            queue={"running": running.shown_id if running else None, "waiting": waiting},
            lock=told_lock(running is not None, lock),
        )


def _add_runs(app: FastAPI, gate: Gate) -> None:
    router = APIRouter(route_class=Guarded, dependencies=[BEARER])

    @router.post(
        "/sync",
        dependencies=[Depends(_is_json)],
        status_code=202,
        responses=problems_of(400, 401, 403, 408, 413, 415, 422, 503) | ENDED,
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
        status = status_of(run)
        response.headers["Location"] = status.status_url
        response.status_code = 200 if wait and run.ended.is_set() else 202
        return status

    @router.get("/runs/{run_id}", responses=problems_of(400, 401, 403, 404, 422, 503))
    def run(run_id: str) -> RunStatus:
        """One of the last hundred runs, or one that Prefect knows."""
        found = gate.trigger.find(run_id)
        if found is not None:
            return status_of(found)
        try:
            told = gate.look_up(run_id)
        except Exception as error:  # whatever Prefect's client throws
            log.warning("Prefect's server could not be asked for a run (%s).", type(error).__name__)
            raise HTTPException(503, "Prefect's server could not be asked for the run.") from None
        if told is None:
            raise HTTPException(404, "No run of this id is known.")
        return RunStatus(id=run_id, flow_run_id=run_id, status_url=f"/runs/{run_id}", **told)

    app.include_router(router)


def _add_webhooks(app: FastAPI, gate: Gate) -> None:
    refusals = problems_of(400, 401, 408, 413, 503)

    async def taken(request: Request, judge: Callable[[bytes, Mapping[str, str]], Verdict]) -> Receipt:
        body = await request.body()
        verdict = await run_in_threadpool(judge, body, request.headers)
        if verdict is Verdict.FORGED:
            raise HTTPException(401, "The signature is missing, or is not of this body.")
        if verdict is Verdict.UNKNOWN:
            later = {"Retry-After": "60"}
            raise HTTPException(503, "The state database holds the secret and is away; deliver it again.", later)
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


async def _until(reached: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:
        await asyncio.sleep(LOOK_AGAIN)


async def _is_json(request: Request) -> None:
    """A page in a browser can send any other kind of body across sites without asking."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and await request.body():
        raise HTTPException(415, "The body must be sent as application/json.")
