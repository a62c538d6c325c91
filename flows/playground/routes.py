"""
The playground's own routes, beside those of the gateway's page: every button is a step, and every step an address.

Never here: what a step does, what a view shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from leadsync.gateway.access import Gate
from leadsync.gateway.app import build_app
from leadsync.gateway.inbox import Inbox
from leadsync.gateway.pages import add_guarded, form_of
from leadsync.gateway.trigger import Trigger
from leadsync.page.views import View, Views, told_of
from leadsync.pipeline.steps import Options
from playground.boards import board_of, table_of
from playground.steps import CELLS, MOST, WITH_TEXT, Do, Step, StepError, query_of, steps_of
from playground.world import LISTS, STATUSES, World

HERE: Final = Path(__file__).parent
PATH: Final = "/play"
STATIC: Final = {"play.css": "text/css", "play.js": "text/javascript"}
MOST_SEED: Final = 10**9
RUN_WITHIN = 60.0
"""Seconds until a page is shown though its run has not ended."""


class Playground:
    """The page of a world, with the table and the board."""

    def __init__(self, world: World, host: str) -> None:
        self.world = world
        self.views = Views(world.desk, (View(PATH, "Playground"),), (HERE / "templates",))
        self.trigger = Trigger(world.run, settle=1.0)
        nobody = Inbox(None, None, "", lambda: None, base_id="", board="")
        self.gate = Gate(trigger=self.trigger, inbox=nobody, host=host, views=self.views)

    def app(self) -> Any:
        """The gateway's application, with the playground in it."""
        app = build_app(self.gate)
        add_guarded(app, PATH, "GET", self._show)
        add_guarded(app, f"{PATH}/do", "POST", self._do)
        add_guarded(app, f"{PATH}/run", "POST", self._run)
        add_guarded(app, f"{PATH}/start", "POST", self._start)
        add_guarded(app, f"{PATH}/file/{{name}}", "GET", self._file)
        return app

    @property
    def address(self) -> str:
        """Path and query of the state as it is now."""
        return f"{PATH}?{query_of(self.world.seed, self.world.steps)}"

    async def _show(self, request: Request) -> Response:
        if not request.query_params:
            return RedirectResponse(self.address, HTTPStatus.SEE_OTHER)

        def shown() -> Response:
            wrong = _said(lambda: self._become(request))
            return HTMLResponse(self._page(wrong), HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK)

        return await run_in_threadpool(shown)

    def _become(self, request: Request) -> None:
        seed = request.query_params.get("seed", "0")
        self.world.become(_seed(seed), steps_of(request.query_params.getlist("step")))

    async def _do(self, request: Request) -> Response:
        form = await form_of(request)

        def done() -> None:
            for step in self._steps(form):
                self.world.perform(step)

        return await run_in_threadpool(self._done, done)

    async def _start(self, request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(self._done, lambda: self.world.become(_seed(form.get("seed", "0")), []))

    async def _run(self, request: Request) -> Response:
        dry = (await form_of(request)).get("kind") == "preview"

        def ran() -> None:
            run = self.trigger.ask(Options(dry_run=dry))
            if run is not None:
                run.ended.wait(RUN_WITHIN)

        return await run_in_threadpool(self._done, ran)

    def _done(self, act: Callable[[], object]) -> Response:
        wrong = _said(act)
        if wrong:
            return HTMLResponse(self._page(wrong), HTTPStatus.BAD_REQUEST)
        return RedirectResponse(self.address, HTTPStatus.SEE_OTHER)

    def _steps(self, form: dict[str, str]) -> Iterator[Step]:
        """What a form asks for. Of a row of the table the cells that are not as they are now."""
        kind, lead = form.get("kind", ""), form.get("lead", "")
        if kind != "row":
            text = form.get("list" if kind == Do.MOVE else "text", "") if kind in WITH_TEXT else ""
            yield Step.of(" ".join(filter(None, (kind, lead, text))))
            return
        row = next((row for row in table_of(self.world) if str(row.number) == lead), None)
        for cell in CELLS if row else ():
            if form.get(cell, getattr(row, cell)) != getattr(row, cell):
                yield Step.of(f"{cell} {lead} {form[cell]}")

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in STATIC:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        return Response((HERE / "static" / name).read_bytes(), media_type=STATIC[name])

    def _page(self, wrong: str) -> str:
        world, report = self.world, self.world.last or {}
        with world.lock:
            return self.views.page(
                "play.html",
                PATH,
                wrong=wrong,
                seed=world.seed,
                steps=[step.said(world.name(step.lead)) for step in world.steps],
                most=MOST,
                table=table_of(world),
                board=board_of(world),
                board_name=world.emulator.trello.board()["name"],
                lists=LISTS,
                statuses=STATUSES,
                dry_run=bool(report.get("dry_run")),
                **told_of(report),
                waited=world.waited,
                calls={service: world.emulator.calls(service) for service in ("airtable", "trello")},
            )


def _said(act: Callable[[], object]) -> str:
    """Why a step could not be done, "" if it was."""
    try:
        act()
    except StepError as error:
        return str(error)
    return ""


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:12]) < MOST_SEED):
        raise StepError(f"{text[:80]!r} is no seed; that is a whole number below {MOST_SEED:,}.")
    return int(text)
