"""A run is killed just before or just after any of its requests; then a person edits, and the next run starts."""

from itertools import count

import pytest

from support.harness import STAGE_OF, Scene, findings
from support.kills import is_killed


def cut_off(scene: Scene, at: int, after: bool, **settings: str) -> bool:
    """A run that is killed. Returns: False if it came to its end before that request."""
    return is_killed(lambda: scene.sync(exit_code=None, **settings), at, after)


def scenes(tmp_path, after, **settings):
    """For each request of a run, a scene whose run was killed there."""
    for index in count():
        scene = Scene(tmp_path / f"{index}")
        struck = cut_off(scene, index, after, **settings)
        if struck:
            yield index, scene
        scene.close()
        if not struck:
            return


WHEN = pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
RATHER_AFTER = pytest.mark.parametrize(
    "after", [pytest.param(False, marks=pytest.mark.exhaustive), True], ids=["before", "after"]
)


@pytest.mark.exhaustive
@WHEN
def test_killed_run_is_finished_by_the_next(tmp_path, after):
    indices = []
    for index, scene in scenes(tmp_path, after):
        indices.append(index)
        assert scene.sync().conflicts == []
        scene.assert_done()
    assert len(indices) >= 12


@WHEN
@pytest.mark.parametrize("policy", ["airtable", pytest.param("trello", marks=pytest.mark.exhaustive)])
def test_later_edit_on_the_side_it_came_from_wins_and_is_no_conflict(tmp_path, after, policy):
    for index, scene in scenes(tmp_path, after, SYNC_CONFLICT=policy):
        leads = scene.leads
        scene.airtable.edit(leads["staged"], status="LOST")
        scene.airtable.edit(leads["named"], name="Named twice")
        scene.airtable.edit(leads["mailed"], email="newest@example.com")
        scene.trello.move(scene.card(leads["dragged"])["id"], "IN_PROGRESS")
        scene.trello.edit(scene.card(leads["titled"])["id"], name="Titled twice")
        scene.airtable.edit(leads["new"], status="NEW", name="New twice")
        report = scene.sync(SYNC_CONFLICT=policy)
        assert report.conflicts == [], index
        scene.assert_one_card_each()
        scene.assert_equal()
        assert [scene.status(leads[what]) for what in ("staged", "dragged", "new")] == ["LOST", "CONTACTED", "NEW"]
        names = [scene.cells(leads[what])["name"] for what in ("named", "titled", "new")]
        assert names == ["Named twice", "Titled twice", "New twice"]
        assert "newest@example.com" in scene.card(leads["mailed"])["desc"]
        scene.assert_idle(SYNC_CONFLICT=policy)


@RATHER_AFTER
def test_edit_taken_back_after_a_kill_is_in_force(tmp_path, after):
    """The lead says again what the base says; only the journal knows that the card moved because of the sync."""
    for index, scene in scenes(tmp_path, after):
        leads = scene.leads
        scene.airtable.edit(leads["staged"], status="NEW")
        scene.airtable.edit(leads["named"], name="named")
        scene.trello.move(scene.card(leads["dragged"])["id"], "TODO")
        scene.trello.edit(scene.card(leads["titled"])["id"], name="titled")
        assert scene.sync().conflicts == [], index
        scene.assert_equal()
        assert [scene.status(leads[what]) for what in ("staged", "dragged")] == ["NEW", "NEW"], index
        assert [scene.cells(leads[what])["name"] for what in ("named", "titled")] == ["named", "titled"], index
        scene.assert_idle()


@RATHER_AFTER
def test_later_edit_on_the_written_side_is_in_force_or_listed(tmp_path, after):
    for index, scene in scenes(tmp_path, after):
        leads = scene.leads
        scene.trello.move(scene.card(leads["staged"])["id"], "DONE")
        scene.trello.edit(scene.card(leads["named"])["id"], name="Mine")
        scene.airtable.edit(leads["dragged"], status="CONTACTED")
        scene.airtable.edit(leads["titled"], name="Mine")
        conflicts = scene.sync().conflicts
        scene.assert_equal()
        edits = {"staged": "DONE", "named": "Mine", "dragged": "CONTACTED", "titled": "Mine"}
        for what, value in edits.items():
            cells = scene.cells(leads[what])
            in_force = value in (cells["name"], cells["status"], STAGE_OF[cells["status"]])
            assert in_force or any(value in found for found in findings(conflicts, leads[what])), (index, what)
        scene.assert_idle()


@pytest.mark.exhaustive
@WHEN
def test_card_deleted_or_archived_after_a_kill_is_not_doubled(tmp_path, after):
    for index, scene in scenes(tmp_path, after):
        leads = scene.leads
        for what, act in (
            ("new", scene.trello.archive),
            ("lost", scene.trello.delete),
            ("mailed", scene.trello.archive),
        ):
            for card in scene.cards_of(leads[what]):
                act(card["id"])
        scene.sync()
        assert all(len(scene.cards_of(lead)) <= 1 for lead in leads.values()), index
        assert scene.card(leads["mailed"])["closed"]
        scene.assert_idle()


@WHEN
def test_lead_deleted_and_cards_archiving_killed(tmp_path, after):
    """Cut off after the card was archived, the next run still knows that it was the sync that did it."""
    for index in count():
        scene = Scene(tmp_path / f"{index}")
        scene.sync()
        lead = scene.leads["staged"]
        scene.airtable.delete(lead)
        struck = cut_off(scene, index, after)
        scene.airtable.restore(lead)
        scene.sync()
        assert (scene.card(lead)["closed"], scene.place(lead)) == (False, "IN_PROGRESS"), index
        scene.assert_idle()
        scene.close()
        if not struck:
            break


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", range(3, 12))
@WHEN
def test_run_killed_twice_is_finished_by_the_third(tmp_path, after, first):
    for second in count():
        scene = Scene(tmp_path / f"{second}")
        assert cut_off(scene, first, after=True)
        scene.airtable.edit(scene.leads["staged"], status="LOST")
        scene.airtable.edit(scene.leads["named"], name="Named twice")
        struck = cut_off(scene, second, after)
        scene.airtable.edit(scene.leads["staged"], status="CONTACTED")
        scene.airtable.edit(scene.leads["named"], name="Named")
        assert scene.sync().conflicts == [], second
        scene.assert_done()
        scene.close()
        if not struck:
            break
