"""The history, and a lead's story, as a person sees them in a terminal. Never here: a decision, a rule in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console

from leadsync.core.explain import Explained
from leadsync.core.ledger import ID_SHOWN
from leadsync.report.past import Unwritten, moment, sentence, shown_pair
from leadsync.report.terminal import lines, say, tabulate
from leadsync.state.history import PastChange, PastRun


def show_runs(runs: Iterable[PastRun], console: Console) -> None:
    """A table of runs, in their order."""
    rows = (
        (each.run_id[:ID_SHOWN], _when(each.at), _what(each), each.changes, each.leads, each.conflicts, each.given_back)
        for each in runs
    )
    columns = ("run", "when", "what", "changes", "leads", "conflicts settled", "given back")
    tabulate(console, "", columns, rows)
    say(console, "flows/history.py run ID shows one, flows/history.py undo ID takes it back.")


def show_run(run: PastRun, changes: Iterable[PastChange], names: Mapping[str, str], console: Console) -> None:
    """One run with all of its changes. `names`: what people call the leads, by id."""
    say(console, f"Run {run.run_id}, {_when(run.at)}, {_what(run)}", "bold")
    rows = (
        (lines("" if each.is_forgotten else names.get(each.lead_id, ""), each.lead_id), sentence(each))
        for each in changes
    )
    tabulate(console, "", ("lead", "what became of it, and why"), rows)


def show_lead(
    lead_id: str,
    explained: Explained | None,
    timeline: Iterable[PastChange],
    since: Iterable[Unwritten],
    console: Console,
) -> None:
    """Why it is as it is, as far as that is known, its past, and what that lacks."""
    if explained is not None:
        say(console, f"{explained.name} {lead_id}, card {explained.card_url or explained.card_id or 'none'}", "bold")
        say(console, explained.rule)
        cells = (
            (each.field, shown_pair(each.base), each.now.airtable, each.now.trello, each.rule)
            for each in explained.cells
        )
        tabulate(console, "", ("field", "agreed", "Airtable", "Trello", "rule"), cells)
    rows = ((_when(each.at), each.run_id[:ID_SHOWN], sentence(each)) for each in timeline)
    last = (("since", "", str(each)) for each in since)
    tabulate(console, "Its past", ("when", "run", "what became of it, and why"), (*rows, *last))


def show_next(following: Mapping[str, Sequence[Mapping[str, Any]]], console: Console) -> None:
    """What the next run would do about a lead: rows of a dry run's report, by part."""
    told = [
        f"{row['field']}: {row['before']!r} → {row['after']!r} ({row['direction'].replace('_', ' ')})"
        for row in following["changes"]
    ]
    told += [f"conflict about {row['field']}: {row['resolution']}" for row in following["conflicts"]]
    told += [f"{row['reason']}. {row['remedy']}" for row in following["quarantine"]]
    told += [row["note"] for row in following["notes"]]
    say(console, "The next run would do this:" if told else "The next run would do nothing about it.")
    for each in told:
        say(console, f"  {each}")


def _when(at: float) -> str:
    return f"{moment(at).astimezone():%Y-%m-%d %H:%M:%S}"


def _what(run: PastRun) -> str:
    of = f" of {run.undoes[:ID_SHOWN]}" if run.undoes else ""
    undone = f", undone by {run.undone_by[:ID_SHOWN]}" if run.undone_by else ""
    return f"{run.kind.value}{of}{undone}{', cut off' if run.ended is None else ''}"
