"""A plan that is saved, read by somebody, and applied: as it stands, once, and only while nothing has moved."""

import json
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from leadsync.core.saved_plan import SavedPlan
from support.harness import World
from support.mapped_scene import MAPPING, SHOWN, build

CARD_LINES = {"email": "E-mail: ", "source": "Source: ", "line:Phone": "Phone: "}
COLUMN = {"line:Phone": "Phone"} | {each.card: each.column for each in SHOWN.values()}


def plan_of(world, **options):
    """The plan of a dry run, as it is read back from its file."""
    report = world.sync(dry_run=True, asked={"saves": True}, **options)
    assert world.writes() == 0
    return SavedPlan.parse(report.plan.text, "plan.json")


def apply(world, plan, **options):
    return world.sync(exit_code=None, asked={"plan": plan}, **options)


def refused(world, plan, **options):
    """The report of an application that is refused, after which nothing was written."""
    report = apply(world, plan, **options)
    assert (int(report.exit_code), world.writes()) == (3, 0), report.message
    return report


# --- what is saved, and that it is applied --------------------------------------------------------------------


def test_plan_is_applied_as_it_was_read(world):
    """The writes of the plan, and no others; afterwards nothing is left to do."""
    lead = world.lead("Ada", "CONTACTED", email="ada@example.com")
    plan = plan_of(world)
    assert {(write.side, write.action, write.lead_id) for write in plan.writes} >= {("trello", "create", lead)}
    report = apply(world, plan)
    assert report.exit_code == 0, report.message
    assert {row["lead_id"] for row in report.changes} == {write.lead_id for write in plan.writes}
    world.assert_equal()
    world.assert_idle()


def test_plan_says_each_write_and_what_it_was_planned_from(world):
    """Both sides, every mapped cell: who reads the file knows what the writes rest on."""
    lead = world.linked("Ada", "NEW", email="ada@example.com", source="web")
    world.airtable.edit(lead, status="CONTACTED")
    body = json.loads(plan_of(world).text)
    (write,) = body["writes"]
    assert body.keys() >= {"version", "id", "pair", "settings", "base", "checksum"}
    assert (write["side"], write["action"], write["sends"]) == ("trello", "update", {"list": "IN_PROGRESS"})
    cells = {"status": "CONTACTED", "name": "Ada", "email": "ada@example.com", "source": "web"}
    assert write["planned_from"]["airtable"] == {"there": "present", "cells": cells}
    card = {"there": "open", "marked": True, "ticked": False}
    assert write["planned_from"]["trello"] == {"cells": cells | {"status": "TODO"}, **card}
    assert [(row["field"], row["before"], row["after"]) for row in write["changes"]] == [
        ("status", "TODO", "IN_PROGRESS")
    ]


def test_plan_is_applied_once(world):
    """Even if the same is to be done again by then."""
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED")
    plan = plan_of(world)
    apply(world, plan)
    assert world.place(lead) == "IN_PROGRESS"
    assert "applied already" in refused(world, plan).message
    world.trello.move(world.card(lead)["id"], "TODO")
    world.sync()
    world.airtable.edit(lead, status="CONTACTED")
    assert "applied already" in refused(world, plan).message


def test_plan_with_nothing_to_write_is_spent_too(world):
    world.sync()
    plan = plan_of(world)
    assert (plan.writes, apply(world, plan).exit_code) == ([], 0)
    assert "applied already" in refused(world, plan).message


def test_plan_is_stale_once_another_sync_has_run(world):
    """Though what it wanted is done by now."""
    world.lead("Ada")
    plan = plan_of(world)
    world.sync()
    assert "A sync has run since." in refused(world, plan).message


def test_plan_rests_on_what_was_agreed(world):
    """Another base, though nothing else moved, makes another plan."""
    world.lead("Ada")
    plan = plan_of(world)
    assert "A sync has run since." in refused(world, plan.model_copy(update={"base": "0" * 64})).message


def test_plan_of_a_delta_is_applied_on_whole_reads(world):
    """What only a whole read shows, such as a lead that was deleted, is not missed."""
    leads = [world.lead(f"Ada {number}") for number in range(3)]
    world.sync()
    world.sync(read="delta")
    world.airtable.edit(leads[0], status="CONTACTED")
    plan = plan_of(world, read="delta")
    world.airtable.delete(leads[1])
    report = refused(world, plan, read="delta")
    assert (leads[1], "lead") in {(row["lead_id"], row["field"]) for row in report.moved}
    assert report.read == {"airtable": "full", "trello": "full"}


@pytest.mark.parametrize("choice", ["email", "none"])
def test_choice_of_first_contact_is_part_of_the_plan(world, choice):
    """A plan made with --adopt is applied with it, and with no other."""
    lead = world.lead("Ada", email="ada@example.com")
    world.trello.add_card("TODO", "Ada", "ada@example.com")
    plan = plan_of(world, adopt=choice)
    assert "ADOPT" in refused(world, plan, adopt="ask").message.upper()
    assert apply(world, plan, adopt=choice).exit_code == 0
    assert len(world.cards_of(lead)) == 1
    assert len([card for card in world.trello.cards().values() if card["name"] == "Ada"]) == (
        1 if choice == "email" else 2
    )
    world.assert_idle()


def test_label_that_the_plan_names_is_created(tmp_path):
    """What depends on it is written with it; nothing else may have become another."""
    world = World(tmp_path)
    build(world)
    world.env["SYNC_FIELDS"] = MAPPING
    world.airtable.add_field("Kind", "singleSelect", {"choices": [{"name": "Fresh"}]})
    mapping = MAPPING.replace('"Tags"', '"Kind"')
    lead = world.lead("Ada", Kind="Fresh")
    plan = plan_of(world, SYNC_FIELDS=mapping)
    assert plan.labels == ["Fresh"]
    assert apply(world, plan, SYNC_FIELDS=mapping).exit_code == 0
    assert [label["name"] for label in world.card(lead)["labels"]] == ["Fresh"]
    world.close()


def test_plan_of_other_settings_names_them(world):
    world.lead("Ada")
    plan = plan_of(world)
    assert (
        "SYNC_CONFLICT, SYNC_ON_LEAD_DELETED"
        in refused(world, plan, SYNC_CONFLICT="trello", SYNC_ON_LEAD_DELETED="leave").message
    )


def test_plan_of_another_pair_is_refused(world):
    world.lead("Ada")
    plan = plan_of(world)
    other = plan.model_copy(update={"pair": plan.pair | {"board": "f" * 24}})
    assert "another pair" in refused(world, other).message


def test_edit_while_the_plan_is_applied_stands(world):
    """The plan is applied as it is; what somebody edits in that moment is left to the next run."""
    lead, other = world.linked("Ada", "NEW"), world.linked("Bea", "NEW")
    for each in (lead, other):
        world.trello.move(world.card(each)["id"], "IN_PROGRESS")
    plan, asked = plan_of(world), []

    def before(request, _at):
        asked.extend([request] if request.service == "airtable" else [])
        if len(asked) == 2 and world.status(lead) != "LOST":
            world.airtable.edit(lead, status="LOST")

    stop = world.emulator.before_request(before)
    report = apply(world, plan)
    stop()
    assert (int(report.exit_code), report.postponed) == (0, [{"lead_id": lead}])
    assert "1 lead was edited" in report.notes[-1]["note"]
    assert (world.status(lead), world.status(other)) == ("LOST", "CONTACTED")


# --- whatever moved is named, at every kind of row ------------------------------------------------------------


class Planned(World):
    """
    A world with one lead in each kind of row, and the plan for it. rows: kind -> lead id; cards: kind -> card id.
    """

    KINDS = (
        "quiet",
        "to_trello",
        "to_airtable",
        "archive",
        "conflict",
        "restore",
        "marker",
        "unarchive",
        "shut",
        "gone",
    )

    def __init__(self, folder, **env):
        super().__init__(folder, ordered=True, env=env)
        build(self)
        self.env["SYNC_FIELDS"] = MAPPING
        first = {each.column: each.values[0] or None for each in SHOWN.values()} | {"Phone": "+49 1"}
        made = {"email": "{}@example.com", "source": "web"}
        add = lambda kind: self.lead(kind, "NEW", **first, **{k: v.format(kind) for k, v in made.items()})  # noqa: E731
        self.rows = {kind: add(kind) for kind in self.KINDS}
        self.sync()
        self.sync()
        self.cards = {kind: self.card(lead)["id"] for kind, lead in self.rows.items()}
        self.trello.archive(self.cards["unarchive"])
        self.trello.archive(self.cards["shut"])
        self.trello.delete(self.cards.pop("gone"))
        self.sync()
        self.airtable.edit(self.rows["unarchive"], status="CONTACTED")
        self.airtable.edit(self.rows["to_trello"], status="CONTACTED")
        self.trello.move(self.cards["to_airtable"], "IN_PROGRESS")
        self.airtable.delete(self.rows["archive"])
        self.airtable.edit(self.rows["conflict"], name="Theirs")
        self.trello.edit(self.cards["conflict"], name="Ours")
        self.edit_line("restore", "email", "by hand")
        self.unmark("marker")
        for kind in ("create", "match", "adopted"):
            self.rows[kind] = add(kind)
        self.cards["match"] = self.trello.add_card("IN_PROGRESS", "Matched", f"LeadID: {self.rows['match']}")
        self.cards["adopted"] = self.trello.add_card("TODO", "adopted", "write to adopted@example.com")
        self.plan = plan_of(self, adopt="email")

    def unmark(self, kind):
        desc = self.trello.card(self.cards[kind])["desc"]
        self.trello.edit(self.cards[kind], desc=desc.partition("LeadID:")[0] + "none")

    def edit_line(self, kind, field, value):
        start, lines = CARD_LINES[field], self.trello.card(self.cards[kind])["desc"].split("\n")
        lines = [f"{start}{value}" if line.startswith(start) else line for line in lines]
        self.trello.edit(self.cards[kind], desc="\n".join(lines))

    @contextmanager
    def put_back(self, edit):
        """After what is inside all is as before `edit`."""
        lead = self.rows[edit.kind]
        before, card = dict(self.airtable.records().get(lead, {})), self.cards.get(edit.kind)
        was = self.trello.card(card) if card else {}
        sets = {name: SHOWN[name].see(self, was) for name in ("labels", "members")} if card else {}
        custom = self.trello.custom_fields(card) if card else {}
        edit.make(self)
        try:
            yield
        finally:
            now = self.airtable.records()
            if before and lead not in now:
                self.airtable.restore(lead)
            elif not before and lead in now:
                self.airtable.delete(lead)
            elif before:
                self.airtable.edit(lead, **dict.fromkeys(now[lead].keys() - before.keys()), **before)
            if card:
                same = ("name", "desc", "closed", "idList", "due", "start", "dueComplete")
                self.trello.edit(card, **{name: was[name] for name in same})
                for name, held in sets.items():
                    SHOWN[name].put(self, card, held)
                for name in ("Note", "Budget", "Mood"):
                    self.trello.set_custom_field(card, name, custom.get(name))


@dataclass(frozen=True)
class Edit:
    """What somebody does to the lead of a kind of row; `field` as reports call it."""

    kind: str
    side: str
    field: str

    def make(self, world):
        getattr(self, self.side)(world, world.rows[self.kind], world.cards.get(self.kind))

    def airtable(self, world, lead, _card):
        shown = {each.card: each.values[2] for each in SHOWN.values()}
        plain = {"status": "LOST", "name": "Edited", "email": "new@example.com", "source": "fair"}
        plain["line:Phone"] = "+49 2"
        if self.field == "lead":
            gone = lead not in world.airtable.records()
            (world.airtable.restore if gone else world.airtable.delete)(lead)
        else:
            world.airtable.edit(lead, **{COLUMN.get(self.field, self.field): {**plain, **shown}[self.field]})

    def trello(self, world, _lead, card):
        if self.field == "status":
            world.trello.move(card, "DONE")
        elif self.field == "name":
            world.trello.edit(card, name="Edited")
        elif self.field in CARD_LINES:
            world.edit_line(self.kind, self.field, "edited by hand")
        elif self.field == "marker":
            world.unmark(self.kind)
        elif self.field == "card":
            shut = world.trello.card(card)["closed"]
            (world.trello.unarchive if shut else world.trello.archive)(card)
        else:
            SHOWN[self.field].put(world, card, SHOWN[self.field].values[2])


MAPPED = ["line:Phone", *SHOWN]
LEAD_FIELDS = ["lead", "status", "name", "email", "source", *MAPPED]
CARD_FIELDS = ["card", "status", "name", "email", "source", "marker", *MAPPED]
NO_CARD, NO_LEAD, NO_BLOCK = {"create", "gone"}, {"archive"}, {"match", "adopted"}


def edits(lead_fields, card_fields, kinds):
    """
    Those that somebody can make: no card is edited where there is none, no line where there is no block.
    """
    for kind in kinds:
        yield from (Edit(kind, "airtable", f) for f in lead_fields if kind not in NO_LEAD or f == "lead")
        if kind not in NO_CARD:
            lines = {*CARD_LINES} | ({"marker"} if kind in ("marker", "adopted") else set())
            without = {"marker"} & lines if kind == "marker" else lines if kind in NO_BLOCK else set()
            yield from (Edit(kind, "trello", field) for field in card_fields if field not in without)


KINDS = (*Planned.KINDS, "create", "match", "adopted")
FEW = [*edits(LEAD_FIELDS, CARD_FIELDS, ["to_trello"]), *edits(["status", "due"], ["name", "labels"], KINDS)]
FEW += [Edit("match", "trello", "marker")]  # whose card is nobody's then
ALL = [edit for edit in edits(LEAD_FIELDS, CARD_FIELDS, KINDS) if edit not in FEW]


def check(world, some, **options):
    """Each edit alone has the plan refused and is named; taken back, the plan may be applied."""
    silent = []
    for edit in some:
        with world.put_back(edit):
            report = apply(world, world.plan, adopt="email", **options)
            named = {(row["lead_id"], row["field"], row["side"]) for row in report.moved}
            wanted = world.rows[edit.kind], edit.field, edit.side
            if (int(report.exit_code), world.writes()) != (3, 0) or wanted not in named:
                silent.append((edit, int(report.exit_code), world.writes(), named))
    assert not silent, "\n".join(map(str, silent))
    assert apply(world, world.plan, adopt="email", **options).exit_code == 0
    world.sync(adopt="email", **options)
    world.assert_idle(adopt="email", **options)


@pytest.mark.parametrize("policy", ["airtable", "hold"])
def test_edit_since_the_plan_is_named(tmp_path, policy):
    """Every cell at one kind of row, and some cells at every kind: nothing is written, exit code 3."""
    world = Planned(tmp_path, SYNC_CONFLICT=policy)
    check(world, FEW)
    world.close()


@pytest.mark.exhaustive
@pytest.mark.parametrize("policy", ["airtable", "trello", "hold"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_edit_since_the_plan_is_named(tmp_path, policy, kind):
    """Every cell at every kind of row."""
    world = Planned(tmp_path, SYNC_CONFLICT=policy)
    check(world, [edit for edit in ALL if edit.kind == kind])
    world.close()
