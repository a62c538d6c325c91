"""The lens between statuses and stages: its laws, and which maps have none."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadsync.model import DEFAULT_STAGE_OF, DONE, IN_PROGRESS, STAGES, TODO, StatusMap
from support.rows import STATUS_MAP

LISTS = st.lists(
    st.sampled_from([*STAGES, "Won", "Lost", "Später", "6489a1b2c3d4e5f6a7b8c9d0"]), min_size=1, unique=True
)
EXTRA = st.sampled_from(["Won", "Lost", "Hot", "Cold", "Ünklar"])


@st.composite
def lenses(draw):
    """Any lawful map: any lists, each with a status of its own, any number of others besides, in any order."""
    lists = draw(LISTS)
    stage_of = {f"S-{stage}": stage for stage in lists} | draw(st.dictionaries(EXTRA, st.sampled_from(lists)))
    return StatusMap.from_stages(dict(draw(st.permutations(list(stage_of.items())))))


def assert_lens_laws(lens):
    for stage, status in itertools.product(lens.stages, lens.stage_of):
        put = lens.put(stage, status)
        assert lens.stage_of[put] == stage
        assert lens.put(lens.stage_of[status], status) == status
        for other in lens.stages:
            assert lens.stage_of[lens.put(other, put)] == other
        assert lens.put(stage, put) == put


def test_lens_laws_hold_for_the_default_map():
    """put-get, get-put, and putting the same stage twice changes nothing more."""
    assert_lens_laws(STATUS_MAP)


@given(lenses())
@settings(max_examples=60, deadline=None)
def test_lens_laws_hold_for_any_lawful_map(lens):
    """The laws do not depend on the statuses' names, number or order."""
    assert_lens_laws(lens)
    assert {lens.put(stage, "unheard of") for stage in lens.stages} == set(lens.status_for.values())
    assert lens.stage_of_cell("") == (TODO if TODO in lens.stages else lens.stages[0])


@pytest.mark.parametrize(
    ("stage", "status", "expected"),
    [
        pytest.param(DONE, "LOST", "LOST", id="lost-stays-lost"),
        pytest.param(DONE, "NEW", "QUALIFIED", id="done-gives-qualified"),
        pytest.param(IN_PROGRESS, "LOST", "CONTACTED", id="lost-card-dragged-back"),
        pytest.param(TODO, "QUALIFIED", "NEW", id="restarted"),
        pytest.param(TODO, "", "NEW", id="empty-status"),
    ],
)
def test_put_by_stage_and_status(stage, status, expected):
    """A lead keeps its status if that already maps to the card's list."""
    assert STATUS_MAP.put(stage, status) == expected


def test_empty_status_means_the_first_one():
    """An empty status counts as NEW."""
    assert STATUS_MAP.empty_means == "NEW"


@pytest.mark.parametrize(
    ("stage_of", "stages", "first"),
    [
        pytest.param(DEFAULT_STAGE_OF, STAGES, "NEW", id="default"),
        pytest.param({"NEW": TODO}, (TODO,), "NEW", id="one-list"),
        pytest.param({"Hot": "Deals", "Cold": "Deals", "Lost": "Lost"}, ("Deals", "Lost"), "Hot", id="no-todo"),
        pytest.param({"Hot": "Deals", "Idea": TODO}, ("Deals", TODO), "Idea", id="todo-is-not-first"),
        pytest.param({"Hot": " Deals ", "Cold": "Deals"}, ("Deals",), "Hot", id="blanks-around-a-list"),
    ],
)
def test_map_of_any_lists(stage_of, stages, first):
    """They are in the map's order; an empty status counts as that of TODO, or else of the first."""
    lens = StatusMap.from_stages(stage_of)
    assert (lens.stages, lens.empty_means) == (stages, first)


@pytest.mark.parametrize(
    ("stage_of", "named"),
    [
        pytest.param({}, "TODO", id="empty-map"),
        pytest.param(DEFAULT_STAGE_OF | {"WON": 7}, "'WON' is mapped to 7", id="list-that-is-no-text"),
        pytest.param(DEFAULT_STAGE_OF | {"WON": ""}, "'WON'", id="status-without-list"),
        pytest.param(DEFAULT_STAGE_OF | {"": TODO}, "''", id="empty-status"),
        pytest.param(DEFAULT_STAGE_OF | {"  ": TODO}, "''", id="blank-status"),
        pytest.param(DEFAULT_STAGE_OF | {" LOST": DONE}, "'LOST' and ' LOST'", id="same-but-for-blanks"),
    ],
)
def test_map_without_law_names_the_value(stage_of, named):
    """A map that is no lens is refused with the value that breaks the law."""
    with pytest.raises(ValueError, match=named.replace("(", r"\(")):
        StatusMap.from_stages(stage_of)


def test_blanks_around_a_status_mean_nothing():
    """They may have been copied from an option that has them."""
    lens = StatusMap.from_stages({" NEW": TODO, "CONTACTED ": IN_PROGRESS, "QUALIFIED": DONE, "LOST\t": DONE})
    assert lens == STATUS_MAP


@pytest.mark.parametrize(
    ("status_for", "named"),
    [
        pytest.param({TODO: "NEW", IN_PROGRESS: "NEW", DONE: "LOST"}, "IN_PROGRESS gives 'NEW'", id="not-inverse"),
        pytest.param({TODO: "NEW", IN_PROGRESS: "CONTACTED", DONE: "WON"}, "DONE gives 'WON'", id="unknown-reverse"),
        pytest.param({TODO: "NEW", DONE: "LOST"}, "IN_PROGRESS", id="no-reverse"),
    ],
)
def test_reverse_map_without_law_names_the_value(status_for, named):
    """stage_of(status_for(stage)) must be the stage."""
    with pytest.raises(ValueError, match=named):
        StatusMap(dict(DEFAULT_STAGE_OF), status_for)
