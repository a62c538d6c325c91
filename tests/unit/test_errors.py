"""Errors survive the way to the door, and read as sentences."""

from __future__ import annotations

import pickle

import pytest

from leadsync import errors
from leadsync.errors import DeadTokenError, LeadsyncError, ServiceRefusedError

REFUSED = ServiceRefusedError("Airtable", 422, "UNKNOWN_FIELD_NAME", 'Unknown field name: "x"')
DEAD = DeadTokenError("Trello", "TRELLO_API_TOKEN", "invalid token")


def every_error():
    found = [getattr(errors, name) for name in dir(errors)]
    return [kind for kind in found if isinstance(kind, type) and issubclass(kind, LeadsyncError)]


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_error_survives_pickling(kind):
    """Between a task and the door."""
    error = {ServiceRefusedError: REFUSED, DeadTokenError: DEAD}.get(kind) or kind("what, which, and what to do")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert kind.exit_code in (1, 2, 3, 4)


def test_refusal_reads_as_a_sentence():
    """Service, status, kind and the service's own words."""
    assert str(REFUSED) == 'Airtable answered 422 UNKNOWN_FIELD_NAME Unknown field name: "x"'
    assert str(ServiceRefusedError("Trello", 404, "", "")) == "Trello answered 404"
