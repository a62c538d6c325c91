"""
Which plans a person is to read before they are applied.

Never here: how a run waits for that, what is in a saved plan (see core/saved_plan.py).
"""

from __future__ import annotations

from typing import Final

from leadsync.errors import ReviewNeededError
from leadsync.model import Review
from leadsync.pipeline.planning import Planned
from leadsync.pipeline.saved_plans import save
from leadsync.pipeline.under_way import Run

MANY: Final = 10
"""Percent of the leads; a plan that writes more of them is risky."""


def ask_for_review(run: Run, planned: Planned) -> None:
    """
    Before the first write. Nothing to write needs no review, and a plan that was saved has had one; a lead made of a
    card gets what is left to write to it.

    Raises: ReviewNeededError, with the plan and what it would change in the report.
    """
    review, plan = run.options.review, planned.plan
    if review is Review.NEVER or run.options.plan or run.made or not (plan.writes or planned.lacking):
        return
    risks = risks_of(planned, run.telling.report.leads)
    if review is Review.RISKY and not risks:
        return
    run.telling.planned(plan)
    run.telling.findings(plan)
    run.telling.report.plan = save(run, planned)
    why = f" ({', '.join(risks)})" if risks else ""
    changes = len(plan.changes)
    raise ReviewNeededError(
        f"{changes} change{'s' if changes != 1 else ''} to review{why} before anything is written. Nothing was written."
    )


def risks_of(planned: Planned, leads: int) -> list[str]:
    """What makes a plan risky, for people. `leads`: how many there are."""
    plan = planned.plan
    written = {write.lead_id for write in plan.card_writes} | {write.lead_id for write in plan.lead_writes}
    written |= {new.card.card_id for new in plan.new_leads}
    archived = sum(write.closed is True for write in plan.card_writes)
    risks = {
        "first contact": planned.base.empty or planned.choice is not None,
        f"{archived} card{'s' if archived != 1 else ''} archived": archived > 0,
        f"{len(written)} of {leads} leads written": len(written) * 100 > MANY * leads,
    }
    return [risk for risk, so in risks.items() if so]
