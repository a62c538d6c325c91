"""With every property mapped: a person edits before any request of a run, and the edit stands or is listed."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from emulator import ManualClock
from support.harness import World
from support.mapped_scene import SHOWN, MappedScene, build

FEED = {"AIRTABLE_CHANGE_FEED": "on"}


@dataclass(frozen=True)
class Edit:
    """`lead` of the scene gets `value` in a mapped cell on one side; of a set, `takes`: it goes."""

    lead: str
    side: str
    card: str
    value: Any
    takes: bool = False

    def make(self, scene: MappedScene) -> bool:
        """Returns: whether it changed anything."""
        held, value = self._held(scene), self.value
        if SHOWN[self.card].is_set:
            value = held - {value} if self.takes else held | {value}
        if (value or frozenset() if SHOWN[self.card].is_set else value or "") == held:
            return False
        value = sorted(value) if isinstance(value, frozenset) else value
        (scene.edit_lead if self.side == "airtable" else scene.edit_card)(self.lead, {self.card: value})
        return True

    def _held(self, scene: MappedScene) -> Any:
        of = SHOWN[self.card].of_lead if self.side == "airtable" else SHOWN[self.card].of_card
        return of(scene, scene.leads[self.lead])

    def in_force(self, scene: MappedScene) -> bool:
        shown, lead = SHOWN[self.card], scene.leads[self.lead]
        both = shown.of_lead(scene, lead), shown.of_card(scene, lead)
        if shown.is_set:
            return all((self.value in each) != self.takes for each in both)
        return all(each == (self.value or "") for each in both)

    def listed(self, scene: MappedScene, conflicts: list[dict[str, str]]) -> bool:
        told = "no" if self.value is False else "yes" if self.value is True else str(self.value or "")
        return any(
            row["lead_id"] == scene.leads[self.lead]
            and row["field"] == self.card
            and any(told in row[side] for side in ("airtable", "trello"))
            for row in conflicts
        )


def edits_of(lead: str, side: str) -> list[Edit]:
    """One of each property that the run changes in that lead: another value; of a set one more, and one less."""
    made = []
    for card, shown in SHOWN.items():
        if shown.is_set:
            made += [Edit(lead, side, card, {*shown.values[2]}.difference(shown.values[0]).pop())]
            made += [Edit(lead, side, card, shown.values[0][-1], takes=True)]
        else:
            made.append(Edit(lead, side, card, shown.values[0 if card == "done" else 2]))
    return made


def scenes(tmp_path, act, world=None, read="full", runs=3, **settings):
    """For each request of a run, the scene in which `act` took place just before it, after so many runs."""
    for index in count():
        scene, methods = MappedScene(tmp_path / str(index), **(world or {})), []

        def before(request, at, scene=scene, methods=methods, index=index):
            if at == index and not methods:
                methods.append((index, request.method, request.path.rpartition("/")[2]))
                methods.append(act(scene))

        scene.emulator.before_request(before)
        conflicts = [row for _ in range(runs) for row in scene.sync(exit_code=None, read=read, **settings).conflicts]
        if methods:
            scene.assert_at_rest(**settings)
            yield *methods, scene, conflicts
        scene.close()
        if not methods:
            return


def lost_edits(tmp_path, edits, **settings):
    lost = []
    make = lambda scene: [edit for edit in edits if edit.make(scene)]  # noqa: E731
    for method, made, scene, conflicts in scenes(tmp_path, make, **settings):
        lost += [(method, edit) for edit in made if not (edit.in_force(scene) or edit.listed(scene, conflicts))]
    return lost


OFTEN = ("edited", "trello", "airtable")
RUNS = [
    pytest.param(*run, marks=() if run == OFTEN else pytest.mark.exhaustive)
    for lead, side in (("edited", "trello"), ("edited", "airtable"), ("dragged", "trello"), ("both", "trello"))
    for run in ((lead, side, policy) for policy in ("airtable", "trello", "hold"))
]


@pytest.mark.parametrize(("lead", "side", "policy"), RUNS)
def test_mapped_edit_is_never_lost_but_for_a_label_in_the_moment_before_the_put(tmp_path, lead, side, policy):
    """What was put on a card or taken off it while it was written is put on or taken off again; labels nobody tells."""
    lost = lost_edits(tmp_path, edits_of(lead, side), SYNC_CONFLICT=policy)
    unexpected = [each for each in lost if each[1].card != "labels" or each[0][1] != "PUT" or side == "airtable"]
    assert not unexpected, "\n".join(map(str, unexpected))


@pytest.mark.parametrize("policy", ["trello", pytest.param("airtable", marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("feed", [pytest.param({}, marks=pytest.mark.exhaustive), FEED], ids=["no-feed", "feed"])
def test_mapped_edit_of_a_lead_that_is_written_is_lost_only_before_the_patch_and_never_with_the_feed(
    tmp_path, policy, feed
):
    lost = lost_edits(tmp_path, edits_of("dragged", "airtable"), SYNC_CONFLICT=policy, world={"env": feed})
    unexpected = [each for each in lost if feed or each[0][1] != "PATCH"]
    assert not unexpected, "\n".join(map(str, unexpected))


PERSON = (
    '[[field]]\nairtable = "Owner"\ncard = "members"\nconflict = "trello"\nmap = { %s = "Ann Lee", %s = "Ben Oh" }\n'
)
TYPED = {
    "person": ("Owner", "members"),
    "options-with-commas": ("Tags", "labels"),
    "number": ("Budget", "custom:Budget"),
}


@pytest.mark.parametrize("kind", TYPED)
def test_what_was_typed_into_airtable_just_before_the_patch_is_given_back_as_it_was(tmp_path, kind):
    world = World(tmp_path, ordered=True, env=FEED)
    build(world)
    column, card = TYPED[kind]
    for option in ("a, b", "a", "b"):
        world.airtable.add_select_option("Tags", option)
        world.trello.make_label(option)
    world.airtable.add_field("Owner", "singleCollaborator")
    ann, ben = (world.airtable.add_collaborator(name, f"{name[:3]}@example.com") for name in ("Ann Lee", "Ben Oh"))
    rows = {
        "person": PERSON % (ann, ben),
        "options-with-commas": '[[field]]\nairtable = "Tags"\ncard = "labels"\n',
        "number": '[[field]]\nairtable = "Budget"\ncard = "custom:Budget"\nconflict = "trello"\n',
    }
    world.env["SYNC_FIELDS"] = rows[kind]
    first, typed = {"person": (None, {"id": ben}), "options-with-commas": (["Hot"], ["Hot", "a, b", "b"])}.get(
        kind, (1e-7, 2e-7)
    )
    lead = world.lead("Ada", "NEW", **({} if first is None else {column: first}))
    world.sync()
    world.sync()
    shown = {"person": lambda: world.trello.add_member(world.card(lead)["id"], "Ann Lee")}
    default = {"options-with-commas": ["Hot", "Fair"], "number": 3}
    shown.get(kind, lambda: SHOWN[card].put(world, world.card(lead)["id"], default[kind]))()
    done = []

    def before(request, index):
        if request.method == "PATCH" and not done:
            done.append(world.airtable.edit(lead, **{column: typed}))

    world.emulator.before_request(before)
    conflicts = world.sync().conflicts
    assert done
    if kind == "options-with-commas":
        assert {*world.cells(lead)["Tags"]} == {"Hot", "Fair", "a, b", "b"}
    else:
        assert [(row["field"], row["kind"]) for row in conflicts][0] == (card, "edited meanwhile")
    world.assert_idle()
    world.close()


CREW_TO_TRELLO = """
[[field]]
airtable = "Crew"
card = "members"
direction = "to_trello"
map = { Ann = "Ann Lee", Ben = "Ben Oh" }
"""


@pytest.mark.parametrize("told", [True, False], ids=["thousandths", "whole-seconds"])
def test_member_given_back_is_no_edit_that_the_next_write_landed_on_though_all_share_a_moment(tmp_path, told):
    """Crew goes to the card only: Ann, taken off while it is written, comes back; Cy, who is no option, stays on."""
    world = World(tmp_path, ordered=True, clock=ManualClock(), trello_server_time=told)
    build(world)
    world.env["SYNC_FIELDS"] = CREW_TO_TRELLO
    lead = world.linked("Ada", Crew=["Ann"])
    card_id, done = world.card(lead)["id"], []
    world.airtable.edit(lead, Crew=["Ann", "Ben"])

    def before(request, index):
        if request.method == "PUT" and not done:
            done.append(world.trello.remove_member(card_id, "Ann Lee"))
            world.trello.add_member(card_id, "Cy Ott")

    world.emulator.before_request(before)
    world.sync()
    assert done
    assert SHOWN["members"].of_card(world, lead) == {"Ann", "Ben", "Cy"}
    world.assert_idle()
    world.close()


def test_member_put_on_by_a_run_is_no_edit_that_the_next_one_landed_on_in_the_same_second(tmp_path):
    world = World(tmp_path, ordered=True, clock=ManualClock(), trello_server_time=False)
    build(world)
    world.env["SYNC_FIELDS"] = CREW_TO_TRELLO
    lead, world.pause = world.linked("Ada", Crew=["Ann"]), 0.0
    for crew in (["Ann", "Ben"], ["Ben"], ["Ann"]):
        world.airtable.edit(lead, Crew=crew)
        world.sync()
        assert (SHOWN["members"].of_card(world, lead), world.writes()) == ({*crew}, 1)
    world.close()
