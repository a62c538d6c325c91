"""
The wire gone wild: at any request, once or from there on, an answer that is cut, never ends, or says something else.

However that ends the run, it is soon, with a sentence, the lock is free; one clean run later every edit is in force.
"""

from __future__ import annotations

import time
from itertools import count

import pytest

from support.harness import Scene
from support.wild_wire import KINDS, Spoil, Wild, of_another_type

SOON = 90.0
"""Seconds in which the busiest machine comes to the end of a run; without deadlines it would never."""
SPOILS = 12
"""Made-up answers of another type for each request."""


class WildScene(Wild, Scene):
    """A scene, wild once it is set."""


def disturbed(folder, spoil: Spoil, first: int, times: int, seed: int = 0) -> bool:
    """One run with spoilt answers, and what must hold after it. Returns: whether there was such a request."""
    scene = WildScene(folder)
    scene.go_wild(spoil, first, times, seed)
    began = time.monotonic()
    report = scene.sync(exit_code=None)
    took = time.monotonic() - began
    struck = scene.came > first
    scene.active = False
    assert took < SOON, first
    assert report.message, first
    assert "Traceback" not in report.as_json()
    assert report.exit_code == 0 or report.failures or report.error, (first, report.message)
    scene.sync()
    scene.assert_done()
    scene.close()
    return struck


def at_every_request(tmp_path, spoil: Spoil, first: int, step: int, times: int, seeds: int = 1) -> None:
    for index in count(first, step):
        struck = [disturbed(tmp_path / f"{index}-{seed}", spoil, index, times, seed) for seed in range(seeds)]
        if not any(struck):
            assert index > 12
            return


@pytest.mark.parametrize(
    ("kind", "first", "step"),
    [
        *((kind, number % 11, 17) for number, kind in enumerate(KINDS)),
        *(pytest.param(kind, 0, 1, marks=pytest.mark.exhaustive) for kind in KINDS),
    ],
)
@pytest.mark.parametrize("times", [1, 10_000], ids=["once", "from-there-on"])
def test_spoilt_answer_at_any_request_loses_nothing(tmp_path, kind, first, step, times):
    at_every_request(tmp_path, KINDS[kind], first, step, times)


@pytest.mark.parametrize(
    ("step", "seeds"), [(3, 2), pytest.param(1, SPOILS, marks=pytest.mark.exhaustive)], ids=["some", "all"]
)
def test_value_of_another_type_at_any_request_loses_nothing(tmp_path, step, seeds):
    at_every_request(tmp_path, of_another_type, 0, step, 1, seeds)
