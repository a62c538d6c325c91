"""
Settings as they are found: in the environment, in `.env`, in a pair's block; what is found wrong becomes a sentence.

What is never here: what a setting is or may be (see settings.py).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from leadsync.env_file import read_env_file
from leadsync.errors import ConfigurationError
from leadsync.setting_addresses import PROJECT
from leadsync.setting_names import unknown_in_environment, unknown_in_file
from leadsync.setting_values import bare, plain
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
    "airtable_card_id_field",
    "trello_board_id",
    "trello_list_todo_id",
    "trello_list_in_progress_id",
    "trello_list_done_id",
    "sync_status_map",
    "sync_fields",
    "sync_done_lists",
    "sync_create_leads_label",
)
"""What describes a base and its board. A further pair never inherits one of these from the environment."""
OF_THE_INSTALLATION = ("sync_state_url",)
"""What all pairs share; a pair cannot have its own."""
SENT_TO = {
    "airtable_endpoint_url": ("airtable_api_token",),
    "trello_endpoint_url": ("trello_api_key", "trello_api_token"),
}
"""The credentials that go to an address."""
MAPPING_FILE = "leadsync.toml"
"""What the file is called that ties more columns to cards, beside `.env`."""


def load_settings(env_files: tuple[Path, ...] | None = None, pair: Mapping[str, Any] | None = None) -> Settings:
    """
    Read the environment, then the `.env` beside `flows/`, then that of the working directory.

    LEADSYNC_ENV_FILE names another file to read instead of the two, or none if it is empty. `pair`: field name ->
    value of a further pair, before all of these; OF_THE_PAIR comes from there or is at its default. Whoever names
    another address of a service, a pair or the working directory, brings the credentials that are sent there.

    Raises: ConfigurationError that names each wrong setting, what it holds (never a secret) and what is allowed.
    """
    files = the_env_files() if env_files is None else env_files
    held = {file: read_env_file(file) if file.is_file() else {} for file in files}
    unknown, doubtful = unknown_in_environment(os.environ)
    unknown += [sentence for file, values in held.items() for sentence in unknown_in_file(values, str(file))]
    given = _of_files(held.values()) | ({} if pair is None else {**_pair_defaults(), **pair})
    if pair is None and "sync_fields" not in given and "sync_fields" not in _set_outside():
        given |= _mapping_beside(reversed(files))
    try:
        settings = Settings(**given)
        if pair is not None:
            _refuse_to_lend(settings, held.values(), pair, "The pair's block")
        for number, (file, values) in enumerate([*held.items()][:-1], start=1):
            layer = {name.lower(): value for name, value in values.items()}
            _refuse_to_lend(settings, [*held.values()][number:], layer, str(file))
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False)
        problems = [_sentence(error) for error in errors]
        needed = any(error["type"] == "missing" for error in errors)
        asked = "Type `python flows/init.py`, which asks for it; or see" if needed else "See"
        where = f"{asked} .env.sample." if pair is None else "Correct it in the pair's block."
        raise ConfigurationError(" ".join([*unknown, *doubtful, *problems, where])) from None
    if unknown:
        raise ConfigurationError(f"{' '.join(unknown)} See .env.sample.")
    for sentence in doubtful:
        _warn_once(sentence)
    return settings


def settings_with(given: Mapping[str, str]) -> Settings:
    """
    Settings that are about to be written down, by field name; of the pair nothing else is read from anywhere.

    Raises: ConfigurationError as load_settings.
    """
    try:
        return Settings(**{**_pair_defaults(), **given})
    except ValidationError as exc:
        problems = [_sentence(error) for error in exc.errors(include_url=False, include_input=False)]
        raise ConfigurationError(" ".join(problems)) from None


def _of_files(held: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """Field name -> value of what files set and the environment does not, each file going before the one before it."""
    values = {name.lower(): value for each in held for name, value in each.items() if bare(value)}
    return {name: values[name] for name in values.keys() & Settings.model_fields.keys() - _set_outside()}


def _refuse_to_lend(
    settings: Settings, before: Iterable[Mapping[str, str]], layer: Mapping[str, Any], where: str
) -> None:
    """`layer`: field name -> value, as `where` has it; `before`: files that are read though `where` was not there."""
    if not SENT_TO.keys() & layer.keys():
        return
    others = {name: getattr(settings, name) for name in Settings.model_fields if name not in SENT_TO}
    addresses = {name: value for name, value in _of_files(before).items() if name in SENT_TO}
    without = Settings(**others, **addresses)
    for address, credentials in SENT_TO.items():
        lent = [each for each in credentials if plain(getattr(settings, each)) != str(plain(bare(layer.get(each))))]
        if lent and getattr(settings, address) != getattr(without, address):
            raise ConfigurationError(
                f"{where} names another {address.upper()}, and credentials from elsewhere are not sent there. Put "
                f"{', '.join(map(str.upper, lent))} beside it, or take the address away."
            )


@cache
def _warn_once(sentence: str) -> None:
    log.warning("%s It is not read.", sentence)


def _set_outside() -> set[str]:
    """What the environment sets goes before any file; what is blank there is not set."""
    return {name.lower() for name, value in os.environ.items() if bare(value)}


def _mapping_beside(files: Iterable[Path]) -> dict[str, str]:
    """The mapping that lies beside the first of these files that has one."""
    found = (file.with_name(MAPPING_FILE) for file in files)
    return next(({"sync_fields": str(path)} for path in found if path.is_file()), {})


def _pair_defaults() -> dict[str, Any]:
    fields = ((name, Settings.model_fields[name]) for name in OF_THE_PAIR)
    return {name: field.get_default(call_default_factory=True) for name, field in fields if not field.is_required()}


def the_env_files() -> tuple[Path, ...]:
    """The files that are read, whether or not they are there, each going before the one before it."""
    named = os.environ.get("LEADSYNC_ENV_FILE")
    if named is None:
        return tuple(dict.fromkeys((Path.cwd() / ".env", PROJECT / ".env")))
    if not named:
        return ()
    file = Path(os.path.expanduser(bare(named)))  # a home that does not exist stays as it is written
    if not os.path.isfile(file):  # other settings would mean another state
        raise ConfigurationError(f"LEADSYNC_ENV_FILE names {file}, which is not there. Correct it, or leave it unset.")
    return (file,)


def _sentence(error: Any) -> str:
    name = str(error["loc"][0]).upper()
    if error["type"] == "missing":
        return f"{name} is not set."
    return f"{name}: {str(error['msg']).removeprefix('Value error, ').removesuffix('.')}."
