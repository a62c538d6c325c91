"""
Door: what earlier runs changed, why a lead is as it is, and a run taken back, which is a flow run like any sync.

Here: options in; lists, stories and the report out. Never here: how a run is taken back (see leadsync.core), a request.
"""

from __future__ import annotations

if __name__ == "__main__":  # before Prefect is imported and reads its settings
    from runs.missing import tell_what_is_missing

    tell_what_is_missing()
    from runs.command import prepare_local_run

    prepare_local_run(only_for=("undo", "--pair"))

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Annotated, Any

import typer
from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from rich.console import Console

from leadsync.core.ledger import ID_SHOWN
from leadsync.errors import ConfigurationError, Exit, LeadsyncError
from leadsync.model import Read
from leadsync.pipeline.explaining import Kept, kept_of, lead_meant, names_of
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options, UndoChoice
from leadsync.pipeline.undoing import run_called
from leadsync.report import past
from leadsync.report.report import json_text
from leadsync.report.story import show_lead, show_next, show_run, show_runs
from leadsync.report.terminal import say, show
from leadsync.settings import Settings
from runs.command import ending_soon, stoppable
from runs.here import connected
from runs.pair_block import settings_of
from runs.reported import leave, run_once, run_reported

FOLLOWING = ("changes", "conflicts", "quarantine", "notes")
"""Parts of a dry run's report that say what the next run would do about a lead."""


def run_name() -> str:
    """What the run is called in Prefect's lists."""
    given = flow_run.parameters
    what = "dry run: undo" if given.get("dry_run") else "undo"
    return " ".join(filter(None, [what, given["run"][:ID_SHOWN], given.get("lead"), given.get("field")]))


@flow(name="undo-run", flow_run_name=run_name, retries=0, persist_result=False)
def undo_run(
    run: str, lead: str = "", field: str = "", dry_run: bool = False, allow_mass_change: bool = False, pair: str = ""
) -> State[Any]:
    """
    Take an earlier run back: both sides get what was agreed before it, where nobody has edited it since.

    Args:
        run: The run's id in the history, or the beginning of it.
        lead: Of that run one lead only, by its id or its card's.
        field: One field only, by what reports call it.
        dry_run: Show what would change and write nothing.
        allow_mass_change: For this run, accept that many cards are archived.
        pair: Name of the Leadsync Pair block that says which base and board; empty takes those of the environment.
    """
    chosen = UndoChoice(run.strip(), lead.strip(), field.strip())
    return run_once(Options(dry_run, allow_mass_change, undo=chosen, pair=pair))


# --- the commands ---------------------------------------------------------------------------------------------

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Since = Annotated[str, typer.Option(help="Only what is younger, as in 7d, 12h or 90m.")]
Pair = Annotated[str, typer.Option(help="A pair saved with flows/pairs.py; without it, the one in .env.")]
Lead = Annotated[str, typer.Argument(help="The lead's id (rec…), its card's id, or its card's address.")]
RunId = Annotated[str, typer.Argument(help="The run's id, or the beginning of it.")]
app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)


@contextmanager
def looking_back(pair: str, as_json: bool, empty: dict[str, Any]) -> Iterator[tuple[Settings, Kept]]:
    """The history, open to be read; what goes wrong is a sentence, or an object with the member of `empty`."""
    try:
        with connected() if pair else nullcontext():
            settings = settings_of(pair)
        with kept_of(settings) as kept:
            kept.store.history.purge(kept.key, time.time() - settings.sync_history_days * 86_400)
            yield settings, kept
    except LeadsyncError as error:
        if as_json:
            print(json_text({**empty, "exit_code": error.exit_code, "message": str(error)}))
        else:
            say(Console(), error, "red")
        raise typer.Exit(error.exit_code) from None


@app.callback(invoke_without_command=True)
def history(context: typer.Context, since: Since = "", as_json: AsJson = False, pair: Pair = "") -> None:
    """List the runs that changed something, newest first."""
    context.obj = {"as_json": as_json, "pair": pair, "since": since}
    if context.invoked_subcommand:
        return
    with looking_back(pair, as_json, {"runs": []}) as (_, kept):
        runs = kept.store.history.runs(kept.key, _moment(since))
    if as_json:
        print(json_text({"runs": [past.run_row(run) for run in runs], "exit_code": Exit.DONE}))
    elif runs:
        show_runs(runs, Console())
    else:
        say(Console(), "No run has changed anything, as far as the history goes.")


def _moment(since: str) -> float:
    try:
        return past.since(since, time.time()) if since else 0.0
    except ValueError as error:
        raise ConfigurationError(f"--since: {error}.") from None


@app.command("run")
def one_run(context: typer.Context, run: RunId, as_json: AsJson = False, pair: Pair = "") -> None:
    """Show what one run changed, and by which rule."""
    as_json, pair = as_json or context.obj["as_json"], pair or context.obj["pair"]
    with looking_back(pair, as_json, {"runs": []}) as (_, kept):
        found = run_called(kept.store, kept.key, run)
        changes = kept.store.history.changes(kept.key, found.run_id)
        names = names_of(kept, {change.lead_id for change in changes})
    if as_json:
        rows = [past.change_row(change, names.get(change.lead_id, "")) for change in changes]
        row = past.run_row(found) | {"changes": rows}
        print(json_text({"runs": [row], "exit_code": Exit.DONE}))
        return
    show_run(found, changes, names, Console())


@app.command("lead")
def one_lead(context: typer.Context, lead: Lead, since: Since = "", as_json: AsJson = False, pair: Pair = "") -> None:
    """Explain a lead: what was agreed, both sides, which rule decides, what the next run would do, and its past."""
    as_json, pair, since = as_json or context.obj["as_json"], pair or context.obj["pair"], since or context.obj["since"]
    with looking_back(pair, as_json, {"lead": None}) as (settings, kept):
        lead_id = lead_meant(kept, lead.strip())
        timeline = [each for each in kept.store.history.lead(kept.key, lead_id) if each.at >= _moment(since)]
        report = run_sync(settings, Options(dry_run=True, read=Read.AUTO, explains=lead_id))
        told = json.loads(report.as_json())
        following = {part: [row for row in told[part] if row["lead_id"] == lead_id] for part in FOLLOWING}
        lacking = past.unwritten(timeline, kept.store.journal.load_row(kept.key, lead_id))
        is_known = report.exit_code == Exit.DONE
        if is_known and not (report.explained or timeline):
            raise ConfigurationError(f"Neither side, nor the history, knows a lead {lead_id}.")
    if as_json:
        row = past.lead_row(lead_id, report.explained, timeline, lacking, following if is_known else None)
        print(json_text({"lead": row, "exit_code": report.exit_code, "message": "" if is_known else report.message}))
    else:
        show_lead(lead_id, report.explained, timeline, lacking, Console())
        if is_known:
            show_next(following, Console())
        else:
            say(Console(), f"Both sides could not be asked: {report.message}", "yellow")
    raise typer.Exit(report.exit_code)


@app.command()
def forget(context: typer.Context, lead: Lead, as_json: AsJson = False, pair: Pair = "") -> None:
    """Erase a lead's values from the history, and if the lead is gone, from all that is kept."""
    as_json, pair = as_json or context.obj["as_json"], pair or context.obj["pair"]
    with looking_back(pair, as_json, {"lead": None}) as (_, kept):
        lead_id = lead_meant(kept, lead.strip())
        erased = kept.store.history.forget(kept.key, lead_id)
    if as_json:
        print(json_text({"lead": {"lead_id": lead_id}, "erased": erased, "exit_code": Exit.DONE}))
    else:
        say(Console(), f"The values of {erased} changes of {lead_id} were erased.")


@app.command()
def undo(
    context: typer.Context,
    run: RunId,
    lead: Annotated[str, typer.Option(help="Of that run one lead only, by its id or its card's.")] = "",
    field: Annotated[str, typer.Option(help="One field only, by what reports call it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and write nothing.")] = False,
    allow_mass_change: Annotated[
        bool, typer.Option("--allow-mass-change", help="For this run, accept that many cards are archived.")
    ] = False,
    as_json: AsJson = False,
    pair: Pair = "",
) -> None:
    """Take a run back: both sides get what was agreed before it, where nobody has edited it since."""
    as_json, pair = as_json or context.obj["as_json"], pair or context.obj["pair"]
    options = {"run": run, "lead": lead, "field": field, "dry_run": dry_run, "allow_mass_change": allow_mass_change}
    report, seen_at = run_reported(undo_run, **options, pair=pair)
    leave(report, as_json, partial(show, report, Console(), seen_at))


if __name__ == "__main__":
    with stoppable(), ending_soon():
        app()
