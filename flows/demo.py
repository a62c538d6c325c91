"""
Door: `sync.py --demo`, a walk through the product on the bundled emulator; no account, no network, no traces.

What is never here: a rule of the sync. The edits below are those that other tools get wrong.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable

from rich.console import Console

from emulator import Emulator
from leadsync.errors import Exit
from leadsync.frames.block import parse
from leadsync.report.report import Report
from leadsync.report.terminal import show

NEXT = """\
[bold]Where to look next[/bold]
  These runs:               uv run prefect server start
                            and open http://127.0.0.1:4200
  Your own base and board:  uv run flows/init.py"""


def run_demo(sync: Callable[[], Report], console: Console, once: bool = False) -> Report:
    """
    Sync a dozen leads, edit both sides as people do, sync again, and once more with nothing to do.

    `once`: only the first of these, which is the same each time.
    `sync` runs once with the settings of the environment. Returns: the last report.
    """
    with Emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        emulator.load_demo()
        os.environ.update(emulator.settings())
        os.environ |= {"LEADSYNC_ENV_FILE": "", "SYNC_STATE_URL": f"sqlite:///{folder}/state.sqlite3"}
        console.print("Airtable and Trello now run on localhost: 12 leads, a board of three lists.\n")
        console.rule("First sync: every lead gets its card", align="left")
        report = sync()
        show(report, console)
        if report.exit_code == Exit.DONE and not once:
            console.print("\nNow people edit on both sides:")
            for edit in edit_both_sides(emulator):
                console.print(f"  • {edit}")
            console.rule("Second sync", align="left")
            report = sync()
            show(report, console)
        if report.exit_code == Exit.DONE and not once:
            console.rule("Third sync: nothing to do, so one call a side", align="left")
            report = sync()
            show(report, console)
    console.print(f"\n{NEXT}")
    return report


def edit_both_sides(emulator: Emulator) -> list[str]:
    """What people do between two syncs. Returns: one sentence an edit."""
    lead = {str(fields.get("name")): lead_id for lead_id, fields in emulator.airtable.records().items()}
    card = {parse(card["desc"]).markers[0]: card_id for card_id, card in emulator.trello.cards().items()}

    emulator.trello.move(card[lead["Amelia Hart"]], "IN_PROGRESS")
    emulator.airtable.edit(lead["Daniel Okafor"], status="LOST")
    emulator.trello.edit(card[lead["Chiara Rossi"]], name="Chiara Rossi (Lumen S.p.A.)")
    emulator.trello.copy(card[lead["Bruno Keller"]])
    emulator.trello.archive(card[lead["Freja Lindqvist"]])
    emulator.airtable.edit(lead["Gabriel Moreau"], status="CONTACTED")
    emulator.trello.move(card[lead["Gabriel Moreau"]], "DONE")
    emulator.trello.save_in_editor(card[lead["Elif Demir"]])
    return [
        "Trello: Amelia's card is moved to IN_PROGRESS",
        "Airtable: Daniel, whose card lies in DONE, turns out LOST (and must not come back as QUALIFIED)",
        "Trello: Chiara's card is renamed",
        "Trello: Bruno's card is copied, and the copy carries the same LeadID",
        "Trello: Freja's card is archived",
        "both: Gabriel is CONTACTED in Airtable while his card is moved to DONE",
        "Trello: Elif's description is saved in the web editor, which rewrites the e-mail address as a link",
    ]
