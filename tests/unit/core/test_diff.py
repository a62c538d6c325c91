"""Leads at rest are told at a glance; the rules, asked about each of them, would say the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from leadsync.core.diff import Moved, moved
from leadsync.core.reconcile import decide_all, reconcile
from support.rows import BOARD, World, agreed_world, base_row, card, everything, lead_id, record, rules

NAMES = st.sampled_from(["Ada", "", "Bob"])
STATUSES = st.sampled_from(["NEW", "", "CONTACTED", "QUALIFIED", "LOST", "junk"])
STAGES = st.sampled_from(["TODO", "IN_PROGRESS", "DONE", ""])
MARKERS = st.sampled_from([1, 2, 3])


@st.composite
def leads(draw, number):
    """One lead's record, card and base row, each mostly as agreed, now and then not."""
    same = draw(st.booleans())
    cells = {} if same else {"name": draw(NAMES), "status": draw(STATUSES), "email": draw(st.sampled_from(["a@b", ""]))}
    place = {} if same else {"of": draw(MARKERS), "stage": draw(STAGES), "name": draw(NAMES)}
    flags = {} if same else {"closed": draw(st.booleans()), "dueComplete": draw(st.booleans())}
    elsewhere = {"idBoard": draw(st.sampled_from([BOARD, "other"]))} if not same else {}
    agreed = (
        {} if same else {"name": draw(NAMES), "status": draw(STATUSES), "stage": draw(STAGES), "title": draw(NAMES)}
    )
    there = [True, True, True] if same else [draw(st.booleans()) for _ in range(3)]
    return (
        record(number, **cells) if there[0] else None,
        card(number, **place, **flags, **elsewhere) if there[1] else None,
        base_row(number, **agreed) if there[2] else None,
    )


@st.composite
def worlds(draw):
    """Up to three leads, with copies and cards whose marker names another lead."""
    world = World()
    for number in (1, 2, 3):
        made, its_card, base = draw(leads(number))
        if made:
            world.records[made["id"]] = made
        if its_card:
            world.cards[its_card["id"]] = its_card
        if base:
            world.base[lead_id(number)] = base
    if draw(st.booleans()):
        copy = card(9, of=draw(MARKERS))
        world.cards[copy["id"]] = copy
    return world


def is_at_rest(decision):
    """Compared, and found to be as agreed."""
    return decision.quiet and decision.row == "compare" and {*decision.cells.values()} == {"unchanged"}


@settings(deadline=None, max_examples=100)
@given(worlds())
def test_shortcut_decides_as_the_rules_do(world):
    """Every lead, decision and quarantined card alike."""
    frames = world.frames(rules())
    quick, thorough = reconcile(*frames, rules()), decide_all(everything(*frames), rules())
    busy = {each.lead_id for each in quick.decided}
    assert quick.decided == [each for each in thorough.decided if each.lead_id in busy]
    assert all(is_at_rest(each.decision) for each in thorough.decided if each.lead_id not in busy)
    assert quick.quarantine == thorough.quarantine


def test_shortcut_is_taken():
    """Where nothing has moved, the rules are asked about nobody."""
    frames = agreed_world(20).frames(rules())
    assert moved(*frames, rules().status_map) == Moved([], [], [])
