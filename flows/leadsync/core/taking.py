"""
Conflicts, and cells set aside, that a person settles: a plan that writes what these ask for, and nothing else. Pure.

Never here: which are known, who wins where nobody has said so, which side can be taken (see takeable.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from leadsync.core.aside import as_it_was, forced
from leadsync.core.cells import says_nothing
from leadsync.core.conflicts import Conflict
from leadsync.core.decisions import CellDecision, RowDecision
from leadsync.core.plan import Plan
from leadsync.core.plan_rows import build_plan
from leadsync.core.reconcile import Decided, Reconciled, set_aside
from leadsync.core.takeable import sides_of_aside
from leadsync.core.told import SetAside
from leadsync.errors import GuardError
from leadsync.mapping.rules import Listed, Rules, Take
from leadsync.model import ConflictPolicy

CARD: Final = "card"
"""The cell of a conflict about a lead that was deleted while its card was edited."""
LOOK_AGAIN: Final = "Nothing was written. Run flows/sync.py, which brings the list up to date, and look again."


def narrowed(plan: Plan, reconciled: Reconciled, take: Take, rules: Rules) -> Plan:
    """
    Of a plan only the writes by which the side that was taken wins these cells; all else is for the next run.

    Raises: GuardError if one of them waits for nobody any more, that side cannot be taken, or the losing side holds
    another value than was listed: nobody has seen that one.
    """
    each = next((each for each in reconciled.decided if each.lead_id == take.lead_id), None)
    if each is None:
        raise GuardError(f"Both sides of {take.lead_id} are as they were agreed: nothing can be taken. {LOOK_AGAIN}")
    rules = replace(rules, wins=take.policy)
    found = build_plan(Reconciled([each], []), rules).still_open.found
    aside: dict[str, SetAside] = {}
    of_now: dict[str, SetAside] = {}
    for entry in set_aside(each, rules):
        of_now.setdefault(entry.field, entry)
    for name, listed in take.cells.items():
        is_aside = listed.field in of_now and (take.lead_id, name) not in found  # be it that an undo made it a conflict
        if listed.is_aside or is_aside:
            aside[listed.field] = _checked_aside(each, of_now.get(listed.field), listed, take.policy, rules)
        else:
            _check(each, found.get((take.lead_id, name)), listed, take.policy, rules)
    taken = build_plan(Reconciled([forced(_narrowed(each, take), aside, take.policy, rules)], []), rules)
    taken = as_it_was(taken, each, aside, rules)
    ours = {key: found[key] for key in ((take.lead_id, name) for name in take.cells) if key in found}
    agreed = plan.base_updates.get(take.lead_id, {}) | taken.base_updates.get(take.lead_id, {})
    return replace(
        plan,
        card_writes=taken.card_writes,
        lead_writes=taken.lead_writes,
        base_updates=plan.base_updates | ({take.lead_id: agreed} if agreed else {}),
        conflicts=list(ours.values()),
        still_open=replace(plan.still_open, found=plan.still_open.found | ours),
    )


def _narrowed(each: Decided, take: Take) -> Decided:
    """The lead's other cells are as if they were held."""
    if CARD in take.cells:
        return replace(each, decision=replace(each.decision, row=RowDecision.ARCHIVE))
    fields = {listed.field for listed in take.cells.values()}
    cells = {field: was if field in fields else CellDecision.HELD for field, was in each.decision.cells.items()}
    return replace(each, decision=replace(each.decision, cells=cells, restores_marker=False))


def _check(each: Decided, now: Conflict | None, listed: Listed, taken: ConflictPolicy, rules: Rules) -> None:
    of = f"{listed.field} of {each.lead_id}"
    if now is None or each.decision.row is RowDecision.UNARCHIVE:
        why = OUT_OF_REACH.get(each.decision.row)
        told = f"{of} cannot be settled now, {why}" if why else f"{of} is no conflict any more"
        raise GuardError(f"{told[:1].upper()}{told[1:]}. {LOOK_AGAIN}")
    if listed.field == CARD and taken is ConflictPolicy.TRELLO:
        raise GuardError(
            f"{each.lead_id} was deleted, and nothing here can bring it back: restore it from Airtable's trash, or "
            "take the LeadID line out of the card to keep that by itself. Nothing was written."
        )
    is_no_name = listed.field == "name" and says_nothing(each.agreed, each.lead, each.card, rules.fallback)
    if is_no_name and taken is ConflictPolicy.TRELLO:
        raise GuardError(
            f"Trello's {of} cannot be taken, it is no name: {now.trello!r}. Give the card its title, and run "
            "flows/sync.py, or take the other side. Nothing was written."
        )
    if rules.policy_of(listed.field) is not taken:
        way = rules.way_of(listed.field).value.replace("_", " ")
        raise GuardError(f"The mapping takes {of} {way} only, so {taken} cannot win. Nothing was written.")
    _check_loser(of, listed, now.airtable, now.trello, taken)


def _checked_aside(
    each: Decided, now: SetAside | None, listed: Listed, taken: ConflictPolicy, rules: Rules
) -> SetAside:
    """Returns: the cell as it is set aside `now`, if it is and can be taken."""
    of = f"{listed.field} of {each.lead_id}"
    if now is None or now.airtable is None or now.trello is None:
        why = OUT_OF_REACH.get(each.decision.row) if each.card_id else "it has no card"
        told = f"{of} cannot be settled now, {why}" if why else f"{of} is not set aside any more"
        raise GuardError(f"{told[:1].upper()}{told[1:]}. {now.remedy if now else ''} {LOOK_AGAIN}".replace("  ", " "))
    sides = sides_of_aside(listed.field, each.agreed, each.lead, each.card, each.decision.stage, rules)
    if objection := sides[taken].objection:
        told = f"{taken.title()}'s {of} cannot be taken, {objection}: {now.reason}."
        raise GuardError(f"{told} {now.remedy} Nothing was written.")
    _check_loser(of, listed, now.airtable, now.trello, taken)
    return now


def _check_loser(of: str, listed: Listed, airtable: str, trello: str, taken: ConflictPolicy) -> None:
    """What is to be overwritten is what a person has seen."""
    sides: Mapping[ConflictPolicy, tuple[str, str, str]] = {
        ConflictPolicy.AIRTABLE: ("Trello", listed.trello, trello),
        ConflictPolicy.TRELLO: ("Airtable", listed.airtable, airtable),
    }
    side, was, is_now = sides[taken]
    if was != is_now:
        raise GuardError(f"{of} was edited since: {side} holds {is_now!r}, and no longer {was!r}. {LOOK_AGAIN}")


OUT_OF_REACH: Final[Mapping[RowDecision, str]] = {
    RowDecision.STAY_ARCHIVED: "its card is archived",
    RowDecision.UNARCHIVE: "its card is archived",
    RowDecision.STAY_DELETED: "its card was deleted",
    RowDecision.LEAVE: "its lead or its card is out of sight",
    RowDecision.KEEP_MOVED: "its lead was deleted",
    RowDecision.ARCHIVE: "its lead was deleted",
    RowDecision.QUARANTINED: "its card is set aside",
}
