"""Prefect's history of runs says what happened: names, states and artifacts, of which a person sees one line each."""

from __future__ import annotations

import re
import time
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey, LogFilter, LogFilterFlowRunId
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL, temporary_settings

import sync as door
from conflicts import Side, take_conflict
from emulator import Fault
from history import undo_run
from leadsync.core.ledger import flow_run_of
from leadsync.state.store import StateStore
from serve import prefect_pages


def run(**options):
    """One run. Returns: it as Prefect keeps it, and the description of its report."""
    state = door.sync_leads(return_state=True, **options)
    with get_client(sync_client=True) as client:
        kept = client.read_flow_run(state.state_details.flow_run_id)
        reports = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["sync-report"])))
    (report,) = (each for each in reports if each.flow_run_id == kept.id)
    return kept, report


@pytest.fixture
def differing(prefect_server, configured, emulator, monkeypatch):
    """A lead and its card about whose status both sides disagree, and a run that holds it."""
    monkeypatch.setenv("SYNC_CONFLICT", "hold")
    lead = emulator.airtable.add_lead("Zoë", "zoe@example.com", "NEW", "web")
    door.sync_leads(return_state=True)
    emulator.airtable.edit(lead, status="CONTACTED")
    (card,) = emulator.trello.cards()
    emulator.trello.move(card, "DONE")
    return lead, card


def test_run_is_named_by_what_came_of_it(prefect_server, configured, emulator):
    """What it was called at its start is still in it."""
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    dry, _ = run(dry_run=True)
    first, _ = run()
    idle, _ = run()
    assert [each.name.partition(": ")[2] for each in (dry, first, idle)] == [
        "would change 1 cell or card",
        "1 changed",
        "nothing to do",
    ]
    assert dry.name.startswith("dry run 20")
    assert idle.state.message.startswith("nothing to do: 1 leads, 1 cards (1 Airtable + 1 Trello calls")


def test_finding_colours_a_run_once(differing, emulator):
    """It is listed as long as it lasts, counted as before, and news again when it is another one."""
    lead, _ = differing
    dry, _ = run(dry_run=True)
    news, _ = run()
    again, report = run()
    assert [each.state.name for each in (dry, news, again)] == ["CompletedWithFindings"] * 2 + ["Completed"]
    assert news.state.message.startswith("nothing changed, 1 conflict: ")
    assert again.state.message.startswith("nothing to do, 1 conflict (as before): ")
    assert again.name.endswith(": nothing to do, 1 conflict (as before)")
    assert "## What you must do (1)" in report.data
    emulator.airtable.edit(lead, status="NEW")
    emulator.trello.add_card("TODO", "Copy", f"LeadID: {lead}")
    other, _ = run()
    assert (other.state.name, "1 in quarantine" in other.name) == ("CompletedWithFindings", True)


def test_failed_run_is_described_by_its_error(prefect_server, configured, emulator):
    lead = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    run()
    emulator.airtable.delete(lead)
    refused, report = run()
    assert "came back empty" in refused.state.message
    assert report.description == refused.state.message
    assert refused.name.endswith(": refused by guard")


def test_report_links_to_lead_and_card(differing, emulator, configured):
    lead, card = differing
    emulator.airtable.edit(lead, name="Zoë Ito")
    _, report = run()
    place = f"https://airtable.com/{configured['AIRTABLE_BASE_ID']}/Leads/{lead}"
    url = emulator.trello.card(card)["shortUrl"]
    assert f"- [Zoë Ito]({place}) ([card]({url})): name Zoë → Zoë Ito on Trello\n" in report.data
    assert f"[Zoë Ito]({place}) ([card]({url})): status: CONTACTED on Airtable, DONE on Trello" in report.data


def test_wait_for_a_service_stands_in_the_log_of_the_run(prefect_server, configured, emulator):
    """Also one that a writing thread waits."""
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    emulator.inject(Fault("status", service="trello", method="POST", status=429, headers={"Retry-After": "1"}))
    kept, _ = run()
    told, deadline = [], time.monotonic() + 60  # lines are handed in by a thread of Prefect's
    while not told and time.monotonic() < deadline:
        with get_client(sync_client=True) as client:
            of_run = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[kept.id]))
            told = [line.message for line in client.read_logs(of_run) if "again in" in line.message]
        time.sleep(0.2)
    assert told == ["Trello: too many requests (429), again in 1 s."]


def test_history_of_changes_names_the_run_in_prefect(differing, configured):
    """
    That of a sync, of a conflict that was settled, of an undo: the page links to it. Its name says what that was about,
    as people call it.
    """
    lead, _ = differing
    door.sync_leads(return_state=True)
    take_conflict(Side.TRELLO, lead, "status", return_state=True)
    pair = "/".join(configured[name] for name in ("AIRTABLE_BASE_ID", "AIRTABLE_TABLE_NAME", "TRELLO_BOARD_ID"))
    store = StateStore(configured["SYNC_STATE_URL"])
    undo_run(store.history.runs(pair)[0].run_id[:8], return_state=True)
    runs = store.history.runs(pair)
    store.close()
    with get_client(sync_client=True) as client:
        made = [client.read_flow_run(UUID(flow_run_of(run.run_id))).name for run in runs]
    undo, take, _ = made
    assert take == f"take trello for {lead} status (Zoë): 1 changed, 1 conflict"
    assert re.fullmatch(r"undo [0-9a-f]{8} \(take of 20\d\d-\d\d-\d\d \d\d:\d\d\): 1 changed", undo)
    assert [name.split()[0] for name in made] == ["undo", "take", "sync"]


@pytest.mark.parametrize(
    ("told", "pages"),
    [
        ({}, ""),
        ({PREFECT_API_URL: "http://127.0.0.1:4200/api"}, "http://127.0.0.1:4200"),
        ({PREFECT_API_URL: "http://inside/api", PREFECT_UI_URL: "https://ui.example/"}, "https://ui.example"),
    ],
)
def test_prefect_is_asked_where_its_pages_are(told, pages):
    """Nowhere, if no server stays that keeps the runs."""
    with temporary_settings(told, restore_defaults={PREFECT_API_URL, PREFECT_UI_URL} - told.keys()):
        assert prefect_pages() == pages
