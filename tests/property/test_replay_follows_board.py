"""
The feed replayed on the cards as last seen must give the cards as they are: a small model of a board, no HTTP.

The model stores cards and tells actions as Trello does; it shares nothing with the product but the names on the wire.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import replace
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, currently_in_test_context, example, given, note, settings
from hypothesis import strategies as st

from leadsync.airtable.client import LeadsRead
from leadsync.frames.actions import Action
from leadsync.frames.agreed import base_frame
from leadsync.frames.leads import leads_frame
from leadsync.frames.replay import replay
from leadsync.frames.snapshot import Snapshot
from leadsync.pipeline.extract import extract_cards
from leadsync.pipeline.memory import Memory
from leadsync.pipeline.scope import Scope
from leadsync.pipeline.snapshots import snapshot_after, snapshot_now
from leadsync.settings import Settings
from leadsync.trello.board import Board
from leadsync.trello.client import Trello
from leadsync.trello.feed import Remembered, with_remembered

HERE, AWAY = "b" * 24, "c" * 24
LEAD = "rec" + "A" * 14
MARKER = f"LeadID: {LEAD}"
LISTS = ("todo", "doing", "done", "parked")
TITLES = ("Ada", "Bob", "")
TEXTS = ("", MARKER, f"call\n{MARKER}\nlater", "a note", f"about {MARKER}", f"LeadID: rec{'B' * 14}\n{MARKER}")
GAPS = (0.0, 0.001, 0.3, 0.999, 1.0, 5.0, 9.4, 10.0, 10.6, 59.0, 75.0)
START = 1_767_225_600.25
SETTINGS = Settings(
    _env_file=None,
    airtable_api_token="pat",
    airtable_base_id="app" + "A" * 14,
    trello_api_key="key",
    trello_api_token="token",
    trello_board_id=HERE,
)
BOARD = Board(HERE, "Sales", "", {"TODO": "todo", "IN_PROGRESS": "doing", "DONE": "done"})
NO_LEADS = LeadsRead(leads_frame([], SETTINGS.columns, SETTINGS.untied), {}, at=START)


class ModelBoard:
    """
    Cards, and the actions of one board, each with the moment from which on the feed shows it.

    `late` [s] is how long the next actions stay hidden; `terse` leaves descriptions out of them.
    """

    def __init__(self) -> None:
        self.now, self.late, self.terse = START, 0.0, False
        self.cards: dict[str, dict[str, Any]] = {}
        self.feed: list[tuple[float, dict[str, Any]]] = []
        self.asked: list[str] = []
        self._numbers = count(1)

    # What is done there

    def add(self, kind: str, list_id: str, text: str, told: bool = True) -> str:
        card_id = f"{next(self._numbers):024x}"
        plain = {"closed": False, "dueComplete": False, "isTemplate": False, "cardRole": None, "shortUrl": ""}
        self.cards[card_id] = {"id": card_id, "name": "New", "desc": text, "idList": list_id, "idBoard": HERE} | plain
        if told:
            self._tell(kind, card_id, {})
        return card_id

    def change(self, card_id: str, **cells: Any) -> None:
        """As one PUT: an action for each cell that changes, none while the card is on another board."""
        card = self.cards[card_id]
        for cell, value in cells.items():
            if card[cell] == value:
                continue
            former, card[cell] = card[cell], value
            if card["idBoard"] == HERE:
                said = {} if cell == "desc" and self.terse else {cell: value}
                self._tell("updateCard", card_id, {cell: former}, said)

    def send(self, card_id: str, board: str, list_id: str) -> None:
        card = self.cards[card_id]
        if card["idBoard"] != board:
            kind = "moveCardFromBoard" if board == AWAY else "moveCardToBoard"
            card |= {"idBoard": board, "idList": list_id}
            self._tell(kind, card_id, {})

    def delete(self, card_id: str) -> None:
        """
        The card's earlier actions leave the feed.

        Not on another board: there it would take with it what told that it had left, and no feed can show it.
        """
        if self.cards[card_id]["idBoard"] == HERE:
            del self.cards[card_id]
            self.feed = [(at, told) for at, told in self.feed if told["data"].get("card", {}).get("id") != card_id]
            self._tell("deleteCard", card_id, {})

    def change_list(self) -> None:
        self._tell("updateList", None, {"name": "TODO"})

    def comment(self, card_id: str) -> None:
        self._tell("commentCard", card_id, {})

    def _tell(self, kind: str, card_id: str | None, old: dict[str, Any], said: dict[str, Any] | None = None) -> None:
        date = datetime.datetime.fromtimestamp(self.now, datetime.UTC).isoformat(timespec="milliseconds")
        data: dict[str, Any] = {"old": old} if old else {}
        if card_id:
            data["card"] = {"id": card_id, **(said or {})}
        action = {"id": f"{next(self._numbers):024x}", "type": kind, "date": date.replace("+00:00", "Z"), "data": data}
        self.feed.append((self.now + self.late, action))

    # What is asked of it

    def actions(self, *asked: Any, **bounds: str) -> list[Action]:
        """The feed's answer, parsed."""
        return [Action.of(item) for item in self.answer_feed(*asked, **bounds)]

    def answer_feed(self, trello: Trello, board: Board, kinds: str, since: str = "") -> list[dict[str, Any]]:
        shown = [told for visible, told in reversed(self.feed) if visible <= self.now]
        return [told for told in shown if told["type"] in kinds.split(",") and told["date"] > since][:1_000]

    def answer_card(self, card_id: str) -> dict[str, Any] | None:
        self.asked.append(card_id)
        return dict(self.cards[card_id]) if card_id in self.cards else None

    def answer_page(self, board: Board, which: str, read: Collection[str]) -> list[dict[str, Any]]:
        return [] if read else [dict(card) for card in self.open().values()]

    def open(self) -> dict[str, dict[str, Any]]:
        return {key: card for key, card in self.cards.items() if card["idBoard"] == HERE and not card["closed"]}

    def ours(self, known: set[str]) -> dict[str, dict[str, Any]]:
        """What a full read keeps: the open cards that the base knows or that bear a marker line."""
        lines = {key: card["desc"].split("\n") for key, card in self.open().items()}
        named = {key for key in lines if any(line.startswith("LeadID: rec") for line in lines[key])}
        return {key: card for key, card in self.open().items() if key in named | known}

    def tells_all(self) -> bool:
        return all(shown <= self.now for shown, _ in self.feed)


class Kept:
    """What a reader has kept, as pipeline.past.Past tells it."""

    def __init__(self, reader: Reader) -> None:
        self.whole, self.snapshot, self.cards = reader.memory, reader.memory.snapshot, reader.recall


class Reader:
    """The product's reading of the model: full once, then by delta; the snapshot is handed on as in a run."""

    def __init__(self, model: ModelBoard, known: set[str]) -> None:
        self.model, self.known = model, known
        self.trello = Trello(SETTINGS)
        self.trello.look_up = model.answer_card  # type: ignore[method-assign]
        self.trello._card_page = model.answer_page  # type: ignore[method-assign]
        rows = {f"rec{number:014}": (key, "present", "open") for number, key in enumerate(sorted(known))}
        frame = base_frame().reindex(list(rows))
        frame["card_id"] = [key for key, *_ in rows.values()]
        frame["card_presence"] = "open"
        self.memory = Memory(frame, [], Snapshot())
        self.deltas = self.reads = 0
        self.deleted: set[str] = set()
        self.read()

    def read(self, whole: bool = False) -> None:
        self.model.asked.clear()
        self.trello.wire.server_time = self.model.now
        before = self.memory.snapshot
        scope = Scope(cards_delta=bool(before.full_at) and not whole)
        with (
            patch("leadsync.trello.feed.pages_of", lambda *_: 1_000),
            patch("leadsync.trello.feed._actions", self.model.actions),
        ):
            read = extract_cards(self.trello, BOARD, Kept(self), scope)  # type: ignore[arg-type]
            self.cards = with_remembered(self.trello, BOARD, read, Remembered(before.cards, frozenset(self.known)))
        self.deltas, self.reads = self.deltas + self.cards.delta, self.reads + 1
        self.deleted |= {*self.cards.deleted}
        self.remember(snapshot_now(before, NO_LEADS, self.cards, ""))

    def recall(self, card_ids: Collection[str]) -> Remembered:
        seen = self.memory.snapshot.cards
        return Remembered({key: seen[key] for key in card_ids if key in seen}, frozenset(self.known & {*card_ids}))

    def remember(self, seen: Snapshot) -> None:
        self.memory = replace(self.memory, snapshot=seen)

    def write(self, card_id: str, **cells: Any) -> None:
        """As the sync does: one PUT, and its answer is known from then on."""
        self.model.change(card_id, **cells)
        answer = {card_id: dict(self.model.cards[card_id])}
        self.remember(snapshot_after(self.memory.snapshot, {}, answer, BOARD))

    def check(self) -> None:
        seen, truth = self.memory.snapshot, self.model.ours(self.known)
        assert seen.cards == truth
        assert seen.open_cards in (-1, len(self.model.open()))
        assert sorted(self.cards.cards.index) == sorted(truth)
        gone = self.known - self.model.cards.keys()
        assert self.deleted <= gone
        if self.deltas == self.reads - 1:
            assert self.deleted == gone, "a known card's deletion, archived or not, is told"


A_CARD = st.integers(0, 6)
EDITS = st.one_of(
    st.tuples(st.just("move"), A_CARD, st.sampled_from(LISTS)),
    st.tuples(st.just("title"), A_CARD, st.sampled_from(TITLES)),
    st.tuples(st.just("describe"), A_CARD, st.sampled_from(TEXTS)),
    st.tuples(st.just("tick"), A_CARD, st.booleans()),
    st.tuples(st.just("template"), A_CARD, st.booleans()),
    st.tuples(st.just("close"), A_CARD, st.booleans()),
    st.tuples(st.just("send"), A_CARD, st.sampled_from((HERE, AWAY))),
    st.tuples(st.just("delete"), A_CARD, st.none()),
    st.tuples(st.just("comment"), A_CARD, st.none()),
    st.tuples(st.just("list"), A_CARD, st.none()),
    st.tuples(
        st.sampled_from(("createCard", "copyCard", "convertToCardFromCheckItem", "emailCard")),
        A_CARD,
        st.sampled_from(TEXTS),
    ),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(GAPS),
        st.one_of(
            EDITS,
            EDITS,
            EDITS,
            st.tuples(st.just("read"), A_CARD, st.none()),
            st.tuples(st.just("read"), A_CARD, st.none()),
            st.tuples(st.just("write"), A_CARD, st.sampled_from(LISTS)),
            st.tuples(st.just("checked"), A_CARD, st.none()),
            st.tuples(st.just("read whole"), A_CARD, st.none()),
        ),
    ),
    max_size=25,
)
Step = tuple[float, tuple[str, int, Any]]


def play(steps: list[Step], late: float = 0.0, terse: bool = False) -> Reader:
    """A history; wherever the feed shows everything, what is known must be what is there."""
    if currently_in_test_context():
        note(f"{steps}, late={late}, terse={terse}")
    model = ModelBoard()
    model.terse = terse
    known = {model.add("", "todo", MARKER, told=False) for _ in range(3)}
    model.add("", "todo", "nobody's", told=False)
    model.now += 3600
    reader = Reader(model, known)
    list_changed = True
    for gap, (what, pick, value) in steps:
        model.now += gap
        model.late = late if pick >= 4 else 0.0
        here = sorted(model.cards)
        card = here[pick % len(here)] if here else ""
        if what.startswith("read"):
            reader.read(whole=what == "read whole")
            if model.tells_all():
                reader.check()
                assert not (reader.memory.snapshot.lists_checked and list_changed)
        elif what == "checked":
            reader.remember(replace(reader.memory.snapshot, lists_checked=True))
            list_changed = False
        elif what == "list":
            model.change_list()
            list_changed = True
        elif what.endswith("Card") or what.startswith("convert"):
            model.add(what, LISTS[pick % 4], value)
        elif card:
            act(reader, what, card, pick, value)
    model.now += 20.0
    reader.read()
    reader.check()
    told = reader.cards.delta
    model.now += 1.0
    reader.read()
    reader.check()
    if told and reader.cards.delta:
        assert model.asked == [], "what was told once is not asked for again"
    return reader


def act(reader: Reader, what: str, card: str, pick: int, value: Any) -> None:
    model = reader.model
    cells = {"move": "idList", "title": "name", "describe": "desc", "tick": "dueComplete", "template": "isTemplate"}
    if what in cells:
        model.change(card, **{cells[what]: value})
    elif what == "close":
        model.change(card, closed=value)
    elif what == "send":
        model.send(card, value, LISTS[pick % 4])
    elif what == "delete":
        model.delete(card)
    elif what == "comment":
        model.comment(card)
    elif what == "write" and card in reader.memory.snapshot.cards:
        reader.write(card, idList=value, name="Ours")


PLAIN = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(PLAIN, max_examples=2_500)


@PLAIN
@given(STEPS)
@example([(0.25, ("move", 0, "doing")), (0.4, ("move", 0, "done")), (9.8, ("title", 1, "Bob")), (1.0, ("read", 0, 0))])
@example([(75.0, ("close", 0, True)), (0.0, ("close", 0, False))])
@example([(75.0, ("move", 0, "doing")), (0.0, ("move", 0, "done"))])
def test_cards_by_delta_are_the_cards_there_are_after_any_history(steps):
    """Moves, archiving, deletions, copies, boards, lists and our own writes, read at any moments."""
    play(steps)


@PLAIN
@given(STEPS, st.sampled_from((0.5, 3.0, 8.0)))
@example([(75.0, ("move", 4, "doing")), (0.1, ("move", 0, "done")), (0.1, ("read", 0, None))], 3.0)
@example([(75.0, ("move", 4, "doing")), (5.0, ("title", 1, "Bob")), (0.3, ("read", 0, None))], 8.0)
def test_actions_that_the_feed_shows_late_are_not_lost(steps, late):
    """Some actions are shown seconds after later ones; once the feed shows everything, all is known."""
    play(steps, late)


@PLAIN
@given(STEPS)
@example([(75.0, ("describe", 3, MARKER))])
@example([(0.0, ("describe", 2, "")), (0.0, ("send", 2, AWAY)), (0.0, ("read", 0, None)), (0.0, ("send", 2, HERE))])
def test_descriptions_that_the_feed_leaves_out_are_asked_for(steps):
    play(steps, terse=True)


@pytest.mark.exhaustive
@pytest.mark.parametrize("terse", [False, True])
@pytest.mark.parametrize("late", [0.0, 0.5, 3.0, 8.0])
def test_replay_of_very_many_histories(late, terse):
    @LONG
    @given(STEPS)
    def run(steps):
        play(steps, late, terse)

    run()


def test_delta_is_what_is_tested_not_the_full_read_in_its_place():
    """Of the reads in a history without gaps none falls back."""
    steps: list[Step] = [(75.0, ("move", pick, LISTS[pick % 4])) for pick in range(4)]
    reads: list[Step] = [(1.0, ("read", 0, None))]
    assert play([step for each in steps for step in (each, *reads)]).deltas == len(steps) + 2


def action(kind, card_id="1", date="2026-01-01T00:00:00.000Z", action_id="a", **data):
    return Action.of({"id": action_id, "type": kind, "date": date, "data": {"card": {"id": card_id}, **data}})


@pytest.mark.parametrize("kind", ["copyBoard", "moveInboxCard", "", None])
def test_action_of_an_unknown_kind_makes_the_feed_worthless(kind):
    assert replay(Snapshot(), {"1": {"id": "1"}}, [action(kind)], {"1"}) is None


def test_write_of_ours_that_the_feed_does_not_tell_makes_it_worthless():
    seen, were = Snapshot(written=["rec1", "2"]), {"1": {"id": "1"}, "2": {"id": "2"}}
    assert replay(seen, were, [action("updateCard", "1", old={"name": ""})], {"1", "2"}) is None
    assert replay(seen, were, [action("updateCard", "2", old={"pos": 1})], {"1", "2"}) is not None


def test_card_written_and_gone_from_what_is_seen_need_not_be_told():
    assert replay(Snapshot(written=["2"]), {}, [], {"2"}) is not None
