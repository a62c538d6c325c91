"""Refusals as the gateway answers them, and the limits of what it takes in. Never here: a route."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("leadsync")
BODY_LIMIT = 128 * 1024
"""Bytes of a request's body; a delivery has some ten thousand, and less than this with two longest descriptions."""
BODY_TIMEOUT = 10.0
"""Seconds in which a body has to arrive."""
PROBLEM_TYPE = "application/problem+json"


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[dict[str, Any]] = []


def problems_of(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of an endpoint, for the OpenAPI page."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        code: {"model": Problem, "description": HTTPStatus(code).phrase, "content": {PROBLEM_TYPE: {"schema": schema}}}
        for code in codes
    }


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
            return await problem_answer(413, TOO_LARGE)(scope, receive, send)
        return await self.app(scope, counted(receive), send)


TOO_LARGE = f"The body is longer than {BODY_LIMIT:,} bytes."


def counted(receive: Receive) -> Receive:
    """`receive` while the body arrives; it refuses one that is too long or too slow."""
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


def problem_answer(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """A refusal in the form of RFC 9457."""
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail} | more
    return Response(json.dumps(told).encode(), status, headers, media_type=PROBLEM_TYPE)


def answer_problems(app: FastAPI) -> None:
    """Whatever goes wrong in the application is answered as a problem."""
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _failed)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else ""
    return problem_answer(error.status_code, detail, error.headers)


async def _invalid(_request: Request, error: Exception) -> Response:
    """What is wrong where; not what was sent."""
    assert isinstance(error, RequestValidationError)
    errors = [{"where": [*map(str, each["loc"])], "what": str(each["msg"])} for each in error.errors()]
    return problem_answer(422, "The request is not as /docs describes it.", errors=errors)


async def _gone(_request: Request, _error: Exception) -> Response:
    """The caller left before the body was whole: nobody hears the answer, and it is not worth a line of the log."""
    return problem_answer(400, "The body did not arrive.")


async def _failed(_request: Request, error: Exception) -> Response:
    log.error("A request failed with %s.", type(error).__name__)
    return problem_answer(500, "The gateway stumbled; its log says over what.")
