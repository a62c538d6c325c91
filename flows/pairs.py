"""
Door: further pairs of a table and a board, each kept as a Prefect block; the first one lives in `.env`.

Here: the command that saves one, or lists them. Never here: the block itself (see runs/pair_block.py), a check of a
setting, the sync.
"""

from __future__ import annotations

if __name__ == "__main__":  # before Prefect is imported and reads its settings
    from runs.command import prepare_local_run

    prepare_local_run()

import re
from pathlib import Path
from typing import Annotated

import typer
from dotenv import dotenv_values
from rich.console import Console

from leadsync.environment import OF_THE_INSTALLATION, load_settings
from leadsync.errors import ConfigurationError, LeadsyncError
from leadsync.report.terminal import say, tabulate
from leadsync.settings import Settings
from runs.command import stoppable
from runs.here import connected
from runs.pair_block import LeadsyncPair, saved_pairs

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def block_from(env_file: Path) -> LeadsyncPair:
    """
    The pair that a file like `.env` describes.

    Raises: ConfigurationError if the file is not there, or holds a wrong or unknown setting.
    """
    if not env_file.is_file():
        raise ConfigurationError(f"{env_file} is not there; copy .env.sample, and fill in the pair's own settings.")
    found = {name.lower(): value for name, value in dotenv_values(env_file).items() if value}
    shared = [name.upper() for name in OF_THE_INSTALLATION if name in found]
    if shared:
        raise ConfigurationError(f"{env_file} holds {', '.join(shared)}, which all pairs share; it belongs into .env.")
    given = {name: value for name, value in found.items() if name in Settings.model_fields}
    load_settings((env_file,), pair=given)
    return LeadsyncPair(**given)


def save(name: str, env_file: Path) -> None:
    """Save the pair as a block, in place of one of the same name. Raises: ConfigurationError."""
    if not NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} is no name for a pair; allowed are lower-case letters, digits and dashes.")
    block_from(env_file).save(name, overwrite=True)


def pairs(
    name: Annotated[str, typer.Argument(help="The pair to save; without one, the saved pairs are listed.")] = "",
    env: Annotated[Path | None, typer.Option(help="A file like .env with the pair's settings.")] = None,
) -> None:
    """Save a further pair of base and board as a Prefect block, or list those there are."""
    console = Console()
    try:
        with connected():
            LeadsyncPair.register_type_and_schema()
            if name and env:
                save(name, env)
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


if __name__ == "__main__":
    with stoppable():
        typer.run(pairs)
