"""
The plan's new leads are made of their cards, ten a request. Their cards get the LeadID line in the pass that follows.

A lead that tells the id of its card was made by a run that was cut off, and is left as it is. Never here: which cards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from leadsync.airtable.card_ids import fetch_made, upsert_leads
from leadsync.airtable.client import Airtable
from leadsync.airtable.refusals import explain, forbids
from leadsync.airtable.writing import BATCH, CELL_REFUSALS
from leadsync.apply.leads import REREAD
from leadsync.apply.outcome import Outcome, Progress, as_told
from leadsync.apply.target import Target
from leadsync.core.plan import NewLead, Plan
from leadsync.core.told import Failure
from leadsync.errors import (
    DeadTokenError,
    LeadsyncError,
    QuotaExceededError,
    ReadAgainError,
    ServiceRefusedError,
    StateStoreError,
    TransientServiceError,
)
from leadsync.frames.actions import Item

NEXT_RUN = "Run again once that is mended; the card is as it was."


def load_new_leads(plan: Plan, airtable: Airtable, target: Target, progress: Progress) -> Outcome:
    """
    Make them. What went wrong with a card is a failure of it; a service that stays away ends the side.

    Cost: 1 request for each 100, and 1 for each 10; those that have to wait are looked up again before.
    """
    outcome, new = Outcome(), plan.new_leads
    for start in range(0, len(new), REREAD):
        left = {each.card.card_id: each for each in new[start : start + REREAD]}
        try:
            _make(left, airtable, target, outcome)
        except StateStoreError as lost:
            outcome.error = lost
            break
        except (DeadTokenError, QuotaExceededError, ServiceRefusedError, TransientServiceError) as gone:
            _give_up([*left.values(), *new[start + REREAD :]], gone, outcome)
            break
        progress("new leads", len(outcome.made) + len(outcome.failures), len(new))
    return outcome


def _make(left: dict[str, NewLead], airtable: Airtable, target: Target, outcome: Outcome) -> None:
    """`left`: by card id; what is settled is taken out."""
    tries = 0
    while left:
        try:
            found = fetch_made(airtable, left.keys())
            _take({card_id: records[0] for card_id, records in found.items() if len(records) == 1}, left, outcome)
            for batch, answer in _sent([*left.values()], airtable, target):
                tries = 0
                if isinstance(answer, ServiceRefusedError):
                    _refuse(batch[0], answer, airtable, outcome)
                    del left[batch[0].card.card_id]
                else:
                    told = {each.card.card_id: each.change for each in batch}
                    made = [replace(told[card], lead_id=str(answer[card]["id"])) for card in told]
                    outcome.done += made
                    _take(answer, left, outcome)
                    target.store.history.add_made(target.pair, target.begun, made)
        except ReadAgainError as again:
            tries += again.sent
            airtable.wire.wait_again(again, tries)


def _take(made: Mapping[str, Item], left: dict[str, NewLead], outcome: Outcome) -> None:
    outcome.made |= {str(record["id"]): record for record in made.values()}
    for card_id in made:
        left.pop(card_id, None)


def _sent(
    new: Sequence[NewLead], airtable: Airtable, target: Target
) -> Iterator[tuple[Sequence[NewLead], dict[str, Item] | ServiceRefusedError]]:
    """A batch that is refused is divided until the offender stands alone; that goes without its e-mail address then."""
    queue = [new[start : start + BATCH] for start in range(0, len(new), BATCH)]
    while queue:
        batch = queue.pop(0)
        target.still_held()
        try:
            yield batch, upsert_leads(airtable, batch)
        except ServiceRefusedError as refused:
            if refused.status not in CELL_REFUSALS:
                raise
            half = len(batch) // 2
            if half:
                queue[:0] = [batch[:half], batch[half:]]
            elif batch[0].email:
                queue.insert(0, [replace(batch[0], email="")])
            else:
                yield batch, refused


def _refuse(new: NewLead, refused: ServiceRefusedError, airtable: Airtable, outcome: Outcome) -> None:
    columns = airtable.columns.names | {"card id": airtable.columns.card_id}
    reason, _ = explain(refused, {"name": new.card.title, "status": new.status, "card id": new.card.card_id}, columns)
    outcome.failures.append(Failure("", new.card.card_id, f"it could not be made a lead: {reason}", NEXT_RUN))
    outcome.forbidden |= {new.card.card_id} if forbids(refused, columns.values()) else set()


def _give_up(new: Sequence[NewLead], gone: LeadsyncError, outcome: Outcome) -> None:
    reason, remedy = as_told(gone)
    for each in new:
        outcome.failures.append(Failure("", each.card.card_id, reason, remedy))
        if isinstance(gone, DeadTokenError):
            outcome.dead = gone
            outcome.forbidden.add(each.card.card_id)
