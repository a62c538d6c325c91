"""A person edits what a run is about to write, just before any of its requests: the edit wins or is listed."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import pytest
from harness import STAGE_OF, Scene, findings

from emulator import Fault

MINE = "My own note."


@dataclass(frozen=True)
class Edit:
    """`lead` of the scene gets `value` in a cell: a list or a title on Trello, a status or a name on Airtable."""

    lead: str
    side: str
    cell: str
    value: str

    def make(self, scene: Scene) -> None:
        lead = scene.leads[self.lead]
        if self.side == "airtable":
            scene.airtable.edit(lead, **{self.cell: self.value})
        elif self.cell == "status":
            scene.trello.move(scene.card(lead)["id"], self.value)
        else:
            scene.trello.edit(scene.card(lead)["id"], name=self.value)

    def in_force(self, scene: Scene) -> bool:
        lead = scene.leads[self.lead]
        both = (scene.cells(lead)["name"], scene.card(lead)["name"])
        if self.cell == "name":
            return both == (self.value, self.value)
        stage = STAGE_OF[self.value] if self.side == "airtable" else self.value
        shown = scene.status(lead) if self.side == "airtable" else STAGE_OF[scene.status(lead)]
        return (shown, scene.place(lead)) == (self.value, stage)

    def listed(self, scene: Scene, conflicts: list[dict[str, str]]) -> bool:
        return any(self.value in found for found in findings(conflicts, scene.leads[self.lead]))


AGAINST = [
    Edit("staged", "trello", "status", "DONE"),
    Edit("named", "trello", "name", "Mine"),
    Edit("dragged", "airtable", "status", "LOST"),
    Edit("titled", "airtable", "name", "Mine"),
]
ONCE_MORE = [
    Edit("staged", "airtable", "status", "LOST"),
    Edit("named", "airtable", "name", "Mine"),
    Edit("dragged", "trello", "status", "IN_PROGRESS"),
    Edit("titled", "trello", "name", "Mine"),
    Edit("new", "airtable", "status", "LOST"),
    Edit("lost", "airtable", "name", "Mine"),
]
ACROSS = [
    Edit("staged", "trello", "name", "Mine"),
    Edit("named", "trello", "status", "DONE"),
    Edit("mailed", "trello", "status", "DONE"),
    Edit("dragged", "airtable", "name", "Mine"),
    Edit("titled", "airtable", "status", "LOST"),
]
ALIKE = [
    Edit("staged", "trello", "status", "IN_PROGRESS"),
    Edit("named", "trello", "name", "Named"),
    Edit("dragged", "airtable", "status", "QUALIFIED"),
    Edit("titled", "airtable", "name", "Titled"),
]


def scenes(tmp_path, act: Callable[[Scene], None], whole: bool = True, world=None, **settings):
    """
    For each request of a run, a scene in which `act` took place just before it, brought to rest by two more runs.

    whole: each lead must have its card in the end. world: keywords of the scene. Yields: the request's method, the
    scene, and all conflicts that were listed.
    """
    for index in count():
        scene, methods = Scene(tmp_path / str(index), **(world or {})), []

        def before(request, at, scene=scene, methods=methods, index=index):
            if at == index and not methods:
                methods.append(request.method)
                act(scene)

        scene.emulator.before_request(before)
        conflicts = [row for _ in range(3) for row in scene.sync(exit_code=None, **settings).conflicts]
        if methods:
            if whole:
                scene.assert_one_card_each()
            scene.assert_idle(**settings)
            yield methods[0], scene, conflicts
        scene.close()
        if not methods:
            return


def lost_edits(tmp_path, edits, **settings):
    """Each edit that was neither in force nor listed at rest, with the method of the request it came before."""
    lost = []
    for method, scene, conflicts in scenes(tmp_path, lambda scene: [edit.make(scene) for edit in edits], **settings):
        lost += [(method, edit) for edit in edits if not (edit.in_force(scene) or edit.listed(scene, conflicts))]
    return lost


@pytest.mark.parametrize("policy", [pytest.param("airtable", marks=pytest.mark.exhaustive), "trello"])
def test_edit_against_a_write_is_lost_only_between_re_read_and_patch(tmp_path, policy):
    """The one window that stays open without the change feed: Airtable has no conditional writes."""
    lost = lost_edits(tmp_path, AGAINST, SYNC_CONFLICT=policy)
    assert lost == [("PATCH", edit) for edit in AGAINST if edit.side == "airtable"]


FEED = {"AIRTABLE_CHANGE_FEED": "on"}
SILENT = {"airtable_previous_of_api_writes": False}
REST = ("airtable", "hold")
FEEDS = [
    pytest.param({"env": FEED}, id="told"),
    pytest.param(
        {"env": FEED, "airtable_previous_of_api_writes": False},
        id="without-former-values",
        marks=pytest.mark.exhaustive,
    ),
    pytest.param({"env": FEED, "airtable_payload_records": 1}, id="split", marks=pytest.mark.exhaustive),
]


@pytest.mark.parametrize("world", FEEDS)
@pytest.mark.parametrize("read", ["delta", pytest.param("full", marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("policy", ["trello", *(pytest.param(each, marks=pytest.mark.exhaustive) for each in REST)])
def test_edit_against_a_write_is_never_lost_with_the_change_feed(tmp_path, world, read, policy):
    """Before every request of a busy run, on both sides: in force at rest, or listed."""
    assert lost_edits(tmp_path, AGAINST, world=world, read=read, SYNC_CONFLICT=policy) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("read", ["delta", "full"])
@pytest.mark.parametrize("edits", [ONCE_MORE + ACROSS, ALIKE], ids=["elsewhere", "alike"])
def test_edit_that_no_write_meets_is_never_lost_with_the_change_feed(tmp_path, edits, read):
    assert lost_edits(tmp_path, edits, world={"env": FEED}, read=read) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("policy", ["airtable", "trello", "hold"])
@pytest.mark.parametrize(
    "edit", [*AGAINST, *ONCE_MORE, *ACROSS], ids=lambda edit: f"{edit.lead}-{edit.side}-{edit.cell}"
)
def test_single_edit_is_never_lost_with_the_change_feed(tmp_path, edit, policy):
    assert lost_edits(tmp_path, [edit], world={"env": FEED}, read="delta", SYNC_CONFLICT=policy) == []


def test_edit_of_what_is_not_written_over_is_never_lost(tmp_path):
    assert lost_edits(tmp_path, [*ONCE_MORE, *ACROSS]) == []


@pytest.mark.exhaustive
def test_edit_that_says_the_same_is_never_lost(tmp_path):
    assert lost_edits(tmp_path, ALIKE) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("policy", ["airtable", "trello", "hold"])
@pytest.mark.parametrize(
    "edit", [*AGAINST, *ONCE_MORE, *ACROSS], ids=lambda edit: f"{edit.lead}-{edit.side}-{edit.cell}"
)
def test_single_edit_is_lost_only_between_re_read_and_patch(tmp_path, edit, policy):
    lost = lost_edits(tmp_path, [edit], SYNC_CONFLICT=policy)
    assert lost == [("PATCH", edit)] * (edit in AGAINST and edit.side == "airtable")


def test_note_written_into_a_description_is_never_lost(tmp_path):
    """Not even while the e-mail that the sync was about to show changes once more."""
    noted = ("mailed", "staged", "named")

    def act(scene):
        for what in noted:
            card = scene.card(scene.leads[what])
            scene.trello.edit(card["id"], desc=f"{MINE}\n\n{card['desc']}")
        scene.airtable.edit(scene.leads["mailed"], email="newest@example.com", source="fair")

    for _, scene, _ in scenes(tmp_path, act):
        for what in noted:
            assert scene.card(scene.leads[what])["desc"].startswith(f"{MINE}\n\n{scene.NOTE}")
        assert {"newest@example.com", "fair"} <= set(scene.card(scene.leads["mailed"])["desc"].split())


def test_note_written_before_the_re_read_is_in_the_very_next_write(tmp_path):
    """It need not be repaired, and stands even if the feed cannot be read."""
    scene = Scene(tmp_path)
    scene.emulator.inject(Fault("status", path="/actions", status=500, times=99))
    card, sent = scene.card(scene.leads["mailed"])["id"], []

    def write_note(request, index):
        if request.path == f"/1/cards/{card}":
            if request.method == "GET" and not sent:
                scene.trello.edit(card, desc=f"{MINE}\n\n{scene.trello.card(card)['desc']}")
            sent.append(request)

    scene.emulator.before_request(write_note)
    scene.sync(exit_code=None)
    assert [request.method for request in sent] == ["GET", "PUT"]
    assert sent[1].body["desc"].startswith(f"{MINE}\n\n{scene.NOTE}")
    scene.close()


@pytest.mark.parametrize("gone", [pytest.param("archive", marks=pytest.mark.exhaustive), "delete"])
def test_card_that_goes_while_it_is_written_stays_gone(tmp_path, gone):
    """Name and e-mail of its lead are new; no edit of the status asks for the card to come back."""
    struck = ("named", "mailed")

    def act(scene):
        for what in struck:
            getattr(scene.trello, gone)(scene.card(scene.leads[what])["id"])

    for _, scene, _ in scenes(tmp_path, act, whole=False):
        for what in struck:
            assert [card["closed"] for card in scene.cards_of(scene.leads[what])] == [True] * (gone == "archive")


def test_lead_deleted_while_its_card_is_written_takes_the_card_along(tmp_path):
    struck = ("staged", "mailed", "new")

    def act(scene):
        for what in struck:
            scene.airtable.delete(scene.leads[what])

    for _, scene, _ in scenes(tmp_path, act):
        for what in struck:
            assert all(card["closed"] for card in scene.cards_of(scene.leads[what])), what
