"""
Before cards are created: are there already some that look like the leads', made by hand or by another tool?

On first contact a person chooses what becomes of them, and the choice is kept; later such a card sets its lead aside.
Never here: what looks alike (see core/contact.py), a write to a service.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from leadsync.airtable.client import LeadsRead
from leadsync.core.contact import Contact, listed, meet
from leadsync.core.plan import Plan
from leadsync.core.plan_rows import build_plan
from leadsync.core.reconcile import reconcile
from leadsync.errors import FirstContactError
from leadsync.frames.agreed import base_frame
from leadsync.frames.cards import Card
from leadsync.frames.leads import Lead
from leadsync.frames.schema import overlay, rows_of
from leadsync.model import Adopt
from leadsync.pipeline.under_way import Run
from leadsync.pipeline.undoing import loosened_by
from leadsync.state.store import StateStore
from leadsync.trello.board import Board, CardsRead


@dataclass(frozen=True)
class Choice:
    """
    What was chosen for this pair, once and for all runs. `leads`: those for which it was. `declined`: cards that are
    nobody's although they look like leads.
    """

    adopt: Adopt = Adopt.ASK
    leads: frozenset[str] = frozenset()
    declined: frozenset[str] = frozenset()

    @classmethod
    def load(cls, store: StateStore, pair: str) -> Choice:
        """As it is kept."""
        kept = store.facts.load(f"contact {pair}")
        if kept is None:
            return cls()
        return cls(Adopt(kept["adopt"]), frozenset(kept["leads"]), frozenset(kept["declined"]))

    def save(self, store: StateStore, pair: str) -> None:
        """To be kept."""
        facts = {"adopt": self.adopt.value, "leads": sorted(self.leads), "declined": sorted(self.declined)}
        store.facts.save(f"contact {pair}", facts)


def let_go(run: Run) -> set[str]:
    """
    Leads whose adoption this run, an undo, has taken back, all of it. What was chosen holds for them no more: each is
    set aside as long as a card looks like it.
    """
    if run.undo is None or run.options.dry_run:
        return set()
    store, report = run.clients.store, run.telling.report
    left = {each.lead_id for each in report.failures} | {each.lead_id for each in report.quarantine}
    loose, kept = loosened_by(store, run.pair, run.undo) - left, Choice.load(store, run.pair)
    if not kept.leads.isdisjoint(loose):
        replace(kept, leads=kept.leads - loose).save(store, run.pair)
    return loose


@dataclass(frozen=True)
class Settled:
    """The plan and the cards once it is settled whose they are. `choice`: to be kept before the first write, if new."""

    plan: Plan
    cards: CardsRead
    choice: Choice | None = None


def creates_cards(plan: Plan) -> bool:
    """Whether a lead is to get a card."""
    return any(not write.card_id for write in plan.card_writes)


def keep_unmet(run: Run, unmet: Mapping[str, str]) -> None:
    """Cards that have been met before their leads, see CardsRead: a later run may find neither by a read."""
    if unmet and not (kept := _kept_unmet(run)).items() >= unmet.items():
        run.clients.store.facts.save(_unmet_key(run), {**kept, **unmet})


def with_unmet(run: Run, plan: Plan, base: pd.DataFrame, cards: CardsRead, board: Board) -> CardsRead:
    """
    The cards, and those that were met before their leads and are archived by now: no read shows them again.

    Cost: none unless such a lead is to get a card; then 1 request for each 1,000 archived cards.
    """
    new = {write.lead_id for write in plan.card_writes if not write.card_id} - {*base.index}
    wanted = {card_id for card_id, lead_id in _kept_unmet(run).items() if lead_id in new} if new else ()
    if not wanted:
        return cards
    return replace(cards, cards=overlay(cards.cards, run.clients.trello.fetch_archived(board, wanted)))


def _unmet_key(run: Run) -> str:
    return f"unmet {run.pair}"


def _kept_unmet(run: Run) -> dict[str, str]:
    return run.clients.store.facts.load(_unmet_key(run)) or {}


def settle_contact(
    run: Run, plan: Plan, base: pd.DataFrame, leads: LeadsRead, cards: CardsRead, board: Board
) -> Settled:
    """
    The plan without new cards for leads that have one by the look of it: it is adopted, or its lead is set aside.

    `base`: as it is kept; a lead that it knows gets no other card than one that names it. `cards`: a whole read, if any
    card is created. Raises: FirstContactError, as long as nobody has chosen. No request.
    """
    if not creates_cards(plan) or not cards.strangers:
        return Settled(plan, cards)
    kept, chosen = Choice.load(run.clients.store, run.pair), run.options.adopt
    frame = candidates(run, cards, board, kept.declined)
    strangers = {card.card_id: card for card in rows_of(frame, Card)}
    new = rows_of(leads.leads.loc[[write.lead_id for write in plan.card_writes if not write.card_id]], Lead)
    if chosen is Adopt.ASK:
        contact = meet(new, strangers.values(), kept.adopt, kept.leads - {*base.index})
        if contact.leads and base.empty and kept == Choice():
            run.telling.read(base, leads, cards)
            raise FirstContactError(_question(new, contact, strangers, run.options.sync_command))
    else:
        may = None if chosen is Adopt.NONE else {lead.lead_id for lead in new} - {*base.index}
        contact = meet(new, strangers.values(), chosen, may)
    if contact.doubled:
        run.telling.note(
            f"{len(contact.doubled)} leads get cards of their own although {len(contact.declined)} cards without a "
            "LeadID line look like theirs; those cards stay nobody's (flows/sync.py --adopt none)."
        )
    plan = plan.without_cards(contact.aside.keys(), listed(contact, strangers))
    if contact.adopted:
        met = leads.leads.loc[sorted(contact.adopted.values())]
        plan, cards = adopt(run, plan, met, frame, contact.adopted, cards, board)
    if chosen is Adopt.ASK or not contact.leads:
        return Settled(plan, cards)
    return Settled(plan, cards, Choice(chosen, kept.leads | contact.leads, kept.declined | contact.declined))


def candidates(run: Run, cards: CardsRead, board: Board, declined: Collection[str]) -> pd.DataFrame:
    """Open cards that may be a lead's: no template, mirror or separator, none declined, none of another pair's."""
    ids = {str(card["id"]) for card in cards.strangers}
    frame = run.clients.trello.cards_of(board, cards.strangers, ids)
    elsewhere = run.clients.store.keys.cards_elsewhere(run.pair, ids)
    return frame[(frame["kind"] == "") & ~frame.index.isin({*declined, *elsewhere})]


def adopt(
    run: Run,
    plan: Plan,
    met: pd.DataFrame,
    frame: pd.DataFrame,
    adopted: Mapping[str, str],
    cards: CardsRead,
    board: Board,
) -> tuple[Plan, CardsRead]:
    """
    The plan in which cards without a LeadID line are leads' by now, and the cards so.

    `adopted`: card id -> lead id. `met`: those leads. `frame`: cards, those among them.
    """
    ours, rules = frame[frame.index.isin(adopted)], run.rules(board)
    adopting = build_plan(reconcile(base_frame(), met, ours, rules, adopted), rules)
    return plan.with_leads({*met.index}, adopting), _with(cards, ours, run)


def _with(cards: CardsRead, adopted: pd.DataFrame, run: Run) -> CardsRead:
    items = run.clients.trello.by_id(card for card in cards.strangers if card["id"] in adopted.index)
    rest = tuple(card for card in cards.strangers if card["id"] not in items)
    return replace(cards, cards=overlay(cards.cards, adopted), items=cards.items | items, strangers=rest)


def _question(leads: Sequence[Lead], contact: Contact, cards: Mapping[str, Card], sync: str) -> str:
    titles = {lead.lead_id: lead.title for lead in leads}
    examples = ", ".join(
        f"{titles[lead_id][:80]!r} ({lead_id}) like {cards[alike[0]].url or alike[0]}"
        for lead_id, alike in [*contact.aside.items()][:3]
    )
    by_email, by_name = (len(meet(leads, cards.values(), choice).adopted) for choice in (Adopt.EMAIL, Adopt.NAME))
    many = len(contact.aside)
    return (
        f"{many} of {len(leads)} leads without a card look like cards of the board that carry no LeadID line, for "
        f"example {examples}; nothing was written. Run {sync} once with --adopt email, which ties the {by_email} "
        f"that match one to one by e-mail, or with --adopt name, which ties {by_name} by title (what stays unclear is "
        f"listed and gets no card), or with --adopt none, which gives all {many} cards of their own. With --dry-run "
        "besides, what it would do is shown."
    )
