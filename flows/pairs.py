"""
Door: further pairs of a table and a board, each kept as a Prefect block; the first one lives in `.env`.

Here: the command that saves one, deletes one, or lists them. Never here: the block itself (see runs/pair_block.py), a
check of a setting, the sync.
"""

from __future__ import annotations

if __name__ == "__main__":  # before Prefect is imported and reads its settings
    from runs.missing import tell_what_is_missing

    tell_what_is_missing()
    from runs.command import prepare_local_run

    prepare_local_run(pairs=True)

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from leadsync.env_file import read_env_file
from leadsync.environment import OF_THE_INSTALLATION, load_settings
from leadsync.errors import ConfigurationError, Exit, LeadsyncError
from leadsync.private_files import read_by_others
from leadsync.report.terminal import say, tabulate
from leadsync.setting_names import unknown_in_file
from leadsync.setting_values import bare
from leadsync.settings import Settings
from runs.command import run_command, stoppable
from runs.here import connected
from runs.pair_block import LeadsyncPair, check_name, delete_pair, saved_pairs

PLACES = ("airtable_endpoint_url", "airtable_base_id", "airtable_table_name", "trello_endpoint_url", "trello_board_id")
"""What makes a pair another one."""


def block_from(env_file: Path) -> LeadsyncPair:
    """
    The pair that a file like `.env` describes.

    Raises: ConfigurationError if the file is not there, cannot be read, or holds a wrong or unknown setting, and if it
    is the pair that needs no name.
    """
    if not env_file.is_file():
        raise ConfigurationError(f"{env_file} is not there; copy .env.sample, and fill in the pair's own settings.")
    values = read_env_file(env_file)
    if unknown := unknown_in_file(values, str(env_file)):
        raise ConfigurationError(f"{' '.join(unknown)} See .env.sample.")
    found = {name.lower(): bare(value) for name, value in values.items() if bare(value)}
    shared = [name.upper() for name in OF_THE_INSTALLATION if name in found]
    if shared:
        raise ConfigurationError(f"{env_file} holds {', '.join(shared)}, which all pairs share; it belongs into .env.")
    given = {name: value for name, value in found.items() if name in Settings.model_fields}
    settings = load_settings(pair=given)
    refuse_twin(settings)
    if settings.sync_fields:
        given["sync_fields"] = settings.sync_fields
    return LeadsyncPair(**given)


def refuse_twin(settings: Settings) -> None:
    """Raises: ConfigurationError if base, table and board are those of the pair without a name, as they are written."""
    try:
        first = load_settings()
    except ConfigurationError:  # there is none
        return
    if all(getattr(settings, place) == getattr(first, place) for place in PLACES):
        raise ConfigurationError(
            f"Base {first.airtable_base_id} with table {first.airtable_table_name} and board {first.trello_board_id} "
            "is the pair that the settings describe without a name; a further pair has another table or board."
        )


def pairs(
    name: Annotated[str, typer.Argument(help="The pair to save; without one, the saved pairs are listed.")] = "",
    env: Annotated[Path | None, typer.Option(help="A file like .env with the pair's settings.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Forget the pair of this name, and its secrets.")] = False,
) -> None:
    """Save a further pair of base and board as a Prefect block, delete one, or list those there are."""
    console = Console()
    try:
        with connected():
            LeadsyncPair.register_type_and_schema()
            if delete:
                if not name or env:
                    raise ConfigurationError("To delete a pair, give its name and --delete, nothing else.")
                delete_pair(name)
                say(console, f"Pair {name} is deleted; base, board, and what both agreed on stay.")
            elif name and env:
                check_name(name)
                block_from(env).save(name, overwrite=True)
                if read_by_others(env):
                    say(console, f"Others can read {env}; run chmod 600 on it.", "yellow")
            elif name or env:
                raise ConfigurationError("To save a pair, give its name and --env FILE.")
            saved = saved_pairs()
        if saved:
            tabulate(console, "", ("pair", "base", "table", "board"), ((pair, *saved[pair]) for pair in saved))
        else:
            say(console, "No pair is saved yet; the one in .env needs no name.")
    except LeadsyncError as error:
        say(console, error, "red")
        raise typer.Exit(error.exit_code) from None
    except Exception as error:  # whatever Prefect's client throws, without its text, which may hold what was sent
        say(console, f"Prefect's server took or gave no pair ({type(error).__name__}); does it answer?", "red")
        raise typer.Exit(Exit.INCOMPLETE) from None


if __name__ == "__main__":
    with stoppable():
        run_command(pairs)
