"""With every property mapped: a run is killed before or after any of its requests, then the next run starts."""

from functools import partial
from itertools import count

import pytest

from support.kills import is_killed
from support.mapped_scene import SHOWN, MappedScene


def scenes(tmp_path, after, **world):
    """For each request of a run, a scene whose run was killed there."""
    for index in count():
        scene = MappedScene(tmp_path / f"{index}", **world)
        struck = is_killed(partial(scene.sync, exit_code=None), index, after)
        if struck:
            yield index, scene
        scene.close()
        if not struck:
            return


FEED = pytest.mark.parametrize(
    "env",
    [{}, pytest.param({"AIRTABLE_CHANGE_FEED": "on"}, marks=pytest.mark.exhaustive)],
    ids=["no-feed", "feed"],
)
WHEN = pytest.mark.parametrize(
    "after", [pytest.param(False, marks=pytest.mark.exhaustive), True], ids=["before", "after"]
)


@FEED
@WHEN
def test_killed_run_is_finished_by_the_next(tmp_path, after, env):
    indices = []
    for index, scene in scenes(tmp_path, after, env=env):
        indices.append(index)
        assert scene.sync().conflicts == [], index
        scene.assert_written()
        scene.assert_alike()
        scene.assert_at_rest()
    assert len(indices) >= 12


@FEED
@WHEN
def test_later_edit_on_the_side_it_came_from_wins_and_is_no_conflict(tmp_path, after, env):
    """Of a set that side takes off what it had put on."""
    for index, scene in scenes(tmp_path, after, env=env):
        later = {each.card: each.values[0 if each.is_set or each.card == "done" else 2] for each in scene.shown}
        scene.edit_lead("edited", later)
        scene.edit_card("dragged", later)
        scene.airtable.edit(scene.leads["edited"], status="LOST")
        scene.trello.move(scene.card(scene.leads["dragged"])["id"], "TODO")
        assert scene.sync().conflicts == [], index
        scene.assert_alike()
        assert [scene.status(scene.leads[what]) for what in ("edited", "dragged")] == ["LOST", "NEW"], index
        for card, value in later.items():
            wanted = frozenset(value) if SHOWN[card].is_set else value or ""
            now = [SHOWN[card].of_lead(scene, scene.leads[what]) for what in ("edited", "dragged")]
            assert now == [wanted, wanted], (index, card)
        scene.assert_at_rest()


@FEED
@WHEN
def test_later_edit_on_the_written_side_is_in_force_or_listed(tmp_path, after, env):
    """
    Also where a person takes off again what the run that was killed had put on; in Airtable, only its feed tells of it.
    """
    for index, scene in scenes(tmp_path, after, env=env):
        made = []
        for lead, side in (("edited", "trello"), ("dragged", "airtable")):
            for shown in scene.shown:
                kept = [*shown.values[0]] if shown.is_set else None
                value = kept if shown.is_set else shown.values[0 if shown.card == "done" else 2]
                held = (shown.of_lead if side == "airtable" else shown.of_card)(scene, scene.leads[lead])
                taken_back = shown.is_set or shown.card == "done"
                if held == (frozenset(value) if shown.is_set else value or "") or (
                    taken_back and side == "airtable" and not env
                ):
                    continue
                (scene.edit_lead if side == "airtable" else scene.edit_card)(lead, {shown.card: value})
                made.append((lead, shown, frozenset(value) if shown.is_set else value or ""))
        conflicts = scene.sync().conflicts
        scene.assert_alike()
        for lead, shown, value in made:
            listed = any((row["lead_id"], row["field"]) == (scene.leads[lead], shown.card) for row in conflicts)
            assert shown.of_lead(scene, scene.leads[lead]) == value or listed, (index, lead, shown.card)
        scene.assert_at_rest()
