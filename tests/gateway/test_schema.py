"""Requests made up from the OpenAPI page, right and wrong ones: no 500, only documented answers, nothing changes."""

import contextlib
import time

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth

from leadsync.gateway.access import Gate
from leadsync.gateway.app import build_app
from leadsync.gateway.inbox import Inbox
from leadsync.gateway.trigger import Trigger
from leadsync.gateway.webhooks import TRELLO_PATH
from support.gateway_process import TOKEN
from support.gateway_world import BASE, BOARD, IDENTIFIER, MAC_SECRET, TRELLO_SECRET

CHECKED = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None, "derandomize": True}


@pytest.fixture(scope="module")
def gate():
    """A gateway that wants a token; its runs do nothing."""
    callback = f"http://testserver{TRELLO_PATH}"
    inbox = Inbox(TRELLO_SECRET, callback, IDENTIFIER, lambda: MAC_SECRET, base_id=BASE, board=BOARD)
    trigger = Trigger(lambda _run: {"exit_code": 0, "message": "done"}, 0.01)
    yield Gate(trigger=trigger, inbox=inbox, host="127.0.0.1", token=TOKEN)
    trigger.close(5)


@pytest.fixture(scope="module")
def page(gate):
    return schemathesis.openapi.from_asgi("/openapi.json", build_app(gate))


def runs(gate):
    """How many there were, once none is waiting."""
    while gate.trigger.queue()[:2] != (None, 0):
        time.sleep(0.005)
    return gate.trigger.runs_ended


OPERATIONS = [
    ("/health", "get"),
    ("/sync", "post"),
    ("/runs/{run_id}", "get"),
    ("/webhooks/trello", "head"),
    ("/webhooks/trello", "post"),
    ("/webhooks/airtable", "post"),
]
every_operation = pytest.mark.parametrize(("path", "method"), OPERATIONS)


def make_up(page, path, method, examples, **headers):
    """Send right and wrong requests of an operation; each answer is checked against the page."""

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @settings(max_examples=examples, **CHECKED)
        @given(case=page[path][method].as_strategy(generation_mode=mode))
        def send(case):
            case.headers = dict(case.headers or {}) | headers
            answer = case.call_and_validate(excluded_checks=[ignored_auth] if headers else [])
            assert answer.status_code < 500
            if answer.status_code >= 300:
                assert answer.headers["content-type"] == ["application/problem+json"]
            if method == "post" and path.startswith("/webhooks/"):
                assert answer.status_code in (400, 401, 413)
            assert TOKEN not in answer.text

        with contextlib.suppress(Unsatisfiable):  # an operation that nothing can be wrong with
            send()


def test_every_operation_is_made_up_for(page):
    assert {(op.ok().path, op.ok().method) for op in page.get_all_operations()} == set(OPERATIONS)


@every_operation
def test_made_up_requests_without_a_token_change_nothing(page, gate, path, method):
    """Nor do they with a signature that is made up."""
    before = runs(gate)
    make_up(page, path, method, 15)
    assert runs(gate) == before


@every_operation
def test_made_up_requests_with_a_token_get_documented_answers(page, path, method):
    make_up(page, path, method, 15, Authorization=f"Bearer {TOKEN}")


@pytest.mark.exhaustive
@every_operation
def test_a_thousand_made_up_requests_an_operation(page, gate, path, method):
    before = runs(gate)
    make_up(page, path, method, 1000)
    assert runs(gate) == before
    make_up(page, path, method, 1000, Authorization=f"Bearer {TOKEN}")
