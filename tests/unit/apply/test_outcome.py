"""What came of a pass: both sides in one, in words, and writers that an interruption does not keep waiting."""

import threading
import time

import pytest

from leadsync.apply.outcome import Outcome, as_told, not_tried, writers
from leadsync.core.told import Failure
from leadsync.errors import DeadTokenError, TransientServiceError

DEAD = DeadTokenError("Trello", "TRELLO_API_TOKEN", "invalid token")


def test_outcome_takes_in_the_other_side():
    """Nothing that failed, waits or was refused over there is forgotten."""
    other = Outcome(
        failures=[Failure("rec1", "card1", "x", "y")],
        postponed=["rec2"],
        refused_cells={"rec3": {"name"}},
        forbidden={"rec4"},
        unclear={("trello", "rec5")},
        dead=DEAD,
        notes=[{"note": "z"}],
    )
    both = Outcome()
    both.add(other)
    assert both == other
    both.add(Outcome(postponed=["rec6"]))
    assert (both.postponed, both.dead) == (["rec2", "rec6"], DEAD)


def test_failure_is_told_with_its_remedy():
    """A dead token has one of its own; what is over by itself is left to the next run."""
    assert as_told(DEAD) == (DEAD.reason, DEAD.remedy)
    assert as_told(TransientServiceError("x")) == ("x", "The next run finishes it.")
    assert not_tried(DEAD) == "not tried: Trello no longer accepts TRELLO_API_TOKEN"


def test_interrupted_writers_wait_for_no_answer():
    """The write that waits for its answer goes on, those behind it are not begun."""
    answer, began, sent = threading.Event(), time.monotonic(), []

    def write_and_be_interrupted():
        with writers(1, "trello") as pool:
            sent.extend(pool.submit(answer.wait, 30) for _ in range(2))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_be_interrupted()
    assert sent[1].cancelled()
    assert time.monotonic() - began < 20
    answer.set()
