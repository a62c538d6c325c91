"""
The Prefect block that holds a further pair of a table and a board, and how it becomes settings.

Never here: a default or a check of a setting (see leadsync.settings), the sync.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from itertools import count
from typing import Any

from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound
from pydantic import BaseModel, Field, SecretStr, ValidationError, create_model

from leadsync.environment import OF_THE_INSTALLATION, load_settings
from leadsync.errors import ConfigurationError, LeadsyncError
from leadsync.pipeline.members import Member
from leadsync.setting_values import plain
from leadsync.settings import Settings
from leadsync.texts import there_are

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
"""What Prefect's page takes for a block's name; it becomes part of an address at its server."""
AS_TEXT = ("sync_status_map", "sync_done_lists", "sync_full_every")
"""Settings that are written as text and parsed by leadsync.setting_values."""
SHOWN, MISSING = 40, "is missing"
BLOCKS_A_PAGE = 200
"""As many as Prefect's server gives at once."""
REQUIRED = ("airtable_base_id", "trello_board_id")


def _as_block_fields() -> type[BaseModel]:
    """The settings a pair may have of its own; what is left empty is explained in the block's description."""
    fields: dict[str, Any] = {}
    for name, setting in Settings.model_fields.items():
        if name in OF_THE_INSTALLATION:
            continue
        kind = str if name in AS_TEXT else setting.annotation
        if name in REQUIRED:
            fields[name] = (kind, Field(description=setting.description))
        else:
            fields[name] = (kind | None, Field(default=None, description=setting.description))  # type: ignore[operator]
    return create_model("PairFields", **fields)


@cache
def _json_schema(made: Any, asked: tuple[Any, ...], named: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    schema: dict[str, Any] = made(*asked, **dict(named))
    return schema


class LeadsyncPair(Block, _as_block_fields()):  # type: ignore[misc]  # one list of settings, not two
    """
    A base and a board that are kept equal, with credentials of their own if they need any.

    What is left empty: credentials, pace and policies come from the environment of the worker; what describes the
    base and the board (table, view, columns, lists, status map) is at its default.
    """

    _block_type_name = "Leadsync Pair"
    _block_type_slug = "leadsync-pair"

    @classmethod
    def model_json_schema(cls, *asked: Any, **named: Any) -> dict[str, Any]:
        """As Block's, made once: Prefect asks for it with each field of each block that it saves."""
        return deepcopy(_json_schema(super().model_json_schema, asked, tuple(sorted(named.items()))))

    def values(self) -> dict[str, Any]:
        """What is filled in, by the names of the settings; a secret stays a SecretStr."""
        given = {name: getattr(self, name) for name in type(self).model_fields if name in Settings.model_fields}
        return {name: value for name, value in given.items() if value is not None and plain(value) != ""}


def check_name(pair: str) -> None:
    """Raises: ConfigurationError if no pair can be called so."""
    if not NAME.fullmatch(pair):
        shown = ascii(pair) if len(pair) <= SHOWN else f"{ascii(pair[:SHOWN])}…"
        raise ConfigurationError(
            f"{shown} is no name for a pair; allowed are up to 100 lower-case letters, digits and dashes."
        )


def settings_of(pair: str) -> Settings:
    """
    The settings of the pair with this name, "" for the one in `.env`.

    Raises: ConfigurationError that names the pairs there are, or the wrong setting; LeadsyncError if the server that
    keeps them gives none.
    """
    if not pair:
        return load_settings()
    check_name(pair)
    try:
        block: Any = LeadsyncPair.load(pair)
    except Exception as error:  # as Prefect has them; the cause says what is wrong
        raise _told(pair, error.__cause__ or error) from None
    try:
        return load_settings(pair=block.values())
    except ConfigurationError as error:
        raise ConfigurationError(f"Pair {pair!r}: {error}") from None


def _told(pair: str, error: BaseException) -> LeadsyncError:
    """Why a pair could not be loaded. `error`: of Prefect's client, or of the block's fields."""
    if isinstance(error, ObjectNotFound):
        return _unknown(pair)
    if isinstance(error, ValidationError):
        wrong = error.errors(include_url=False, include_input=False)
        told = "; ".join(f"{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in wrong)
        return ConfigurationError(
            f"The block of pair {pair!r} is damaged ({told}). Save it again with `flows/pairs.py {pair} --env FILE`, "
            "or correct it in Prefect's UI."
        )
    return LeadsyncError(f"Prefect's server did not give pair {pair!r} ({type(error).__name__}); nothing was written.")


def _unknown(pair: str) -> ConfigurationError:
    return ConfigurationError(
        f"There is no pair {pair!r}; {there_are(saved_pairs(), pair)} Save one with `flows/pairs.py {pair} --env FILE`"
        ", or as a block of type Leadsync Pair in Prefect's UI."
    )


def delete_pair(pair: str) -> None:
    """Delete the block of a pair; base, board and what is known of them stay. Raises: ConfigurationError."""
    if pair not in saved_pairs():
        raise _unknown(pair)
    LeadsyncPair.delete(pair)


def saved_pairs() -> dict[str, tuple[str, str, str]]:
    """The pairs saved as blocks: name -> base id, table and board id; what a damaged one lacks is told as such."""
    return {str(block.name): _places(block.data) for block in _blocks(include_secrets=False)}


def members() -> list[Member]:
    """
    The pairs saved as blocks, for the fleet. What is wrong with the settings of one is told when it is its turn.

    Raises: LeadsyncError if the server that keeps them gives none.
    """
    try:
        return [_member(block) for block in _blocks(include_secrets=True)]
    except Exception as error:  # whatever Prefect's client throws
        raise LeadsyncError(f"Prefect's server gave no pairs ({type(error).__name__}); nothing was written.") from None


def _member(block: BlockDocument) -> Member:
    name, data = str(block.name), block.data

    def settings() -> Settings:
        try:
            return load_settings(pair=LeadsyncPair._from_block_document(block).values())
        except ValidationError as error:
            raise _told(name, error) from None
        except ConfigurationError as error:
            raise ConfigurationError(f"Pair {name!r}: {error}") from None

    return Member(name, str(data.get("airtable_base_id")), str(data.get("trello_api_token") or ""), settings)


def state_url() -> str:
    """Where the state of all pairs is. Raises: ConfigurationError."""
    anywhere = {"airtable_base_id": "app00000000000000", "trello_board_id": "anyboard"}
    none = dict.fromkeys(("airtable_api_token", "trello_api_key", "trello_api_token"), SecretStr("none"))
    return load_settings(pair={**none, **anywhere}).sync_state_url.get_secret_value()


def _blocks(include_secrets: bool) -> list[BlockDocument]:
    """All blocks of ours, however many pages of them there are."""
    found: list[BlockDocument] = []
    with get_client(sync_client=True) as client:
        for offset in count(0, BLOCKS_A_PAGE):
            page = client.read_block_documents(offset=offset, limit=BLOCKS_A_PAGE, include_secrets=include_secrets)
            found += (block for block in page if block.block_type and block.block_type.slug == "leadsync-pair")
            if len(page) < BLOCKS_A_PAGE:
                break
    return found


def _places(data: Mapping[str, Any]) -> tuple[str, str, str]:
    table = data.get("airtable_table_name") or Settings.model_fields["airtable_table_name"].default
    return str(data.get("airtable_base_id") or MISSING), str(table), str(data.get("trello_board_id") or MISSING)
