"""
Which column is likely meant for which property of a card, and which list for which status: by names and types. Pure.

What is proposed is for a person to correct. Never here: how a choice is written down (see chosen.py), a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from leadsync.mapping.chosen import Chosen
from leadsync.mapping.columns import Column, ColumnKind
from leadsync.mapping.names import BoardNames, Weight
from leadsync.mapping.properties import LABEL, Way, property_named
from leadsync.mapping.rows import DEFAULT_CARDS, SPECIAL, CellMapping, Field
from leadsync.mapping.tied import tie
from leadsync.mapping.words import (
    CARD_WORDS,
    LINE_TYPES,
    LINE_WORDS,
    OWN_WORDS,
    first_called,
    folded,
    stage_meant,
)
from leadsync.model import DEFAULT_STAGE_OF, DONE, IN_PROGRESS, STAGES, TODO


@dataclass(frozen=True)
class Found:
    """
    What there is to tie. `models`: the table's columns as its schema tells them, None if that may not be read.

    `lists`: id -> name, from left to right. `names`: what else on the board has a name.
    """

    models: Sequence[Mapping[str, Any]] | None
    lists: Mapping[str, str]
    names: BoardNames = field(default_factory=lambda: BoardNames({}))

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns by name, in the order of the table."""
        return {model["name"]: Column.of(model) for model in self.models or ()}

    @cached_property
    def called(self) -> dict[str, str]:
        """List id -> what the map calls it: its name, or the id of one that shares its name or has none."""
        bare = {list_id: name.strip() for list_id, name in self.lists.items()}
        names = [*bare.values()]
        return {
            list_id: name if names.count(name) == 1 and name and name.isprintable() else list_id
            for list_id, name in bare.items()
        }

    def statuses(self, column: str) -> tuple[str, ...]:
        """The options of a select, or those of the default map if they are not known."""
        known = self.columns.get(column)
        options = (option.strip() for option in (known.options if known else None) or ())
        return tuple(dict.fromkeys(filter(None, options))) or tuple(DEFAULT_STAGE_OF)


def propose(found: Found) -> Chosen:
    """What is likely meant. A cell that every pair has and for which no column fits is tied to "": to be chosen."""
    columns = _own_columns(found)
    list_of = propose_lists(found.statuses(columns["status"]), [*found.called.values()])
    chosen = Chosen(columns, list_of, closed_lists(list_of))
    for column, card in _further(found, columns):
        chosen = chosen.with_row(column, card)
    return chosen


def _own_columns(found: Found) -> dict[str, str]:
    if found.models is None:
        return {ours: ours for ours in DEFAULT_CARDS}
    types = {model["name"]: model["type"] for model in found.models}
    writable = [name for name, column in found.columns.items() if not column.is_computed]
    texts = [name for name in writable if found.columns[name].kind is ColumnKind.TEXT]
    selects = [name for name in writable if found.columns[name].kind is ColumnKind.CHOICE]
    mails = [name for name, kind in types.items() if kind == "email"]
    status = first_called(selects, OWN_WORDS["status"]) or next(filter(_means_stages(found), selects), "")
    email = first_called([*mails, *types], OWN_WORDS["email"]) or (mails[0] if mails else "")
    source = first_called([name for name in types if name != status], OWN_WORDS["source"])
    rest = [name for name in texts if name not in (email, source)]
    name = first_called(rest, OWN_WORDS["name"]) or next(iter(rest), "")
    return {"status": status, "name": name, "email": email, "source": source}


def _means_stages(found: Found) -> Callable[[str], bool]:
    """Returns: whether a select has options of which two or more are known to mean a stage."""
    return lambda name: sum(map(bool, map(stage_meant, found.columns[name].options or ()))) > 1


def propose_lists(statuses: Sequence[str], lists: Sequence[str]) -> dict[str, str]:
    """
    Status -> list: the one that is called alike, else the only one of its stage with all of its words, else the first
    of its stage.

    A status of no known stage goes where the one before it does. For a stage that no list means, the list that is to be
    created is called like the stage; but where no list means any, their order says which is which.
    """
    alike = {folded(name): name for name in reversed(lists)}
    of_stage = {stage: next((name for name in lists if stage_meant(name) == stage), stage) for stage in STAGES}
    if len(lists) >= len(STAGES) and not any(map(stage_meant, lists)):
        of_stage = {TODO: lists[0], IN_PROGRESS: lists[1], DONE: lists[-1]}
    list_of, before = dict[str, str](), of_stage[TODO]
    for status in statuses:
        stage = stage_meant(status)
        likely = alike.get(folded(status)) or _with_words_of(status, lists)
        before = list_of[status] = likely or (of_stage[stage] if stage else before)
    return list_of


def _with_words_of(status: str, lists: Sequence[str]) -> str:
    """`Closed lost` for Lost; "" if none is called so, or several are."""
    words, stage = set(folded(status).split()), stage_meant(status)
    found = [name for name in lists if stage and stage_meant(name) == stage and words <= set(folded(name).split())]
    return found[0] if len(found) == 1 else ""


def closed_lists(list_of: Mapping[str, str]) -> tuple[str, ...]:
    """The lists that mean closed: by their names, or because every status that leads there does."""
    return tuple(
        name
        for name in dict.fromkeys(list_of.values())
        if (stage_meant(name) or DONE) == DONE
        and all(stage_meant(status) == DONE for status, to in list_of.items() if to == name)
    )


def _further(found: Found, own: Mapping[str, str]) -> Iterator[tuple[str, Field]]:
    """Columns that plainly fit something else of a card, each with its row; no property twice."""
    taken = set(own.values())
    for card, (words, kinds) in CARD_WORDS.items():
        fitting = [name for name, column in found.columns.items() if column.kind in kinds and name not in taken]
        column = first_called(fitting, words)
        row = Field(column, property_named(card), map=people(found, column) if card == "members" else {})
        if (
            column
            and (row.map or card != "members")
            and not found.columns[column].is_computed
            and not misfits(found, (row,))
        ):
            taken.add(column)
            yield column, row
    types = {model["name"]: model["type"] for model in found.models or ()}
    for column in (name for name in found.columns if name not in taken):
        row = Field(column, property_named(f"custom:{column.strip() or '-'}"))
        if row.card.label in found.names.custom_fields and not misfits(found, (row,)):
            yield column, row
        elif (folded(column) in LINE_WORDS or types[column] in LINE_TYPES) and LABEL.fullmatch(column):
            row = Field(column, property_named(f"line:{column}"))
            if str(row.card) not in DEFAULT_CARDS.values():
                yield column, row


def people(found: Found, column: str) -> dict[str, str]:
    """Option of a column -> the member of the board who is called so, of those of whom there is just one."""
    options = (found.columns[column].options or ()) if column else ()
    ids = found.names.ids("members")
    known = {folded(name): name for name, several in ids.items() if len(several) == 1}
    return {option.strip(): known[folded(option)] for option in options if folded(option) in known}


def misfits(found: Found, rows: tuple[Field, ...], to_be: Sequence[str] = ()) -> list[str]:
    """What does not fit table or board. `to_be`: lists that count as there, under the names the map has for them."""
    there = {name: list_id for list_id, name in found.called.items()}
    board = replace(found.names, lists={name: name for name in to_be} | there)
    models = None
    if found.models is not None:
        models = {str(model[key]): model for model in found.models for key in ("name", "id")}
    tied = tie(CellMapping(rows), models, board)
    told = ((row, misfit) for row, misfit in tied.misfits if misfit.weight is not Weight.WARNING)
    wrong = [f"{row}: {misfit.detail}. {misfit.remedy}" for row, misfit in told]
    for cell in tied.cells:
        if cell.card.name in SPECIAL and cell.way is not Way.BOTH:
            wrong.append(f"{cell.row}: what is edited on cards could not be written there. Choose another column.")
    return wrong
