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
from leadsync.page.rendering import HEADERS, STATIC, static
from leadsync.page.views import Views
from leadsync.pipeline.steps import Options

log = logging.getLogger("leadsync")
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
        return HTMLResponse(views.leads(q.strip(), show, int(page) if page.isdecimal() and len(page) < 9 else 1))

    @router.get("/asked/{run_id}")
    def asked(run_id: str) -> Response:
        run = gate.trigger.find(run_id)
        if run is None:
            raise HTTPException(404, "No run of this id is known; the gateway may have been started anew since.")
        ended = run.stage in (Stage.DONE, Stage.DROPPED)
        shown = views.asked(status_of(run).model_dump() | {"dry_run": run.options.dry_run, "ended": ended})
        return HTMLResponse(shown, headers={} if ended else {"Refresh": LOOK_AGAIN})

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


def add_guarded(app: FastAPI, path: str, method: str, answer: Callable[[Request], Awaitable[Response]]) -> None:
    """A further route, as guarded as those of the page."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    router.add_api_route(path, answer, methods=[method])
    app.include_router(router)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that was sent; of several of one name the last."""
    body = (await request.body()).decode(errors="replace")
    return {name: values[-1] for name, values in parse_qs(body, keep_blank_values=True).items()}


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
