"""
What a person has chosen to tie: columns, lists, further rows; and how that is written down. Pure.

Never here: what is likely meant (see proposals.py), a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from leadsync.mapping.rows import Field
from leadsync.model import DEFAULT_STAGE_OF, DONE

FIELD_ID: Final = re.compile(r"fld[0-9A-Za-z]{14}")
HEADER: Final = "# Further columns and what each is on a card. How a row is written: flows/leadsync/mapping/README.md\n"


@dataclass(frozen=True)
class Chosen:
    """
    `columns`: cell that every pair has -> its column's name. `list_of`: status -> list, by name or id as in the map.

    `closed`: lists of the map that mean closed. `rows`: further columns by name. `timezone`: where a day is a day.
    """

    columns: Mapping[str, str]
    list_of: Mapping[str, str]
    closed: tuple[str, ...] = ()
    rows: Mapping[str, Field] = field(default_factory=dict)
    timezone: str = "UTC"

    def with_column(self, ours: str, column: str) -> Chosen:
        """Another column for a cell that every pair has; it is no further one then."""
        rows = {name: row for name, row in self.rows.items() if name != column}
        return replace(self, columns={**self.columns, ours: column}, rows=rows)

    def with_list(self, status: str, to: str) -> Chosen:
        """Another list for a status. One to which no status leads any more is no closed one."""
        list_of = {**self.list_of, status: to}
        return replace(self, list_of=list_of, closed=tuple(name for name in self.closed if name in list_of.values()))

    def with_row(self, column: str, row: Field | None) -> Chosen:
        """A column tied to another property of a card, whose former column is tied to nothing; or to nothing itself."""
        given = None if row is None else str(row.card)
        rows = {name: each for name, each in self.rows.items() if name != column and str(each.card) != given}
        return replace(self, rows=rows if row is None else {**rows, column: row})

    def called_safely(self, ids: Mapping[str, str]) -> Chosen:
        """The same with all columns by their ids, if the name of one could not be told in a file. `ids`: by name."""
        names = [*self.columns.values(), *self.rows]
        if all(
            name == name.strip().strip("\"'") and name.isprintable() and not FIELD_ID.fullmatch(name) for name in names
        ):
            return self
        rows = {ids[name]: replace(row, airtable=ids[name]) for name, row in self.rows.items()}
        return replace(self, columns={ours: ids[name] for ours, name in self.columns.items()}, rows=rows)

    def settings(self, list_ids: Mapping[str, str]) -> dict[str, str]:
        """
        The settings that say so, where they are not at their defaults. `list_ids`: what the map calls a list -> its id.

        Lists for the default statuses are named by their ids, so that they may be renamed.
        """
        said = {f"AIRTABLE_{ours.upper()}_FIELD": name for ours, name in self.columns.items() if name != ours}
        stages = self._stages(list_ids)
        if stages is None:
            said["SYNC_STATUS_MAP"] = json.dumps(dict(self.list_of), ensure_ascii=False)
        else:
            named = {stage: to for to, stage in stages.items() if to != stage}
            said |= {f"TRELLO_LIST_{stage}_ID": list_ids.get(to, to) for stage, to in named.items()}
        used = stages or {name: name for name in self.list_of.values()}
        closed = [used[name] for name in self.closed]
        if closed != [name for name in dict.fromkeys(used.values()) if name == DONE]:
            said["SYNC_DONE_LISTS"] = json.dumps(closed, ensure_ascii=False)
        return said

    def _stages(self, list_ids: Mapping[str, str]) -> dict[str, str] | None:
        """List -> stage, if the statuses are those of the default map and only the lists are called otherwise."""
        if self.list_of.keys() != DEFAULT_STAGE_OF.keys():
            return None
        pairs = {(to, DEFAULT_STAGE_OF[status]) for status, to in self.list_of.items()}
        stages = dict(pairs)
        there = all(to in list_ids or to == stage for to, stage in pairs)  # one to be created is known by its name only
        return stages if there and len(pairs) == len(stages) == len(set(stages.values())) else None

    def toml(self) -> str:
        """The rows beyond the defaults as a mapping file has them, "" if there is none."""
        if not self.rows:
            return ""
        zone = "" if self.timezone == "UTC" else f"timezone = {quoted(self.timezone)}\n"
        return HEADER + zone + "".join(map(_row, self.rows.values()))


def _row(row: Field) -> str:
    text = f"\n[[field]]\nairtable = {quoted(row.airtable)}\ncard = {quoted(str(row.card))}\n"
    text += f"direction = {quoted(row.way)}\n" if row.way else ""
    text += f"as = {quoted(row.kind)}\n" if row.kind else ""
    pairs = ", ".join(f"{quoted(value)} = {quoted(called)}" for value, called in row.map.items())
    return text + (f"map = {{ {pairs} }}\n" if pairs else "")


def quoted(text: str) -> str:
    """A text as TOML has it: as JSON does, but that a letter stands for itself and a DEL does not."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
