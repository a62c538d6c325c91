"""What the settings together say of columns and lists: the mapping, its status map. Never here: a single setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadsync.errors import ConfigurationError
from leadsync.mapping.loading import load_mapping
from leadsync.mapping.rows import DEFAULT_CARDS, CellMapping, default_mapping
from leadsync.mapping.terms import as_map
from leadsync.model import StatusMap

MAPPED_BY = {"sync_status_map", *(f"airtable_{ours}_field" for ours in DEFAULT_CARDS)}
"""The settings that the default rows are made of; of one that is wrong nothing else can be said."""


def mapping_of(values: Mapping[str, Any], where: str = "the mapping") -> CellMapping:
    """`where`: what its text is called. Raises: ValueError naming what is wrong with the rows."""
    named = {ours: values[f"airtable_{ours}_field"] for ours in DEFAULT_CARDS}
    defaults = default_mapping(named, values["sync_status_map"])
    if not (given := values["sync_fields"]):
        return defaults
    try:
        return load_mapping(given, defaults, where)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None


def status_map_of(values: Mapping[str, Any], mapping: CellMapping) -> StatusMap:
    """SYNC_STATUS_MAP, unless the mapping's row for the list has a map of its own."""
    own: StatusMap = values["sync_status_map"]
    status = mapping.of("list")
    return own if status is None or status.map == as_map(own) else StatusMap.from_stages(dict(status.map))
