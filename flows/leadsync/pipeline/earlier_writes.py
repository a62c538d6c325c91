"""
Writes that nobody has checked yet: what they landed on, as far as both services' feeds tell, is given back.

What is never here: the writes of this pass themselves, a decision about what was given back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from leadsync.apply.outcome import Outcome
from leadsync.apply.repair_cards import Checkup, repair
from leadsync.apply.repair_leads import repair_leads, unchecked_patches
from leadsync.apply.target import Target
from leadsync.errors import LeadsyncError, StateStoreError
from leadsync.frames.actions import Item
from leadsync.frames.payloads import LeadChange, named
from leadsync.frames.snapshot import Mark, Snapshot
from leadsync.pipeline.change_feed import ChangeFeed, News
from leadsync.pipeline.extract import OVERLAP
from leadsync.pipeline.planning import Planned
from leadsync.pipeline.under_way import Run
from leadsync.state.snapshots import RECORDS


def give_back_earlier(run: Run, planned: Planned, checkup: Checkup) -> list[str]:
    """
    What writes that no run has checked yet landed on is given back, and decided about by the next pass.

    Returns: the leads concerned.
    """
    target = run.target(planned.lists.board)
    repairs = repair(checkup, run.clients.trello, target)
    run.telling.repaired(repairs)
    return repairs.given_back + _repair_leads(run, planned.told, target)


def _repair_leads(run: Run, told: Sequence[LeadChange], target: Target) -> list[str]:
    """The same for leads, as far as Airtable has `told`. Returns: the leads concerned."""
    if run.feed is None:  # switched off since
        run.clients.store.journal.end_intents(unchecked_patches(target))
        return []
    repairs = repair_leads(told, run.feed.fields, run.clients.airtable, target)
    run.telling.repaired(repairs)
    return repairs.given_back


def check_leads(run: Run, planned: Planned, snapshot: Snapshot, outcome: Outcome) -> Snapshot:
    """
    After the writes: what did they replace, and which leads did somebody else change meanwhile?

    One listing of payloads serves both, unless there is nothing to check and this pass has asked already. What it
    names is read by the next run: the mark that is kept with what was seen holds the ids. If it cannot be read, or
    something cannot be given back, the mark stays and the next run asks again.

    `snapshot`: both sides after the writes. Returns: the same with the feed taken in. Leads of which something was
    given back are added to those postponed by `outcome`.
    """
    feed, target = run.feed, run.target(planned.lists.board)
    if feed is None or not feed.follows(snapshot.feed) or (planned.feed_asked and not unchecked_patches(target)):
        return snapshot
    try:
        news = feed.read(snapshot.feed)
        if news is None:
            return replace(snapshot, feed=Mark())
        outcome.postponed += _repair_leads(run, news.changes, target)
    except StateStoreError:
        raise
    except LeadsyncError as error:
        run.telling.note(f"Whether writes to leads landed on somebody's edit is checked by the next run ({error}).")
        return snapshot
    since = 0.0 if planned.feed_asked else snapshot.airtable_at - OVERLAP
    told = {change.lead_id for change in news.changes}
    known = snapshot.records
    if snapshot.concerned is not None:
        known = run.clients.store.snapshots.load_items(run.pair, RECORDS, told - known.keys()) | known
    return _taken_in(news, feed, snapshot, known, since, by_view=bool(run.settings.airtable_view))


def _taken_in(
    news: News, feed: ChangeFeed, snapshot: Snapshot, known: Mapping[str, Item], since: float, by_view: bool
) -> Snapshot:
    """Changes from before the read are in it; of those `since` then what is not known yet remains to be read."""
    later = [change for change in news.changes if change.at >= since]
    told = {change.lead_id for change in news.changes}
    to_read = named(later, feed.cells_of(known, told)).to_read
    written = [item_id for item_id in snapshot.written if item_id not in told]
    return replace(snapshot, feed=replace(news.mark, unread=() if by_view else tuple(to_read)), written=written)
