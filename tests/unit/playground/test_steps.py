"""Steps as words in an address: each reads as it was written, and what is none is a sentence."""

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.steps import MOST, OF_A_LEAD, WITH_TEXT, Do, Step, StepError, query_of, steps_of

TEXTS = st.text("aZ é☃+&=%#;\n<\u202e0").map(str.strip).filter(bool)


@st.composite
def steps(draw):
    do = draw(st.sampled_from(Do))
    return Step(do, draw(st.integers(1, 999)) if do in OF_A_LEAD else 0, draw(TEXTS) if do in WITH_TEXT else "")


@given(st.integers(0, 9), st.lists(steps(), max_size=5))
def test_address_leads_to_the_same_steps(seed, made):
    """Whatever the texts are."""
    asked = parse_qs(query_of(seed, made))
    assert asked["seed"] == [str(seed)]
    assert steps_of(asked.get("step", [])) == made


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("fly 1", "'fly 1' is no step; steps are add, name"),
        ("", "'' is no step"),
        ("move DONE", "does not say which lead"),
        ("move 0 DONE", "does not say which lead"),
        ("move ² DONE", "does not say which lead"),
        ("sync now", "says more than sync takes"),
        ("archive 1 now", "says more than archive takes"),
    ],
)
def test_what_is_no_step_is_a_sentence(written, wrong):
    with pytest.raises(StepError, match="^.*" + wrong):
        Step.of(written)


def test_address_holds_so_many_steps():
    assert len(steps_of(["sync"] * MOST)) == MOST
    with pytest.raises(StepError, match="200 steps at most"):
        steps_of(["sync"] * (MOST + 1))
