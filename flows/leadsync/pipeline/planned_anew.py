"""
What changes the board under a plan, or finds it changed: then everything is planned anew.

Never here: a card, a lead.
"""

from __future__ import annotations

from dataclasses import replace

from leadsync.apply.repair_cards import Checkup
from leadsync.errors import ServiceRefusedError
from leadsync.model import Read
from leadsync.pipeline.lists import resolve_again
from leadsync.pipeline.planning import Planned, plan_pass
from leadsync.pipeline.under_way import Run
from leadsync.trello.names import add_label


def make_labels(run: Run, planned: Planned, checkup: Checkup) -> Planned:
    """
    Labels that leads ask for are created, once; then everything is planned anew.

    The board is asked first: somebody may have made one, or a run that was killed. Cost: 1 request a label, 2 for the
    board.
    """
    lists, refused = resolve_again(planned.lists.board, run.settings, run.clients), []
    there = {name.strip() for name in lists.board.labels.values()}
    for name in (name for name in planned.lacking if name not in there):
        try:
            add_label(run.clients.trello, planned.lists.board.board_id, name)
        except ServiceRefusedError as error:
            refused.append(name)
            run.telling.note(f"Label {name!r} could not be created ({error}). Create it on the board by hand.")
    if {*refused} == {*planned.lacking}:
        return planned
    if not there >= {*planned.lacking}:
        lists = resolve_again(lists.board, run.settings, run.clients)
    return plan_pass(run, Read.FULL, checkup, lists)


def check_lists(run: Run, planned: Planned, checkup: Checkup) -> Planned:
    """
    Before cards are written: the lists must be those that were planned with; else everything is planned anew.

    Cost: 1 request. Raises: as Trello.fetch_board.
    """
    lists = resolve_again(planned.lists.board, run.settings, run.clients)
    if not lists.board.means_the_same(planned.lists.board):
        return plan_pass(run, Read.FULL, checkup, lists)
    return replace(planned, lists=lists, snapshot=replace(planned.snapshot, lists_checked=True))
