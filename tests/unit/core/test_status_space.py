"""
Every status cell there can be, against a scalar oracle written from the rules in words.

The space: what was agreed × the lead's status × the card's list × its tick then and now × who wins.
All leads of one policy go through the vectorised code in one frame.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from leadsync.model import DEFAULT_STAGE_OF, StatusMap
from support.rows import LISTS, POLICIES, STAGES_BY_LIST, World, base_row, card, is_idle, lead_id, record, rules

DEFAULT_MAP = StatusMap.from_stages(DEFAULT_STAGE_OF)
TWO_IN_EACH_MAP = StatusMap.from_stages(
    {"NEW": "TODO", "COLD": "TODO", "CONTACTED": "IN_PROGRESS", "CALLED": "IN_PROGRESS", "LOST": "DONE", "WON": "DONE"}
)


class Case(NamedTuple):
    """One lead. `agreed`: status and stage of the base, None without base, ("", "") if the status never was agreed."""

    agreed: tuple[str, str] | None
    status: str
    stage: str
    ticked_before: bool
    ticked: bool


@dataclass
class Expected:
    """What must come of a case. None = not written."""

    decision: str
    lead_becomes: str | None = None
    card_goes_to: str | None = None
    tick_cleared: bool = False
    conflict: str = ""
    base: tuple[str, str] | None = None


def all_cases(lens):
    """100 % of the combinations; "HOT" is a status that the map does not know, and once did."""
    agreed = [None, ("", ""), ("", "TODO"), *lens.stage_of.items()]
    agreed += [("HOT", stage) for stage in ("TODO", "IN_PROGRESS", "DONE")]
    statuses = ["", *lens.stage_of, "HOT"]
    space = itertools.product(agreed, statuses, LISTS.values(), (False, True), (False, True))
    cases = [Case(was, status, STAGES_BY_LIST.get(at, ""), before, now) for was, status, at, before, now in space]
    return [case for case in cases if case.agreed is not None or not case.ticked_before]


def expected_of(case, policy, lens):
    """The rules of sections 3, 5 and 6, a lead at a time."""
    was_status, was_stage = case.agreed or ("", "")
    if case.status and case.status not in lens.stage_of:
        return Expected("quarantined")
    if not case.stage:
        return Expected("parked")
    means = case.status or "NEW"
    wants = lens.stage_of[means]
    marked_done = was_stage == case.stage and case.ticked and not case.ticked_before
    lies = "DONE" if marked_done else case.stage
    lead_moved = not was_stage or means != (was_status or "NEW")
    card_moved = not was_stage or lies != was_stage
    moved_to_done = "DONE" if lies != case.stage else None
    leaves_done = case.ticked and lies == "DONE" and wants != "DONE"
    lead_wins = Expected("to_trello", None, wants if wants != case.stage else None, leaves_done, "", (means, wants))
    from_card = lens.status_for[lies]
    card_wins = Expected("to_airtable", from_card, moved_to_done, False, "", (from_card, lies))
    if wants == lies:
        if not lead_moved and not card_moved:
            return Expected("unchanged", base=(was_status, was_stage))
        return Expected("agreed", None, moved_to_done, base=(means, lies))
    if lead_moved and card_moved:
        listed = "conflict" if was_stage else "first match"
        chosen = {"airtable": lead_wins, "trello": card_wins, "hold": Expected("")}[policy]
        chosen.decision, chosen.conflict = "conflict", listed
        return chosen
    return lead_wins if lead_moved else card_wins


def world_of(cases):
    world = World()
    for number, case in enumerate(cases, start=1):
        base = None
        if case.agreed is not None:
            status, stage = case.agreed
            base = base_row(number, status=status, stage=stage, due_complete=case.ticked_before)
        on_board = card(number, stage=case.stage, dueComplete=case.ticked)
        world.with_lead(record=record(number, status=case.status), card=on_board, base=base)
    return world


@pytest.fixture(scope="module", params=[DEFAULT_MAP, TWO_IN_EACH_MAP], ids=["default-map", "two-statuses-a-list"])
def lens(request):
    return request.param


@pytest.fixture(scope="module", params=POLICIES)
def policy(request):
    return request.param


@dataclass
class Solved:
    """The whole space for one policy: before, decisions, plan, and the world after it."""

    cases: dict[str, Case]
    expected: dict[str, Expected]
    decided: dict[str, str]
    plan: object
    after: World
    again: object


@pytest.fixture(scope="module")
def solved(lens, policy):
    cases = {lead_id(number): case for number, case in enumerate(all_cases(lens), start=1)}
    by = rules(status_map=lens, conflict=policy)
    world = world_of(cases.values())
    decided = world.decisions(by)["status"].to_dict()
    plan = world.plan(by)
    expected = {lead: expected_of(case, policy, lens) for lead, case in cases.items()}
    after = world.apply(plan)
    return Solved(cases, expected, decided, plan, after, after.plan(by))


def wrong(solved, actual):
    """Cases in which `actual(lead)` is not what `expected` says; the first three are enough to read."""
    pairs = ((solved.cases[lead], actual(lead, want), want) for lead, want in solved.expected.items())
    return [(case, got, want) for case, (got, should), want in pairs if got != should][:3]


def test_decision_of_every_case(solved):
    """Unchanged, agreed, to one side, conflict, parked or quarantined."""
    assert wrong(solved, lambda lead, want: (solved.decided[lead], want.decision)) == []


def test_status_written_of_every_case(solved):
    """The lead gets exactly the status that the rules give it, or is not written at all."""
    written = {write.lead_id: write.fields for write in solved.plan.lead_writes}

    def actual(lead, want):
        return written.get(lead), None if want.lead_becomes is None else {"status": want.lead_becomes}

    assert wrong(solved, actual) == []


def test_card_written_of_every_case(solved):
    """The card goes to exactly the list, and loses its tick exactly when the sync moves it out of DONE."""
    written = {write.lead_id: (write.stage, write.due_complete) for write in solved.plan.card_writes}

    def actual(lead, want):
        return written.get(lead, (None, None)), (want.card_goes_to, False if want.tick_cleared else None)

    assert wrong(solved, actual) == []


def test_nothing_else_is_written(solved):
    """A status cell touches neither title, nor block, nor the archive; no lead is written twice."""
    for writes in (solved.plan.card_writes, solved.plan.lead_writes):
        leads = [write.lead_id for write in writes]
        assert len(set(leads)) == len(leads)
    for write in solved.plan.card_writes:
        assert (write.title, write.block, write.closed) == (None, None, None)
        assert write.card_id


def test_conflict_listed_in_every_case(solved):
    """Each conflict is listed once, as first match or conflict, with both values and what is done."""
    listed = {conflict.lead_id: conflict for conflict in solved.plan.conflicts}
    assert len(listed) == len(solved.plan.conflicts)
    kinds = {lead: conflict.kind for lead, conflict in listed.items()}
    assert wrong(solved, lambda lead, want: (kinds.get(lead, ""), want.conflict)) == []
    for lead, conflict in listed.items():
        assert conflict.airtable == solved.cases[lead].status
        assert conflict.trello
        assert conflict.resolution


def test_parked_and_unknown_are_listed(solved):
    """What is set aside is said, once for each lead; nothing else is."""
    listed = [row.lead_id for row in solved.plan.quarantine]
    aside = [lead for lead, want in solved.expected.items() if want.decision in ("parked", "quarantined")]
    assert sorted(listed) == sorted(aside)
    assert all(row.reason and row.remedy for row in solved.plan.quarantine)


def spelled_out(status, stage):
    """A status and stage that were agreed, with the empty status by its meaning."""
    return (status or "NEW", stage) if stage else ("", "")


def test_base_afterwards_of_every_case(solved):
    """What was written or agreed is the base; what was held, parked or set aside leaves it alone."""

    def actual(lead, want):
        row = solved.after.base[lead]
        should = want.base or solved.cases[lead].agreed or ("", "")
        return spelled_out(row["status"], row["stage"]), spelled_out(*should)

    assert wrong(solved, actual) == []


def test_both_sides_equal_after_the_sync(solved, lens):
    """A lead's status maps onto its card's list, except where that was held, parked or set aside."""
    for lead, want in solved.expected.items():
        if want.base is None:
            continue
        status = solved.after.records[lead]["fields"].get("status", "")
        lies = STAGES_BY_LIST[solved.after.cards[solved.after.base[lead]["card_id"]]["idList"]]
        assert lens.stage_of[status or "NEW"] == lies, solved.cases[lead]


def test_second_sync_plans_nothing(solved):
    """Idempotence on the whole space: no write, nothing to record; only what is held is listed again."""
    assert is_idle(solved.again)
    held = {lead for lead, want in solved.expected.items() if want.conflict and want.base is None}
    assert {conflict.lead_id for conflict in solved.again.conflicts} == held


def test_lost_stays_lost(solved):
    """A LOST lead whose card lies in DONE is never turned into QUALIFIED, nor its card written."""
    written = {write.lead_id for write in (*solved.plan.lead_writes, *solved.plan.card_writes)}
    lost = [lead for lead, case in solved.cases.items() if case.status == "LOST" and case.stage == "DONE"]
    assert lost
    assert not written & set(lost)


def test_empty_status_is_never_written(solved):
    """An empty status counts as NEW and is left empty while its card lies in TODO."""
    written = {write.lead_id for write in solved.plan.lead_writes}
    still = [lead for lead, want in solved.expected.items() if want.lead_becomes is None]
    assert not written & set(still)
    assert all(write.fields["status"] for write in solved.plan.lead_writes)


def test_lost_card_dragged_out_and_back():
    """Documented choice: QUALIFIED if a sync ran between, LOST if none did."""
    world = World().with_lead(
        record=record(status="LOST"), card=card(stage="DONE"), base=base_row(status="LOST", stage="DONE")
    )
    [only] = world.cards.values()
    assert is_idle(world.plan())
    only["idList"] = LISTS["TODO"]
    world.sync()
    assert world.records[lead_id(1)]["fields"]["status"] == "NEW"
    only["idList"] = LISTS["DONE"]
    world.sync()
    assert world.records[lead_id(1)]["fields"]["status"] == "QUALIFIED"


def test_parked_card_that_returns_is_compared_as_usual():
    """While parked nothing is written or agreed; back in a list it is a moved card like any other."""
    world = World().with_lead(record=record(), card=card(stage=""), base=base_row())
    [only] = world.cards.values()
    assert world.plan().writes == 0
    world.sync()
    only["idList"] = LISTS["IN_PROGRESS"]
    world.sync()
    assert world.records[lead_id(1)]["fields"]["status"] == "CONTACTED"


def test_unticked_card_can_be_marked_done_again():
    """The tick taken away by a person is remembered, so that the next one counts."""
    world = World().with_lead(record=record(), card=card(dueComplete=False), base=base_row(due_complete=True))
    [only] = world.cards.values()
    world.sync()
    assert is_idle(world.plan())
    only["dueComplete"] = True
    world.sync()
    assert only["idList"] == LISTS["DONE"]
    assert world.records[lead_id(1)]["fields"]["status"] == "QUALIFIED"


def test_other_cells_of_an_unknown_status_go_on():
    """Only the status cell is set aside."""
    world = World().with_lead(record=record(status="HOT", name="Ada L."), card=card(), base=base_row())
    [write] = world.plan().card_writes
    assert (write.title, write.stage) == ("Ada L.", None)
