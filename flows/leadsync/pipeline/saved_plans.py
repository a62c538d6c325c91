"""
A run's plan as it is saved, and a run that is held to a saved one: nothing else is written than what was read there.

Never here: the file, what is in a saved plan (see core/saved_plan.py), a write to a service.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Mapping
from typing import Any, Final

from pydantic import SecretStr

from leadsync.core.decisions import ARCHIVED
from leadsync.core.moved_since import Moved, moved_since
from leadsync.core.planned_from import NOWHERE, Row, Sight, base_digest
from leadsync.core.saved_plan import SavedPlan, listed_in, writes_of
from leadsync.errors import PlanRefusedError
from leadsync.frames.cards import Card
from leadsync.frames.schema import rows_of
from leadsync.pipeline.absences import archived_cards
from leadsync.pipeline.clients import now_utc
from leadsync.pipeline.planning import Planned
from leadsync.pipeline.steps import Options
from leadsync.pipeline.under_way import Run
from leadsync.settings import Settings
from leadsync.state.kept import Spent
from leadsync.state.pair import Pair
from leadsync.state.store import StateStore

SAYS_NOTHING: Final = {
    "airtable_base_id",
    "airtable_table_name",
    "airtable_endpoint_url",
    "airtable_requests_per_second",
    "airtable_monthly_calls",
    "airtable_change_feed",
    "trello_board_id",
    "trello_endpoint_url",
    "trello_requests_per_10_seconds",
    "sync_full_every",
    "sync_history_days",
    "sync_public_url",
    "sync_api_token",
    "trello_api_secret",
}
"""Settings that say nothing about what is to be written: the pair is told by its ids, the rest is how it is reached."""
AGAIN: Final = "Nothing was written. Make a new plan with flows/sync.py --dry-run --out."
SHOWN: Final = 3
"""Differences in a sentence; the report has them all."""


def save(run: Run, planned: Planned) -> SavedPlan:
    """What this pass would write, to be applied later."""
    return _document(run, planned)[0]


def refuse_unfinished(options: Options, found: Collection[object]) -> None:
    """`found`: what earlier writes landed on. Raises: PlanRefusedError, for giving that back is in no plan."""
    if found and (options.plan or options.saves):
        raise PlanRefusedError(
            "An earlier run's write landed on an edit, which is given back before anything else is planned. Run once "
            "without a plan, then make one."
        )


def refuse_foreign(saved: SavedPlan, pair: Pair, settings: Settings, options: Options, store: StateStore) -> None:
    """Raises: PlanRefusedError if the plan is of another pair or of other settings, or was applied before."""
    if saved.pair != _told(pair):
        theirs, ours = (", ".join(f"{what} {which}" for what, which in of.items()) for of in (saved.pair, _told(pair)))
        raise PlanRefusedError(f"The plan is of another pair ({theirs}; this one is {ours}). {AGAIN}")
    if spent := store.spent_plans.load(id=saved.id):
        raise PlanRefusedError(
            f"The plan was applied already, on {spent.at}, and a plan is applied once. Nothing was written. If that "
            "run was cut off, the next sync goes on from there."
        )
    now = _settings(settings)
    others = sorted(name for name, digest in saved.settings.items() if now.get(name, digest) != digest)
    others += sorted(name for name, value in _options(options).items() if saved.options.get(name) != value)
    if others:
        raise PlanRefusedError(f"The plan was made with another {', '.join(others)}. {AGAIN}")


def hold_to(run: Run, planned: Planned, after_labels: bool = False) -> None:
    """
    `after_labels`: those that the plan names have been created, and what depends on them is news.

    Raises: PlanRefusedError, with all that has moved in the report, unless this pass would write what the plan says.
    """
    saved = run.options.plan
    if saved is None:
        return
    now, sight = _document(run, planned, saved)
    cells = planned.lists.board.cells
    apart = {cell.field for cell in cells if cell.card.name == "labels"} if after_labels else set[str]()
    moved = moved_since(saved, now, sight.agreed, cells, apart)
    run.telling.moved(moved)
    since = " A sync has run since." if saved.base != now.base else ""
    if moved or since:
        raise PlanRefusedError(f"{_sentence(moved)}{since} {AGAIN}")


def spent_by(run: Run) -> Spent | None:
    """What the run's journal says of the plan that is applied; None without one."""
    plan = run.options.plan
    return None if plan is None else Spent(plan.id, run.run_id, f"{now_utc():%Y-%m-%d %H:%M:%S} UTC")


def _document(run: Run, planned: Planned, saved: SavedPlan | None = None) -> tuple[SavedPlan, Sight]:
    """`saved`: a former one, of whose leads there is to be a row."""
    board, known = planned.lists.board, saved.rows if saved else {}
    plan = planned.plan
    strangers = _strangers(run, planned, known)
    for row in known.values():  # a card that was the lead's, and is nobody's by what it says, is shown beside it
        if row.card_id in strangers and row.lead_id in plan.sides and not plan.sides[row.lead_id][1].card_id:
            plan.sides[row.lead_id] = plan.sides[row.lead_id][0], strangers[row.card_id]
    for lead_id, card in _put_away(run, planned).items():
        plan.sides[lead_id] = plan.sides[lead_id][0], card
    sight = Sight(plan, planned.base, board.cells, strangers)
    settings = run.settings
    document = SavedPlan(
        id=uuid.uuid4().hex,
        made_at=now_utc().isoformat(timespec="seconds"),
        pair=_told(Pair(settings.airtable_base_id, settings.airtable_table_name, board.board_id)),
        options=_options(run.options),
        settings=_settings(settings),
        base=base_digest(planned.base),
        lists=dict(board.lists),
        labels=list(planned.lacking),
        writes=writes_of(plan, sight),
        listed=listed_in(plan, sight, known if saved else plan.sides),
    )
    return document, sight


def _strangers(run: Run, planned: Planned, known: Mapping[str, Row]) -> dict[str, Card]:
    """Cards of these rows that are nobody's now, by id."""
    there = {str(card["id"]) for card in planned.strangers}
    asked = {row.card_id for row in known.values()} & there
    if not asked:
        return {}
    found = run.clients.trello.cards_of(planned.lists.board, planned.strangers, asked)
    return {card.card_id: card for card in rows_of(found, Card) if card.card_id in asked}


def _put_away(run: Run, planned: Planned) -> dict[str, Card]:
    """Archived cards of the plan's leads, by those: no read shows them, and an edit of one is an edit like any."""
    base, sides = planned.base, planned.plan.sides
    known = base["card_id"][base["card_presence"].isin(ARCHIVED)].items()
    unread = {card_id: lead_id for lead_id, card_id in known if lead_id in sides and not sides[lead_id][1].card_id}
    found = archived_cards(unread.keys(), run.clients.trello, planned.lists.board)
    return {unread[card.card_id]: card for card in rows_of(found, Card)}


def _sentence(moved: list[Moved]) -> str:
    if not moved:
        return "The plan no longer holds: what both sides agreed on is another."
    many = f"{len(moved)} thing{'s' if len(moved) > 1 else ''} moved since the plan was made"
    told = "; ".join(_of_one(each) for each in moved[:SHOWN])
    return f"{many}: {told}{' …' if len(moved) > SHOWN else ''}."


def _of_one(moved: Moved) -> str:
    where = {"airtable": " on Airtable", "trello": " on Trello", "": ""}[moved.side]
    whose = moved.lead_id or moved.card_id
    what = f"{moved.field} of {whose}{where}" if whose else moved.field
    return f"{what} ({moved.planned[:80] or NOWHERE!r} → {moved.now[:80] or NOWHERE!r})"


def _told(pair: Pair) -> dict[str, str]:
    return {"base": pair.base_id, "table": pair.table, "board": pair.board_id}


def _options(options: Options) -> dict[str, str | bool]:
    """As the command has them."""
    conflict = "settings" if options.conflict is None else options.conflict.value
    return {"conflict": conflict, "allow_mass_change": options.allow_mass_change, "adopt": options.adopt.value}


def _settings(settings: Settings) -> dict[str, str]:
    """Environment name -> digest, of what has a say in a plan; nothing of a secret."""
    said = {name: getattr(settings, name) for name in Settings.model_fields if name not in SAYS_NOTHING}
    return {name.upper(): _digest(value) for name, value in said.items() if not isinstance(value, SecretStr)}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=_plain).encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    return vars(value) if hasattr(value, "__dict__") else str(value)
