"""
Copies of a card made cards of their own, because a person said so: their LeadID line, and our block, are taken off.

What is never here: which card is a copy (see core/identity.py), a decision about a lead.
"""

from __future__ import annotations

import time
from dataclasses import replace

from leadsync.apply.cards import check_writes
from leadsync.apply.outcome import Outcome
from leadsync.core.decisions import Direction
from leadsync.core.digests import digests_of
from leadsync.core.identity import COPY, identify, is_copy
from leadsync.core.journal import COPY as OF_COPY
from leadsync.core.journal import Intent, Sent
from leadsync.core.ledger import Entry, Rule, Told
from leadsync.core.told import Change, ChangeOutcome, Failure, SetAside
from leadsync.errors import ConfigurationError, ServiceRefusedError
from leadsync.frames.block import without_block
from leadsync.frames.cards import Card, labels_of
from leadsync.pipeline.under_way import Run
from leadsync.state.noted import Noted
from leadsync.trello.board import Board
from leadsync.trello.refusals import explain
from leadsync.trello.writing import update_card

UNTIED = "untied"


def untie_copies(run: Run, board: Board) -> None:
    """
    All copies of the card of the lead that the run is about, each read again just before. What is none any more is
    left as it is.

    Cost: 2 requests a copy, and 1 to see what was written over. Raises: ConfigurationError if no copy is known.
    """
    lead_id, store, report = run.options.untie, run.clients.store, run.telling.report
    own, aside = store.journal.load_row(run.pair, lead_id), [each.entry for each in store.waiting.aside(run.pair)]
    copies = [entry for entry in aside if entry.lead_id == lead_id and is_copy(entry)]
    if not copies or own is None:
        raise ConfigurationError(f"No copy of {lead_id!r}'s card is known; nothing was written. A sync looks again.")
    report.subject = report.titles[lead_id] = own.title
    done = list[SetAside]()
    for entry in copies:
        card = run.clients.trello.get_card(board, entry.card_id)
        report.card_urls[card.card_id] = entry.card_url
        if [reason for _, reason in identify([own], [card]).aside] != [COPY]:
            run.telling.note("This card is no copy any more, and was left as it is.", lead_id, card.card_id)
            continue
        change = Change(lead_id, card.card_id, "card", card.title, UNTIED, Direction.TO_TRELLO, "it was a copy")
        if run.options.dry_run:
            report.changes.append(change)
        elif _untie(run, board, card, change):
            report.changes.append(replace(change, outcome=ChangeOutcome.DONE))
            done.append(entry)
    if done:
        store.waiting.set_aside(run.pair, [entry for entry in aside if entry not in done], time.time())
        outcome = Outcome()
        check_writes(run.clients.trello, run.target(board), outcome)
        run.telling.written(outcome)


def _untie(run: Run, board: Board, card: Card, change: Change) -> bool:
    """
    In the journal before it is sent, and in the history with its answer. Returns: whether Trello took it.
    """
    trello, journal, lead_id = run.clients.trello, run.clients.store.journal, change.lead_id
    description = without_block(card.description, lead_id, labels_of(board.cells))
    sent = Sent(digests_of({"desc": card.description}), digests_of({"desc": description}))
    told = Told("", change.before), Told("", change.after)
    entry = Entry(change.field, change.direction, Rule.UNTIED, *told, note=change.note)
    intent = Intent(
        OF_COPY, lead_id, card.card_id, {}, trello.wire.server_time, run.run_id, sent=sent, entries=(entry,)
    )
    run.still_held()
    journal.enter(run.pair, Noted(intents=[intent], begun=run.begun))
    try:
        update_card(trello, card.card_id, {"desc": description})
    except ServiceRefusedError as refused:
        journal.drop_pending(run.pair, run.run_id, ())
        run.telling.report.failures.append(Failure(lead_id, card.card_id, *explain(refused)))
        return False
    sent = replace(sent, resent=trello.wire.resent)
    journal.record(run.pair, OF_COPY, {lead_id: {}}, {lead_id: sent}, trello.wire.answered, {lead_id: [change.field]})
    return True
