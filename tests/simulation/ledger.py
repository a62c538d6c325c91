"""
The oracle's memory: what people did, what both sides show, and which of people's edits still ask to be in force.

Written from the rules alone: it shares neither code nor words with the product.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from simulation.cells import (
    ALONE,
    BOTH,
    TO_AIRTABLE,
    TO_TRELLO,
    Mapped,
    is_told,
    report_name,
    said_by_card,
    said_by_lead,
)
from simulation.near_world import other_table
from support.harness import World

STAGE_OF = {
    "NEW": "TODO",
    "NURTURE": "TODO",
    "CONTACTED": "IN_PROGRESS",
    "QUALIFIED": "DONE",
    "LOST": "DONE",
}
STATUS_FOR = {"TODO": "NEW", "IN_PROGRESS": "CONTACTED", "DONE": "QUALIFIED"}
MARKER = re.compile(r"^LeadID:\s*(rec[0-9A-Za-z]{14})\s*$")
HEADER = "Lead details from Airtable"
LABELS = {"email": "E-mail:", "source": "Source:", "line:Phone": "Phone:"}
TWO_WAY = ("status", "name")
ONE_WAY = ("email", "source")
AIRTABLE, TRELLO = "airtable", "trello"
Cells = dict[str, Any]


def markers(desc: str) -> list[str]:
    return list(dict.fromkeys(found.group(1) for line in desc.split("\n") if (found := MARKER.match(line))))


def is_error(value: Any) -> bool:
    return isinstance(value, dict) and ("error" in value or "specialValue" in value)


def shown_text(value: Any) -> str:
    """What a person sees in a cell."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(shown_text, value)))
    if isinstance(value, dict):
        return str(value.get("name") or value.get("filename") or value.get("value") or "")
    return "" if value is None else str(value)


def block_line(desc: str, label: str) -> str | None:
    """A line of the block that ends in the marker, without the markup of Trello's editor; None if there is none."""
    lines = desc.split("\n")
    end = next((at for at, line in enumerate(lines) if MARKER.match(line)), 0)
    start = max((at for at, line in enumerate(lines[:end]) if line.strip() == HEADER), default=end)
    for line in lines[start:end]:
        if line.strip().startswith(label):
            text = line.strip().removeprefix(label).strip()
            text = re.sub(r"\[((?:[^\[\]\\]|\\.)*)\]\([^)]*\)", r"\1", text)
            text = re.sub(r"<((?:https?://|mailto:)?[^<>\s]+)>", r"\1", text)
            text = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)
            return "" if text == "–" else text
    return None


def own_text(desc: str) -> list[str]:
    """The lines that are a person's, byte for byte: all but the block's first e-mail and source line, and markers."""
    lines = desc.split("\n")
    kept, inside, seen = [], False, set[str]()
    for line in lines:
        if line.strip() == HEADER:
            inside, seen = True, set()
            continue
        if MARKER.match(line):
            inside = False
            continue
        label = next((label for label in LABELS.values() if line.strip().startswith(label)), "")
        if inside and label and label not in seen:
            seen.add(label)
            continue
        if line.strip():
            kept.append(line)
    return kept


@dataclass
class Sight:
    """Both services as they are at one moment."""

    records: dict[str, Cells]
    cards: dict[str, Cells]
    lists: dict[str, str]
    """Id -> name of the board's open lists."""
    board: str
    stages: dict[str, str]
    """Status -> list, as the settings have it."""

    def stage_of(self, status: str) -> str:
        """ "" if the status is not one of the map."""
        return self.stages.get(status or "NEW", "")

    def text(self, lead: str, cell: str) -> str:
        return shown_text(self.records.get(lead, {}).get(cell))

    def place(self, card: Cells) -> str:
        """The list's name; "elsewhere" if it is not an open list of the board."""
        return self.lists.get(card["idList"], "elsewhere")

    def title_wanted(self, lead: str) -> str:
        return self.text(lead, "name") or self.text(lead, "email") or f"Unnamed lead {lead}"

    def is_usable(self, card: Cells) -> bool:
        """Open, on the board, and no template."""
        return not card["closed"] and card["idBoard"] == self.board and not card["isTemplate"]

    def cards_of(self, lead: str) -> list[str]:
        """Every card that names the lead, in any state."""
        return [card_id for card_id, card in sorted(self.cards.items()) if lead in markers(card["desc"])]


def sight_of(world: World, tables: list[str], stages: dict[str, str], mapped: Mapped = ()) -> Sight:
    """Of each lead and card `mapped` is what it says in the cells of the mapping."""
    records: dict[str, Cells] = {}
    for table in tables:
        with other_table(world, table):
            records |= world.airtable.records(computed=True)
    lists = {each["id"]: each["name"] for each in world.trello.lists() if not each["closed"]}
    cards = world.trello.cards()
    if mapped:
        for record in records.values():
            record["mapped"] = said_by_lead(mapped, record)
        for card in cards.values():
            card["mapped"] = said_by_card(world, mapped, card)
            for row in mapped:
                if row.card in LABELS and (line := block_line(card["desc"], LABELS[row.card])) is not None:
                    card["mapped"][row.card] = line
    return Sight(records, cards, lists, world.trello.board_id, stages)


@dataclass(eq=False)
class Edit:
    """
    A value that a person gave a cell. `also`: other values that would do as well.

    null: perhaps no edit at all, because the cell may have been agreed at this value. by_chance: the
    other side said the same already. in_window: made between the last
    re-read and a PATCH of the same cell, which nothing shows afterwards.
    """

    lead: str
    cell: str
    side: str
    value: str
    at: int
    card: str = ""
    null: bool = False
    listed: bool = False
    in_window: bool = False
    by_chance: bool = False
    also: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return f"{self.side} {self.lead} {self.cell} = {self.value!r} (act {self.at})"

    @property
    def values(self) -> set[str]:
        return {self.value, *self.also}


class Ledger:
    """What people did, told by comparing both services before and after each of their acts."""

    def __init__(self, mapped: dict[str, str] | None = None) -> None:
        """`mapped`: cells of the mapping -> which way they go."""
        self.now = 0
        self.mapped = mapped or {}
        self.two_way = (*TWO_WAY, *(cell for cell, way in self.mapped.items() if way == BOTH))
        self.met: set[tuple[str, str]] = set()
        """(lead, cell) of the mapping that both sides were seen to agree on, for the card that the lead has now."""
        self.trims = ""
        """What the service's own way with line ends and blanks may take from the end of a line."""
        self.live: list[Edit] = []
        self.after_act: Sight | None = None
        self.born: list[str] = []
        """All leads, oldest first."""
        self.card_of: dict[str, str] = {}
        """Lead -> the card that is its form, as far as the history makes it plain."""
        self.ground: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        """(lead, cell, side) -> values of the cell since both sides were last seen to agree after a good run."""
        self.agreed_at: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0])
        self.came_at: dict[tuple[str, str], list[int]] = defaultdict(list)
        """(lead, cell) -> when the sync put an edit from Airtable onto the card."""
        self.touched: dict[tuple[str, str, str], int] = defaultdict(int)
        self.touched_in_run: dict[tuple[str, str, str], int] = defaultdict(int)
        self.running = False
        self.typed: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.closed: dict[str, tuple[bool, int]] = {}
        """Card -> how people, or the sync, last left it, and when."""
        self.texts: dict[str, list[str]] = {}
        self.told_lines: dict[str, set[str]] = defaultdict(set)
        """By card, lines that a report named as overwritten: its block had gone on, so they were not given back."""
        self.by_people: set[str] = set()
        self.shut_by_people: set[str] = set()
        self.marked_shut: set[str] = set()
        """Cards that came to name another lead while they were archived, where no run looks for such any more."""
        self.undone_at = 0
        """When the last undo began."""
        self.foreign: dict[str, Cells] = {}
        self.made_at: dict[str, int] = {}
        """Card -> when the run began that made it."""
        self.other_card_at: dict[str, int] = defaultdict(int)
        """Lead -> when a card that a person had made became its."""
        self.deleted_cards: dict[str, int] = {}
        """Lead -> when a person deleted its card."""
        self.status_edits: dict[str, list[int]] = defaultdict(list)
        self.gone_at: dict[str, int] = {}
        self.back_at: dict[str, int] = {}
        self.touched_cards: dict[str, int] = defaultdict(int)
        self.state_lost_at = -1
        self.run_at = 0
        """When the last run began that was no dry one."""
        self.set_aside: set[str] = set()
        """Leads whose card a run did not look at, two markers in it or such."""
        self.good_runs_of: dict[str, list[int]] = defaultdict(lambda: [0])
        self.mass_act_at = -1
        self.blurred: set[str] = set()
        """Leads of which it cannot be told which card is theirs."""
        self.out_of_view: set[str] = set()
        """Leads that a run did not see although they were there: that one is deleted then shows nowhere."""
        self.parted: set[str] = set()
        """Cards of leads that became such by an undo."""

    # People

    def person(self, before: Sight, after: Sight) -> None:
        """Take in one act of a person."""
        self.now += 1
        self.after_act = after
        self.born += [lead for lead in after.records if lead not in self.born]
        for lead in sorted(before.records.keys() | after.records.keys()):
            self._lead_act(lead, before, after)
        for card_id in sorted(before.cards.keys() | after.cards.keys()):
            was, now = before.cards.get(card_id), after.cards.get(card_id)
            if was != now:
                self._card_act(card_id, was, now, before, after)

    def _lead_act(self, lead: str, before: Sight, after: Sight) -> None:
        if lead not in after.records:
            self.gone_at[lead] = self.now
            self.live = [edit for edit in self.live if not self._is_over(edit, lead, before)]
            return
        if lead not in before.records and lead in self.gone_at:
            del self.gone_at[lead]
            self.back_at[lead] = self.now
            self.live = [edit for edit in self.live if edit.lead != lead or edit.side == AIRTABLE]
            return
        for cell in self.mapped:
            now = after.records[lead]["mapped"].get(cell, "")
            if before.records.get(lead, {"mapped": {}})["mapped"].get(cell, "") != now:
                self._edit(lead, cell, AIRTABLE, now, before)
        for cell in (*TWO_WAY, *ONE_WAY):
            was, now = before.records.get(lead, {}).get(cell), after.records[lead].get(cell)
            if was != now and not is_error(now):
                self._edit(lead, cell, AIRTABLE, after.text(lead, cell), before)
                counts = {_counts_as(cell, each.text(lead, cell)) for each in (before, after)}
                if cell == "status" and len(counts) > 1:
                    self.status_edits[lead].append(self.now)
            elif was != now:
                self.live = [edit for edit in self.live if (edit.lead, edit.cell) != (lead, cell)]

    def _is_over(self, edit: Edit, lead: str, sight: Sight) -> bool:
        """With a deleted lead go its own edits, and those of its card that it had taken over."""
        taken = edit.side == TRELLO and self.shows(edit, AIRTABLE, sight)
        return edit.lead == lead and edit.side == TRELLO and taken

    def _card_act(self, card_id: str, was: Cells | None, now: Cells | None, before: Sight, after: Sight) -> None:
        leads = {*markers((was or {}).get("desc", "")), *markers((now or {}).get("desc", ""))}
        leads |= {lead for lead, its in self.card_of.items() if its == card_id}
        self.touched_cards[card_id] = self.now
        if now is None:
            self._card_deleted(card_id, leads, before, after)
            return
        if was is None or was["closed"] != now["closed"]:
            self.closed[card_id] = (now["closed"], self.now)
            (self.shut_by_people.add if now["closed"] else self.shut_by_people.discard)(card_id)
        if was is None:
            self.by_people.add(card_id)
        elif not now["closed"]:
            self.marked_shut.discard(card_id)
        elif markers(was["desc"]) != markers(now["desc"]):
            self.marked_shut.add(card_id)
        if was is None or was["desc"] != now["desc"]:
            self.texts[card_id] = own_text(now["desc"])
        for lead in sorted(leads):
            self._typed_on_card(lead, now, after)
            if was is None or self.card_of.get(lead) != card_id:
                if lead not in self.card_of and self._named_once(lead, card_id, after) and after.is_usable(now):
                    self.card_of[lead] = card_id
                    self._let_go_of_agreed(lead)
                    self._edit(lead, "status", TRELLO, after.place(now), before, card_id)
                    self._edit(lead, "name", TRELLO, now["name"], before, card_id)
                    for cell in self.mapped:
                        if now["mapped"].get(cell):  # what a new card does not have nobody has taken off it
                            self._edit(lead, cell, TRELLO, now["mapped"][cell], before, card_id)
                elif lead not in self.card_of or self._is_claimed_by(lead, now):
                    self._blur(lead)
                continue
            named = markers(now["desc"])
            if named and lead not in named and not self._is_known(lead):  # markers alone tie
                self._blur(lead)
                continue
            self._cells_act(lead, card_id, was, now, before, after)
            in_use = before.is_usable(was) and after.is_usable(now) and named in ([], [lead])
            if not in_use:  # nothing is asked for what is done to a card that is put away
                self.live = [edit for edit in self.live if (edit.lead, edit.side) != (lead, TRELLO)]

    def _is_claimed_by(self, lead: str, card: Cells) -> bool:
        """Whether another card names the lead while markers alone tie: the oldest is its card, whichever was."""
        return self.state_lost_at >= 0 and not self._is_known(lead) and lead in markers(card["desc"])

    def _is_known(self, lead: str) -> bool:
        """Whether the state knows the lead's card: a run that was killed may have made it unrecorded."""
        return any(self.was_agreed(lead, cell, self.now) for cell in TWO_WAY)

    def _blur(self, lead: str) -> None:
        """It cannot be told any more which card is the lead's: nothing is asked for its cells."""
        self.blurred.add(lead)
        self.forget_edits(lead)
        self.card_of.pop(lead, None)

    def _let_go_of_agreed(self, lead: str) -> None:
        """What had come to the lead's former card gives way to what its new one says."""
        self.other_card_at[lead] = self.now
        self.met = {key for key in self.met if key[0] != lead}
        self.live = [
            edit for edit in self.live if edit.lead != lead or not self.was_agreed(lead, edit.cell, self.now, edit.at)
        ]

    def _named_once(self, lead: str, card_id: str, sight: Sight) -> bool:
        return sight.cards_of(lead) == [card_id] and len(markers(sight.cards[card_id]["desc"])) == 1

    def _typed_on_card(self, lead: str, card: Cells, sight: Sight) -> None:
        self.typed[lead, "name"].add(card["name"])
        self.typed[lead, "status"] |= {STATUS_FOR.get(sight.place(card), ""), STATUS_FOR["DONE"] * card["dueComplete"]}

    def _cells_act(self, lead: str, card_id: str, was: Cells, now: Cells, before: Sight, after: Sight) -> None:
        place, former = after.place(now), before.place(was)
        if place != former and was["idBoard"] == now["idBoard"]:
            self._edit(lead, "status", TRELLO, place, before, card_id)
        for cell in self.mapped:
            if was["mapped"].get(cell) != now["mapped"].get(cell):
                self._edit(lead, cell, TRELLO, now["mapped"].get(cell, ""), before, card_id)
        if was["dueComplete"] != now["dueComplete"] and "done" not in self.mapped:
            self._tick(lead, card_id, place, now["dueComplete"], before)
        if was["name"] != now["name"]:
            self._edit(lead, "name", TRELLO, now["name"], before, card_id)

    def _tick(self, lead: str, card_id: str, place: str, ticked: bool, before: Sight) -> None:
        """
        Ticked where nothing was moved, it says DONE; otherwise who can tell.

        It is the turn that says so: once the state is lost, nobody knows that the card was not ticked before.
        """
        self.touched[lead, "status", TRELLO] = self.now
        mine = [edit for edit in self.live if (edit.lead, edit.cell, edit.side) == (lead, "status", TRELLO)]
        plain = ticked and place in STATUS_FOR and place != "DONE" and not mine
        plain &= self.state_lost_at < 0 or self.was_agreed(lead, "status", self.now)
        plain &= self.ground[lead, "status", TRELLO] <= {place} and place == before.stage_of(
            before.text(lead, "status")
        )
        if plain:
            self._edit(lead, "status", TRELLO, "DONE", before, card_id)
            self.live[-1].also.add("(ticked)")
        elif ticked:
            self.live = [
                edit
                for edit in self.live
                if (edit.lead, edit.cell) != (lead, "status")
                or edit in mine
                or not self._has_come(edit, TRELLO, before)
            ]
        for edit in mine:
            edit.also |= {"DONE", place}

    def _card_deleted(self, card_id: str, leads: set[str], before: Sight, after: Sight) -> None:
        for each in (self.closed, self.texts, self.foreign):
            each.pop(card_id, None)
        self.met = {key for key in self.met if key[0] not in leads}
        for lead in leads:
            if self.card_of.get(lead) == card_id:
                del self.card_of[lead]
                self.deleted_cards[lead] = self.now
                self.live = [edit for edit in self.live if (edit.lead, edit.side) != (lead, TRELLO)]
            if after.cards_of(lead):  # another one takes its place, with cells of its own
                self.blurred.add(lead)
                self.forget_edits(lead)

    def make_plain(self, lead: str, card_id: str, sight: Sight) -> None:
        """The lead's card is known again; what both sides say now is what is asked for from now on."""
        self.blurred.discard(lead)
        self.card_of[lead] = card_id
        self.forget_edits(lead)
        for cell in self.two_way:
            is_parked = cell == "status" and sight.place(sight.cards[card_id]) not in STATUS_FOR
            if is_error(sight.records[lead].get(cell)) or is_parked:
                continue
            self.live.append(Edit(lead, cell, AIRTABLE, self.value(lead, cell, AIRTABLE, sight), self.now))

    def forget_edits(self, lead: str) -> None:
        """Nothing is asked for the lead's cells but that both sides be equal."""
        self.met = {key for key in self.met if key[0] != lead}
        self.live = [edit for edit in self.live if edit.lead != lead or edit.cell in ONE_WAY]

    def _edit(self, lead: str, cell: str, side: str, value: str, before: Sight, card: str = "") -> None:
        """A person's value replaces the former one of this side, and that of the other side if it was shown here."""
        was = self.value(lead, cell, side, before)
        self.ground[lead, cell, side].add(was)
        self.touched[lead, cell, side] = self.now
        if self.running:
            self.touched_in_run[lead, cell, side] = self.now
        if self.mapped.get(cell, BOTH) not in (BOTH, *((TO_TRELLO,) if side == AIRTABLE else (TO_AIRTABLE, ALONE))):
            return  # the other side is the one that says it
        self.typed[lead, cell].add(STATUS_FOR.get(value, value) if (cell, side) == ("status", TRELLO) else value)
        self.live = [
            edit
            for edit in self.live
            if (edit.lead, edit.cell) != (lead, cell) or (edit.side != side and not self._has_come(edit, side, before))
        ]
        held = {_counts_as(cell, each) for each in self.ground[lead, cell, side]}
        edit = Edit(lead, cell, side, value, self.now, card, null=_counts_as(cell, value) in held)
        # no run came between, so whatever the other side shows after this act, it does not have from the sync
        edit.by_chance = self.shows(edit, TRELLO if side == AIRTABLE else AIRTABLE, self.after_act or before)
        if (cell, side) == ("name", TRELLO) and self._says_nothing(lead, value, before):
            return
        self.live.append(edit)

    def _has_come(self, edit: Edit, side: str, sight: Sight) -> bool:
        """Whether people on the other side see the edit: it is shown there, and not only by chance."""
        return self.shows(edit, side, sight) and (not edit.by_chance or edit.at < self.run_at)

    def _says_nothing(self, lead: str, title: str, sight: Sight) -> bool:
        """An emptied title, and one that may be a fallback."""
        return title == "" or "@" in title or title.startswith("Unnamed lead")

    # What is shown

    def value(self, lead: str, cell: str, side: str, sight: Sight) -> str:
        if side == AIRTABLE:
            record = sight.records.get(lead, {})
            return str(record["mapped"].get(cell, "")) if record and cell in self.mapped else sight.text(lead, cell)
        card = sight.cards.get(self.card_of.get(lead, ""))
        if card is None:
            return ""
        if cell in self.mapped:
            return str(card["mapped"].get(cell, ""))
        return sight.place(card) if cell == "status" else str(card["name"])

    def shows(self, edit: Edit, side: str, sight: Sight) -> bool:
        """Whether a side shows what the edit said."""
        now = self.value(edit.lead, edit.cell, side, sight)
        if edit.cell in ONE_WAY:
            return side == AIRTABLE and now in edit.values
        if edit.cell in self.mapped:
            return now in edit.values
        if edit.cell == "name":
            if side == TRELLO and edit.side == AIRTABLE and not edit.value:
                return now == sight.title_wanted(edit.lead)
            return now in edit.values
        if edit.side == side:
            return now in edit.values or (side == TRELLO and "(ticked)" in edit.also and now == "DONE")
        if side == TRELLO:
            return now == sight.stage_of(edit.value)
        return sight.stage_of(now) in edit.values

    # Runs

    def written(self, before: Sight, after: Sight) -> None:
        """Take in what the sync itself did between two sights: cards it made, archived, took back."""
        for lead in (each for each in after.records if each not in before.records):
            self._made_of_its_card(lead, str(after.records[lead]["card_id"]), after)
        for card_id, card in after.cards.items():
            if card_id not in before.cards:
                self.made_at[card_id] = self.run_at
                self.texts[card_id] = own_text(card["desc"])
                for lead in markers(card["desc"]):
                    self.card_of[lead] = card_id
                    self.met = {key for key in self.met if key[0] != lead}  # that was with another card
            if card_id not in self.closed or self.closed[card_id][0] != card["closed"]:
                self.closed[card_id] = (card["closed"], self.now)
        for edit in self.live:
            came = edit.side == AIRTABLE and edit.cell in TWO_WAY and self.shows(edit, TRELLO, after)
            if came and not self.shows(edit, TRELLO, before):
                self.came_at[edit.lead, edit.cell].append(self.now)
        self._grow_ground(after)

    def _made_of_its_card(self, lead: str, card_id: str, sight: Sight) -> None:
        """A card that was nobody's has become a lead."""
        self.card_of = {other: its for other, its in self.card_of.items() if its != card_id} | {lead: card_id}
        self.born.append(lead)
        self._typed_on_card(lead, sight.cards[card_id], sight)

    def undone(self, leads: set[str]) -> None:
        """An earlier run may have been taken back: what people edited gives way, and is told."""
        for lead in leads:
            card_id = self.card_of.get(lead, "")
            self.touched_cards[card_id] = self.now
            self.parted.add(card_id)
            self._blur(lead)

    def _grow_ground(self, sight: Sight) -> None:
        for lead in sight.records:
            for cell in (*TWO_WAY, *self.mapped):
                for side in (AIRTABLE, TRELLO):
                    self.ground[lead, cell, side].add(self.value(lead, cell, side, sight))

    def agree(self, leads: list[str], sight: Sight) -> None:
        """After a good run: where both sides say the same, that is what is agreed."""
        for lead in leads:
            self.good_runs_of[lead].append(self.now)
            card = sight.cards.get(self.card_of.get(lead, ""))
            if lead not in sight.records or card is None or not sight.is_usable(card):
                continue
            if markers(card["desc"]) != [lead]:  # nobody's, or a run would have put the marker back, or set aside
                continue
            equal = {
                "status": sight.stage_of(sight.text(lead, "status")) == sight.place(card),
                "name": sight.title_wanted(lead) == card["name"],
            }
            for cell, way in self.mapped.items():
                values = [self.value(lead, cell, side, sight) for side in (AIRTABLE, TRELLO)]
                equal[cell] = values[0] == values[1] or way == ALONE
                # the run that makes a card does not look at it, and only then both sides meet
                if equal[cell] and (way != TO_AIRTABLE or self.made_at.get(card["id"]) != self.run_at):
                    self.met.add((lead, cell))
            for cell in equal:
                if equal[cell]:
                    self.agreed_at[lead, cell].append(self.now)
                    for side in (AIRTABLE, TRELLO):
                        self.ground[lead, cell, side] = {self.value(lead, cell, side, sight)}

    def let_go(self, sight: Sight) -> None:
        """After a run: an edit that was taken back before it gave way to one of the other side."""
        in_force = {(edit.lead, edit.cell, edit.side) for edit in self.live if self.shows(edit, edit.side, sight)}
        self.live = [edit for edit in self.live if not edit.null or not self._gave_way(edit, in_force)]

    def _gave_way(self, edit: Edit, in_force: set[tuple[str, str, str]]) -> bool:
        other = TRELLO if edit.side == AIRTABLE else AIRTABLE
        return (edit.lead, edit.cell, edit.side) not in in_force and (edit.lead, edit.cell, other) in in_force

    def list(self, rows: list[dict[str, Any]]) -> None:
        """Mark the edits that a report names as conflicts."""
        for edit in self.live:
            names = _names_mapped if edit.cell in self.mapped else _names
            edit.listed |= any(names(row, edit) for row in rows)
        for row in rows:
            if row["field"] == "description":
                self.told_lines[row["card_id"]] |= {*row["trello"].splitlines()}

    def lose_state(self, sight: Sight) -> None:
        """What was agreed is forgotten, and with it what was overwritten and not yet told."""
        self.now += 1
        self.state_lost_at = self.now
        self.live = [edit for edit in self.live if self.shows(edit, edit.side, sight) or edit.listed]
        self.texts = {card_id: own_text(sight.cards[card_id]["desc"]) for card_id in self.texts}
        for lead in sight.records:
            for card_id in sight.cards_of(lead):  # a list alone tells no longer which of its statuses it stands for
                card, typed = sight.cards[card_id], set(self.typed[lead, "name"])
                self._typed_on_card(lead, card, sight)
                if self._says_nothing(lead, card["name"], sight):  # nobody has typed a fallback
                    self.typed[lead, "name"] = typed
            named, known = sight.cards_of(lead), self.card_of.get(lead)
            if len(named) > 1 or (known and named != [known]):  # markers alone tie from now on
                self._blur(lead)
        # an empty name is filled from the card when both meet for the first time
        self.live = [edit for edit in self.live if (edit.cell, edit.side, edit.value) != ("name", AIRTABLE, "")]
        self.live = [edit for edit in self.live if edit.value or edit.cell not in self.mapped]
        self.met.clear()
        self.deleted_cards.clear()
        self.marked_shut.clear()

    def was_agreed(self, lead: str, cell: str, at: int, since: int = 0) -> bool:
        """Whether what both sides last agreed on, in a state that is not lost, is from before `at` and not `since`."""
        agreed = self.agreed_at[lead, cell]
        return len(agreed) > 1 and max(self.state_lost_at, since) < agreed[-1] <= at

    def rested(self, lead: str, at: int) -> bool:
        """Whether the status that the lead had then was agreed: nobody had edited it since."""
        since = self.agreed_at[lead, "status"][-1]
        return self.was_agreed(lead, "status", at) and not any(since < each <= at for each in self.status_edits[lead])

    def last_good_before(self, at: int, lead: str) -> int:
        """The last good run of the lead's table before `at`."""
        return max(run for run in self.good_runs_of[lead] if run < at or run == 0)

    def last_looked_at(self, at: int, lead: str) -> int:
        """The same; of a lead whose card was set aside, of which nothing was looked at since: when both agreed."""
        if lead in self.set_aside:
            return max(agreed for agreed in self.agreed_at[lead, "status"] if agreed < at or agreed == 0)
        return self.last_good_before(at, lead)

    def edits_of(self, lead: str) -> Iterator[Edit]:
        return (edit for edit in self.live if edit.lead == lead)


def _counts_as(cell: str, value: str) -> str:
    """An empty status counts as NEW."""
    return "NEW" if (cell, value) == ("status", "") else value


def _names_mapped(row: dict[str, Any], edit: Edit) -> bool:
    if row["lead_id"] != edit.lead:
        return False
    if row["field"] == "card":
        return edit.side == TRELLO
    return row["field"] == report_name(edit.cell) and is_told(edit.cell, edit.value, row[edit.side])


def _names(row: dict[str, Any], edit: Edit) -> bool:
    if row["lead_id"] != edit.lead:
        return False
    if row["field"] == "card":
        return edit.side == TRELLO and edit.value in row["trello"]
    values = edit.values | ({"another list"} if edit.cell == "status" and edit.value not in STATUS_FOR else set())
    return bool(row["field"] == edit.cell and row[edit.side] in values)
