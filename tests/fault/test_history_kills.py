"""A run is killed at any of its requests: what history says and what the base says agree, and nothing is told twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.harness import Scene, World
from support.kills import is_killed
from support.mapped_scene import MappedScene
from support.past_changes import assert_agrees_with_base, changes_of, runs_of

KINDS = {"plain": Scene, "mapped": MappedScene}


def cut_off(scene: World, at: int, after: bool) -> bool:
    """A run that is killed there. Returns: False if it came to its end before."""
    return is_killed(lambda: scene.sync(exit_code=None), at, after)


def kept(scene: Scene | MappedScene) -> Counter[tuple[str, str, str, tuple[str, str]]]:
    """
    What the history says of the writes to the scene's leads, whichever run made them.

    Cells of a new lead are left out: its card's address differs, and custom fields may come with it or later.
    """
    names = {lead: what for what, lead in scene.leads.items()}
    return Counter(
        (names[change.lead_id], change.entry.field, change.entry.direction.value, tuple(change.entry.after))
        for change in changes_of(scene)
        if names[change.lead_id] != "new" or change.entry.field == "card"
    )


def uncut(folder: Path, make: Callable[[Path], Scene | MappedScene]) -> Counter[tuple[str, str, str, tuple[str, str]]]:
    """The same of runs that nobody cuts off."""
    scene = make(folder)
    scene.sync()
    scene.sync()
    scene.close()
    return kept(scene)


def scenes(tmp_path: Path, after: bool, make: Callable[[Path], Scene | MappedScene]) -> Iterator[tuple[int, World]]:
    for index in count():
        scene = make(tmp_path / f"{index}")
        struck = cut_off(scene, index, after)
        if struck:
            yield index, scene
        scene.close()
        if not struck:
            return


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        ("plain", True),
        pytest.param("plain", False, marks=pytest.mark.exhaustive),
        pytest.param("mapped", True, marks=pytest.mark.exhaustive),
        pytest.param("mapped", False, marks=pytest.mark.exhaustive),
    ],
)
def test_each_write_of_a_run_that_is_killed_is_history_once(tmp_path, kind, after):
    """Be it the run that was cut off, or the one after it, that recorded it."""
    make = KINDS[kind]
    wanted, indices = uncut(tmp_path / "uncut", make), []
    for index, scene in scenes(tmp_path, after, make):
        indices.append(index)
        assert_agrees_with_base(scene)
        for _ in range(2):
            scene.sync()
            assert_agrees_with_base(scene)
        assert kept(scene) == wanted, index
        before = len(runs_of(scene))
        scene.assert_idle()
        assert len(runs_of(scene)) == before
    assert len(indices) >= 12


@pytest.mark.exhaustive
@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(0, 3)), min_size=1, max_size=4))
def test_history_and_base_agree_after_any_kills_and_edits(tmp_path_factory, cuts):
    """Runs killed anywhere, one after the other, with people's edits on either side, or on both, between them."""
    scene = Scene(tmp_path_factory.mktemp("kills"))
    for turn, (at, after, sides) in enumerate(cuts):
        cut_off(scene, at, after)
        assert_agrees_with_base(scene)
        for what in ("staged", "titled"):  # names that nobody else gives: equal ones would agree without a write
            lead = scene.leads[what]
            if sides & 1:
                scene.airtable.edit(lead, name=f"Lead {turn}")
            if sides & 2:
                scene.trello.edit(scene.card(lead)["id"], name=f"Card {turn}")
    scene.sync()
    scene.assert_idle()
    assert_agrees_with_base(scene)
    numbers = [change.number for change in changes_of(scene)]
    assert len(numbers) == len({*numbers})
    scene.close()
