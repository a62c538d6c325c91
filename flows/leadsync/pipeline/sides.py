"""
Both sides as a pass sees them: read as far as need be, and completed by what is remembered of what was not read.

Never here: what follows from it, a write.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from leadsync.airtable.client import Airtable, LeadsRead
from leadsync.apply.repair_cards import Checkup
from leadsync.core.lead_overwrites import find_told
from leadsync.errors import TransientServiceError
from leadsync.model import Read, Review
from leadsync.pipeline.extract import extract_cards, extract_leads
from leadsync.pipeline.mapped import rename_of
from leadsync.pipeline.memory import Memory
from leadsync.pipeline.past import Past
from leadsync.pipeline.rows import without_others
from leadsync.pipeline.scope import Scope, labels_mapped, question, ruling, scope_of
from leadsync.pipeline.ties import Schema, known_schema
from leadsync.pipeline.under_way import Run
from leadsync.pipeline.undoing import cells_of
from leadsync.trello.board import Board, CardsRead
from leadsync.trello.feed import Remembered, with_remembered


@dataclass(frozen=True)
class Reads:
    """What this pass has read: of either side all, or what changed."""

    leads: LeadsRead
    cards: CardsRead


@dataclass(frozen=True)
class Sides:
    """Both sides, and what is remembered of them, whole or as far as it is concerned."""

    memory: Memory
    leads: LeadsRead
    cards: CardsRead

    def ours(self, run: Run) -> Sides:
        """Without the cards of another pair on this board."""
        cards = without_others(self.cards, self.memory.base, self.leads.leads, run.clients.store, run.pair)
        return replace(self, cards=cards)


def past_of(run: Run, board: Board, checkup: Checkup) -> Past:
    """
    What is kept of the pair; whole, if what rests is to be decided anew, for a cell means something else by now, and if
    the run tells of more than what it does.
    """
    options = run.options
    tells_all = options.saves or options.explains or options.plan or options.take or options.undo
    whole = run.mapped.redrawn or tells_all or options.review is not Review.NEVER
    decides = "" if whole else ruling(run.settings, board)
    lent, rename = run.rows.lent, run.mapped.rename
    return Past(run.clients.store, run.pair, checkup, lent, rename, rename_of(board.cells), board.stages, decides)


def read_sides(run: Run, past: Past, read: Read, board: Board, leads: LeadsRead | None) -> Reads:
    """
    Side by side, and each as `read` and what is kept allow; of the leads what was read already.

    Not if there is a change feed: that has to begin before the read, or it tells of no write of this run.
    """
    scope, airtable, trello = _scope(run, read, past, board), run.clients.airtable, run.clients.trello
    if leads is not None and run.feed is None:
        return Reads(leads, run.steps.call(extract_cards, trello, board, past, scope))
    with run.steps.submit() as submit:
        reading = submit(extract_leads, airtable, past, scope, run.feed)
        cards = submit(extract_cards, trello, board, past, scope)
        return Reads(reading.result(), cards.result())


def see(run: Run, past: Past, reads: Reads, board: Board, whole: bool = False) -> Sides:
    """
    What was read, completed. If the cards are a delta, only as far as it concerns what is new, unless `whole`.
    """
    airtable, trello, feed = run.clients.airtable, run.clients.trello, run.feed
    part = past.may_be_part and not whole and reads.cards.delta
    memory = past.concerned_by(reads.leads, reads.cards) if part else past.whole
    seen = memory.snapshot
    if part:
        airtable.columns.learn_options(seen.options)
    leads = _with_remembered(airtable, reads.leads, past, memory)
    cards = with_remembered(trello, board, reads.cards, Remembered(seen.cards, frozenset(memory.base["card_id"])))
    if part:
        cards = replace(cards, theirs=frozenset(seen.theirs) - seen.cards.keys())
    memory = replace(memory, undo=cells_of(run.undo, run.clients.store, run.pair) if run.undo else None)
    if feed is not None:
        told = find_told(leads.told, memory.intents, feed.fields, airtable.columns.read)
        memory = replace(memory, patched=told)
        if feed.note:
            run.telling.note(feed.note)
    return Sides(memory, leads, cards)


def _with_remembered(airtable: Airtable, read: LeadsRead, past: Past, memory: Memory) -> LeadsRead:
    """A read of what changed, completed by leads as they were last seen; of all, what is concerned."""
    concerned, seen = memory.snapshot.concerned, memory.snapshot.records
    if read.whole:
        return read if concerned is None else _among(concerned.leads, read)
    if concerned is None:
        seen = past.all_records
    news = (record for record in read.records.values() if concerned is None or record["id"] in concerned.leads)
    now = {lead_id: record for lead_id, record in seen.items() if lead_id not in read.gone}
    now |= {record["id"]: record for record in news}
    total = len(now) if concerned is None else memory.snapshot.leads + len(now) - len(seen)
    return replace(read, leads=airtable.leads_of(now.values()), records=now, total=total)


def _among(lead_ids: Collection[str], read: LeadsRead) -> LeadsRead:
    """Of a whole read, what it shows of these leads."""
    records = {lead_id: read.records[lead_id] for lead_id in lead_ids if lead_id in read.records}
    leads, changed = read.leads[read.leads.index.isin(records)], frozenset(records)
    return replace(read, leads=leads, records=records, changed=changed, total=read.number)


def schema(run: Run, board: Board, along: bool = False) -> Schema:
    """The mapped columns, see ties.known_schema."""
    full_every = run.settings.sync_full_every.total_seconds()
    asked = question(run.settings, board)
    return known_schema(run.clients.airtable, run.clients.store, asked, full_every, along)


def _scope(run: Run, read: Read, past: Past, board: Board) -> Scope:
    """Leads are read whole if a column may change of which no delta tells; the report says so."""
    scope = scope_of(read, past, run.settings, board, run.feed)
    if read is not Read.FULL and labels_mapped(run.settings):
        run.telling.note(
            "Cards were read whole: the board's activity does not always tell of labels put on or taken off."
        )
    if not scope.leads_delta or not (objection := _objection(run, board)):
        return scope
    run.telling.note(objection)
    return replace(scope, leads_delta=False)


def _objection(run: Run, board: Board) -> str:
    try:
        return schema(run, board).objection
    except TransientServiceError as away:
        return f"Leads were read whole: which columns are computed could not be asked for. {away}"
