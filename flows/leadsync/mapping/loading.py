"""The mapping as a user writes it, in TOML: everything that is wrong with it at once, each in a sentence. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from leadsync.errors import ConfigurationError
from leadsync.mapping.columns import ColumnKind
from leadsync.mapping.dates import zone_named
from leadsync.mapping.properties import Property, Way, property_named
from leadsync.mapping.rows import CellMapping, Field
from leadsync.mapping.terms import checked_map
from leadsync.model import ConflictPolicy
from leadsync.texts import there_are

TOP: Final = ("timezone", "field")
ROW: Final = ("airtable", "card", "direction", "conflict", "map", "as")
Word = TypeVar("Word", bound=StrEnum)


def load_mapping(text: str, defaults: CellMapping, where: str = "leadsync.toml") -> CellMapping:
    """
    The default rows, save those whose property a row of the text owns, then the rows of the text.

    A row for the list that has no map takes that of the default row. `where`: what the text is called in an error.
    Raises: ConfigurationError that names each wrong row and key, what was found, what is allowed, what to do.
    """
    try:
        table = tomllib.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as exc:
        raise ConfigurationError(f"{where} is not TOML: {exc}. Correct it there.") from None
    problems = list(_unknown(table, TOP))
    timezone = table.get("timezone", defaults.timezone)
    try:
        zone_named(timezone)
    except ValueError:
        allowed = "allowed is a name of the IANA list, as 'Europe/Berlin'"
        problems.append(f"timezone is {timezone!r}; {allowed}. Correct it, or leave it out for UTC.")
    given = table.get("field", [])
    if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
        problems.append("field is no list of rows. Write [[field]] above each row.")
        given = []
    own: dict[str, Field] = {}
    for number, row in enumerate(given, 1):
        name = f"field {number} ({row.get('airtable', 'no column')!r})"
        reader = _Row(row)
        problems += [f"{name}: {problem}" for problem in reader.problems]
        own |= {} if reader.field is None else {name: reader.field}
    owned = {str(field.card) for field in own.values()}
    kept = [field for field in defaults.fields if str(field.card) not in owned]
    problems += _shared({**{f"the default row {field}": field for field in kept}, **own})
    if problems:
        raise ConfigurationError(" ".join(f"{where}: {problem}" for problem in problems))
    statuses = defaults.of("list")
    fields = (
        replace(field, map=statuses.map) if statuses and field.card.name == "list" and not field.map else field
        for field in own.values()
    )
    return CellMapping((*kept, *fields), timezone)


def _unknown(table: Iterable[str], known: Collection[str]) -> Iterator[str]:
    for key in table:
        if key not in known:
            yield f"unknown key {key!r}; {there_are(known, key)}"


def _shared(fields: Mapping[str, Field]) -> Iterator[str]:
    """What two rows cannot both have, of rows by their names: a property, and a column into which values go."""
    owners: dict[str, str] = {}
    for name, field in fields.items():
        claims = [f"the card's {field.card}"]
        claims += [] if field.default_way is Way.TO_TRELLO else [f"writing into column {field.airtable!r}"]
        for claim in claims:
            if (owner := owners.setdefault(claim, name)) != name:
                remedy = "Take one of them out" + ("." if claim == claims[0] else ', or say direction = "to_trello".')
                yield f"{owner} and {name} both own {claim}. {remedy}"


class _Row:
    """One row as it is written: the field that it states, None if that cannot be told, and what is wrong with it."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.problems = list(_unknown(row, ROW))
        self.field: Field | None = None
        self._row = row
        column, card = row.get("airtable"), self._card()
        if not isinstance(column, str) or not column.strip():
            self.problems.append(f"airtable is {column!r}; allowed is a column's name or id. Name the column.")
        kind = self._word("as", ColumnKind, list(ColumnKind) if card is None else card.fits)
        way = self._word("direction", Way, list(Way) if card is None else card.ways_from(kind))
        conflict = self._word("conflict", ConflictPolicy, list(ConflictPolicy))
        if card is not None:
            self.field = Field(str(column), card, way, conflict, self._map(card), kind)
            if conflict and self.field.default_way is not Way.BOTH:
                self.problems.append(
                    f"conflict is {conflict.value!r}, but {card} goes one way here. Take conflict out."
                )

    def _card(self) -> Property | None:
        card = self._row.get("card")
        try:
            return property_named(card if isinstance(card, str) else "")
        except ValueError as exc:
            self.problems.append(f"card is {card!r}; {exc}. Correct it.")
            return None

    def _word(self, key: str, words: type[Word], allowed: Collection[Word]) -> Word | None:
        """One of the words, None if the key is absent or wrong."""
        found = self._row.get(key)
        if found is None or found in list(allowed):
            return None if found is None else words(found)
        card = self._row.get("card")
        remedy = "Correct it, or leave it out."
        self.problems.append(f"{key} is {found!r}; allowed for card = {card!r}: {', '.join(allowed)}. {remedy}")
        return None

    def _map(self, card: Property) -> dict[str, str]:
        given = self._row.get("map")
        if given is None:
            if card.needs_map:
                self.problems.append(
                    f'map is missing; {card} needs one. Say who is who: map = {{ "value" = "member" }}.'
                )
            return {}
        if not card.takes_map:
            self.problems.append(f"map is {given!r}, but {card} takes none. Take it out.")
            return {}
        try:
            return checked_map(given)
        except ValueError as exc:
            self.problems.append(f"map: {exc}. Allowed: names of values = what each is called on the card. Correct it.")
            return {}
