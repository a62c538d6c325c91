"""
Beside init.py: a pair that was just written down is checked, mended after a yes, tried, and after another yes synced.

Never here: what is asked before that, a file, a check itself.
"""

from __future__ import annotations

from leadsync.errors import Exit
from leadsync.model import Adopt
from leadsync.report.questions import Questions
from leadsync.report.terminal import say, show
from runs.command import nothing_to_stop
from runs.here import connected
from sync import run_locally as sync_here
from validate import SCHEDULE_MINUTES, repair, run_checks, show_checklist
from validate import run_locally as check_here

NEXT = "From now on: python flows/sync.py, or at a steady pace: python flows/sync.py --every 1h"
WHOLE = "flows/sync.py --dry-run --json"
"""What lists all that a table here cuts off."""


def whose_cards(said: str) -> Adopt:
    """Raises: ValueError unless that is a choice."""
    if not said:
        return Adopt.ASK
    try:
        return Adopt(said.casefold())
    except ValueError:
        raise ValueError("Say email, name or none, or nothing to leave it for now.") from None


def try_out(questions: Questions, sync_too: bool, adopt: Adopt) -> Exit:
    """The checks, what they can mend after a yes, a dry run, and after another yes, or with `sync_too`, a sync."""
    console = questions.console
    console.rule("Is everything in place?", align="left")
    checklist = check_here(SCHEDULE_MINUTES, "")
    show_checklist(checklist, console)
    if checklist.repairs and (questions.somebody or sync_too) and repair(checklist, console, yes=sync_too):
        with connected():
            checklist = run_checks(SCHEDULE_MINUTES, "")
        show_checklist(checklist, console)
    if not checklist.ok:
        say(console, "Mend what is marked ✗, then run flows/validate.py; what was written stays.", "red")
        return Exit.MISCONFIGURED
    console.rule("What a sync would do", align="left")
    report = sync_here(dry_run=True, adopt=adopt).outcome
    show(report, console, whole=WHOLE)
    while report.asks_to_adopt and questions.somebody:
        question = "Whose are those cards? email, name or none, as above; Enter leaves it"
        if (adopt := questions.ask(question, whose_cards, optional=True)) is Adopt.ASK:
            break
        report = sync_here(dry_run=True, adopt=adopt).outcome
        show(report, console, whole=WHOLE)
    wanted = sync_too or (questions.somebody and report.exit_code == Exit.DONE and questions.confirm("Sync now?"))
    if report.exit_code == Exit.DONE and wanted:
        console.rule("Sync", align="left")
        report = sync_here(adopt=adopt).outcome
        nothing_to_stop()
        show(report, console, whole="flows/history.py")
    say(console, NEXT)
    return Exit(report.exit_code)
