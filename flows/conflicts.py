"""
Door: the conflicts that are still open and what is set aside, and a person's word about one of them, or about copies of
a card, which is a flow run like any sync.

Here: options in, the list or the report out. Never here: what a conflict is (see leadsync.core), a request.
"""

from __future__ import annotations

if __name__ == "__main__":  # before Prefect is imported and reads its settings
    from runs.missing import tell_what_is_missing

    tell_what_is_missing()
    from runs.command import prepare_local_run

    prepare_local_run(only_for=("take", "--pair"))

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer
from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from rich.console import Console
from rich.text import Text

from leadsync.core.told import sides_to_take
from leadsync.errors import Exit, LeadsyncError
from leadsync.model import ConflictPolicy, Read
from leadsync.pipeline.steps import Chosen, Options
from leadsync.pipeline.waiting import NamedAside, NamedConflict, waiting_of
from leadsync.report.report import json_text
from leadsync.report.terminal import lines, say, show, tabulate
from runs.command import ending_soon, stoppable
from runs.here import connected
from runs.pair_block import settings_of
from runs.reported import leave, run_once, run_reported


class Side(StrEnum):
    """Whose value is taken."""

    AIRTABLE = "airtable"
    TRELLO = "trello"


def run_name() -> str:
    """What the run is called in Prefect's lists."""
    given = flow_run.parameters
    what = "dry run: take" if given.get("dry_run") else "take"
    return " ".join(filter(None, [what, str(Side(given["side"])), "for", given["lead"], given.get("field")]))


@flow(name="take-conflict", flow_run_name=run_name, retries=0, persist_result=False)
def take_conflict(side: Side, lead: str, field: str = "", dry_run: bool = False, pair: str = "") -> State[Any]:
    """
    Settle conflicts of one lead, or cells of it that are set aside: the side that is taken wins, and nothing else is
    written.

    Args:
        side: Whose value both sides are to have.
        lead: The lead's id, or its card's.
        field: One of the cells, by what the list calls it or by its column; empty for all of the lead.
        dry_run: Show what would change and write nothing.
        pair: Name of the Leadsync Pair block that says which base and board; empty takes those of the environment.
    """
    chosen = Chosen(ConflictPolicy(side.value), lead.strip(), field.strip())
    return run_once(Options(dry_run, read=Read.AUTO, take=chosen, pair=pair))


def untie_name() -> str:
    """Likewise."""
    given = flow_run.parameters
    return f"{'dry run: ' if given.get('dry_run') else ''}untie copies of {given['lead']}"


@flow(name="untie-copies", flow_run_name=untie_name, retries=0, persist_result=False)
def untie_copies(lead: str, dry_run: bool = False, pair: str = "") -> State[Any]:
    """
    Make the copies of a lead's card cards of their own: their LeadID line is taken off, and nothing else is written.

    Args:
        lead: The lead's id.
        dry_run: Show what would change and write nothing.
        pair: Name of the Leadsync Pair block that says which base and board; empty takes those of the environment.
    """
    return run_once(Options(dry_run, untie=lead.strip(), pair=pair))


# --- the commands ---------------------------------------------------------------------------------------------

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Pair = Annotated[str, typer.Option(help="A pair saved with flows/pairs.py; without it, the one in .env.")]
app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)


@app.callback(invoke_without_command=True)
def conflicts(context: typer.Context, as_json: AsJson = False, pair: Pair = "") -> None:
    """List the conflicts that are still open, and what is set aside; take a side to settle one."""
    if context.invoked_subcommand:
        return
    console = Console()
    try:
        with connected() if pair else nullcontext():
            found, aside = waiting_of(settings_of(pair))
    except LeadsyncError as error:
        if as_json:
            nothing: dict[str, Any] = {"conflicts": [], "set_aside": []}
            print(json_text(nothing | {"exit_code": error.exit_code, "message": str(error)}))
        else:
            say(console, error, "red")
        raise typer.Exit(error.exit_code) from None
    if as_json:
        print(json_text({"conflicts": _objects(found), "set_aside": _objects(aside), "exit_code": Exit.DONE}))
        return
    if found:
        tabulate(console, "Conflicts", ("lead", "field", "base", "Airtable", "Trello", "since"), map(_shown, found))
        say(console, f"Make both equal by hand, or: {TAKE}")
    else:
        say(console, "No conflict is open.")
    if aside:
        columns = ("lead, card", "field", "why", "Airtable", "Trello", "what to do", "since")
        tabulate(console, "Set aside", columns, map(_shown_aside, aside))
        if any(any(sides_to_take(each)) for each in aside):
            say(console, f"Where a side can be taken: {TAKE}")


TAKE = "flows/conflicts.py take airtable|trello --lead rec… [--field NAME]"


def _objects(found: Sequence[NamedConflict | NamedAside]) -> list[dict[str, Any]]:
    return [asdict(each) | {"since": _moment(each).isoformat(timespec="seconds")} for each in found]


def _shown(each: NamedConflict) -> tuple[str | Text, ...]:
    base = "(first match)" if each.base is None else each.base
    return lines(each.name, each.lead_id), each.field, base, each.airtable, each.trello, _since(each)


def _shown_aside(each: NamedAside) -> tuple[str | Text, ...]:
    taken = [f"Take {side}: {other}'s becomes {value or 'empty'}." for side, other, value in sides_to_take(each)]
    whose = lines(each.name, each.lead_id, "" if each.field else each.card_id)
    to_do = lines(each.remedy, *taken)
    return whose, each.field, each.reason, each.airtable or "", each.trello or "", to_do, _since(each)


def _since(each: NamedConflict | NamedAside) -> str:
    return f"{_moment(each).astimezone():%Y-%m-%d %H:%M}"


def _moment(each: NamedConflict | NamedAside) -> datetime:
    return datetime.fromtimestamp(each.since, UTC)


@app.command()
def take(
    side: Annotated[Side, typer.Argument(help="Whose value both sides are to have.")],
    lead: Annotated[str, typer.Option(help="The lead's id, or its card's.")],
    field: Annotated[str, typer.Option(help="One of its cells that wait; without it, all of them.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and write nothing.")] = False,
    as_json: AsJson = False,
    pair: Pair = "",
) -> None:
    """Settle conflicts and cells set aside of one lead: one side's value goes to both, and nothing else is written."""
    report, seen_at = run_reported(take_conflict, side=side, lead=lead, field=field, dry_run=dry_run, pair=pair)
    leave(report, as_json, partial(show, report, Console(), seen_at))


@app.command()
def untie(
    lead: Annotated[str, typer.Option(help="The id of the lead whose card was copied.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and write nothing.")] = False,
    as_json: AsJson = False,
    pair: Pair = "",
) -> None:
    """Make the copies of a lead's card cards of their own: their LeadID line is taken off."""
    report, seen_at = run_reported(untie_copies, lead=lead, dry_run=dry_run, pair=pair)
    leave(report, as_json, partial(show, report, Console(), seen_at))


if __name__ == "__main__":
    with stoppable(), ending_soon():
        app()
