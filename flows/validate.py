"""
Door: is everything in place for a sync? From the shell, or as a Prefect flow run.

Here: the checklist of leadsync.pipeline.checks, printed. Never here: a check itself.
"""

from __future__ import annotations

if __name__ == "__main__":  # a local run; before Prefect is imported and reads its settings
    from runs.missing import tell_what_is_missing

    tell_what_is_missing()
    from runs.command import prepare_local_run

    prepare_local_run()

import math
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import typer
from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from rich.console import Console

from leadsync.errors import ConfigurationError, Exit, LeadsyncError
from leadsync.pipeline.checks import check_setup
from leadsync.pipeline.clients import open_clients
from leadsync.pipeline.findings import Checklist, Finding, Level
from leadsync.report.markdown import as_shown
from leadsync.report.report import json_text
from leadsync.report.terminal import ARROWS, say, tabulate
from leadsync.texts import printable
from runs.automations import installed_are_older
from runs.command import nothing_to_stop, run_command, stoppable
from runs.here import connected, run_flow
from runs.pair_block import settings_of
from runs.recorder import conclude
from runs.turns import seconds_between

SCHEDULE_MINUTES = 60.0
"""As in prefect.yaml."""
COLUMNS = ("column", "type", "card", "direction", "lens")
MARKS = {Level.OK: "✓", Level.WARN: "!", Level.FAIL: "✗"}
STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


@flow(name="validate-setup", retries=0, persist_result=False)
def validate_setup(every_minutes: float = SCHEDULE_MINUTES, pair: str = "") -> State[Any]:
    """
    Check tokens, scopes, base, table, columns, options, board, lists, state and quota; write nothing.

    Args:
        every_minutes: The schedule to forecast the calls for.
        pair: Name of the Leadsync Pair block to check; empty takes the settings of the environment.
    """
    checklist = run_checks(every_minutes, pair)
    checklist.findings += check_alerts()
    failed = [finding for finding in checklist.findings if finding.level is Level.FAIL]
    final: State[Any] = Completed(message=f"{len(checklist.findings)} checks passed")
    if failed:
        error = ConfigurationError(printable(failed[0].detail))
        final = Failed(name=error.title, message=str(error), data=error)
    return conclude(checklist, partial(publish, checklist), final)


def publish(checklist: Checklist) -> None:
    """Log every finding, and leave the checklist as an artifact."""
    for finding in checklist.findings:
        log = get_run_logger().error if finding.level is Level.FAIL else get_run_logger().info
        log("%s %s: %s %s", finding.level, finding.check, finding.detail, finding.remedy)
    for key, items in (("validate-setup", checklist.findings), ("validate-mapping", checklist.mapping)):
        rows = [{name: as_shown(value) for name, value in asdict(item).items()} for item in items]
        create_table_artifact(rows, key=key)


def run_checks(every_minutes: float, pair: str) -> Checklist:
    """All checks of a pair; what is wrong with its settings is a finding too."""
    try:
        if not 0 < every_minutes < math.inf:
            raise ConfigurationError(f"every_minutes {every_minutes:g} is no time between two syncs.")
        settings = settings_of(pair)
        with open_clients(settings) as clients:
            return check_setup(settings, clients, every_minutes)
    except LeadsyncError as error:
        return Checklist([Finding("settings", Level.FAIL, str(error))], [])


def check_alerts() -> list[Finding]:
    """Of the alerts on Prefect's server, if any are installed there; a server that does not tell says nothing."""
    with suppress(Exception):
        are_older = installed_are_older()
        if are_older:
            remedy = "Install them again: python flows/alerts.py --url https://…"
            return [Finding("alerts", Level.WARN, "those installed on Prefect's server are an older version's", remedy)]
        if are_older is False:
            return [Finding("alerts", Level.OK, "installed on Prefect's server")]
    return []


def run_locally(every_minutes: float, pair: str) -> Checklist:
    """One flow run in this process."""
    ended = run_flow(validate_setup, every_minutes=every_minutes, pair=pair)
    checklist = ended.outcome
    if not isinstance(checklist, Checklist):
        checklist = Checklist([Finding("validate", Level.FAIL, str(ended.outcome))], [])
    if ended.unrecorded:
        checklist.findings.append(Finding("Prefect", Level.WARN, ended.unrecorded))
    return checklist


def repair(checklist: Checklist, console: Console, yes: bool) -> bool:
    """Show what is missing and can be created, and after a yes create it. Returns: whether anything was created."""
    if not checklist.repairs:
        if all(finding.level is Level.OK for finding in checklist.findings):
            say(console, "Nothing is missing that could be created.")
        else:
            say(console, "Nothing that could be created was found missing, as far as could be looked.")
        return False
    say(console, "Would create:")
    for item in checklist.repairs:
        say(console, f"  • {item.what}")
    if not yes and not typer.confirm("Create them now?"):
        return False
    for item in checklist.repairs:
        try:
            item.create()
            say(console, f"created {item.what}")
        except LeadsyncError as error:
            say(console, f"could not create {item.what}: {error}", "red")
    return True


def show_checklist(checklist: Checklist, console: Console) -> None:
    """Print which column is tied to what, a dash for what is not known or does not fit, and then every finding."""
    if checklist.mapping:
        ways = {"both": "both ways", "": ""} | {str(way): arrow for way, arrow in ARROWS.items()}
        rows = ((row.column, row.type, row.card, ways[row.direction], row.lens) for row in checklist.mapping)
        tabulate(console, "Mapping", COLUMNS, ((cell or "-" for cell in row) for row in rows))
    for finding in checklist.findings:
        console.print(MARKS[finding.level], style=STYLES[finding.level], end=" ")
        say(console, f"{finding.check}: {finding.detail}")
        if finding.remedy:
            say(console, f"    → {finding.remedy}")


def validate(
    as_json: Annotated[bool, typer.Option("--json", help="Print mapping and findings as JSON on stdout.")] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Create missing lists, and the column of the cards' ids, after asking.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --fix: do not ask.")] = False,
    every: Annotated[
        str, typer.Option(help="The pace for the forecast of calls: 15m, 1h, 1d; a bare number is minutes.")
    ] = "1h",
    pair: Annotated[str, typer.Option(help="A pair saved with flows/pairs.py; without it, the one in .env.")] = "",
) -> None:
    """Check everything a sync needs; write nothing, unless --fix is given."""
    console, minutes = Console(stderr=as_json), 0.0
    try:
        minutes = seconds_between(f"{every}m" if every.strip()[-1:].isdigit() else every) / 60
        checklist = run_locally(minutes, pair)
    except ConfigurationError as error:
        checklist = Checklist([Finding("pace", Level.FAIL, str(error))], [])
    if fix and repair(checklist, console, yes):
        with connected():
            checklist = run_checks(minutes, pair)
    nothing_to_stop()
    code = Exit.DONE if checklist.ok else Exit.MISCONFIGURED
    if as_json:
        rows, findings = ([asdict(item) for item in items] for items in (checklist.mapping, checklist.findings))
        print(json_text({"ok": checklist.ok, "mapping": rows, "findings": findings}))
    else:
        show_checklist(checklist, console)
    raise typer.Exit(code)


if __name__ == "__main__":
    with stoppable():
        run_command(validate)
