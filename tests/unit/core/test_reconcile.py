"""Leads at rest are told at a glance; the rules, asked about each of them, would say the same."""

from hypothesis import given, settings
from hypothesis import strategies as st
from support.rows import BOARD, World, agreed_world, base_row, card, lead_id, record, rules

from leadsync.core import reconcile as module
from leadsync.core.reconcile import reconcile

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


@settings(deadline=None, max_examples=100)
@given(worlds())
def test_shortcut_decides_as_the_rules_do(world):
    """Every lead, decision and quarantined card alike."""
    frames = world.frames(rules())
    quick, thorough = reconcile(*frames, rules()), module._reconcile_moving(*frames, rules())
    assert quick.decisions.to_dict("index") == thorough.decisions.to_dict("index")
    assert quick.quarantine.to_dict("records") == thorough.quarantine.to_dict("records")


def test_shortcut_is_taken():
    """Where nothing has moved, the rules are asked about nobody."""
    base, airtable, trello = agreed_world(20).frames(rules())
    taken = [
        module._taken(frame, frame.index.get_indexer(ids))
        for frame, ids in ((airtable, base.index), (trello, base["card_id"]))
    ]
    assert module._at_rest(base, *taken, rules().status_map).all()
