"""Runs whose plan somebody reads first: which they are, and that they write nothing."""

import pytest

from leadsync.model import Review
from support.harness import World

LEADS = 30


@pytest.fixture
def synced(tmp_path):
    """A world of thirty leads at rest, by name."""
    world = World(tmp_path)
    world.leads = {f"Lead {number}": world.lead(f"Lead {number}", "NEW") for number in range(LEADS)}
    world.sync()
    yield world
    world.close()


def review(world, policy=Review.RISKY, **options):
    return world.sync(exit_code=None, asked={"review": policy}, **options)


def edit(world, count):
    for lead in [*world.leads.values()][:count]:
        world.airtable.edit(lead, status="CONTACTED")


def archive(world):
    world.airtable.delete(world.leads["Lead 7"])


@pytest.mark.parametrize(
    ("act", "policy", "waits"),
    [
        pytest.param(lambda world: None, Review.ALWAYS, "", id="nothing-to-write"),
        pytest.param(lambda world: edit(world, 1), Review.ALWAYS, "1 change to review before", id="always"),
        pytest.param(lambda world: edit(world, LEADS // 10), Review.RISKY, "", id="a-tenth"),
        pytest.param(
            lambda world: edit(world, LEADS // 10 + 1),
            Review.RISKY,
            "4 changes to review (4 of 30 leads written) before",
            id="more-than-a-tenth",
        ),
        pytest.param(archive, Review.RISKY, "1 change to review (1 card archived) before", id="an-archive"),
        pytest.param(archive, Review.NEVER, "", id="never"),
    ],
)
def test_run_waits_if_it_is_risky(synced, act, policy, waits):
    act(synced)
    report = review(synced, policy)
    assert (int(report.exit_code), report.plan is not None) == ((3, True) if waits else (0, False)), report.message
    assert waits in report.message
    if waits:
        assert (report.title, synced.writes()) == ("WaitsForReview", 0)
        assert {row["outcome"] for row in report.changes} == {"planned"}


def test_first_contact_is_risky(tmp_path):
    """However few leads it writes."""
    world = World(tmp_path)
    for number in range(LEADS):
        lead = world.lead(f"Lead {number}", "NEW")
        world.trello.add_card("TODO", f"Lead {number}", f"LeadID: {lead}") if number else None
    report = review(world)
    assert "first contact" in report.message
    assert (int(report.exit_code), world.writes()) == (3, 0)
    world.close()


def test_plan_that_was_reviewed_is_applied(synced):
    """It needs no second review; the lock was let go of in between."""
    archive(synced)
    plan = review(synced).plan
    report = synced.sync(asked={"plan": plan, "review": Review.RISKY})
    assert [row["after"] for row in report.changes] == ["archived"]
    synced.assert_idle()


def test_equal_plans_say_the_same_and_others_do_not(synced):
    """So that one review of a pair waits, and another plan takes its place."""
    edit(synced, 5)
    first, second = review(synced).plan, review(synced).plan
    assert (first.id != second.id, first.says_the_same(second)) == (True, True)
    edit(synced, 6)
    assert not first.says_the_same(review(synced).plan)


def test_label_to_be_created_is_a_write(tmp_path):
    """Though no card is written yet."""
    world = World(tmp_path)
    world.airtable.add_field("Kind", "singleSelect", {"choices": [{"name": "Fresh"}, {"name": "Old"}]})
    mapping = '[[field]]\nairtable = "Kind"\ncard = "labels"\n'
    world.trello.make_label("Old")
    lead = world.lead("Ada", Kind="Old")
    world.sync(SYNC_FIELDS=mapping)
    world.airtable.edit(lead, Kind="Fresh")
    report = review(world, Review.ALWAYS, SYNC_FIELDS=mapping)
    assert (int(report.exit_code), world.writes(), report.plan.labels) == (3, 0, ["Fresh"])
    world.close()
