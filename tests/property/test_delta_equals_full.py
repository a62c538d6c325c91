"""
What a delta read yields must be what a full read yields: leads, cards and plan, after any history of edits and syncs.

The syncs of a history are delta runs themselves, so that an error would be carried on. Left out are the deletion of
cards on another board and, without the change feed, of leads: no delta can show them (see e2e/test_delta.py); and of
cards that a sync saw to be archived: the activity tells it at once, a full read within a day (e2e/test_presence.py).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from hypothesis import HealthCheck, currently_in_test_context, example, given, note, settings
from hypothesis import strategies as st

from emulator import ManualClock
from emulator.wire.messages import Request
from leadsync.apply.repair_cards import Checkup
from leadsync.core.ledger import Begun
from leadsync.core.plan import Plan
from leadsync.frames.snapshot import pages_of
from leadsync.model import Read
from leadsync.pipeline.change_feed import ChangeFeed
from leadsync.pipeline.clients import open_clients
from leadsync.pipeline.extract import extract_cards, extract_leads
from leadsync.pipeline.join import join_and_diff
from leadsync.pipeline.mapped import mind_names
from leadsync.pipeline.rows import OurRows
from leadsync.pipeline.scope import Scope, scope_of
from leadsync.pipeline.sides import Reads, past_of, see
from leadsync.pipeline.steps import Options, Steps
from leadsync.pipeline.telling import Telling
from leadsync.pipeline.ties import tied
from leadsync.pipeline.under_way import Run
from leadsync.report.report import Report
from leadsync.state.pair import Pair
from leadsync.trello.setup import fetch_board
from support.harness import STAGE_OF, World, markers
from support.mapped_scene import MAPPING, SHOWN, build
from support.told import Told
from support.values import EMAILS, NAMES, NOTES, PLACES, SOURCES, STATUSES, TITLES, YES_NO

GAPS = (0.0, 0.001, 0.4, 0.999, 1.0, 7.3, 10.0, 10.6, 61.0)
READS: Counter[str] = Counter()
"""How the compared reads were made; some must be deltas, else nothing was compared."""
PARTS: Counter[bool] = Counter()
"""Whether a delta recalled only what concerned it."""
LEFT_OUT: Counter[str] = Counter()
"""Leads that it did not recall."""

Step = tuple[float, str, int, Any]


def steps(*whats: str, of: tuple[Any, ...] = (None,)) -> st.SearchStrategy[Step]:
    return st.tuples(st.sampled_from(GAPS), st.sampled_from(whats), st.integers(0, 5), st.sampled_from(of))


MILD = (
    steps("set_status", of=STATUSES),
    steps("rename", of=NAMES),
    steps("set_email", of=EMAILS),
    steps("set_source", of=SOURCES),
    steps("move", of=PLACES),
    steps("retitle", of=TITLES),
    steps("tick", of=YES_NO),
    steps("write_above", "write_below", of=NOTES),
    steps("save_in_editor"),
)
ROUGH = (
    steps("add_lead", of=STATUSES),
    steps("archive_or_take_back", of=YES_NO),
    steps("send_to_board", of=YES_NO),
    steps("delete_card"),
    steps("copy_card", of=PLACES),
    steps("make_template", of=YES_NO),
    steps("wipe_description", of=NOTES),
    steps("add_second_marker", "repeat_marker"),
    steps("make_marked_card", of=PLACES),
    steps("make_foreign_card", of=PLACES),
    steps("mark_foreign_card"),
    steps("archive_waiting", of=YES_NO),
    steps("rename_waiting", of=("Waiting", "Later")),
    steps("send_waiting_away", of=YES_NO),
    steps("make_noise"),
)
MAPPED_TOLD = MAPPING.replace('[[field]]\nairtable = "Tags"\ncard = "labels"\n', "")
"""Every property but labels, with which cards are read whole."""
MAPPED = steps(
    *("put_on_card", "put_in_lead"),
    of=tuple((card, pick) for card in SHOWN if card != "labels" for pick in (0, 1, 2, None)),
)
SYNC = steps("sync", of=(*["delta"] * 6, "auto", "full"))
EDIT = st.one_of(*MILD, *ROUGH)
MEANWHILE = st.tuples(st.sampled_from(GAPS), st.just("sync_and_meanwhile"), st.just(0), EDIT)
HISTORY = st.lists(st.one_of(EDIT, EDIT, EDIT, SYNC, MEANWHILE), max_size=14)
DELETION = st.one_of(steps("delete_lead", "restore_lead"), steps("set_status", of=STATUSES))
MAPPED_HISTORY = st.lists(st.one_of(EDIT, MAPPED, MAPPED, SYNC, MEANWHILE), max_size=14)
FEED_HISTORY = st.lists(st.one_of(EDIT, EDIT, DELETION, DELETION, SYNC, MEANWHILE), max_size=14)
FEEDS = st.fixed_dictionaries(
    {},
    optional={
        "airtable_payload_records": st.just(1),
        "airtable_previous_of_api_writes": st.just(False),
    },
)
FEED = {"AIRTABLE_CHANGE_FEED": "on"}
SERVICES = st.fixed_dictionaries(
    {},
    optional={
        "airtable_formula_subsecond": st.just(True),
        "airtable_modified_blank_until_edit": st.just(True),
        "trello_server_time": st.just(False),
        "trello_noop_makes_action": st.just(True),
    },
)


class People:
    """What they do on both sides; `pick` says to which lead or card."""

    def __init__(self, world: World, reads: tuple[Read, ...]) -> None:
        self.world, self.air, self.tre, self.reads = world, world.airtable, world.trello, reads
        if "SYNC_FIELDS" in world.env:
            build(world)
        self.air.add_select_option("status", "PAUSED")
        self.waiting = self.tre.add_list("Waiting")
        self.elsewhere = self.tre.add_board("Elsewhere")
        self.foreign = self.tre.add_card("DONE", "Foreign", "no lead")
        self.leads = [world.lead("Uninvolved", "CONTACTED"), world.lead("Ada", "NEW"), world.lead("Bob", "LOST")]
        self.shut: set[str] = set()  # cards that a sync may have seen to be archived

    def do(self, step: Step) -> None:
        gap, what, pick, value = step
        self.world.emulator.clock.advance(gap)
        getattr(self, what)(pick, value)

    # At Airtable

    def lead(self, pick: int) -> str:
        return self.leads[1 + pick % (len(self.leads) - 1)]

    def add_lead(self, pick: int, status: str | None) -> None:
        if len(self.leads) < 5:
            self.leads.append(self.world.lead(NAMES[pick % len(NAMES)], status))

    def edit(self, pick: int, **cells: str | None) -> None:
        if self.lead(pick) in self.air.records():
            self.air.edit(self.lead(pick), **cells)

    def set_status(self, pick: int, status: str | None) -> None:
        self.edit(pick, status=status)

    def rename(self, pick: int, name: str | None) -> None:
        self.edit(pick, name=name)

    def set_email(self, pick: int, email: str | None) -> None:
        self.edit(pick, email=email)

    def set_source(self, pick: int, source: str | None) -> None:
        self.edit(pick, source=source)

    def put_in_lead(self, pick: int, what: tuple[str, int | None]) -> None:
        card, which = what
        if self.lead(pick) in self.air.records():
            SHOWN[card].put_on_lead(self.world, self.lead(pick), None if which is None else SHOWN[card].values[which])

    def delete_lead(self, pick: int, _: None) -> None:
        if self.lead(pick) in self.air.records():
            self.air.delete(self.lead(pick))

    def restore_lead(self, pick: int, _: None) -> None:
        if self.lead(pick) not in self.air.records():
            self.air.restore(self.lead(pick))

    # At Trello

    def card(self, pick: int) -> dict[str, Any]:
        """Any but the uninvolved lead's."""
        cards = [card for _, card in sorted(self.tre.cards().items()) if self.leads[0] not in markers(card)]
        return cards[pick % len(cards)]

    def place(self, name: str) -> str | None:
        """A list's id, None if it is on another board."""
        wanted = self.waiting if name == "Waiting" else self.tre.list_id(name)
        return wanted if wanted in {each["id"] for each in self.tre.lists()} else None

    def here(self, card: dict[str, Any]) -> bool:
        return bool(card["idBoard"] == self.tre.board_id)

    def move(self, pick: int, place: str) -> None:
        card, target = self.card(pick), self.place(place)
        if self.here(card) and target:
            self.tre.edit(card["id"], idList=target, pos="bottom")

    def retitle(self, pick: int, title: str) -> None:
        self.tre.edit(self.card(pick)["id"], name=title)

    def tick(self, pick: int, ticked: bool) -> None:
        self.tre.edit(self.card(pick)["id"], dueComplete=ticked)

    def write_above(self, pick: int, text: str) -> None:
        card = self.card(pick)
        self.tre.edit(card["id"], desc=f"{text}\n{card['desc']}")

    def write_below(self, pick: int, text: str) -> None:
        card = self.card(pick)
        self.tre.edit(card["id"], desc=f"{card['desc']}\n{text}")

    def save_in_editor(self, pick: int, _: None) -> None:
        self.tre.save_in_editor(self.card(pick)["id"])

    def put_on_card(self, pick: int, what: tuple[str, int | None]) -> None:
        card, which = what
        shown, target = SHOWN[card], self.card(pick)
        if self.here(target):
            value = None if which is None else shown.values[which]
            shown.put(self.world, target["id"], [] if value is None and shown.is_set else value)

    def archive_or_take_back(self, pick: int, closed: bool) -> None:
        self.tre.edit(self.card(pick)["id"], closed=closed)

    def send_to_board(self, pick: int, away: bool) -> None:
        self.tre.move_to_board(self.card(pick)["id"], self.elsewhere if away else self.tre.board_id)

    def delete_card(self, pick: int, _: None) -> None:
        card = self.card(pick)
        if self.here(card) and card["id"] not in {self.foreign, *self.shut}:
            self.tre.delete(card["id"])

    def copy_card(self, pick: int, place: str) -> None:
        card = self.card(pick)
        if self.here(card) and len(self.tre.cards()) < 12:
            self.tre.copy(card["id"])
            self.move(pick, place)

    def make_template(self, pick: int, template: bool) -> None:
        self.tre.edit(self.card(pick)["id"], isTemplate=template)

    def wipe_description(self, pick: int, text: str) -> None:
        self.tre.edit(self.card(pick)["id"], desc=text)

    def add_second_marker(self, pick: int, _: None) -> None:
        card = self.card(pick)
        self.tre.edit(card["id"], desc=f"{card['desc']}\nLeadID: {self.lead(pick + 1)}")

    def repeat_marker(self, pick: int, _: None) -> None:
        card = self.card(pick)
        for lead in markers(card)[:1]:
            self.tre.edit(card["id"], desc=f"LeadID: {lead}\n{card['desc']}")

    def make_marked_card(self, pick: int, place: str) -> None:
        target = self.place(place)
        if target and len(self.tre.cards()) < 12:
            lead = self.lead(pick) if pick else "rec" + "Z" * 14
            self.tre.add_card(name="By hand", desc=f"by hand\nLeadID: {lead}\nfor {pick}", idList=target)

    def make_foreign_card(self, pick: int, place: str) -> None:
        target = self.place(place)
        if target and len(self.tre.cards()) < 12:
            self.tre.add_card(name="Shopping", desc="milk", idList=target)

    def mark_foreign_card(self, pick: int, _: None) -> None:
        self.tre.edit(self.foreign, desc=f"LeadID: {self.lead(pick)}" if pick % 2 else "no lead")

    def archive_waiting(self, pick: int, closed: bool) -> None:
        name = self._waiting_name()
        if name:
            (self.tre.archive_list if closed else self.tre.unarchive_list)(name)

    def rename_waiting(self, pick: int, name: str) -> None:
        before = self._waiting_name()
        if before and before != name:
            self.tre.rename_list(before, name)

    def send_waiting_away(self, pick: int, away: bool) -> None:
        """With the cards in it, of which nothing is told."""
        name = self._waiting_name()
        if name and away and pick == 0:
            self.tre.move_list(name, self.elsewhere)

    def _waiting_name(self) -> str | None:
        return next((each["name"] for each in self.tre.lists() if each["id"] == self.waiting), None)

    def make_noise(self, pick: int, _: None) -> None:
        card = self.card(pick)["id"]
        self.tre.comment(card, "nice")
        self.tre.edit(card, pos="top", due="2026-02-03T00:00:00.000Z")

    # The sync

    def sync(self, pick: int, read: str) -> None:
        assert_same(self.world, self.reads)
        self.world.sync(read=read)
        self._note_shut()

    def sync_and_meanwhile(self, pick: int, edit: Step) -> None:
        """A person's edit just before the run's first write takes effect; afterwards, if it writes nothing."""
        assert_same(self.world, self.reads)
        left = [edit]

        def person(request: Request, index: int) -> None:
            if request.is_write and left:
                self.do(left.pop())

        stop = self.world.emulator.before_request(person)
        self.world.sync(read="delta")
        stop()
        self._note_shut()
        for each in left:
            self.do(each)

    def _note_shut(self) -> None:
        self.shut |= {card["id"] for card in self.tre.cards().values() if card["closed"] or not self.here(card)}


@dataclass(frozen=True)
class Outlook:
    """How both sides were read, what is seen of them, and what would be done about it."""

    how: str
    leads: pd.DataFrame
    cards: pd.DataFrame
    plan: Plan
    numbers: tuple[int, int]
    is_part: bool


def outlook(world: World, scope: Scope | None, whole: bool = False, read: Read = Read.DELTA) -> Outlook:
    """
    `scope`: None as `read` says. `whole`: all is recalled, though it may concern nothing that a delta brought.

    Nothing is written or kept.
    """
    settings_now = world.settings()
    with open_clients(settings_now, world.transport) as clients:
        board = tied(fetch_board(clients.trello), "the same", settings_now, clients)
        place = settings_now.airtable_base_id, settings_now.airtable_table_name, board.board_id
        pair, feed = Pair(*place), None
        if "AIRTABLE_CHANGE_FEED" in world.env:
            feed = ChangeFeed(settings_now, clients.airtable, clients.store, pair.key, may_make=False)
        mapped = mind_names(clients.store, pair.key, board.cells, settings_now.mapping.timezone, dry_run=True)
        telling = Telling(Report())
        run = Run(
            settings_now,
            Options(),
            Steps(),
            clients,
            OurRows(pair),
            feed,
            lambda: None,
            telling,
            mapped,
            Begun("a run", 0.0),
        )
        past = past_of(run, board, Checkup())
        chosen = scope_of(read, past, settings_now, board, feed) if scope is None else scope
        leads = extract_leads(clients.airtable, past, chosen, feed)
        cards = extract_cards(clients.trello, board, past, chosen)
        sides = see(run, past, Reads(leads, cards), board, whole)
        plan = join_and_diff(sides.memory, sides.leads, sides.cards, clients, board, run.rules(board))
        how = f"leads {'full' if leads.whole else 'delta'}, cards {'delta' if cards.delta else 'full'}"
        assert sides.cards.total in (-1, open_cards(world))
        numbers = sides.leads.number, sides.cards.number
        return Outlook(how, sides.leads.leads, sides.cards.cards, plan, numbers, sides.memory.is_part)


def open_cards(world: World) -> int:
    board = world.trello.board_id
    return sum(card["idBoard"] == board and not card["closed"] for card in world.trello.cards().values())


def assert_same(world: World, reads: tuple[Read, ...]) -> None:
    """
    From the same state, a delta read and a full read see the same and plan the same; so does one that recalls only
    what concerns it, of what it sees.
    """
    full = outlook(world, Scope())
    for read in reads:
        assert_as_full(outlook(world, None, whole=True, read=read), outlook(world, None, read=read), full)


def assert_as_full(delta: Outlook, part: Outlook, full: Outlook) -> None:
    READS[delta.how] += 1
    pd.testing.assert_frame_equal(delta.leads, full.leads)
    pd.testing.assert_frame_equal(delta.cards, full.cards)
    assert_plans_the_same(delta.plan, full.plan)
    assert delta.numbers == full.numbers
    PARTS[part.is_part] += 1
    if part.is_part:
        LEFT_OUT.update(leads=len(full.leads) - len(part.leads))
        pd.testing.assert_frame_equal(part.leads, full.leads[full.leads.index.isin(part.leads.index)])
        pd.testing.assert_frame_equal(part.cards, full.cards[full.cards.index.isin(part.cards.index)])
        assert_plans_the_same(part.plan, full.plan)
        assert part.numbers == full.numbers


def assert_plans_the_same(plan: Plan, wanted: Plan) -> None:
    for part in ("card_writes", "lead_writes", "base_updates", "forget", "conflicts", "quarantine", "notes"):
        assert getattr(plan, part) == getattr(wanted, part), part
    assert plan.still_open.found == wanted.still_open.found


def assert_settled(world: World, last: Told) -> None:
    """What is plainly linked is equal, but for conflicts that are held, and no lead has two cards in use."""
    aside, held = {row["card_id"] for row in last.quarantine}, {row["lead_id"] for row in last.conflicts}
    for lead, cells in world.airtable.records().items():
        cards = [card for card in world.cards_of(lead) if not card["closed"] and card["id"] not in aside]
        cards = [card for card in cards if card["idBoard"] == world.trello.board_id]
        assert len(cards) <= 1, "a doubled card"
        for card in cards:
            place = world.list_name(card)
            if (
                lead not in held
                and len(markers(card)) == 1
                and place in STAGE_OF.values()
                and cells.get("status") in STAGE_OF
            ):
                assert (STAGE_OF[cells["status"]], cells.get("name", card["name"])) == (place, card["name"])


DELTAS = (Read.DELTA, Read.AUTO)
"""Of both sides by what changed; of few leads all, and of the cards what changed."""


def play(
    history: list[Step],
    generous: bool,
    services: dict[str, Any],
    policy: str,
    reads: tuple[Read, ...] = DELTAS,
    **env: str,
) -> None:
    """`generous`: a delta goes on however many cards it must ask for, as on a board of very many pages."""
    if currently_in_test_context():
        note(f"{history}, {generous}, {services}, {policy!r}")
    pages = (lambda items, page: 1_000) if generous else pages_of
    with tempfile.TemporaryDirectory() as folder, patch("leadsync.trello.feed.pages_of", pages):
        world = World(Path(folder), ordered=True, env=env, clock=ManualClock(), **services)
        world.env["SYNC_CONFLICT"] = policy
        world.pause = 0.0
        try:
            people = People(world, reads)
            world.sync()
            world.emulator.clock.advance(75.0)
            for step in history:
                people.do(step)
            people.do((1.0, "sync", 0, reads[0].value))
            last = world.sync(read=reads[0].value)
            assert_same(world, reads)
            assert_settled(world, last)
            world.assert_idle()
        finally:
            world.close()


PLAIN = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
POLICIES = st.sampled_from(("airtable", "trello", "hold"))


@PLAIN
@given(HISTORY, st.booleans(), SERVICES, POLICIES)
def test_delta_sees_and_plans_what_a_full_read_does_after_any_history(history, generous, services, policy):
    play(history, generous, services, policy)


@settings(PLAIN, max_examples=10)
@given(FEED_HISTORY, st.booleans(), FEEDS, POLICIES)
def test_delta_by_the_change_feed_sees_and_plans_what_a_full_read_does(history, generous, services, policy):
    """Deletions too, and whatever is done between a run's read and its listing of payloads."""
    play(history, generous, services, policy, **FEED)


@settings(PLAIN, max_examples=15)
@given(MAPPED_HISTORY, st.booleans(), SERVICES, POLICIES)
@example([(0.0, "put_in_lead", 0, ("due", 0))], False, {}, "airtable")
@example([(0.0, "put_in_lead", 0, ("members", 0))], False, {}, "airtable")
@example([(10.6, "archive_or_take_back", 2, True), (0.999, "set_status", 3, None)], True, {}, "trello")
def test_delta_sees_and_plans_what_a_full_read_does_with_everything_mapped(history, generous, services, policy):
    """All that the activity tells: dates, ticks, members, custom fields, lines."""
    play(history, generous, services, policy, SYNC_FIELDS=MAPPED_TOLD)


@settings(PLAIN, max_examples=15)
@given(FEED_HISTORY, st.booleans(), SERVICES, POLICIES)
def test_all_of_few_leads_beside_a_delta_of_the_cards_shows_deletions_too(history, generous, services, policy):
    play(history, generous, services, policy, (Read.AUTO,))


def test_histories_are_compared_by_delta_and_not_by_two_full_reads():
    """The comparison means something only if one of the two is a delta, on either side."""
    READS.clear()
    PARTS.clear()
    LEFT_OUT.clear()
    one_by_one: list[Step] = []
    for step in ((1.0, "move", 0, "DONE"), (1.0, "rename", 1, "Zoë | *x*"), (1.0, "copy_card", 0, "TODO")):
        one_by_one += [step, (1.0, "sync", 0, "delta")]
    play(one_by_one, True, {}, "airtable")
    assert set(READS) == {"leads delta, cards delta", "leads full, cards delta"}
    assert READS.total() == 2 * (len(one_by_one) / 2 + 2)
    assert set(PARTS) == {True}
    assert LEFT_OUT["leads"] > len(one_by_one) / 2


@pytest.mark.exhaustive
@pytest.mark.parametrize("generous", [True, False])
def test_delta_equals_full_in_thousands_of_histories(generous):
    READS.clear()

    @settings(PLAIN, max_examples=2_000)
    @given(HISTORY, SERVICES, POLICIES)
    def run(history, services, policy):
        play(history, generous, services, policy)

    run()
    assert READS["leads delta, cards delta"] > READS.total() / 3


@pytest.mark.exhaustive
def test_delta_by_the_change_feed_equals_full_in_hundreds_of_histories():
    READS.clear()

    @settings(PLAIN, max_examples=500)
    @given(FEED_HISTORY, st.booleans(), FEEDS, POLICIES)
    def run(history, generous, services, policy):
        play(history, generous, services, policy, **FEED)

    run()
    assert READS["leads delta, cards delta"] > READS.total() / 4


@pytest.mark.exhaustive
@pytest.mark.parametrize("env", [{}, FEED], ids=["no-feed", "feed"])
def test_delta_equals_full_with_everything_mapped_in_hundreds_of_histories(env):
    READS.clear()

    @settings(PLAIN, max_examples=400)
    @given(MAPPED_HISTORY, st.booleans(), SERVICES, POLICIES)
    def run(history, generous, services, policy):
        play(history, generous, services, policy, SYNC_FIELDS=MAPPED_TOLD, **env)

    run()
    assert READS["leads delta, cards delta"] > READS.total() / 4
