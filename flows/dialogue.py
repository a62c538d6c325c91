"""
What `init.py` asks a person, or takes from its options: tokens, base, table and board.

Never here: a request (see pipeline/discovery.py), what is tied to what (see tying.py), a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from leadsync import pasted_ids
from leadsync.errors import ConfigurationError
from leadsync.mapping.proposals import Found
from leadsync.mapping.words import folded
from leadsync.pipeline import discovery
from leadsync.report.questions import Questions
from leadsync.report.terminal import say
from leadsync.setting_values import bare, credential
from tying import choose_mapping

AIRTABLE_TOKENS = "https://airtable.com/create/tokens"
SCOPES = "data.records:read, data.records:write and schema.bases:read"
TRELLO_KEYS = "https://trello.com/power-ups/admin"
TRELLO_TOKENS = (
    "https://trello.com/1/authorize?expiration=never&name=leadsync&scope=read,write&response_type=token&key="
)
NO_SCHEMA = (
    "The token may not list bases, tables and columns: it lacks the scope schema.bases:read. Add it and begin again to "
    "choose from lists, or type ids; an address pasted from the browser will do."
)
TABLE_NAMES = ("leads", "lead", "contacts", "prospects", "customers")
LIKE_ID = re.compile(r"(tbl|fld)[0-9A-Za-z]{14}")


@dataclass(frozen=True)
class Given:
    """Answers there are already. `secrets`: by setting. `lines`: (kind, key, what it is changed to), see lines.py."""

    secrets: Mapping[str, str] = field(default_factory=dict)
    base: str | None = None
    table: str | None = None
    board: str | None = None
    lines: Sequence[tuple[str, str, str]] = ()


def connect(questions: Questions, given: Given, known: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """
    Ask until there is a pair. `known`: settings that are fixed, as the endpoints.

    Returns: settings by name, and the text of the mapping file, "" if it needs none. Raises: LeadsyncError.
    """
    values = dict(known)
    values["AIRTABLE_API_TOKEN"], bases = _airtable_token(questions, given, values)
    models = _table(questions, given, values, bases)
    _trello(questions, given, values)
    board, lists = discovery.named_board(values)
    return choose_mapping(questions, given.lines, values, Found(models, lists, board.names))


def _airtable_token(questions: Questions, given: Given, known: Mapping[str, str]) -> tuple[str, list[Any] | None]:
    name, secrets = "AIRTABLE_API_TOKEN", given.secrets
    if name not in secrets and questions.somebody:
        questions.show_link("Airtable: make a personal access token at", AIRTABLE_TOKENS)
        say(questions.console, f"  with the scopes {SCOPES}, and add your base to it.")

    def check(said: str) -> tuple[str, list[Any] | None]:
        token = _secret(said)
        return token, discovery.bases({**known, name: token})

    option = f"{name} or --airtable-token-file"
    return questions.ask("Airtable token", check, given=secrets.get(name), option=option, secret=True)


def _secret(said: str) -> str:
    found = credential(SecretStr(said))
    return found.get_secret_value() if found else ""


def _table(
    questions: Questions, given: Given, values: dict[str, str], bases: list[Any] | None
) -> list[dict[str, Any]] | None:
    """Put base and table into `values`. Returns: the table's columns, None if they may not be read."""
    if bases is None:
        say(questions.console, NO_SCHEMA, "yellow")
        base = questions.ask("Base id", pasted_ids.base_id, given=given.base, option="--base")
    elif not bases:
        raise ConfigurationError("AIRTABLE_API_TOKEN sees no base; add one to it, and begin again.")
    else:
        rows = [(each["id"], each.get("name", "")) for each in bases]
        base = questions.choose("base", rows, given=_id_in(given.base, pasted_ids.base_id), option="--base")
    values["AIRTABLE_BASE_ID"] = base
    tables = None if bases is None else discovery.tables(values)
    if tables is None:
        check = _checked(pasted_ids.table, "a table's name, its id or its address")
        table = questions.ask("Table", check, given=given.table, option="--table", default="Leads")
        models = None
    else:
        rows = [(each["id"], each["name"]) for each in tables]
        likely = [n for n, (_, name) in enumerate(rows, 1) if folded(name) in TABLE_NAMES]
        table_id = questions.choose(
            "table", rows, given=_id_in(given.table, pasted_ids.table), option="--table", default=(*likely, 1)[0]
        )
        table, models = next((each["name"], each["fields"]) for each in tables if each["id"] == table_id)
        if bare(table) != table or pasted_ids.table(table) != table or LIKE_ID.fullmatch(table):
            table = table_id
    values |= {"AIRTABLE_TABLE_NAME": table} if table != "Leads" else {}
    return models


def _checked(found: Callable[[str], str], allowed: str) -> Callable[[str], str]:
    def check(said: str) -> str:
        if not said:
            raise ValueError(f"Say {allowed}.")
        return found(said)

    return check


def _id_in(said: str | None, found: Callable[[str], str]) -> str | None:
    """The id in an address; a name stays."""
    try:
        return found(said) if said else None
    except ValueError:
        return said


def _trello(questions: Questions, given: Given, values: dict[str, str]) -> None:
    """Put key, token and board into `values`."""
    secrets, key, token = dict(given.secrets), "TRELLO_API_KEY", "TRELLO_API_TOKEN"
    while "TRELLO_BOARD_ID" not in values:
        if key not in secrets and questions.somebody:
            questions.show_link("Trello: make a Power-Up and copy its API key at", TRELLO_KEYS)
        values[key] = questions.ask(
            "Trello API key", _secret, given=secrets.get(key), option=f"{key} or --trello-key-file"
        )
        if token not in secrets and questions.somebody:
            questions.show_link("Trello: allow access, read and write, for ever, at", TRELLO_TOKENS + values[key])
        option = f"{token} or --trello-token-file"
        values[token] = questions.ask("Trello token", _secret, given=secrets.get(token), option=option, secret=True)
        try:
            boards = discovery.boards(values)
        except ConfigurationError as refused:
            if not questions.somebody or given.secrets.keys() & {key, token}:
                raise
            say(questions.console, refused, "red")
            secrets = {} if key in str(refused) else {key: values[key]}
            continue
        if not boards:
            raise ConfigurationError("The user of TRELLO_API_TOKEN has no open board; make one, and begin again.")
        rows = [(each["id"], each["name"]) for each in boards]
        values["TRELLO_BOARD_ID"] = questions.choose(
            "board", rows, given=_board_in(given.board, boards), option="--board"
        )


def _board_in(said: str | None, boards: Sequence[Mapping[str, Any]]) -> str | None:
    """The id of the board whose address, short link or id that is; anything else stays."""
    short = _id_in(said, pasted_ids.board_id)
    return next((each["id"] for each in boards if f"/b/{short}/" in f"{each.get('url')}/"), short)
