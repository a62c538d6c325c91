"""Airtable's lists come to an end, whatever their pages say, or the read counts for nothing."""

from __future__ import annotations

import itertools
import json

import pytest

from leadsync.airtable import pages, setup
from leadsync.airtable.client import Airtable
from leadsync.errors import IncompleteReadError, LeadsyncError, TransientServiceError
from support.raw_server import RawServer, answer


def record(number):
    return {"id": f"rec{number:014}", "createdTime": "2026-11-26T05:00:00.000Z", "fields": {"name": str(number)}}


@pytest.fixture
def read(world):
    """`read(answers)`: the table read from a server that answers with these, one by one; then its requests."""

    def reading(answers, ask=Airtable.fetch_leads):
        left = iter(answers)

        def behave(connection, request):
            request.kept = True
            connection.sendall(answer(json.dumps(next(left))))

        with RawServer(behave) as server:
            airtable = Airtable(world.settings(AIRTABLE_ENDPOINT_URL=server.url), world.transport)
            try:
                return ask(airtable), server.requests
            finally:
                airtable.wire.close()

    return reading


@pytest.mark.parametrize("offset", [7, 7.5, "itr/rec", True, {"a": 1}, ["a"]], ids=repr)
def test_offset_that_never_changes_ends_the_read(read, offset):
    """Of whatever type it is."""
    with pytest.raises(LeadsyncError, match=r"circle|makes no sense"):
        read({"records": [record(number)], "offset": offset} for number in itertools.count())


def test_offsets_in_a_circle_end_the_read(read):
    with pytest.raises(IncompleteReadError, match="circle"):
        read({"records": [record(number)], "offset": "abc"[number % 3]} for number in itertools.count())


@pytest.mark.parametrize("records", [[], [record(1)]], ids=["empty", "the-same-again"])
def test_ever_new_offsets_without_news_end_the_read(read, records):
    """A few are borne: leads that were deleted while the list was read leave gaps."""
    with pytest.raises(IncompleteReadError, match="pages without"):
        read({"records": records, "offset": f"itr{number}"} for number in itertools.count())


def test_pages_that_never_end_end_the_read(read, monkeypatch):
    """No base holds that many."""
    monkeypatch.setattr(pages, "PAGES", 20)
    with pytest.raises(IncompleteReadError, match="more than 20 pages"):
        read({"records": [record(number)], "offset": f"itr{number}"} for number in itertools.count())


def test_bases_that_never_end_end_the_read(read, monkeypatch):
    monkeypatch.setattr(setup, "MOST_PAGES", 20)
    with pytest.raises(IncompleteReadError, match="does not end"):
        read(({"bases": [], "offset": f"itr{number}"} for number in itertools.count()), setup.fetch_bases)


def test_gaps_in_a_list_are_borne(read):
    """All that came between them counts."""
    gaps = [{"records": [record(number)] if number % 4 == 0 else [], "offset": f"itr{number}"} for number in range(12)]
    leads, requests = read([*gaps, {"records": [record(99)]}])
    assert len(leads.records) == 4
    assert len(requests) == 13


@pytest.mark.parametrize("offset", [None, ""], ids=repr)
def test_list_ends_where_there_is_no_offset(read, offset):
    leads, requests = read([{"records": [record(1)], "offset": 5}, {"records": [record(2)], "offset": offset}])
    assert (list(leads.records), len(requests)) == ([record(1)["id"], record(2)["id"]], 2)
    assert "offset=5" in requests[1].path


NO_PAGES = {
    "no-records": {},
    "records-null": {"records": None},
    "records-object": {"records": {}},
    "record-text": {"records": ["rec00000000000001"]},
    "record-without-id": {"records": [{"createdTime": "2026-11-26T05:00:00.000Z", "fields": {}}]},
    "id-number": {"records": [record(1) | {"id": 5}]},
    "id-empty": {"records": [record(1) | {"id": ""}]},
    "fields-missing": {"records": [{"id": "rec00000000000001", "createdTime": "2026-11-26T05:00:00.000Z"}]},
    "fields-null": {"records": [record(1) | {"fields": None}]},
    "fields-list": {"records": [record(1) | {"fields": []}]},
    "time-number": {"records": [record(1) | {"createdTime": 5}]},
    "a-list": [],
    "pagination": {"records": [], "pagination": "x", "offset": 7},
}


@pytest.mark.parametrize("kind", NO_PAGES)
def test_page_of_another_shape_is_none(read, kind):
    """A record without cells would empty a card, an empty list archive all of them."""
    if kind == "pagination":
        assert read([NO_PAGES[kind], {"records": [record(1)]}])[0].records
        return
    with pytest.raises(TransientServiceError, match="makes no sense"):
        read(itertools.repeat(NO_PAGES[kind]))
