"""
Settings as they are found: in the environment, in `.env`, in a pair's block; what is found wrong becomes a sentence.

What is never here: what a setting is or may be (see settings.py).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from leadsync.env_file import read_env_file
from leadsync.errors import ConfigurationError
from leadsync.setting_names import unknown_in_environment, unknown_in_file
from leadsync.setting_values import PROJECT, bare
from leadsync.settings import Settings

log = logging.getLogger("leadsync")

OF_THE_PAIR = (
    "airtable_base_id",
    "airtable_table_name",
    "airtable_view",
    "airtable_name_field",
    "airtable_email_field",
    "airtable_status_field",
    "airtable_source_field",
    "trello_board_id",
    "trello_list_todo_id",
    "trello_list_in_progress_id",
    "trello_list_done_id",
    "sync_status_map",
)
"""What describes a base and its board. A further pair never inherits one of these from the environment."""
OF_THE_INSTALLATION = ("sync_state_url",)
"""What all pairs share; a pair cannot have its own."""


def load_settings(env_files: tuple[Path, ...] | None = None, pair: Mapping[str, Any] | None = None) -> Settings:
    """
    Read the environment, then `.env` of the working directory, then that beside `flows/`.

    LEADSYNC_ENV_FILE names another file to read instead of the two, or none if it is empty. `pair`: field name ->
    value of a further pair, before all of these; OF_THE_PAIR comes from there or is at its default.

    Raises: ConfigurationError that names each wrong setting, what it holds (never a secret) and what is allowed.
    """
    held = {file: read_env_file(file) for file in (_env_files() if env_files is None else env_files) if file.is_file()}
    unknown, doubtful = unknown_in_environment(os.environ)
    unknown += [sentence for file, values in held.items() for sentence in unknown_in_file(values, str(file))]
    in_files = {name.lower(): value for values in held.values() for name, value in values.items() if bare(value)}
    names = in_files.keys() & Settings.model_fields.keys() - _set_outside()
    given: dict[str, Any] = {name: in_files[name] for name in names}
    given |= {} if pair is None else {**_pair_defaults(), **pair}
    try:
        settings = Settings(**given)
    except ValidationError as exc:
        problems = [_sentence(error) for error in exc.errors(include_url=False, include_input=False)]
        where = "See .env.sample." if pair is None else "Correct it in the pair's block."
        raise ConfigurationError(" ".join([*unknown, *doubtful, *problems, where])) from None
    if unknown:
        raise ConfigurationError(f"{' '.join(unknown)} See .env.sample.")
    for sentence in doubtful:
        _warn_once(sentence)
    return settings


@cache
def _warn_once(sentence: str) -> None:
    log.warning("%s It is not read.", sentence)


def _set_outside() -> set[str]:
    """What the environment sets goes before any file; what is blank there is not set."""
    return {name.lower() for name, value in os.environ.items() if bare(value)}


def _pair_defaults() -> dict[str, Any]:
    fields = ((name, Settings.model_fields[name]) for name in OF_THE_PAIR)
    return {name: field.get_default(call_default_factory=True) for name, field in fields if not field.is_required()}


def _env_files() -> tuple[Path, ...]:
    named = os.environ.get("LEADSYNC_ENV_FILE")
    if named is None:
        return PROJECT / ".env", Path.cwd() / ".env"
    if not named:
        return ()
    file = Path(bare(named)).expanduser()
    if not file.is_file():  # other settings would mean another state
        raise ConfigurationError(f"LEADSYNC_ENV_FILE names {file}, which is not there. Correct it, or leave it unset.")
    return (file,)


def _sentence(error: Any) -> str:
    name = str(error["loc"][0]).upper()
    if error["type"] == "missing":
        return f"{name} is not set."
    return f"{name}: {str(error['msg']).removeprefix('Value error, ')}."
