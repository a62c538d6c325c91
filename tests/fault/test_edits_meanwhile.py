"""A person edits what a run is about to write, just before any of its requests: the edit wins or is listed."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from emulator import Fault
from leadsync.apply import leads as apply
from support.harness import STAGE_OF, Scene, findings, written

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


def scenes(
    tmp_path,
    act: Callable[[Scene], None],
    whole: bool = True,
    fault: Fault | None = None,
    world: dict[str, Any] | None = None,
    **settings,
):
    """
    For each request of a run, a scene in which `act` took place just before it, brought to rest by two more runs.

    whole: each lead must have its card in the end. fault: strikes the request before, so that `act` takes place while
    that one waits. world: keywords of the scene. Yields: the request's method, the scene, and all conflicts that were
    listed.
    """
    for index in count(1 if fault else 0):
        scene, methods = Scene(tmp_path / str(index), **(world or {})), []
        scene.read_timeout = 0.25 if fault and fault.kind.startswith("timeout") else scene.read_timeout
        if fault:
            scene.emulator.inject(Fault(**{**vars(fault), "nth": index}))

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


WAITS = {
    "429": Fault("status", status=429),
    "500": Fault("status", status=500),
    "500-after": Fault("status_after", status=500),
    "dropped": Fault("drop_before"),
    "dropped-after": Fault("drop_after"),
    "timed-out": Fault("timeout_before", seconds=0.4),
    "timed-out-after": Fault("timeout_after", seconds=0.4),
    "cut-short": Fault("truncate"),
    "proxy-page": Fault("html", status=200),
}
OFTEN = ("429", "dropped-after")


@pytest.mark.parametrize("kind", [k if k in OFTEN else pytest.param(k, marks=pytest.mark.exhaustive) for k in WAITS])
@pytest.mark.parametrize("policy", [pytest.param("airtable", marks=pytest.mark.exhaustive), "trello"])
def test_edit_while_any_request_waits_is_never_lost(tmp_path, kind, policy):
    """The request before fails; what is sent next, be it the same, meets the edits."""
    assert lost_edits(tmp_path, AGAINST, fault=WAITS[kind], SYNC_CONFLICT=policy) == []


@pytest.fixture
def waiting(world):
    """`waiting(fault, act)`: a run; `fault` strikes the first PATCH, and before the next request `act()` runs."""

    def run(fault, act, **settings):
        world.emulator.inject(Fault(**{**vars(fault), "service": "airtable", "method": "PATCH"}))
        patched, done = [], []

        def before(request, index):
            if patched and not done:
                done.append(act())
            if request.method == "PATCH":
                patched.append(index)

        world.read_timeout = 0.25 if fault.kind.startswith("timeout") else world.read_timeout
        forget = world.emulator.before_request(before)
        report = world.sync(**settings)
        forget()
        assert done
        world.read_timeout = 20.0
        return report

    return run


@pytest.mark.parametrize("policy", ["airtable", "trello", "hold"])
@pytest.mark.parametrize("kind", WAITS)
def test_person_who_types_while_the_patch_waits_is_asked(world, waiting, kind, policy):
    """T moves and renames; during the wait LOST and another name are typed into Airtable: no value goes unlisted."""
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], name="Ada L.", list_name="DONE")
    typed = lambda: world.airtable.edit(lead, status="LOST", name="Ada Lovelace")  # noqa: E731
    report = waiting(WAITS[kind], typed, SYNC_CONFLICT=policy)
    assert findings(report.conflicts, lead) == [("name", "Ada Lovelace", "Ada L.")]
    kept = {"airtable": ("Ada Lovelace", "Ada Lovelace"), "trello": ("Ada L.", "Ada L.")}
    names = (world.cells(lead)["name"], world.card(lead)["name"])
    assert names == kept.get(policy, ("Ada Lovelace", "Ada L."))
    assert (world.status(lead), world.place(lead)) == ("LOST", "DONE")
    world.assert_idle(SYNC_CONFLICT=policy)


@pytest.mark.parametrize("kind", ["429", "dropped-after"])
def test_only_the_leads_edited_while_the_patch_waits_are_decided_anew(world, waiting, kind):
    """Thirteen leads in two batches: the others are written in this pass, each once."""
    leads = [world.lead(f"Lead {number}", "NEW") for number in range(13)]
    world.sync()
    for lead in leads:
        world.trello.move(world.card(lead)["id"], "DONE")
    edited = (leads[2], leads[12])
    report = waiting(WAITS[kind], lambda: [world.airtable.edit(lead, status="CONTACTED") for lead in edited])
    assert [world.status(lead) for lead in leads if lead not in edited] == ["QUALIFIED"] * 11
    assert [findings(report.conflicts, lead) for lead in edited] == [[("status", "CONTACTED", "DONE")]] * 2
    assert [world.place(lead) for lead in edited] == ["IN_PROGRESS"] * 2
    assert len({(row["lead_id"], row["field"], row["after"]) for row in report.changes}) == len(report.changes) == 13
    world.assert_idle()


@pytest.mark.parametrize("kind", ["500-after", "dropped-after", "timed-out-after", "cut-short"])
def test_write_that_took_place_unanswered_is_no_persons_edit(world, waiting, kind):
    """The re-read shows our own values: recorded as read, not sent again, and no conflict."""
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], name="Ada L.", list_name="DONE")
    report = waiting(WAITS[kind], lambda: None)
    assert written(report) == [("name", "Ada L.", "to_airtable"), ("status", "QUALIFIED", "to_airtable")]
    assert (world.writes("airtable"), report.conflicts, report.postponed) == (1, [], [])
    world.airtable.edit(lead, status="CONTACTED", name="Ada")
    assert world.sync().conflicts == []
    world.assert_equal(lead)
    assert (world.status(lead), world.cells(lead)["name"]) == ("CONTACTED", "Ada")


def test_cell_typed_over_our_unanswered_write_is_decided_for_itself(world, waiting):
    """The status is as we wrote it, and agreed; the name is a person's."""
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], name="Ada L.", list_name="DONE")
    report = waiting(WAITS["dropped-after"], lambda: world.airtable.edit(lead, name="Ada Lovelace"))
    assert findings(report.conflicts, lead) == [("name", "Ada Lovelace", "Ada L.")]
    assert (world.status(lead), world.writes("airtable")) == ("QUALIFIED", 1)
    world.assert_idle()


def test_patch_is_tried_as_often_as_any_request(world):
    """Each time its leads are read first; then the side is given up."""
    leads = [world.linked(f"Lead {number}") for number in range(2)]
    for lead in leads:
        world.trello.move(world.card(lead)["id"], "DONE")
    world.emulator.inject(Fault("status", service="airtable", method="PATCH", status=500, times=99))
    report = world.sync(exit_code=1)
    methods = [request.method for request in world.emulator.requests if request.service == "airtable"]
    assert methods == ["GET", *["GET", "PATCH"] * 5]
    assert {row["lead_id"] for row in report.failures} == set(leads)


def test_patch_long_after_its_re_read_is_preceded_by_another(world, monkeypatch):
    """As after a long wait for our turn."""
    leads = [world.lead(f"Lead {number}") for number in range(25)]
    world.sync()
    for lead in leads:
        world.trello.move(world.card(lead)["id"], "DONE")
    monkeypatch.setattr(apply, "FRESH", 0.0)
    world.sync()
    methods = [request.method for request in world.emulator.requests if request.service == "airtable"]
    assert methods == ["GET", *["GET", "PATCH"] * 3]
    world.assert_idle()


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
