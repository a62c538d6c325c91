"""Time and memory of the pure part, reconcile and plan, beside one outer merge of the same three frames."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Any

import pandas as pd

from leadsync.core.plan_rows import build_plan
from leadsync.core.reconcile import reconcile
from leadsync.frames.agreed import Agreed, base_frame
from leadsync.frames.block import render
from leadsync.frames.cards import cards_frame
from leadsync.frames.leads import leads_frame
from leadsync.frames.schema import frame_of
from leadsync.mapping.closing import Closing
from leadsync.mapping.names import BoardNames
from leadsync.mapping.rows import default_mapping
from leadsync.mapping.rules import Rules
from leadsync.mapping.tied import tie
from leadsync.model import DEFAULT_STAGE_OF, StatusMap

LISTS = {"TODO": "a" * 24, "IN_PROGRESS": "b" * 24, "DONE": "c" * 24}
STATUSES = list(DEFAULT_STAGE_OF)
COLUMNS = {name: name for name in ("name", "email", "status", "source")}
STATUS_MAP = StatusMap.from_stages(DEFAULT_STAGE_OF)
CELLS = tie(default_mapping(COLUMNS, STATUS_MAP), None, BoardNames({})).generic
RULES = Rules(STATUS_MAP, Closing.of(STATUS_MAP.stages, None), cells=CELLS)
Frames = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def frames(leads: int) -> Frames:
    """Base, leads and cards of `leads` leads with ids at random; 1 % of them have moved since, half on each side."""
    random.seed(leads)
    lead_ids = [f"rec{random.getrandbits(64):014x}"[:17].ljust(17, "0") for _ in range(leads)]
    card_ids = [f"{random.getrandbits(96):024x}" for _ in range(leads)]
    records, cards = {}, {}
    for number, (lead_id, card_id) in enumerate(zip(lead_ids, card_ids, strict=True)):
        status = STATUSES[number % 4]
        fields = {"name": f"Lead {number}", "email": f"lead{number}@example.com", "status": status, "source": "web"}
        records[lead_id] = {"id": lead_id, "fields": fields}
        block = render(lead_id, {"E-mail": f"lead{number}@example.com", "Source": "web"})
        place = LISTS[DEFAULT_STAGE_OF[status]]
        cards[card_id] = {"id": card_id, "name": f"Lead {number}", "desc": block, "idList": place, "idBoard": "board"}
    before = _both(records, cards)
    plan = build_plan(reconcile(base_frame(), *before, RULES), RULES)
    rows = [Agreed(lead).updated(columns) for lead, columns in plan.base_updates.items()]
    for number in range(0, leads, 200):
        records[lead_ids[number]]["fields"]["status"] = "LOST"
    for number in range(100, leads, 200):
        cards[card_ids[number]]["name"] = f"Renamed {number}"
    return frame_of(rows, Agreed), *_both(records, cards)


def _both(records: dict[str, Any], cards: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    stages = {list_id: stage for stage, list_id in LISTS.items()}
    return leads_frame(records.values(), COLUMNS, CELLS), cards_frame(cards.values(), "board", stages, cards, CELLS)


def decide(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame) -> int:
    """What a run does between reading and writing. Returns: the number of writes."""
    return build_plan(reconcile(base, airtable, trello, RULES), RULES).writes


def merge(base: pd.DataFrame, airtable: pd.DataFrame, trello: pd.DataFrame) -> int:
    """The yardstick: the three frames put side by side by lead id with `pandas.merge`."""
    leads = base.reset_index().merge(airtable.reset_index(), how="outer", on="lead_id", suffixes=("", "_airtable"))
    return len(leads.merge(trello.reset_index(), how="outer", on="lead_id", suffixes=("", "_trello")))


def seconds(made: Frames, repeats: int = 12) -> tuple[float, float]:
    """CPU time of `decide` and of `merge`, the medians of runs taken in turn [s]."""
    took: dict[Callable[..., Any], list[float]] = {decide: [], merge: []}
    for work in [decide, merge] * repeats:
        took[work].append(_cpu(work, made))
    return median(took[decide]), median(took[merge])


def first_run(made: Frames, repeats: int = 3) -> float:
    """CPU time of `decide` where there is no base and no card yet, the median [s]."""
    _, airtable, trello = made
    met = base_frame(), airtable, trello.iloc[:0]
    return median(_cpu(decide, met) for _ in range(repeats))


def _cpu(work: Callable[..., Any], made: Frames) -> float:
    began = time.process_time()
    work(*made)
    return time.process_time() - began


def peak(work: Callable[..., Any], made: Frames) -> float:
    """Memory allocated at the most while working [MB]."""
    tracemalloc.start()
    work(*made)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1e6
