"""Every lens is lawful over its whole domain, and what it does not speak of survives."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadsync.mapping.columns import number
from leadsync.mapping.dates import day, day_of_moment, day_on_calendar, moment, zone_named
from leadsync.mapping.lenses import ONE_LINE, SAME, Lens, among, choice, elements, merge
from leadsync.mapping.terms import Terms, list_terms, status_terms
from leadsync.model import DEFAULT_STAGE_OF, DONE, STAGES, StatusMap

ZONES = (
    "UTC",
    "Europe/Berlin",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "America/Toronto",
    "Etc/GMT+12",
)
"""Among them one that skipped a day, one that jumps by half an hour, and those that jump at midnight."""
DAYS = st.dates(datetime.date(2, 1, 1), datetime.date(9998, 12, 31)) | st.dates(
    datetime.date(2011, 12, 25), datetime.date(2012, 12, 31)
)
DAY_TEXTS = st.just("") | DAYS.map(str)
MOMENTS = st.just("") | st.datetimes(datetime.datetime(2, 1, 2), datetime.datetime(9998, 12, 30)).map(
    lambda found: moment(found.isoformat() + "Z")
)
WORDS = st.sampled_from(["Hot", "Cold", "hot", "Ünklar", "L1", "L2", "L3"])
TERMS = st.dictionaries(WORDS, st.sampled_from(["L1", "L2", "L3"]), min_size=1).map(Terms.first)
SETS = st.frozensets(WORDS)
LOUD = settings(max_examples=300, deadline=None)


def assert_lawful(lens: Lens, side: Any, term: Any) -> None:
    assert lens.put(lens.get(side), side) == side
    assert lens.get(lens.put(term, side)) == term
    assert lens.put(term, lens.put(term, side)) == lens.put(term, side)


@given(st.text(), st.text())
@example("  Ada \r\n Lovelace", "Ada Lovelace")
@example("A" * 17_000, "x" * 16_383 + "😀")
@LOUD
def test_text_lens_is_lawful(side, other):
    """Whatever is typed; a term is a line that fits on a card."""
    assert_lawful(ONE_LINE, side, ONE_LINE.get(other))


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_number_lens_is_lawful(side, term):
    """In canonical text."""
    assert_lawful(SAME, number(side), number(term))


@given(st.booleans(), st.booleans())
def test_checkbox_lens_is_lawful(side, term):
    """Ticked or not."""
    assert_lawful(SAME, side, term)


@given(DAY_TEXTS, MOMENTS, DAY_TEXTS, st.sampled_from(ZONES))
@example("2011-12-30", "2011-12-29T23:00:00.000Z", "2011-12-30", "Pacific/Apia")
@example("1919-03-30", "1919-03-30T04:45:00.000Z", "1919-03-30", "America/Toronto")
@LOUD
def test_lenses_of_days_are_lawful(a_day, a_moment, other, zone):
    """At both ends; a term is a day that there was in the zone."""
    airtable, trello = day_on_calendar(zone_named(zone)), day_of_moment(zone_named(zone))
    term = airtable.get(other)
    assert_lawful(airtable, a_day, term)
    assert_lawful(trello, a_moment, term)


@given(TERMS, st.data())
@LOUD
def test_choice_lens_is_lawful(terms, data):
    """Of any terms, the empty value among them or not."""
    terms = data.draw(st.sampled_from([terms, terms.with_nothing(), list_terms(terms.of)]))
    side, term = data.draw(st.sampled_from(list(terms.of))), data.draw(st.sampled_from(list(terms.back)))
    assert_lawful(choice(terms), side, term)


@given(TERMS, SETS, st.data())
@LOUD
def test_choice_lens_over_a_set_is_lawful(terms, side, data):
    """A card may have several labels of which a column takes one."""
    assert_lawful(among(terms), side, data.draw(st.sampled_from(["", *terms.back])))


@given(TERMS, SETS, st.data())
@LOUD
def test_set_lens_is_lawful(terms, side, data):
    """Elements without a term may be in the set."""
    assert_lawful(elements(terms), side, data.draw(st.frozensets(st.sampled_from(list(terms.back)))))


@given(st.dictionaries(WORDS, st.sampled_from(STAGES), max_size=6))
def test_status_map_is_a_choice(others):
    """Any lawful status map puts as it ever did, but that an empty status which counts as the list stays empty."""
    status_map = StatusMap.from_stages({f"S-{stage}": stage for stage in STAGES} | others)
    lens = choice(status_terms(status_map))
    for stage in STAGES:
        for status in status_map.stage_of:
            assert lens.put(stage, status) == status_map.put(stage, status)
            assert lens.get(status) == status_map.stage_of_cell(status)
            assert_lawful(lens, status, stage)
        assert_lawful(lens, "", stage)
    assert lens.get("") == status_map.stage_of_cell("")
    assert lens.get("unheard of") is None


@pytest.mark.parametrize(
    ("lens", "term", "side", "expected"),
    [
        pytest.param(choice(list_terms(DEFAULT_STAGE_OF)), DONE, "LOST", "LOST", id="lost-stays-lost-in-done"),
        pytest.param(choice(list_terms(DEFAULT_STAGE_OF)), DONE, "NEW", "QUALIFIED", id="done-gives-the-first"),
        pytest.param(choice(list_terms(DEFAULT_STAGE_OF)), "TODO", "", "", id="empty-status-stays-empty"),
        pytest.param(ONE_LINE, "Ada", " Ada\n", " Ada\n", id="outer-blanks-stay"),
        pytest.param(
            elements(Terms.first({"L1": "L1", "L2": "L2"})),
            frozenset({"L2"}),
            frozenset({"L1", "other"}),
            frozenset({"L2", "other"}),
            id="label-that-is-no-option-stays",
        ),
        pytest.param(
            elements(Terms.first({"A": "L1", "B": "L1"})),
            frozenset({"L1"}),
            frozenset({"B"}),
            frozenset({"B"}),
            id="second-name-of-a-label-stays",
        ),
        pytest.param(
            among(Terms.first({"L1": "L1", "L2": "L2"})),
            "L2",
            frozenset({"L1", "other"}),
            frozenset({"L2", "other"}),
            id="one-choice-replaces-another",
        ),
        pytest.param(
            among(Terms.first({"L1": "L1", "L2": "L2"})),
            "L1",
            frozenset({"L2", "L1"}),
            frozenset({"L2", "L1"}),
            id="second-choice-stays-beside-the-first",
        ),
    ],
)
def test_put_keeps_what_the_term_does_not_say(lens, term, side, expected):
    """The complement survives."""
    assert lens.put(term, side) == expected


@pytest.mark.parametrize(
    ("zone", "term", "side", "expected"),
    [
        pytest.param("Europe/Berlin", "2026-07-01", "", "2026-07-01T10:00:00.000Z", id="new-is-at-noon"),
        pytest.param("Europe/Berlin", "2026-01-01", "", "2026-01-01T11:00:00.000Z", id="new-is-at-noon-in-winter"),
        pytest.param("Europe/Berlin", "", "2026-07-01T10:00:00.000Z", "", id="cleared"),
        pytest.param(
            *("Europe/Berlin", "2026-07-02", "2026-07-01T21:30:00.000Z", "2026-07-02T21:30:00.000Z"), id="time-stays"
        ),
        pytest.param(
            *("Europe/Berlin", "2026-12-02", "2026-07-01T06:15:00.000Z", "2026-12-02T07:15:00.000Z"),
            id="local-time-stays",
        ),
        pytest.param(
            *("Europe/Berlin", "2026-03-29", "2026-03-28T01:30:00.000Z", "2026-03-29T01:30:00.000Z"),
            id="skipped-moves-on",
        ),
        pytest.param(
            *("Europe/Berlin", "2026-10-25", "2026-10-24T00:30:00.000Z", "2026-10-25T00:30:00.000Z"),
            id="twice-is-the-first",
        ),
        pytest.param(
            *("America/Toronto", "1919-03-30", "1919-03-29T04:45:00.000Z", "1919-03-30T17:00:00.000Z"),
            id="skipped-into-the-morrow-is-noon",
        ),
        pytest.param(
            *("America/New_York", "2026-07-01", "2026-07-02T03:00:00.000Z", "2026-07-02T03:00:00.000Z"), id="local-day"
        ),
    ],
)
def test_due_of_a_day(zone, term, side, expected):
    """A new one is at noon of the zone; another day keeps the time that the card had there."""
    assert day_of_moment(zone_named(zone)).put(term, side) == expected


def test_day_that_a_zone_skipped_counts_as_the_next():
    """Samoa had no 30th of December in 2011; the column keeps it."""
    lens = day_on_calendar(zone_named("Pacific/Apia"))
    assert lens.get("2011-12-30") == "2011-12-31"
    assert lens.put("2011-12-31", "2011-12-30") == "2011-12-30"


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("2026-11-26T10:00:00.999Z", "2026-11-26T10:00:00.000Z"),
        ("2026-11-26T10:00:00+02:00", "2026-11-26T08:00:00.000Z"),
        ("2026-11-26T10:00:00", "2026-11-26T10:00:00.000Z"),
    ],
)
def test_moments_are_compared_in_whole_seconds_of_utc(stated, expected):
    """Both services state them otherwise than they were given."""
    assert moment(stated) == expected


@pytest.mark.parametrize("stated", ["0001-01-01", "9999-12-31", "soon", "2026-02-30", "20 May"])
def test_day_that_is_none_is_refused(stated):
    """Nor one so far away that a zone would push it out of the calendar."""
    with pytest.raises(ValueError):  # noqa: PT011
        day(stated)
    with pytest.raises(ValueError):  # noqa: PT011
        moment(stated)


@given(SETS | st.none(), SETS, SETS)
def test_sets_merge_element_by_element(base, airtable, trello):
    """Added on either side is in, removed on either side is out, and without a base nothing is."""
    merged = merge(base, airtable, trello)
    for each in (base or frozenset()) | airtable | trello:
        sides = (each in airtable, each in trello)
        assert (each in merged) == (any(sides) if base is None or each not in base else all(sides))
    assert merged == merge(base, trello, airtable)
    assert merge(merged, merged, merged) == merged


@pytest.mark.parametrize(
    ("of", "back", "named"),
    [
        pytest.param({"A": "X"}, {"X": "B"}, "'X' gives 'B' back", id="unknown"),
        pytest.param({"A": "X", "B": "Y"}, {"X": "A", "Y": "A"}, "'Y' gives 'A' back, which is called 'X'", id="other"),
        pytest.param({"A": "X", "B": "Y"}, {"X": "A"}, "'B' is called 'Y', which gives nothing back", id="none"),
    ],
)
def test_terms_without_law_name_the_value(of, back, named):
    """What goes one way must come back."""
    with pytest.raises(ValueError, match=named):
        Terms(of, back)
