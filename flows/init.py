"""
Door: connect a base and a board. Asks for tokens, proposes what is tied to what, writes `.env`, checks, and tries it.

Here: options in, files out, then the doors validate and sync. Never here: a question (see dialogue.py), a proposal.
"""

from __future__ import annotations

if __name__ == "__main__":  # a local run; before Prefect is imported and reads its settings
    from runs.missing import tell_what_is_missing

    tell_what_is_missing()
    from runs.command import prepare_local_run

    prepare_local_run()

import os
import socket
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dialogue import Given, connect
from emulator import Emulator
from leadsync.environment import MAPPING_FILE
from leadsync.errors import ConfigurationError, Exit, LeadsyncError
from leadsync.model import Adopt
from leadsync.pipeline import discovery
from leadsync.pipeline.pair_files import ENDPOINTS, SECRETS, refuse_environment, write_pair
from leadsync.report.questions import Questions
from leadsync.report.terminal import say
from leadsync.setting_addresses import PROJECT
from leadsync.setting_values import bare
from runs.command import run_command, stoppable
from trial import try_out


def said_before(files: Mapping[str, Path | None]) -> dict[str, str]:
    """Secrets from files and, where none is named, from the environment. Raises: ConfigurationError."""
    found = {name: value for name in SECRETS if (value := bare(os.environ.get(name, "")))}
    for name, file in files.items():
        if file is not None:
            try:
                found[name] = file.read_text(encoding="utf-8-sig").strip()
            except (OSError, UnicodeDecodeError):
                raise ConfigurationError(f"{file} cannot be read; it should hold {name} and nothing else.") from None
    return found


def as_lines(pairs: Iterable[str], kind: str, option: str) -> list[tuple[str, str, str]]:
    """`KEY=VALUE` of an option that may be given several times. Raises: ConfigurationError."""
    split = [(pair, pair.partition("=") if kind == "column" else pair.rpartition("=")) for pair in pairs]
    for pair, (key, _, value) in split:
        if not key.strip() or not value.strip():
            raise ConfigurationError(f"{option} {pair!r} is not written as A=B, as in --help.")
    return [(kind, key.strip(), value.strip()) for _, (key, _, value) in split]


def of_emulator(port: int, seed: int, env: Path) -> dict[str, str]:
    """Settings for an emulator that runs. Raises: ConfigurationError if it does not, or began with another seed."""
    values = Emulator(port=port, seed=seed).settings()
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        raise ConfigurationError(
            f"No emulator answers on port {port}. Start one in another terminal, and leave it running: "
            f"uv run flows/emulator/__main__.py --demo --port {port}"
        ) from None
    try:
        discovery.bases(values)
        discovery.boards(values)
    except ConfigurationError:
        raise ConfigurationError(
            f"What answers on port {port} is no emulator that was started with --seed {seed}; give its seed."
        ) from None
    return values | {"SYNC_STATE_URL": f"sqlite:///{env.with_name('emulator.sqlite3')}"}


def endpoints() -> dict[str, str]:
    """Where the services are, if the environment says that it is elsewhere; the files of before are not asked."""
    return {name: value for name in ENDPOINTS if (value := bare(os.environ.get(name, "")))}


def target(env: Path | None) -> Path:
    """The file to write: the one that an option or the variable for all commands names, or the project's."""
    named = env or Path(bare(os.environ.get("LEADSYNC_ENV_FILE", "")) or PROJECT / ".env")
    return Path(os.path.abspath(named.expanduser()))


def may_write(questions: Questions, files: Iterable[Path], overwrite: bool) -> None:
    """Raises: ConfigurationError unless nothing is in the way, or it may be replaced."""
    there = [str(file) for file in files if file.exists()]
    if not there or overwrite:
        return

    what = f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there already"
    if not questions.somebody:
        raise ConfigurationError(f"{what}; --overwrite replaces what describes a pair in it.")
    if not questions.confirm(f"{what}. Replace what describes a pair in it?"):
        raise ConfigurationError("Nothing was written. Another file can be named with --env.")


def init(
    airtable_token_file: Annotated[
        Path | None, typer.Option(help="A file that holds the Airtable token; it goes before AIRTABLE_API_TOKEN.")
    ] = None,
    trello_key_file: Annotated[
        Path | None, typer.Option(help="A file that holds the Trello API key; it goes before TRELLO_API_KEY.")
    ] = None,
    trello_token_file: Annotated[
        Path | None, typer.Option(help="A file that holds the Trello token; it goes before TRELLO_API_TOKEN.")
    ] = None,
    base: Annotated[str | None, typer.Option(help="The base: its name, id or address.")] = None,
    table: Annotated[str | None, typer.Option(help="The table: its name, id or address.")] = None,
    board: Annotated[str | None, typer.Option(help="The board: its name, id, short link or address.")] = None,
    own: Annotated[
        list[str] | None, typer.Option("--own", help="name=COLUMN, email=COLUMN, status=COLUMN or source=COLUMN.")
    ] = None,
    status: Annotated[
        list[str] | None, typer.Option("--status", help="STATUS=LIST: where its cards lie. Again for each.")
    ] = None,
    closed: Annotated[str | None, typer.Option(help="Lists that mean closed, parted by commas; - for none.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="COLUMN=due, =labels, =line:Phone …, or =- for nothing."),
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Where days are days, as Europe/Berlin; else UTC.")] = None,
    env: Annotated[
        Path | None, typer.Option(help="The file to write, if not .env of this folder; leadsync.toml goes beside it.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the pair in files that are there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take what is given and proposed.")] = False,
    sync: Annotated[bool, typer.Option("--sync", help="Create missing lists, and sync after the dry run.")] = False,
    adopt: Annotated[
        Adopt, typer.Option(help="If cards look like leads: tie those that match one to one, or none of them.")
    ] = Adopt.ASK,
    emulator: Annotated[bool, typer.Option("--emulator", help="For an emulator that runs on this machine.")] = False,
    port: Annotated[int, typer.Option(help="With --emulator: its port.")] = 8900,
    seed: Annotated[int, typer.Option(help="With --emulator: the --seed it was started with.")] = 0,
) -> None:
    """
    Connect your own base and board: asks for the tokens, shows what there is, proposes what is tied to what, writes
    .env and, if more columns are tied, leadsync.toml; then checks everything and shows what a sync would do.

    Tokens are typed unseen, or taken from the environment or files; never from the command line, where others see them.
    """
    console, file = Console(), target(env)
    questions = Questions(console, somebody=sys.stdin.isatty() and not yes)
    more = [("closed", "", closed), ("timezone", "", timezone)]
    told = [(kind, key, said) for kind, key, said in more if said is not None]
    written = False
    try:
        refuse_environment(file)
        may_write(questions, (file, file.with_name(MAPPING_FILE)), overwrite)
        if emulator:
            values, mapping = of_emulator(port, seed, file), ""
        else:
            files = dict(zip(SECRETS, (airtable_token_file, trello_key_file, trello_token_file), strict=True))
            lines = [*as_lines(own or (), "own", "--own"), *as_lines(status or (), "status", "--status")]
            lines += [*as_lines(column or (), "column", "--column"), *told]
            given = Given(said_before(files), base, table, board, lines)
            values, mapping = connect(questions, given, endpoints())
        write_pair(file, values, mapping)
        if file != PROJECT / ".env":
            os.environ["LEADSYNC_ENV_FILE"] = str(file)
        written = True
        say(console, f"Written: {file}" + (f" and {MAPPING_FILE} beside it" if mapping else ""), "green")
        raise typer.Exit(try_out(questions, sync, adopt))
    except LeadsyncError as error:
        say(console, error, "red")
        raise typer.Exit(error.exit_code) from None
    except (KeyboardInterrupt, EOFError):
        console.print()  # below the question
        say(console, f"Stopped; {file} stays." if written else "Stopped; nothing was written.")
        raise typer.Exit(Exit.INCOMPLETE) from None


if __name__ == "__main__":
    with stoppable():
        run_command(init)
