"""
Door: one sync now, from the shell or as a Prefect flow run.

Here: options in, the steps of leadsync.pipeline as Prefect tasks, the report out. Never here: a rule or a request.
"""

from __future__ import annotations

if __name__ == "__main__":  # a local run; before Prefect is imported and reads its settings
    from runs.missing import tell_what_is_missing

    tell_what_is_missing()
    from runs.command import prepare_local_run

    prepare_local_run()

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from prefect import flow
from prefect.client.schemas.objects import State
from rich.console import Console

from leadsync.errors import LeadsyncError
from leadsync.model import Adopt, ConflictChoice, Read, Review
from leadsync.pipeline.plan_files import NOTHING_ASKED, Asked, ask, with_those_of, write_plan
from leadsync.pipeline.run import run_sync
from leadsync.pipeline.steps import Options
from leadsync.report.report import Report
from leadsync.report.terminal import show
from runs.command import nothing_to_stop, run_command, stoppable
from runs.here import Ended
from runs.pair_block import settings_of
from runs.record import final_state, publish, run_name, shown_progress, told_in_the_log
from runs.recorder import asked_beside, conclude
from runs.reported import leave, run_reported
from runs.review import apply_approved, approved_plan, wait_for_review
from runs.signs import give_signs, unheard
from runs.tasks import as_tasks, call_task
from runs.turns import take_turns

# --- the flow -------------------------------------------------------------------------------------------------


@flow(name="sync-leads", flow_run_name=run_name, retries=0, persist_result=False)
def sync_leads(
    dry_run: bool = False,
    conflict: ConflictChoice = ConflictChoice.SETTINGS,
    allow_mass_change: bool = False,
    read: Read = Read.FULL,
    paced: bool = False,
    pair: str = "",
    adopt: Adopt = Adopt.ASK,
    review: Review = Review.NEVER,
) -> State[Any]:
    """
    Make the Airtable table Leads and the Trello board equal, in both directions.

    Args:
        dry_run: Show what would change and write nothing.
        conflict: Who wins when both sides moved one cell apart; settings takes SYNC_CONFLICT.
        allow_mass_change: For this run, accept that many known leads, cards or values are gone, or leads new.
        read: Read both sides whole, only what changed, or whichever costs fewer calls.
        paced: Skip this run if the month's Airtable calls are ahead of AIRTABLE_MONTHLY_CALLS.
        pair: Name of the Leadsync Pair block that says which base and board; empty takes those of the environment.
        adopt: Where leads have no card and cards without a LeadID line look like theirs, tie what matches one to one
            by email or by name, or give such leads cards of their own (none); ask refuses on first contact, and then
            goes on with what was chosen.
        review: Suspend the run until a person has read its plan and resumes it, if it risks something (first contact,
            archived cards, more than a tenth of the leads), or always if it writes. Deploy with ENQUEUE.
    """
    report, asked = Report(dry_run=dry_run), asked_beside() or NOTHING_ASKED
    try:
        settings = settings_of(pair)
        approved = approved_plan(settings)
        options = Options(dry_run, allow_mass_change, conflict.policy, read, paced and not approved, adopt)
        options = replace(options, plan=asked.plan or approved, expects_nothing=asked.expects_nothing, review=review)
        options = replace(options, saves=dry_run and asked.out is not None, pair=pair)
        with told_in_the_log(), shown_progress(Console(stderr=True)) as progress:
            report = apply_approved(approved, partial(run_sync, settings, options, as_tasks(progress)), settings)
        wait_for_review(report, settings)
        give_signs(report, pair)
    except LeadsyncError as error:
        report.fail(error)
    return conclude(report, partial(call_task, publish, report), final_state(report))


# --- the command ----------------------------------------------------------------------------------------------

DEFAULTS = {"conflict": ConflictChoice.SETTINGS, "adopt": Adopt.ASK, "allow_mass_change": False}
"""What an option is that nobody gave; a saved plan brings its own."""


def run_locally(asked: Callable[[], Asked] = Asked, **options: Any) -> Ended:
    """
    One flow run in this process; what is asked of it wrongly is told at once, without waiting for Prefect.

    Returns: the outcome is a Report, whatever happened.
    """
    report, seen_at = Report(dry_run=bool(options.get("dry_run"))), ""
    try:
        wish = asked()
        if wish.plan:
            options = with_those_of(wish.plan, options, DEFAULTS)
        report, seen_at = run_reported(sync_leads, wish, **options)
        if wish.out and report.plan:
            write_plan(wish.out, report.plan)
            report.note(f"The plan is in {wish.out}; `--plan {wish.out}` applies it, as long as nothing has moved.")
    except LeadsyncError as error:
        report.fail(error)
    return Ended(report, seen_at)


def sync(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Run against the bundled emulator; no account needed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON report on stdout.")] = False,
    allow_mass_change: Annotated[
        bool,
        typer.Option(
            "--allow-mass-change", help="For this run: many leads, cards or values may be gone, or leads new."
        ),
    ] = False,
    conflict: Annotated[
        ConflictChoice, typer.Option(help="Who wins when both sides moved one cell apart; settings: SYNC_CONFLICT.")
    ] = ConflictChoice.SETTINGS,
    read: Annotated[
        Read | None,
        typer.Option(help="Both sides whole, only what changed, or whichever costs fewer; full, unless --every."),
    ] = None,
    paced: Annotated[
        bool, typer.Option("--paced", help="Skip the run if the month's calls are ahead of AIRTABLE_MONTHLY_CALLS.")
    ] = False,
    adopt: Annotated[
        Adopt, typer.Option(help="Cards that look like leads: tie those that match one to one, or none of them.")
    ] = Adopt.ASK,
    pair: Annotated[str, typer.Option(help="A pair saved with flows/pairs.py; without it, the one in .env.")] = "",
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="With --dry-run: save the plan here, to be applied with --plan.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="Apply a saved plan: nothing else is written, and nothing if anything moved.")
    ] = None,
    expect_no_changes: Annotated[
        bool, typer.Option("--expect-no-changes", help="Write nothing; exit code 5 if there is anything to do.")
    ] = False,
    review: Annotated[
        Review,
        typer.Option(help="Runs that only write their plan, to --out (plan.json), to be applied with --plan."),
    ] = Review.NEVER,
    every: Annotated[
        str, typer.Option(help="Sync now and then every 30s, 15m, 1h, 1d, until Ctrl-C; implies --read auto --paced.")
    ] = "",
) -> None:
    """Make the Airtable table Leads and the Trello board equal, in both directions."""
    options: dict[str, Any] = {"dry_run": dry_run or expect_no_changes, "conflict": conflict, "adopt": adopt}
    options |= {"read": read or Read.FULL, "paced": paced, "pair": pair, "allow_mass_change": allow_mass_change}
    options |= {"review": review}
    asked = partial(ask, out, plan, expect_no_changes, dry_run, review is not Review.NEVER)
    if every:
        single = {"--demo": demo, "--allow-mass-change": allow_mass_change, "--adopt": adopt is not Adopt.ASK}
        single |= {"--out": bool(out), "--plan": bool(plan), "--expect-no-changes": expect_no_changes}
        options |= {"read": read or Read.AUTO, "paced": True}
        turn = partial(run_locally, asked, **options)
        code = take_turns(turn, every, [name for name in single if single[name]], as_json)
        nothing_to_stop()
        raise typer.Exit(code)
    if demo:
        from demo import run_demo

        once = bool(dry_run or out or plan or expect_no_changes)
        with unheard():
            report = run_demo(lambda: run_locally(asked, **options).outcome, Console(stderr=as_json), once)
    else:
        ended = run_locally(asked, **options)
        report = ended.outcome
    leave(report, as_json, lambda: None if demo else show(report, Console(), ended.seen_at))


if __name__ == "__main__":
    with stoppable():
        run_command(sync)
