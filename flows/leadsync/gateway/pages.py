"""
The page: what people look at in a browser, and the buttons on it. Works without a script.

Never here: what is shown (see page/), who may ask (see page_access.py).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute

from leadsync.errors import LeadsyncError
from leadsync.gateway.access import Gate
from leadsync.gateway.answers import status_of
from leadsync.gateway.line import Stage
from leadsync.gateway.page_access import page_objection
from leadsync.model import ConflictPolicy, Read
from leadsync.page.rendering import HEADERS, STATIC, static
from leadsync.page.views import Views
from leadsync.pipeline.steps import Chosen, Options, UndoChoice
from leadsync.texts import storable

log = logging.getLogger("leadsync")
LONGEST = 200
"""Characters of a search, or of an id."""
LOOK_AGAIN = "1"
"""Seconds until a browser asks again for a run that has not ended."""


class PageRoute(APIRoute):
    """A route for a browser: guarded, refusals are pages too, and nothing is loaded from elsewhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI has it."""
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            gate: Gate = request.app.state.gate
            refused = page_objection(request.headers, gate, changes=request.method == "POST")
            try:
                if refused is not None:
                    raise refused
                response = await answer(request)
            except HTTPException as error:
                response = _problem(gate, error.status_code, str(error.detail), error.headers)
            except LeadsyncError as error:
                log.warning("%s", error)
                response = _problem(gate, 503, str(error))
            response.headers.update(HEADERS)
            return response

        return guarded


def add_pages(app: FastAPI, gate: Gate, views: Views) -> None:
    """The routes of the page."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/")
    def leads(q: str = "", show: str = "", page: str = "1") -> Response:
        return HTMLResponse(
            views.leads(storable(q).strip()[:LONGEST], show, int(page) if page.isdecimal() and len(page) < 9 else 1)
        )

    @router.get("/asked/{run_id}")
    def asked(run_id: str) -> Response:
        run = gate.trigger.find(run_id)
        if run is None:
            raise HTTPException(404, "No run of this id is known; the gateway may have been started anew since.")
        ended = run.stage in (Stage.DONE, Stage.DROPPED)
        shown = views.asked(status_of(run).model_dump() | _asked_for(run.options, ended))
        return HTMLResponse(shown, headers={} if ended else {"Refresh": LOOK_AGAIN})

    @router.get("/decide")
    def decide() -> Response:
        return HTMLResponse(views.decide())

    @router.get("/history")
    def history(days: str = "30") -> Response:
        return HTMLResponse(views.history(days))

    @router.get("/history/{run_id}")
    def run(run_id: str) -> Response:
        return _found(
            views.run(storable(run_id)[:LONGEST]), "No run of this id is kept; SYNC_HISTORY_DAYS says how long one is."
        )

    @router.get("/leads/{lead_id}")
    def lead(lead_id: str) -> Response:
        return _found(views.lead(storable(lead_id)[:LONGEST]), "Nothing is known of a lead of this id.")

    @router.post("/page/take")
    async def take(request: Request) -> Response:
        form = await form_of(request)
        if form.get("side") not in (ConflictPolicy.AIRTABLE, ConflictPolicy.TRELLO) or not form.get("lead"):
            raise HTTPException(422, "A conflict is settled by a side, airtable or trello, and a lead.")
        chosen = Chosen(ConflictPolicy(form["side"]), form["lead"], form.get("field", ""))
        return _ask(gate, Options(read=Read.AUTO, take=chosen))

    @router.post("/page/untie")
    async def untie(request: Request) -> Response:
        form = await form_of(request)
        if not form.get("lead"):
            raise HTTPException(422, "Copies are those of a lead's card; say which lead.")
        return _ask(gate, Options(untie=form["lead"]))

    @router.post("/page/undo")
    async def undo(request: Request) -> Response:
        form = await form_of(request)
        if not form.get("run"):
            raise HTTPException(422, "What is undone is a run; say which.")
        chosen = UndoChoice(form["run"], form.get("lead", ""), form.get("field", ""))
        return _ask(gate, Options(dry_run=form.get("do") != "yes", undo=chosen))

    @router.post("/page/sync")
    def sync() -> Response:
        return _ask(gate, Options())

    @router.post("/page/preview")
    def preview() -> Response:
        return _ask(gate, Options(dry_run=True))

    @router.get("/page/{name}")
    def file(name: str) -> Response:
        if name not in STATIC:
            raise HTTPException(404, "There is no such file.")
        return Response(static(name), media_type=STATIC[name])

    app.include_router(router)


def _found(page: str | None, otherwise: str) -> Response:
    if page is None:
        raise HTTPException(404, otherwise)
    return HTMLResponse(page)


def _asked_for(options: Options, ended: bool) -> dict[str, Any]:
    """What a run was asked for: in words, and as the form that asks for the same in earnest."""
    heading, action, fields = "Sync", "/page/sync", dict[str, str]()
    if options.take:
        heading, action = f"Take {options.take.side.title()}'s value", "/page/take"
        fields = {name: str(value) for name, value in vars(options.take).items()}
    elif options.untie:
        heading, action, fields = "Untie the copies", "/page/untie", {"lead": options.untie}
    elif options.undo:
        heading, action, fields = "Undo", "/page/undo", vars(options.undo) | {"do": "yes"}
    return {"dry_run": options.dry_run, "ended": ended, "heading": heading, "action": action, "fields": fields}


def add_guarded(app: FastAPI, path: str, method: str, answer: Callable[[Request], Awaitable[Response]]) -> None:
    """A further route, as guarded as those of the page."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    router.add_api_route(path, answer, methods=[method])
    app.include_router(router)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that was sent; of several of one name the last."""
    body = (await request.body()).decode(errors="replace")
    return {name: storable(values[-1]) for name, values in parse_qs(body, keep_blank_values=True).items()}


def _ask(gate: Gate, options: Options) -> Response:
    run = gate.trigger.ask(options)
    if run is None:
        raise HTTPException(503, "The gateway is stopping; nothing was started.")
    return RedirectResponse(f"/asked/{run.id}", HTTPStatus.SEE_OTHER)


def _problem(gate: Gate, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal as a page that tells nothing but why."""
    assert gate.views is not None
    shown = gate.views.problem(HTTPStatus(status).phrase, detail)
    return HTMLResponse(shown, status, dict(headers or {}))
