"""What the state database keeps of our webhooks. Never here: a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leadsync.settings import Settings
from leadsync.state.store import StateStore

KIND = "webhook:"


@dataclass(frozen=True)
class Known:
    """What the state database keeps of our Airtable webhook: its id, and its secret (base64)."""

    airtable_id: str = ""
    airtable_secret: str = ""


def load_known(store: StateStore, settings: Settings) -> Known:
    """What is kept of the pair's Airtable webhook."""
    facts = store.facts.load(known_key(settings)) or {}
    return Known(**{name: str(facts.get(name, "")) for name in Known.__dataclass_fields__})


def webhooks_of_others(store: StateStore, settings: Settings) -> frozenset[str]:
    """Ids of the Airtable webhooks that are kept of all other pairs."""
    kept = store.facts.load_all(KIND)
    ours = known_key(settings)
    return frozenset(str(facts.get("airtable_id", "")) for key, facts in kept.items() if key != ours) - {""}


def known_key(settings: Settings) -> str:
    """The facts under which our webhook is kept."""
    return f"{KIND}{settings.airtable_base_id}/{settings.airtable_table_name}/{settings.trello_board_id}"


def is_whole(hook: dict[str, Any], table_id: str | None) -> bool:
    """Alive, about the table that the settings name, and telling all: no filter, and what the cells held before."""
    options = hook.get("specification", {}).get("options", {})
    filters, includes = options.get("filters", {}), options.get("includes") or {}
    given = {name for name, value in filters.items() if value}
    return (
        bool(hook.get("isHookEnabled", True))
        and given <= {"dataTypes", "recordChangeScope"}
        and "tableData" in filters.get("dataTypes", [])
        and filters.get("recordChangeScope") == table_id
        and bool(includes.get("includePreviousCellValues"))
    )
