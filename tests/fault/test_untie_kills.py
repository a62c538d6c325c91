"""The untying of copies is killed at each of its requests: what was untied is history, once, and the rest is listed."""

from __future__ import annotations

from itertools import count

import pytest

from support.harness import World
from support.kills import is_killed
from support.past_changes import changes_of

TEXT = "Call back on Monday"


class Copied(World):
    """A lead whose card was copied twice, and edited by its lead's people since."""

    def __init__(self, folder):
        folder.mkdir()
        super().__init__(folder, ordered=True)
        self.lead_id = self.linked("Ada", "NEW", email="ada@example.com")
        self.original = self.card(self.lead_id)
        self.trello.edit(self.original["id"], desc=f"{TEXT}\n\n{self.original['desc']}")
        self.copies = [self.trello.copy(self.original["id"]) for _ in range(2)]
        self.sync()
        self.original = self.trello.card(self.original["id"])

    def untie(self):
        return self.sync(asked={"untie": self.lead_id}, exit_code=None)

    @property
    def left(self):
        """Copies that carry the line."""
        return [each for each in self.copies if self.lead_id in self.trello.card(each)["desc"]]

    @property
    def told(self):
        """Those of which the history says that they were untied."""
        return sorted(change.card_id for change in changes_of(self) if change.entry.rule.value == "untied")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("then", ["sync", "untie"])
def test_untying_that_is_killed_is_told_once_and_can_be_finished(tmp_path, after, then):
    """What was edited of the lead itself when it was cut off is synced, and no conflict."""
    for index in count():
        world = Copied(tmp_path / f"{index}")
        struck = is_killed(world.untie, index, after)
        world.airtable.edit(world.lead_id, status="CONTACTED")
        left = world.left
        if then == "untie" and left:
            assert world.untie().exit_code == 0
            left = []
        report = world.sync()
        assert ([row["card_id"] for row in report.quarantine], report.conflicts) == (left, [])
        assert world.left == left
        assert world.told == sorted({*world.copies} - {*left}), index
        if left:
            world.untie()
        assert (world.left, world.told) == ([], sorted(world.copies))
        assert all(world.trello.card(each)["desc"].strip() == TEXT for each in world.copies)
        assert world.card(world.lead_id)["desc"] == world.original["desc"]
        world.emulator.clock.advance(120)
        world.sync()
        world.assert_idle()
        assert len(world.told) == 2
        world.close()
        if not struck:
            break
    assert index >= 5
