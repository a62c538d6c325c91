"""
Long random histories with an oracle of their own: nobody's edit is lost, nothing is doubled, and all comes to rest.

A history is its seed. `HISTORIES_COUNT` and `HISTORIES_FIRST_SEED` choose others than the plain run's;
`python -m tests.simulation --count 500` plays them side by side. A breach is told with its smallest history.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from simulation.cells import KINDS, Row
from simulation.ledger import block_line, own_text
from simulation.near_world import NearWorld
from simulation.play import breach_of, play, smallest, told
from simulation.rules import Breach
from simulation.steps import Event, Ground, History, made_up, step

COUNT = int(os.environ.get("HISTORIES_COUNT", "60"))
FIRST = int(os.environ.get("HISTORIES_FIRST_SEED", "0"))
LEAD = "rec" + "A" * 14


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_history_keeps_every_rule(seed):
    _, breach = breach_of(seed)
    assert not breach, breach


@pytest.mark.exhaustive
@pytest.mark.parametrize("hundred", range(5))
def test_five_hundred_histories_keep_every_rule(hundred):
    """Seeds 0 to 499."""
    breaches = [breach for seed in range(100 * hundred, 100 * (hundred + 1)) if (breach := breach_of(seed)[1])]
    assert not breaches, "\n\n".join(breaches)


FIRST_SYNC = step("sync")
TOLD: dict[str, History] = {
    "base-is-not-ahead-of-a-write-that-fails": History(
        Ground(),
        (
            FIRST_SYNC,
            step("set_email", pick=0, email="cyd@example.org"),
            step("lose_state"),
            step("sync", events=(Event("PUT", 0, "500_often"),)),
        ),
    ),
    "overwritten-edit-is-found-after-a-kill": History(
        Ground(),
        (
            FIRST_SYNC,
            step("set_status", pick=0, status="CONTACTED"),
            step("rename", pick=0, name="Cyd"),
            step("sync", events=(Event("PUT", 0, "clash"), Event("PUT", 0, "kill after"))),
        ),
    ),
    "overwritten-edit-is-found-though-the-feed-fails": History(
        Ground(),
        (
            FIRST_SYNC,
            step("set_status", pick=0, status="CONTACTED"),
            step("sync", events=(Event("PUT", 0, "clash"), Event("actions", 0, "500_often"))),
        ),
    ),
    "edit-while-a-patch-waits-is-not-overwritten": History(
        Ground(),
        (
            FIRST_SYNC,
            step("move_and_retitle", pick=0, place="DONE", title="Card"),
            step("sync", events=(Event("PATCH", 0, "clash while waiting"),)),
        ),
    ),
    "edit-after-a-dropped-patch-is-not-overwritten": History(
        Ground(),
        (
            FIRST_SYNC,
            step("move_and_retitle", pick=0, place="DONE", title="Card"),
            step("sync", events=(Event("PATCH", 0, "clash while backing off"),)),
        ),
    ),
    **{
        f"fallback-title-is-no-name-with-{policy}": History(
            Ground(policy=policy),
            (FIRST_SYNC, step("lose_state"), FIRST_SYNC, step("rename", pick=2, name="Cyd"), FIRST_SYNC),
        )
        for policy in ("airtable", "trello", "hold")
    },
    "half-a-write-proves-nothing": History(
        Ground(nurture=True),
        (
            FIRST_SYNC,
            step("set_status", pick=0, status="NURTURE"),
            step("tick", pick=0, ticked=True),
            step("sync", events=(Event("PUT", 0, "kill before"),)),
        ),
    ),
    "conflict-of-a-killed-run-is-listed": History(
        Ground(),
        (
            FIRST_SYNC,
            step("disagree", pick=0, status="CONTACTED", place="DONE", name="Bob", title="Card"),
            step("sync", events=(Event("PUT", 0, "kill after"),)),
        ),
    ),
    "card-moved-before-it-is-archived-is-spared": History(
        Ground(), (FIRST_SYNC, step("delete_lead", pick=0), step("sync", events=(Event("PUT", 0, "clash"),)))
    ),
    "lookup-reaches-the-card-by-delta": History(
        Ground(source="lookup", rest_read="delta"), (FIRST_SYNC, FIRST_SYNC, step("set_source", pick=0, source="fair"))
    ),
    "vanished-lead-gets-no-card-by-delta": History(
        Ground(on_card_deleted="recreate"),
        (FIRST_SYNC, FIRST_SYNC, step("delete_both", pick=0), step("sync", read="delta")),
    ),
    "emptied-option-is-refused": History(
        Ground(crowd=12), (FIRST_SYNC, step("delete_option", pick=0, status="QUALIFIED"), FIRST_SYNC)
    ),
    "second-table-is-a-second-pair": History(
        Ground(tables=2), (step("sync", table=0), step("sync", table=1), step("sync", table=0))
    ),
    **{
        f"card-archived-then-deleted-is-noticed-{'late' if synced else 'at-once'}-{then}": History(
            Ground(on_card_deleted=then),
            (
                FIRST_SYNC,
                step("archive_then_delete", pick=0, synced=synced),
                FIRST_SYNC,
                *([step("set_status", pick=0, status="LOST")] if then == "leave" else []),
            ),
        )
        for synced in (False, True)
        for then in ("leave", "recreate")
    },
    "copy-takes-the-place-of-a-deleted-card": History(
        Ground(),
        (
            FIRST_SYNC,
            step("copy_card", pick=0, place="TODO"),
            step("archive_then_delete", pick=0, synced=True),
            FIRST_SYNC,
        ),
    ),
    **{
        f"name-that-is-{name}-holds-up-no-other-cell": History(
            Ground(name=name), (FIRST_SYNC, step("move_and_retitle", pick=0, place="DONE", title="Card"), FIRST_SYNC)
        )
        for name in ("formula", "locked")
    },
    **{
        f"{source}-is-shown-as-people-see-it": History(
            Ground(source=source), (FIRST_SYNC, step("set_source", pick=0, source="fair"), FIRST_SYNC)
        )
        for source in ("collaborator", "attachment")
    },
    "broken-cell-sets-itself-aside": History(
        Ground(),
        (
            step("break_cell", pick=0, cell="source"),
            FIRST_SYNC,
            step("set_status", pick=0, status="CONTACTED"),
            FIRST_SYNC,
        ),
    ),
    "undo-makes-no-lead": History(
        Ground(leads=1, makes_leads=True),
        (
            FIRST_SYNC,
            step("set_status", pick=0, status="CONTACTED"),
            FIRST_SYNC,
            step("make_stranger", pick=0, place="TODO", note=""),
            step("undo", pick=0, whole=True),
        ),
    ),
    # the run that goes on with it does all the rest as well
    "run-after-an-undo-that-was-cut-off-makes-leads": History(
        Ground(makes_leads=True),
        (
            FIRST_SYNC,
            step("undo", pick=1, whole=True, events=(Event("PUT", 1, "kill after"),)),
            step("make_stranger", pick=1, place="IN_PROGRESS", note=""),
        ),
    ),
    "card-put-away-before-its-lead-is-tied-to-it-is-not-doubled": History(
        Ground(leads=1, makes_leads=True),
        (
            FIRST_SYNC,
            step("make_stranger", pick=0, place="TODO", note=""),
            step("sync", events=(Event("PATCH", 0, "kill after"),)),
            step("archive_or_take_back", pick=1, closed=True),
            FIRST_SYNC,
        ),
    ),
    "weekly-archiving-is-explained": History(
        Ground(crowd=12), (FIRST_SYNC, step("archive_list_cards", pick=0, place="DONE"), FIRST_SYNC)
    ),
    "only-card-archived-is-explained": History(
        Ground(leads=1, lonely=True),
        (FIRST_SYNC, step("archive_or_take_back", pick=0, closed=True), FIRST_SYNC),
    ),
    "parked-card-that-is-archived-stays-archived": History(
        Ground(),
        (
            FIRST_SYNC,
            step("disagree", pick=0, status="CONTACTED", place="Waiting", name="Cyd", title="Ada"),
            FIRST_SYNC,
            step("archive_or_take_back", pick=0, closed=True),
            FIRST_SYNC,
        ),
    ),
    "parked-card-that-is-deleted-stays-deleted": History(
        Ground(),
        (
            FIRST_SYNC,
            step("disagree", pick=0, status="CONTACTED", place="Waiting", name="Cyd", title="Ada"),
            FIRST_SYNC,
            step("delete_card", pick=0),
            FIRST_SYNC,
        ),
    ),
    # its tick made the lead QUALIFIED, so the drag out of DONE gives NEW
    "copy-hides-its-lead-from-no-run": History(
        Ground(leads=2),
        (
            FIRST_SYNC,
            step("make_card_by_hand", pick=0, place="TODO", title="Ada"),
            FIRST_SYNC,
            step("tick", pick=0, ticked=True),
            FIRST_SYNC,
            step("move_card", pick=0, place="TODO"),
            step("delete_card", pick=1),
            FIRST_SYNC,
        ),
    ),
    "change-feed-begins-before-a-second-table-is-read": History(
        Ground(policy="trello", tables=2, feed=True),
        (
            step("sync", table=1),
            step("lose_state"),
            step("sync", table=0),
            step("set_status", pick=1, status="LOST", table=1),
            step("sync", table=1, events=(Event("PATCH", 0, "clash"),)),
        ),
    ),
    "card-made-by-hand-for-a-lead-that-vanishes-is-left": History(
        Ground(policy="trello", leads=2),
        (
            step("set_status", pick=0, status="NURTURE"),
            step("sync", events=(Event("any", 0, "act", step("delete_lead", pick=1)),)),
            step("make_card_by_hand", pick=0, place="IN_PROGRESS", title="Card"),
            step("delete_lead", pick=1),
            step("sync", read="delta"),
        ),
    ),
    # a card is said to be a copy of the lead's that its line names, by that lead's table, and not of its own lead's
    "card-that-names-a-lead-of-another-table-stays-its-leads": History(
        Ground(leads=2, tables=2), (step("sync", table=0), step("sync", table=1), step("take_marker", pick=2))
    ),
    "card-that-nobody-knows-is-the-leads-that-it-names": History(
        Ground(leads=1),
        (
            FIRST_SYNC,
            step("delete_card", pick=1),
            step("sync", events=(Event("any", 0, "act", step("add_lead", pick=2, name="Ada", status="CONTACTED")),)),
            step("make_card_by_hand", pick=2, place="Waiting", title="Card"),
            step("take_marker", pick=2),
        ),
    ),
    # of two cards that name a lead which no state knows, the older one is the lead's, and gets its lines
    "once-the-state-is-lost-a-card-is-the-leads-that-it-names": History(
        Ground(order=4, mapped=(Row("line:Phone", "to_trello"),)),
        (FIRST_SYNC, step("lose_state"), step("take_marker", pick=1)),
    ),
    "second-card-that-names-a-lead-whose-state-is-lost": History(
        Ground(),
        (
            step("rest"),
            step("take_marker", pick=0),
            step("lose_state"),
            step("rest"),
            step("retitle", pick=1, title="Ada"),
            step("take_marker", pick=1),
            step("lose_state"),
            step("take_marker", pick=2),
            FIRST_SYNC,
            step("retitle", pick=0, title="Card"),
        ),
    ),
    **{
        f"card-that-names-two-leads-{first}-{last}-and-a-lost-state": History(
            Ground(leads=leads),
            (
                FIRST_SYNC,
                step("lose_state"),
                step("take_marker", pick=first),
                step("add_second_marker", pick=then),
                FIRST_SYNC,
                step("take_marker", pick=last),
            ),
        )
        for leads, first, then, last in ((2, 0, 1, 1), (3, 1, 0, 2))
    },
    "text-that-a-killed-run-overwrote-goes-with-the-state": History(
        Ground(),
        (
            FIRST_SYNC,
            step("set_source", pick=0, source="fair"),
            step("sync", events=(Event("PUT", 0, "clash"), Event("PUT", 0, "kill after"))),
            step("lose_state"),
        ),
    ),
    # whose card was set aside when its status was edited: it is still an edit once the card is none of these
    "status-edited-while-the-card-is-a-template-opens-it-again": History(
        Ground(leads=2),
        (
            step("set_status", pick=0, status="QUALIFIED"),
            FIRST_SYNC,
            step("disagree", pick=0, status=None, place="TODO", name="Cyd", title="Ada"),
            step("make_template", pick=0, template=True),
            FIRST_SYNC,
            step("archive_then_delete", pick=2, synced=True),
        ),
    ),
    # an empty status counts as NEW, so nothing was edited that would bring the card back
    "status-emptied-that-was-new-is-no-edit": History(
        Ground(leads=1),
        (FIRST_SYNC, step("delete_card", pick=1), FIRST_SYNC, step("set_status", pick=0, status=None), FIRST_SYNC),
    ),
    # the lead's card was met before the lead, and no later read shows it
    "lead-deleted-when-the-state-is-lost-gets-no-second-card": History(
        Ground(leads=2, lonely=True),
        (
            FIRST_SYNC,
            step("delete_lead", pick=0),
            FIRST_SYNC,
            step("lose_state"),
            FIRST_SYNC,
            step("restore_leads", pick=0),
        ),
    ),
    "lead-left-out-of-a-page-once-the-state-is-lost-gets-no-second-card": History(
        Ground(leads=2, lonely=True),
        (
            FIRST_SYNC,
            step("archive_or_take_back", pick=0, closed=True),
            step("lose_state"),
            step("sync", events=(Event("any", 0, "short page"),)),
        ),
    ),
    # its cells meet those of the lead for the first time, whatever was agreed with the card that it takes the place of
    "card-made-by-hand-in-place-of-a-deleted-one-is-a-first-match": History(
        Ground(leads=1, policy="hold", mapped=(Row("custom:Note"),)),
        (
            FIRST_SYNC,
            FIRST_SYNC,
            step("delete_card", pick=0),
            step("make_card_by_hand", pick=0, place="TODO", title="Ada"),
            step("fill", pick=0, row="custom:Note", side="trello", value="as typed"),
        ),
    ),
    # it was a copy of another lead's card when the archived ones were read
    "card-that-comes-to-name-its-lead-while-archived-is-not-looked-for": History(
        Ground(),
        (
            FIRST_SYNC,
            step("delete_lead", pick=1),
            step("lose_state"),
            step("take_marker", pick=1),
            FIRST_SYNC,
            step("restore_leads", pick=1),
            step("archive_or_take_back", pick=1, closed=True),
            step("take_marker", pick=1),
        ),
    ),
    # the run that was cut off had made another card for a lead that came back, and not yet filled its fields
    "custom-field-of-a-card-made-anew-is-a-first-match": History(
        Ground(leads=1, mapped=(Row("custom:Note"), Row("custom:Budget"))),
        (
            FIRST_SYNC,
            step("delete_both", pick=2),
            FIRST_SYNC,
            step("restore_leads", pick=0),
            step("sync", events=(Event("PUT", 0, "kill before"),)),
            step("fill", pick=1, row="custom:Budget", side="trello", value="-3"),
        ),
    ),
    "label-that-is-no-option-spares-no-card": History(
        Ground(leads=2, mapped=(Row("labels"),)),
        (
            FIRST_SYNC,
            FIRST_SYNC,
            step("delete_lead", pick=0),
            step("fill", pick=0, row="labels", side="trello", element="Private", value=True),
        ),
    ),
    "edit-that-a-killed-run-overwrote-comes-back-though-all-is-as-it-was-agreed": History(
        Ground(),
        (
            FIRST_SYNC,
            FIRST_SYNC,
            step("retitle", pick=0, title=""),
            step("sync", events=(Event("PUT", 0, "clash"), Event("PUT", 0, "kill after"))),
        ),
    ),
    "list-outside-the-map-is-given-up-by-who-takes-the-other-side": History(
        Ground(leads=1),
        (
            FIRST_SYNC,
            step("disagree", pick=1, status="LOST", place="Waiting", name="Bob", title="Card"),
            step("sync", policy="hold"),
            step("take", pick=0, side="airtable", whole=True, first=step("mend_cells", pick=0)),
        ),
    ),
    "archived-card-of-one-lead-that-names-another-is-not-that-ones": History(
        Ground(on_card_deleted="recreate"),
        (
            FIRST_SYNC,
            step("take_marker", pick=1),
            step("archive_or_take_back", pick=1, closed=True),
            step("take_marker", pick=1),
            step("archive_then_delete", pick=2, synced=True),
            step("take_marker", pick=1),
        ),
    ),
    "option-that-was-put-back-unsynced-is-no-news-when-it-goes-again": History(
        Ground(crowd=12),
        (
            step("delete_option", pick=1, status="QUALIFIED"),
            FIRST_SYNC,
            step("put_options_back", pick=2),
            step("delete_option", pick=2, status="QUALIFIED"),
            FIRST_SYNC,
        ),
    ),
    "list-made-anew-is-found": History(
        Ground(by_name=True), (FIRST_SYNC, step("remake_list", pick=0, name="DONE"), FIRST_SYNC)
    ),
}


@pytest.mark.parametrize("history", TOLD.values(), ids=TOLD.keys())
def test_told_history_keeps_every_rule(history):
    """Histories that once broke a rule."""
    breach = play(history).breach
    assert breach is None, told(0, history, breach)


def test_seed_decides_everything(monkeypatch):
    """Two plays of a seed send the same requests at the same times, whoever's turn it was; another order, others."""
    seed = next(seed for seed in range(100) if made_up(seed).ground.order)
    history, sent = made_up(seed), list[list[str]]()
    ask = NearWorld._request

    def noted(self, request):
        told = ask(self, request)
        sent[-1].append(f"{told.at} {told.method} {told.path} {told.raw_query} {told.body}")
        return told

    monkeypatch.setattr(NearWorld, "_request", noted)
    for order in (history.ground.order, history.ground.order, 0):
        sent.append([])
        play(replace(history, ground=replace(history.ground, order=order)))
    assert sent[0] == sent[1] != sent[2]
    assert str(made_up(seed)) == str(made_up(seed)) != str(made_up(seed + 1))


def test_every_property_is_mapped_every_way_in_half_of_the_histories():
    """And by a stream of its own: the other half is what it would be if there were no mapping."""
    grounds = [made_up(seed).ground for seed in range(200)]
    assert {(row.card, row.way) for ground in grounds for row in ground.mapped} == {
        (card, way) for card, kind in KINDS.items() for way in kind.ways
    }
    assert 80 < sum(not ground.mapped for ground in grounds) < 120


def test_breach_is_told_with_its_smallest_history(monkeypatch):
    """A product that says nothing of what it wrote breaks a rule with a single run, whatever else happened."""
    monkeypatch.setattr("leadsync.pipeline.telling.Telling.written", lambda telling, outcome: None)
    history = History(Ground(leads=1, policy="trello"), (step("tick", pick=0, ticked=True), step("sync"), step("rest")))
    breach = play(history).breach
    assert isinstance(breach, Breach)
    assert breach.rule == "report tells what was written"
    smaller, _ = smallest(history, breach)
    assert len(smaller.steps) <= 1
    assert smaller.ground == Ground()


def test_own_text_is_what_is_not_the_blocks():
    block = f"Lead details from Airtable\nE-mail: a@example.com\nSource: web\nLeadID: {LEAD}"
    assert own_text(f"E-mail: mine\n\n{block}\n later\r") == ["E-mail: mine", " later\r"]
    assert block_line(f"E-mail: mine\n\n{block}", "E-mail:") == "a@example.com"
    assert block_line(f"LeadID: {LEAD}", "E-mail:") is None
