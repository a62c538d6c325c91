"""A scene in which every property of a card is mapped, and what people see of each on either side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.harness import World

MAPPING = """
[[field]]
airtable = "Next step"
card = "due"
[[field]]
airtable = "Begins"
card = "start"
[[field]]
airtable = "Ticked"
card = "done"
[[field]]
airtable = "Tags"
card = "labels"
[[field]]
airtable = "Crew"
card = "members"
map = { Ann = "Ann Lee", Ben = "Ben Oh", Cy = "Cy Ott" }
[[field]]
airtable = "Phone"
card = "line:Phone"
[[field]]
airtable = "Budget"
card = "custom:Budget"
[[field]]
airtable = "Mood"
card = "custom:Mood"
[[field]]
airtable = "Note"
card = "custom:Note"
[[field]]
airtable = "Card"
card = "url"
"""
NATIVE = MAPPING.partition('[[field]]\nairtable = "Budget"')[0]
OPTIONS = ("Hot", "Fair", "Export", "Old")
CREW = {"Ann": "Ann Lee", "Ben": "Ben Oh", "Cy": "Cy Ott"}


@dataclass(frozen=True)
class Shown:
    """
    One property: its column, three values of it, and how people set and see it on a card, in the column's words.

    Of a set the second and the third value each have one element besides the first's.
    """

    card: str
    column: str
    values: tuple[Any, Any, Any]
    put: Callable[[World, str, Any], None]
    see: Callable[[World, Mapping[str, Any]], Any]

    @property
    def is_set(self) -> bool:
        return isinstance(self.values[0], list)

    def of_lead(self, world: World, lead: str) -> Any:
        found = world.cells(lead).get(self.column)
        return frozenset(found or ()) if self.is_set else (found or "")

    def of_card(self, world: World, lead: str) -> Any:
        return self.see(world, world.card(lead))

    def put_on_lead(self, world: World, lead: str, value: Any) -> None:
        world.airtable.edit(lead, **{self.column: value})


def _put_labels(world: World, card: str, names: Iterable[str]) -> None:
    now = {label["name"] for label in world.trello.card(card)["labels"]}
    for name in {*names} - now:
        world.trello.add_label(card, name)
    for name in now - {*names}:
        world.trello.remove_label(card, name)


def _see_members(world: World, card: Mapping[str, Any]) -> frozenset[str]:
    names = {world.members[name]: ours for ours, name in CREW.items()}
    return frozenset(names[each] for each in card["idMembers"])


def _put_members(world: World, card: str, names: Iterable[str]) -> None:
    now = _see_members(world, world.trello.card(card))
    for name in {*names} - now:
        world.trello.add_member(card, CREW[name])
    for name in now - {*names}:
        world.trello.remove_member(card, CREW[name])


def _custom(name: str, *values: Any) -> Shown:
    def see(world: World, card: Mapping[str, Any]) -> Any:
        held = world.trello.custom_fields(card["id"]).get(name, "")
        return type(values[0])(held) if held else ""

    put = lambda world, card, value: world.trello.set_custom_field(card, name, None if value is None else str(value))  # noqa: E731
    return Shown(f"custom:{name}", name, values, put, see)  # type: ignore[arg-type]


def _moment(wire: str, column: str, *values: str, tail: str = "") -> Shown:
    put = lambda world, card, value: world.trello.edit(card, **{wire: value and f"{value}{tail}"})  # noqa: E731
    see = lambda world, card: (card[wire] or "")[: len(values[0])]  # noqa: E731
    return Shown(wire, column, values, put, see)  # type: ignore[arg-type]


SHOWN = {
    each.card: each
    for each in (
        _moment("due", "Next step", "2026-12-01", "2026-12-02", "2026-12-03", tail="T12:00:00.000Z"),
        _moment("start", "Begins", *(f"2026-11-0{day}T08:00:00.000Z" for day in (1, 2, 3))),
        Shown(
            "done",
            "Ticked",
            (False, True, True),
            lambda world, card, value: world.trello.edit(card, dueComplete=bool(value)),
            lambda _, card: card["dueComplete"] or "",
        ),
        Shown(
            "labels",
            "Tags",
            (["Hot", "Old"], ["Hot", "Old", "Fair"], ["Hot", "Old", "Export"]),
            _put_labels,
            lambda _, card: frozenset(label["name"] for label in card["labels"]),
        ),
        Shown(
            "members",
            "Crew",
            (["Ann"], ["Ann", "Ben"], ["Ann", "Cy"]),
            _put_members,
            _see_members,
        ),
        _custom("Budget", 1, 2, 3),
        _custom("Mood", "Good", "Bad", "Fine"),
        _custom("Note", "as typed", "by us", "by them"),
    )
}


class MappedScene(World):
    """
    A world in which the next run writes every property, to cards and to leads; requests come in a fixed order.

    leads: `edited` in Airtable, `dragged` on the board, `both` of whose sets either side was edited, `new`.
    """

    def __init__(self, folder: Path, mapping: str = MAPPING, **world: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, ordered=True, **world)
        build(self)
        self.env["SYNC_FIELDS"] = mapping
        self.shown = [each for each in SHOWN.values() if f'card = "{each.card}"' in mapping]
        first = {each.column: each.values[0] or None for each in self.shown}
        self.leads = {what: self.lead(what, "NEW", **first) for what in ("edited", "dragged", "both", "at rest")}
        self.sync()
        self.sync()
        self.edit_lead("edited", {each.card: each.values[1] for each in self.shown})
        self.airtable.edit(self.leads["edited"], Phone="+49 1", status="CONTACTED")
        self.edit_card("dragged", {each.card: each.values[1] for each in self.shown})
        self.trello.move(self.card(self.leads["dragged"])["id"], "IN_PROGRESS")
        sets = {each.card: each for each in self.shown if each.is_set}
        self.edit_lead("both", {card: each.values[1] for card, each in sets.items()})
        self.edit_card("both", {card: each.values[2] for card, each in sets.items()})
        self.leads["new"] = self.lead("new", "CONTACTED", **{each.column: each.values[1] for each in self.shown})

    def edit_lead(self, what: str, values: Mapping[str, Any]) -> None:
        for card, value in values.items():
            SHOWN[card].put_on_lead(self, self.leads[what], value)

    def edit_card(self, what: str, values: Mapping[str, Any]) -> None:
        card_id = self.card(self.leads[what])["id"]
        for card, value in values.items():
            SHOWN[card].put(self, card_id, value)

    def assert_alike(self) -> None:
        """Both sides of all leads show the same of everything mapped, and each lead has one card."""
        self.assert_one_card_each()
        self.assert_equal()
        for what, lead in self.leads.items():
            for each in self.shown:
                assert each.of_lead(self, lead) == each.of_card(self, lead), (what, each.card)

    def assert_written(self) -> None:
        """The edits made before the run are in force."""
        for each in self.shown:
            first, second, third = ({*value} if each.is_set else value or "" for value in each.values)
            wanted = {"edited": second, "dragged": second, "new": second, "at rest": first}
            wanted |= {"both": second | third} if each.is_set else {}
            assert {what: each.of_lead(self, self.leads[what]) for what in wanted} == wanted, each.card
        assert [self.status(self.leads[what]) for what in ("edited", "dragged")] == ["CONTACTED", "CONTACTED"]
        assert "Phone: +49 1\n" in self.card(self.leads["edited"])["desc"]

    def assert_at_rest(self, **changes: str | None) -> None:
        """A further run writes nothing, once the address of a new card is in its lead."""
        self.sync(**changes)
        self.assert_idle(**changes)


def build(world: World) -> None:
    """The columns, labels, people and custom fields that the mapping speaks of."""
    table, board = world.airtable, world.trello
    table.add_field("Next step", "date")
    table.add_field("Begins", "dateTime")
    table.add_field("Ticked", "checkbox")
    table.add_field("Tags", "multipleSelects", {"choices": [{"name": name} for name in OPTIONS]})
    table.add_field("Crew", "multipleSelects", {"choices": [{"name": name} for name in CREW]})
    table.add_field("Phone", "phoneNumber")
    table.add_field("Budget", "number", {"precision": 2})
    moods = SHOWN["custom:Mood"].values
    table.add_field("Mood", "singleSelect", {"choices": [{"name": name} for name in moods]})
    table.add_field("Note", "singleLineText")
    table.add_field("Card", "url")
    for name in OPTIONS:
        board.make_label(name)
    world.members = {name: board.invite(name) for name in CREW.values()}  # type: ignore[attr-defined]
    board.make_custom_field("Budget", "number")
    board.make_custom_field("Mood", "list", moods)
    board.make_custom_field("Note", "text")
