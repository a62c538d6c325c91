"""A worker's run that waits for review, and what becomes of it when it is resumed; Prefect's server apart."""

from types import SimpleNamespace

import pytest

from leadsync.core.saved_plan import SavedPlan
from leadsync.errors import BusyError, Exit, LeadsyncError, PlanRefusedError
from leadsync.report.report import Report
from leadsync.settings import Settings
from leadsync.state.kept import Review
from leadsync.state.store import StateStore
from runs import review

RUN = "0b5a0a4e-6a5e-4a10-9d0c-6f2e8f2d9e11"
PLAN = SavedPlan(
    id="1",
    made_at="2026-11-26T09:00:00+00:00",
    pair={"base": "app00000000000001", "table": "Leads", "board": "2" * 24},
    options={},
    settings={},
    base="3",
    lists={},
    labels=[],
    writes=[],
    listed=[],
)
PAIR = f"app00000000000001/Leads/{'2' * 24}"


@pytest.fixture
def settings(tmp_path):
    given = {"airtable_api_token": "pat" + "a" * 20, "airtable_base_id": "app00000000000001"}
    given |= {"trello_api_key": "b" * 32, "trello_api_token": "c" * 64, "trello_board_id": "2" * 24}
    return Settings(_env_file=None, sync_state_url=f"sqlite:///{tmp_path}/state.sqlite3", **given)


@pytest.fixture
def reviews(settings):
    store = StateStore(settings.sync_state_url.get_secret_value())
    yield store.reviews
    store.close()


@pytest.fixture
def waited(monkeypatch):
    """This run, after it was resumed; `waited(False)`: before."""

    def waited(resumed=True):
        policy = SimpleNamespace(pause_keys={review.KEY} if resumed else set())
        run = SimpleNamespace(id=RUN, empirical_policy=policy)
        monkeypatch.setattr(review, "FlowRunContext", SimpleNamespace(get=lambda: SimpleNamespace(flow_run=run)))
        monkeypatch.setattr(review, "deployment", SimpleNamespace(id="of a worker"))
        monkeypatch.setattr(review, "get_run_logger", lambda: SimpleNamespace(info=lambda *_: None))

    return waited


def test_run_that_did_not_wait_has_no_plan(settings, reviews, waited):
    reviews.save(Review(PAIR, RUN, PLAN.text))
    assert review.approved_plan(settings) is None  # in no run at all
    waited(False)
    assert review.approved_plan(settings) is None


def test_resumed_run_applies_the_plan_it_waited_with(settings, reviews, waited):
    waited()
    reviews.save(Review(PAIR, RUN, PLAN.text))
    assert review.approved_plan(settings) == PLAN


def test_resumed_run_whose_plan_was_replaced_is_refused(settings, reviews, waited):
    """It makes no other plan: nobody has read that."""
    waited()
    reviews.save(Review(PAIR, "another run", PLAN.text))
    with pytest.raises(PlanRefusedError, match="waits no more"):
        review.approved_plan(settings)


def test_approved_plan_waits_for_its_turn(settings, reviews, waited, monkeypatch):
    """While another run of the pair is under way; an approval is not lost to that."""
    waited()
    monkeypatch.setattr(review, "LOOK_AGAIN", 0.0)
    reviews.save(Review(PAIR, RUN, PLAN.text))
    busy, done = Report(), Report()
    busy.fail(BusyError("Another sync is running."))
    ended = iter([busy, busy, done])
    assert review.apply_approved(PLAN, lambda: next(ended), settings) is done
    assert reviews.load(run=RUN) is None


def test_run_without_a_plan_does_not_wait_for_its_turn(settings, waited):
    waited(False)
    busy = Report()
    busy.fail(BusyError("Another sync is running."))
    ended = iter([busy])
    assert review.apply_approved(None, lambda: next(ended), settings).exit_code is Exit.BUSY


def test_plan_that_cannot_be_shown_is_not_waited_for(settings, reviews, waited, monkeypatch):
    """Nobody approves what they cannot see."""
    waited(False)

    def fails(*_, **__):
        raise ConnectionError

    monkeypatch.setattr(review, "create_markdown_artifact", fails)
    report = Report(plan=PLAN)
    with pytest.raises(LeadsyncError, match="could not be shown for review"):
        review.wait_for_review(report, settings)
    assert reviews.load(pair=PAIR) is None


def test_run_that_cannot_be_suspended_fails_and_waits_no_more(settings, reviews, waited, monkeypatch):
    waited(False)

    def fails(**_):
        raise RuntimeError("Flow run cannot be suspended")

    monkeypatch.setattr(review, "create_markdown_artifact", lambda *_, **__: None)
    monkeypatch.setattr(review, "suspend_flow_run", fails)
    with pytest.raises(LeadsyncError, match="could not be suspended"):
        review.wait_for_review(Report(plan=PLAN), settings)
    assert reviews.load(pair=PAIR) is None


def test_local_run_is_not_suspended(settings, reviews):
    """No worker would take it up again."""
    review.wait_for_review(Report(plan=PLAN), settings)
    assert reviews.load(pair=PAIR) is None
