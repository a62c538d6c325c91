"""
Door: is everything in place for a sync? From the shell, or as a Prefect flow run.

Here: the checklist of leadsync.pipeline.checks, printed. Never here: a check itself.
"""

from __future__ import annotations

if __name__ == "__main__":  # a local run; before Prefect is imported and reads its settings
    from runs.command import prepare_local_run

    prepare_local_run()

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leadsync.errors import Exit, LeadsyncError
from leadsync.pipeline.checks import check_setup
from leadsync.pipeline.clients import open_clients
from leadsync.pipeline.findings import Checklist, Finding, Level
from runs.command import nothing_to_stop, stoppable
from runs.here import connected, run_flow
from runs.pair_block import settings_of

SCHEDULE_MINUTES = 60.0
"""As in prefect.yaml."""
WAYS = {"both": "both ways", "to_trello": "Airtable → Trello", "to_airtable": "Trello → Airtable"}
COLUMNS = ("column", "type", "card", "direction", "lens")
MARKS = {Level.OK: "[green]✓[/]", Level.WARN: "[yellow]![/]", Level.FAIL: "[red]✗[/]"}


@flow(name="validate-setup", retries=0, persist_result=False)
def validate_setup(every_minutes: float = SCHEDULE_MINUTES, pair: str = "") -> State[Any]:
    """
    Check tokens, scopes, base, table, columns, options, board, lists, state and quota; write nothing.

    Args:
        every_minutes: The schedule to forecast the calls for.
        pair: Name of the Leadsync Pair block to check; empty takes the settings of the environment.
    """
    checklist = run_checks(every_minutes, pair)
    for finding in checklist.findings:
        log = get_run_logger().error if finding.level is Level.FAIL else get_run_logger().info
        log("%s %s: %s %s", finding.level, finding.check, finding.detail, finding.remedy)
    create_table_artifact([asdict(finding) for finding in checklist.findings], key="validate-setup")
    if checklist.mapping:
        create_table_artifact([asdict(row) for row in checklist.mapping], key="validate-mapping")
    failed = [finding for finding in checklist.findings if finding.level is Level.FAIL]
    if failed:
        return Failed(name="Misconfigured", message=failed[0].detail, data=checklist)
    return Completed(message=f"{len(checklist.findings)} checks passed", data=checklist)


def run_checks(every_minutes: float, pair: str) -> Checklist:
    """All checks of a pair; what is wrong with its settings is a finding too."""
    try:
        settings = settings_of(pair)
        with open_clients(settings) as clients:
            return check_setup(settings, clients, every_minutes)
    except LeadsyncError as error:
        return Checklist([Finding("settings", Level.FAIL, str(error))], [])


def run_locally(every_minutes: float, pair: str) -> Checklist:
    """One flow run in this process."""
    ended = run_flow(validate_setup, every_minutes=every_minutes, pair=pair).outcome
    return ended if isinstance(ended, Checklist) else Checklist([Finding("validate", Level.FAIL, str(ended))], [])


def repair(checklist: Checklist, console: Console, yes: bool) -> bool:
    """Show what is missing and can be created, and after a yes create it. Returns: whether anything was created."""
    if not checklist.repairs:
        console.print("Nothing is missing that could be created.")
        return False
    console.print("Would create:", *(f"\n  • {escape(item.what)}" for item in checklist.repairs))
    if not yes and not typer.confirm("Create them now?"):
        return False
    for item in checklist.repairs:
        try:
            item.create()
            console.print(f"created {escape(item.what)}")
        except LeadsyncError as error:
            console.print(f"[red]could not create {escape(item.what)}: {escape(str(error))}[/]")
    return True


def show_mapping(checklist: Checklist, console: Console) -> None:
    """Print which column is tied to what; what is not known, or does not fit, is a dash."""
    if not checklist.mapping:
        return
    table = Table(title="Mapping", title_justify="left", title_style="bold")
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for row in checklist.mapping:
        cells = (row.column, row.type, row.card, WAYS.get(row.direction, ""), row.lens)
        table.add_row(*(escape(cell) or "-" for cell in cells))
    console.print(table)


def validate(
    as_json: Annotated[bool, typer.Option("--json", help="Print mapping and findings as JSON on stdout.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Create missing lists, after asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --fix: do not ask.")] = False,
    every: Annotated[float, typer.Option(help="Minutes between runs, for the forecast of calls.")] = SCHEDULE_MINUTES,
    pair: Annotated[str, typer.Option(help="A pair saved with flows/pairs.py; without it, the one in .env.")] = "",
) -> None:
    """Check everything a sync needs; write nothing, unless --fix is given."""
    checklist = run_locally(every, pair)
    console = Console(stderr=as_json)
    if fix and repair(checklist, console, yes):
        with connected():
            checklist = run_checks(every, pair)
    nothing_to_stop()
    code = Exit.DONE if checklist.ok else Exit.MISCONFIGURED
    if as_json:
        findings = [asdict(finding) for finding in checklist.findings]
        mapping = [asdict(row) for row in checklist.mapping]
        body = {"ok": checklist.ok, "mapping": mapping, "findings": findings}
        print(json.dumps(body, ensure_ascii=False, indent=2))
        raise typer.Exit(code)
    show_mapping(checklist, console)
    for finding in checklist.findings:
        remedy = f"\n    → {finding.remedy}" if finding.remedy else ""
        console.print(
            f"{MARKS[finding.level]} {escape(finding.check)}: {escape(finding.detail + remedy)}", soft_wrap=True
        )
    raise typer.Exit(code)


if __name__ == "__main__":
    with stoppable():
        typer.run(validate)
