"""A run with all kinds of changes is undone, the undo killed at any of its requests: the next run finishes it."""

from __future__ import annotations

from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from leadsync.pipeline.steps import UndoChoice
from support.harness import World
from support.kills import is_killed, killed_after
from support.past_changes import assert_agrees_with_base, runs_of, seen

KINDS = {  # what happens before the run that is undone -> the lead's status before
    "staged": "NEW",
    "lost": "LOST",
    "named": "NEW",
    "mailed": "NEW",
    "dragged": "CONTACTED",
    "revived": "LOST",
    "titled": "NEW",
    "ticked": "NEW",
    "torn": "NEW",
    "deleted": "NEW",
    "shut": "QUALIFIED",
    "still": "CONTACTED",
}


class Mixed(World):
    """
    A world in which a run has just made a change of each kind, to `many` leads of each. Requests have a fixed order.

    `before`, `after`: what people saw before and after it. `run`: its id.
    """

    def __init__(self, folder: Path, many: int = 1, **world: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, ordered=many == 1, **world)
        self.leads = {
            (what, number): self.lead(f"{what} {number}", status, email=f"{what}.{number}@example.com")
            for number in range(many)
            for what, status in KINDS.items()
        }
        self.sync()
        self.each("shut", lambda lead, card: self.trello.archive(card))
        self.sync()
        self.each("staged", lambda lead, card: self.airtable.edit(lead, status="CONTACTED"))
        self.each("lost", lambda lead, card: self.airtable.edit(lead, status="CONTACTED"))
        self.each("named", lambda lead, card: self.airtable.edit(lead, name="Named"))
        self.each("mailed", lambda lead, card: self.airtable.edit(lead, email="new@example.com"))
        self.each("dragged", lambda lead, card: self.trello.move(card, "DONE"))
        self.each("revived", lambda lead, card: self.trello.move(card, "TODO"))
        self.each("titled", lambda lead, card: self.trello.edit(card, name="Titled"))
        self.each("ticked", lambda lead, card: self.trello.edit(card, dueComplete=True))
        self.each("torn", lambda lead, card: self.airtable.edit(lead, status="LOST", name="Of the lead"))
        self.each("torn", lambda lead, card: self.trello.move(card, "IN_PROGRESS"))
        self.each("torn", lambda lead, card: self.trello.edit(card, name="Of the card"))
        self.each("deleted", lambda lead, card: self.airtable.delete(lead))
        self.each("shut", lambda lead, card: self.airtable.edit(lead, status="CONTACTED"))
        for number in range(many):
            self.leads["new", number] = self.lead(f"new {number}", "CONTACTED")
            met = self.leads["met", number] = self.lead(f"met {number}", "CONTACTED")
            self.trello.add_card("DONE", f"Met {number}", f"Mine.\n\nLeadID: {met}")
        self.own = {what: self.held(what) for what in ("torn", "met")}
        self.sync(allow_mass_change=True)
        self.after, self.run = seen(self), runs_of(self)[0].run_id

    def each(self, what: str, act: Any) -> None:
        for (kind, _), lead in self.leads.items():
            if kind == what:
                act(lead, self.card(lead)["id"])

    def held(self, what: str) -> list[tuple[Any, ...]]:
        """Both sides of the leads of a kind: status, list, name, title."""
        leads = [lead for (kind, _), lead in self.leads.items() if kind == what]
        return [
            (self.status(lead), self.place(lead), self.cells(lead)["name"], self.card(lead)["name"]) for lead in leads
        ]

    def undo(self, run: str = "", **more: Any) -> Any:
        return self.sync(asked={"undo": UndoChoice(run or self.run)}, allow_mass_change=True, **more)

    def assert_undone(self) -> None:
        """Mapped cells are as before, created cards archived, archived ones open; both sides of a conflict held."""
        for (kind, number), lead in self.leads.items():
            if kind in ("torn", "met", "deleted"):
                continue
            status = KINDS.get(kind, "CONTACTED")
            stage = {"NEW": "TODO", "CONTACTED": "IN_PROGRESS"}.get(status, "DONE")
            name = f"{kind} {number}"
            cells, card = self.cells(lead), self.card(lead)
            assert (cells["status"], cells["name"]) == (status, name)
            assert (self.place(lead), card["name"]) == (stage, name)
            assert card["closed"] is (kind in ("new", "shut")), kind
            if kind != "new":
                assert cells["email"] == f"{kind}.{number}@example.com"
                assert cells["email"] in card["desc"]
        assert {what: self.held(what) for what in self.own} == self.own
        assert not any(self.card(lead)["closed"] for (kind, _), lead in self.leads.items() if kind == "deleted")


def assert_rests(world: Mixed) -> None:
    for _ in range(2):
        world.assert_idle()


def test_undo_that_many_cards_were_allowed_for_is_finished_without_being_asked_again(world):
    """Else no run would do anything until somebody noticed."""
    for number in range(12):
        world.lead(f"Lead {number}", "NEW")
    world.sync()
    with killed_after("PUT", "/cards/"):
        world.sync(asked={"undo": UndoChoice(runs_of(world)[0].run_id)}, allow_mass_change=True)
    world.sync()
    assert all(card["closed"] for card in world.trello.cards().values())
    assert_rests(world)


@pytest.mark.exhaustive
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("then", ["sync", "undo"])
def test_undo_that_is_killed_is_finished_by_the_next_run(tmp_path, after, then):
    for index in count():
        world = Mixed(tmp_path / f"{index}")
        struck = is_killed(partial(world.undo, exit_code=None), index, after)
        assert_agrees_with_base(world)
        if then == "undo":
            world.undo()
        else:
            world.sync(allow_mass_change=True)
            if index < 4:  # nothing had been written, nor begun
                world.undo()
        world.assert_undone()
        assert_rests(world)
        assert_agrees_with_base(world)
        world.close()
        if not struck:
            break
    assert index >= 20


def test_undo_of_all_kinds_of_changes_and_back(tmp_path):
    world = Mixed(tmp_path)
    report = world.undo()
    assert report.quarantine == []
    world.assert_undone()
    assert_rests(world)
    assert_agrees_with_base(world)
    world.undo(runs_of(world)[0].run_id)
    assert seen(world) == world.after
    assert_rests(world)
    world.close()


@pytest.mark.exhaustive
def test_undo_of_a_thousand_leads_and_back(tmp_path):
    world = Mixed(tmp_path, many=72)
    assert len(world.leads) >= 1_000
    assert world.undo().quarantine == []
    world.assert_undone()
    assert_rests(world)
    world.undo(runs_of(world)[0].run_id)
    assert seen(world) == world.after
    assert_rests(world)
    world.close()


class Adopted(World):
    """Two leads, of which a run has adopted the cards. `first`: what there was before it; `run`: its id."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        super().__init__(folder, ordered=True)
        for name in ("Ada", "Bob"):
            self.lead(name, "CONTACTED", email=f"{name}@example.com", source="web")
            self.trello.add_card("DONE", f"{name.lower()}", f"Of {name}@example.com.")
        self.first = seen(self)
        self.sync(adopt="email")
        self.after, self.run = seen(self), runs_of(self)[0].run_id

    def undo(self, **more: Any) -> Any:
        return self.sync(asked={"undo": UndoChoice(self.run)}, **more)


@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.exhaustive), True], ids=["before", "after"])
@pytest.mark.parametrize("again", [False, True], ids=["undo", "undo-of-undo"])
def test_undo_of_an_adoption_that_is_killed_is_finished_by_the_next_run(tmp_path, after, again):
    """Either way all of it, also in the history: the next undo goes back from there."""
    for index in count():
        world = Adopted(tmp_path / f"{index}")
        wanted, former = world.first, world.after
        if again:
            world.undo()
            world.run, wanted, former = runs_of(world)[0].run_id, former, wanted
        struck = is_killed(partial(world.undo, exit_code=None), index, after)
        assert_agrees_with_base(world)
        world.sync()
        if seen(world) == former:  # nothing had been written, nor begun
            world.undo()
        assert seen(world) == wanted, index
        for _ in range(2):
            world.assert_idle()
        assert_agrees_with_base(world)
        world.run = runs_of(world)[0].run_id
        world.undo()
        assert seen(world) == former, index
        world.assert_idle()
        world.close()
        if not struck:
            break
    assert index >= 6
