"""
Copies of a card made cards of their own, because a person said so: their LeadID line, and our block, are taken off.

What is never here: which card is a copy (see core/identity.py), a decision about a lead.
"""

from __future__ import annotations

import time
from dataclasses import replace

from leadsync.core.decisions import Direction
from leadsync.core.identity import COPY, identify, is_copy
from leadsync.core.told import Change, ChangeOutcome, Failure, SetAside
from leadsync.errors import ConfigurationError, ServiceRefusedError
from leadsync.frames.block import without_block
from leadsync.frames.cards import Card, labels_of
from leadsync.pipeline.under_way import Run
from leadsync.trello.board import Board
from leadsync.trello.refusals import explain
from leadsync.trello.writing import update_card

UNTIED = "untied"


def untie_copies(run: Run, board: Board) -> None:
    """
    All copies of the card of the lead that the run is about, each read again just before. What is none any more is
    left as it is.

    Cost: 2 requests a copy. Raises: ConfigurationError if no copy is known.
    """
    lead_id, store, report = run.options.untie, run.clients.store, run.telling.report
    own, aside = store.journal.load_row(run.pair, lead_id), [each.entry for each in store.waiting.aside(run.pair)]
    copies = [entry for entry in aside if entry.lead_id == lead_id and is_copy(entry)]
    if not copies or own is None:
        raise ConfigurationError(f"No copy of {lead_id!r}'s card is known; nothing was written. A sync looks again.")
    report.titles[lead_id], done = own.title, list[SetAside]()
    for entry in copies:
        card = run.clients.trello.get_card(board, entry.card_id)
        report.card_urls[card.card_id] = entry.card_url
        if [reason for _, reason in identify([own], [card]).aside] != [COPY]:
            run.telling.note("This card is no copy any more, and was left as it is.", lead_id, card.card_id)
            continue
        change = Change(lead_id, card.card_id, "card", card.title, UNTIED, Direction.TO_TRELLO, "it was a copy")
        if run.options.dry_run:
            report.changes.append(change)
        elif _untie(run, board, lead_id, card):
            report.changes.append(replace(change, outcome=ChangeOutcome.DONE))
            done.append(entry)
    if done:
        store.waiting.set_aside(run.pair, [entry for entry in aside if entry not in done], time.time())


def _untie(run: Run, board: Board, lead_id: str, card: Card) -> bool:
    """Returns: whether Trello took it."""
    description = without_block(card.description, lead_id, labels_of(board.cells))
    try:
        update_card(run.clients.trello, card.card_id, {"desc": description})
    except ServiceRefusedError as refused:
        run.telling.report.failures.append(Failure(lead_id, card.card_id, *explain(refused)))
        return False
    return True
