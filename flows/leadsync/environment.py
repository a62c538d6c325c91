"""
Settings as they are found: in the environment, in `.env`, in a pair's block; what is found wrong becomes a sentence.

What is never here: what a setting is or may be (see settings.py).
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError

from leadsync.errors import ConfigurationError
from leadsync.setting_values import PROJECT
from leadsync.settings import Settings

OURS = ("AIRTABLE_", "TRELLO_", "SYNC_")

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
    files = env_files if env_files is not None else the_env_files()
    _refuse_unknown_names(files)
    given = {} if pair is None else {**_pair_defaults(), **pair}
    try:
        return Settings(_env_file=files, **given)  # type: ignore[call-arg]  # pydantic-settings' own way
    except ValidationError as exc:
        problems = [_sentence(error) for error in exc.errors(include_url=False, include_input=False)]
        where = "See .env.sample." if pair is None else "Correct it in the pair's block."
        raise ConfigurationError(f"{' '.join(problems)} {where}") from None
    except UnicodeDecodeError:
        raise ConfigurationError("The .env file is not UTF-8 text; save it as UTF-8.") from None


def _pair_defaults() -> dict[str, Any]:
    fields = ((name, Settings.model_fields[name]) for name in OF_THE_PAIR)
    return {name: field.get_default(call_default_factory=True) for name, field in fields if not field.is_required()}


def the_env_files() -> tuple[Path, ...]:
    """The files that settings are read from, whether or not they are there; a later one goes before an earlier one."""
    named = os.environ.get("LEADSYNC_ENV_FILE")
    if named is None:
        return PROJECT / ".env", Path.cwd() / ".env"
    if not named:
        return ()
    file = Path(named).expanduser()
    if not file.is_file():  # other settings would mean another state
        raise ConfigurationError(f"LEADSYNC_ENV_FILE names {file}, which is not there. Correct it, or leave it unset.")
    return (file,)


def _refuse_unknown_names(files: tuple[Path, ...]) -> None:
    known = [name.upper() for name in Settings.model_fields]
    for file in files:
        try:
            names = dotenv_values(file) if file.is_file() else {}
        except UnicodeDecodeError:
            raise ConfigurationError(f"{file} is not UTF-8 text; save it as UTF-8.") from None
        except OSError as exc:
            raise ConfigurationError(f"{file} could not be read ({exc.strerror}); correct its rights.") from None
        for name in names:
            if name.upper().startswith(OURS) and name.upper() not in known:
                near = difflib.get_close_matches(name.upper(), known, n=1)
                hint = f" Did you mean {near[0]}?" if near else f" Known are {', '.join(known)}."
                raise ConfigurationError(f"{file} holds an unknown setting {name}.{hint}")


def _sentence(error: Any) -> str:
    name = str(error["loc"][0]).upper()
    if error["type"] == "missing":
        return f"{name} is not set."
    return f"{name}: {str(error['msg']).removeprefix('Value error, ')}."
