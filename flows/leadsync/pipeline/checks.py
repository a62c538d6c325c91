"""
Is everything in place for a sync? A checklist with a remedy a line; nothing in here writes to a service unless asked
to repair, and then only creates what is missing.

What is never here: printing, Prefect, a rule of the sync.
"""

from __future__ import annotations

import datetime
import math
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace

from leadsync.airtable.client import PAGE, Airtable
from leadsync.airtable.setup import fetch_columns, fetch_ids, fetch_role, may_write
from leadsync.airtable.webhooks import AirtableWebhooks
from leadsync.core.reconcile import reconcile
from leadsync.environment import the_env_files
from leadsync.errors import BusyError, ConfigurationError, LeadsyncError
from leadsync.frames.agreed import base_frame
from leadsync.frames.snapshot import pages_of
from leadsync.mapping.tied import Tied
from leadsync.model import STAGES, ChangeFeed
from leadsync.pipeline.card_id_checks import check_card_ids
from leadsync.pipeline.change_feed import NEEDS_IDS
from leadsync.pipeline.clients import Clients
from leadsync.pipeline.findings import Checklist, Finding, Level, Repair
from leadsync.pipeline.instead import named_by_mapping, refused
from leadsync.pipeline.mapping_checks import ROWS_NAMED, ReadSoFar, check_fit, check_values, rows_of
from leadsync.pipeline.rows import without_others
from leadsync.private_files import read_by_others
from leadsync.settings import Settings
from leadsync.state.lock import pair_lock
from leadsync.state.pair import Pair
from leadsync.trello.client import Trello
from leadsync.trello.setup import absent_lists, add_list, describe, fetch_token, resolved

MINUTES_A_MONTH = 30 * 24 * 60
FREE_CALLS = 1_000
"""Calls a month that Airtable's Free plan allows."""
EXPIRY_WARNING = datetime.timedelta(days=14)


def check_setup(settings: Settings, clients: Clients, every_minutes: float) -> Checklist:
    """
    Check tokens, scopes, base, table, board, lists, how the mapping fits them, state and quota.

    `every_minutes`: the schedule to forecast the calls for. Cost: 4 requests, 3 more with the change
    feed, 1 more with leads from cards, and one read of both sides.
    """
    checklist, so_far = Checklist([], []), ReadSoFar(Tied(settings.untied, ()))

    def collect(subject: str, check: Callable[[], Iterator[Finding]]) -> None:
        """Run one check; an error of its is a finding, unless an earlier check has met the same."""
        try:
            for finding in check():
                checklist.findings.append(finding)
        except LeadsyncError as error:
            found = refused(error, subject, settings, clients)
            if found not in checklist.findings and not named_by_mapping(error, clients.airtable):
                checklist.findings.append(found)

    collect("leads from cards", lambda: check_card_ids(clients.airtable, checklist))
    collect("Airtable", lambda: _check_leads(settings, clients.airtable, every_minutes, so_far))
    if settings.airtable_change_feed is ChangeFeed.ON:
        collect("change feed", lambda: _check_feed(clients.airtable))
    collect("Trello", lambda: _check_trello_token(clients.trello))
    collect("Trello", lambda: _check_lists(settings, clients.trello, checklist, so_far))
    collect("mapping", lambda: _check_mapping(settings, clients.airtable, so_far))
    checklist.mapping = rows_of(settings.mapping, so_far)
    collect("cards", lambda: _check_cards(settings, clients, so_far))
    collect("state database", lambda: _check_state(clients))
    collect("files", lambda: _check_rights(clients))
    return checklist


def _check_leads(settings: Settings, airtable: Airtable, every_minutes: float, so_far: ReadSoFar) -> Iterator[Finding]:
    read = airtable.fetch_leads()
    so_far.leads, so_far.records, leads = read.leads, read.records, read.leads
    table, base_id = settings.airtable_table_name, settings.airtable_base_id
    yield Finding("Airtable table", Level.OK, f"{len(leads)} leads read from table {table!r} of {base_id}")
    if may_write(airtable):
        yield Finding("Airtable token", Level.OK, "may read and write")
    else:
        remedy = "Give AIRTABLE_API_TOKEN the scope data.records:write, and its user the role editor."
        yield Finding("Airtable token", Level.FAIL, "may read and not write", remedy)
    known = settings.status_map.stage_of
    unknown = sorted(set(leads["status"]) - {"", *known})
    if unknown:
        remedy = f"Use {', '.join(known)}, or add them to SYNC_STATUS_MAP."
        yield Finding("statuses in use", Level.WARN, f"not in the map: {', '.join(unknown)}", remedy)
    else:
        yield Finding("statuses in use", Level.OK, "all known")
    yield _forecast(len(leads), every_minutes, settings)


def _forecast(leads: int, every_minutes: float, settings: Settings) -> Finding:
    """The scheduled deployment reads with `auto`: one call, and all pages once in SYNC_FULL_EVERY, or with a view."""
    runs, pages = math.ceil(MINUTES_A_MONTH / every_minutes), pages_of(leads, PAGE)
    full_runs = math.ceil(MINUTES_A_MONTH * 60 / max(1.0, settings.sync_full_every.total_seconds()))
    calls = runs + (pages - 1) * (runs if settings.airtable_view else min(runs, full_runs))
    allowed = settings.airtable_monthly_calls or FREE_CALLS
    whose = "AIRTABLE_MONTHLY_CALLS" if settings.airtable_monthly_calls else "the Free plan"
    detail = (
        f"about {calls:,} Airtable calls a month at one run every {every_minutes:g} minutes, and some for each edit"
    )
    if calls <= allowed:
        return Finding("API quota", Level.OK, f"{detail}; {whose} allows {allowed:,}")
    fits = math.ceil(every_minutes * calls / allowed)
    remedy = f"Sync every {fits} minutes or less often, or set AIRTABLE_MONTHLY_CALLS to what your plan allows."
    return Finding("API quota", Level.WARN, f"{detail}; {whose} allows {allowed:,}", remedy)


def _check_feed(airtable: Airtable) -> Iterator[Finding]:
    """A run goes on without the feed, so what is missing is no failure."""
    problems = []
    try:
        AirtableWebhooks(airtable).fetch()
    except ConfigurationError as error:
        problems.append(("webhooks cannot be listed", str(error)))
    if fetch_ids(airtable) is None:
        problems.append(("the ids of table and columns are not known", NEEDS_IDS))
    role = fetch_role(airtable)
    if role not in ("", "create"):
        remedy = "Give the user of AIRTABLE_API_TOKEN the role creator in the base, or set AIRTABLE_CHANGE_FEED=off."
        problems.append((f"the token's user has the role {role!r}, and only a creator makes webhooks", remedy))
    for problem, remedy in problems:
        yield Finding("change feed", Level.WARN, problem, remedy)
    if not problems:
        yield Finding("change feed", Level.OK, "the token may keep a webhook" if role else "the role was not checked")


def _check_trello_token(trello: Trello) -> Iterator[Finding]:
    token = fetch_token(trello)
    if not token.may_write:
        remedy = "Make a new TRELLO_API_TOKEN with the scopes read and write."
        yield Finding("Trello token", Level.FAIL, "may read and not write", remedy)
    elif token.expires is None:
        yield Finding("Trello token", Level.OK, "may read and write, and never expires")
    else:
        soon = token.expires - datetime.datetime.now(datetime.UTC) < EXPIRY_WARNING
        detail = f"may read and write, and expires on {token.expires:%Y-%m-%d}"
        remedy = "Make a new TRELLO_API_TOKEN that never expires." if soon else ""
        yield Finding("Trello token", Level.WARN if soon else Level.OK, detail, remedy)


def _check_lists(settings: Settings, trello: Trello, checklist: Checklist, so_far: ReadSoFar) -> Iterator[Finding]:
    so_far.described, lists = describe(trello)
    board_id = so_far.described.board_id
    absent = absent_lists(trello, lists)
    checklist.repairs += [Repair(f"list {stage}", _list(trello, board_id, stage)) for stage in absent]
    so_far.board = board = resolved(so_far.described, lists, trello)
    yield Finding("Trello board", Level.OK, f"{board.name!r}, {board.url}")
    names = {item["id"]: item["name"] for item in lists}
    for stage, list_id in board.lists.items():
        told = f"TRELLO_LIST_{stage}_ID={list_id}" if stage in STAGES else f"{names[list_id]!r} is {list_id}"
        yield Finding("Trello lists", Level.OK, told)
    closed = ", ".join(names[board.lists[stage]] for stage in settings.rules().closing.lists)
    told = f"cards may stay archived in {closed}" if closed else "none: see SYNC_DONE_LISTS"
    yield Finding("closed lists", Level.OK, told)


def _list(trello: Trello, board_id: str, name: str) -> Callable[[], None]:
    return lambda: add_list(trello, board_id, name)


def _check_mapping(settings: Settings, airtable: Airtable, so_far: ReadSoFar) -> Iterator[Finding]:
    so_far.models = fetch_columns(airtable)
    yield from check_fit(settings.mapping, so_far)
    if so_far.leads is not None:
        airtable.columns.tie(so_far.tied.generic)
        so_far.leads = airtable.leads_of(so_far.records.values())
        yield from check_values(so_far.leads, so_far)


def _check_cards(settings: Settings, clients: Clients, so_far: ReadSoFar) -> Iterator[Finding]:
    if so_far.leads is None or so_far.board is None:
        return
    pair = Pair(settings.airtable_base_id, settings.airtable_table_name, so_far.board.board_id)
    read = clients.trello.fetch_cards(replace(so_far.board, cells=so_far.tied.generic), known=())
    cards = without_others(read, base_frame(), so_far.leads, clients.store, pair.key)
    rules = replace(settings.rules(), cells=so_far.tied.generic)
    quarantine = reconcile(base_frame(), so_far.leads, cards.cards, rules).quarantine
    aside = [each for each in quarantine if each.card_id and not each.field]
    yield Finding("cards", Level.OK, f"{cards.total} open cards, {len(cards.cards)} with a LeadID line")
    for each in aside[:ROWS_NAMED]:
        yield Finding("cards", Level.WARN, f"{each.card_url or each.card_id}: {each.reason}", each.remedy)
    if len(aside) > ROWS_NAMED:
        more = f"and {len(aside) - ROWS_NAMED} more"
        yield Finding("cards", Level.WARN, more, "The report of a sync lists them all.")


def _check_state(clients: Clients) -> Iterator[Finding]:
    where = clients.store.database.shown_url
    try:
        with pair_lock(clients.store, "validate"):
            yield Finding("state database", Level.OK, f"{where} can be read and written")
    except BusyError:
        yield Finding("state database", Level.OK, f"{where} is in use by another check")


def _check_rights(clients: Clients) -> Iterator[Finding]:
    """Of the files with tokens in them, and of the state, which holds what people typed."""
    state = clients.store.database.path
    for file in filter(read_by_others, (*the_env_files(), *([state] if state else []))):
        remedy = f"Run chmod 600 {shlex.quote(str(file))}; if it was so for long, make new tokens."
        yield Finding("files", Level.WARN, f"others on this machine can read {file}", remedy)
