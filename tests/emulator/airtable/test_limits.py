"""
Five calls a second and base, 30 s of refusal for a sixth, the month's quota; the clock stands unless a test moves it.
"""

import pytest
import requests
from pyairtable import retry_strategy

PLURAL = {"errors": [{"error": "RATE_LIMIT_REACHED", "message": "Rate limit exceeded. Please try again later"}]}
SINGLE = {"error": {"type": "RATE_LIMIT_REACHED", "message": "Rate limit exceeded. Please try again later"}}


def statuses(call, count, path="Leads"):
    return [call("GET", path).status_code for _ in range(count)]


def test_lenient_mode_has_no_limit(emulator, airtable):
    assert set(statuses(airtable(emulator), 60)) == {200}


def test_sixth_call_in_a_second_starts_thirty_seconds_of_429(make, airtable):
    emulator = make(strict=True)
    call = airtable(emulator)
    assert statuses(call, 6) == [200] * 5 + [429]
    for advance, status in ((1.5, 429), (28.4, 429), (0.2, 200)):
        emulator.clock.advance(advance)
        assert call("GET", "Leads").status_code == status


def test_five_calls_each_second_are_fine(make, airtable):
    emulator = make(strict=True)
    for _ in range(4):
        assert set(statuses(airtable(emulator), 5)) == {200}
        emulator.clock.advance(1.0)


@pytest.mark.parametrize(("extends", "status"), [(False, 200), (True, 429)])
def test_calls_during_the_penalty_under_both_readings(make, airtable, extends, status):
    emulator = make(strict=True, airtable_penalty_extends=extends)
    call = airtable(emulator)
    statuses(call, 6)
    emulator.clock.advance(20)
    call("GET", "Leads")
    emulator.clock.advance(11)
    assert call("GET", "Leads").status_code == status


@pytest.mark.parametrize(("envelope", "body"), [("plural", PLURAL), ("single", SINGLE)])
def test_429_body_under_both_readings(make, airtable, envelope, body):
    call = airtable(make(strict=True, airtable_429_envelope=envelope))
    statuses(call, 5)
    answer = call("GET", "Leads")
    assert answer.json() == body
    assert "Retry-After" not in answer.headers


def test_retry_after_by_knob(make, airtable):
    call = airtable(make(strict=True, airtable_retry_after=30))
    statuses(call, 5)
    assert call("GET", "Leads").headers["Retry-After"] == "30"


def test_limit_is_per_base_and_counts_schema_and_other_tokens(make, airtable):
    emulator = make(strict=True)
    other = emulator.airtable.add_token(["data.records:read"])
    statuses(airtable(emulator), 3)
    statuses(airtable(emulator), 2, f"/v0/meta/bases/{emulator.airtable.base_id}/tables")
    assert airtable(emulator, other)("GET", "Leads").status_code == 429
    assert airtable(emulator)("GET", "/v0/meta/whoami").ok


def test_foreign_calls_eat_the_budget(make, airtable):
    emulator = make(strict=True)
    emulator.airtable.foreign_calls(4)
    assert statuses(airtable(emulator), 2) == [200, 429]


def test_refused_write_changes_nothing(make, airtable):
    emulator = make(strict=True)
    emulator.airtable.foreign_calls(5)
    assert airtable(emulator)("POST", "Leads", json={"fields": {"name": "Ada"}}).status_code == 429
    assert not emulator.airtable.records()


def test_person_edits_are_free(make, airtable):
    emulator = make(strict=True)
    for number in range(20):
        emulator.airtable.add_lead(str(number))
    assert airtable(emulator)("GET", "Leads").ok


@pytest.mark.parametrize(("covers_meta", "status"), [(False, 200), (True, 429)])
def test_monthly_quota_is_final(make, airtable, covers_meta, status):
    """Waiting does not help; the schema calls may go on answering."""
    emulator = make(monthly_quota=3, airtable_quota_covers_meta=covers_meta)
    call = airtable(emulator)
    assert statuses(call, 4) == [200, 200, 200, 429]
    emulator.clock.advance(3600)
    assert call("GET", "Leads").json()["errors"][0]["error"] == "PUBLIC_API_BILLING_LIMIT_EXCEEDED"
    assert call("GET", "/v0/meta/whoami").status_code == status


def test_pyairtable_gives_up_long_before_the_penalty_ends(make, table_of):
    """A steady 429 ends in RetryError, which carries no response."""
    emulator = make(strict=True)
    emulator.airtable.foreign_calls(6)
    with pytest.raises(requests.exceptions.RetryError) as caught:
        table_of(emulator, retry_strategy(backoff_factor=0.001, total=3)).all()
    assert caught.value.response is None
    assert emulator.calls("airtable") == 4


def test_pyairtable_without_retry_raises_with_response(make, table_of):
    emulator = make(strict=True)
    emulator.airtable.foreign_calls(6)
    with pytest.raises(requests.HTTPError) as caught:
        table_of(emulator).all()
    assert caught.value.response.json() == PLURAL
