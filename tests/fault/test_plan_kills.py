"""A run that applies a saved plan is killed: the plan is spent with what it journals, or not at all."""

from itertools import count

import pytest

from leadsync.core.saved_plan import SavedPlan
from support.harness import Scene
from support.kills import is_killed


def killed_at(scene: Scene, plan: SavedPlan, at: int, after: bool) -> bool:
    """Returns: False if the run came to its end before that request."""
    return is_killed(lambda: scene.sync(asked={"plan": plan}), at, after)


@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.exhaustive), True], ids=["before", "after"])
def test_plan_cut_off_is_spent_exactly_if_something_was_written(tmp_path, after):
    """Whoever applies it again does nothing twice, and the next sync brings what is left."""
    again = []
    for index in count():
        scene = Scene(tmp_path / f"{index}")
        plan = scene.sync(dry_run=True, asked={"saves": True}).plan
        if not killed_at(scene, plan, index, after):
            scene.close()
            break
        wrote = scene.writes()
        report = scene.sync(exit_code=None, asked={"plan": plan})
        again.append(int(report.exit_code))
        if wrote:
            assert (int(report.exit_code), scene.writes()) == (3, 0), index
            assert "applied already" in report.message
        scene.sync()
        scene.assert_done()
        scene.close()
    assert {0, 3} == {*again}
