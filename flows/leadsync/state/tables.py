"""The tables of the state database. Never here: a query."""

from __future__ import annotations

import sqlalchemy as sa

from leadsync.core.journal import IntentState
from leadsync.frames.agreed import BASE_COLUMNS, CELLS

SCHEMA_VERSION = 5
metadata = sa.MetaData()
schema_version = sa.Table("leadsync_schema", metadata, sa.Column("version", sa.Integer, nullable=False))

facts_table = sa.Table(
    "leadsync_facts",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("facts", sa.Text, nullable=False),  # JSON
)

base_table = sa.Table(
    "leadsync_base",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("lead_id", sa.String, primary_key=True),
    *(
        sa.Column(column, sa.Boolean if dtype == "bool" else sa.Text, nullable=False)
        for column, dtype in BASE_COLUMNS.items()
        if column not in CELLS
    ),
    sa.Column("cells", sa.Text, nullable=False, server_default="{}"),  # JSON, name -> [lead's value, card's]
    sa.Index("leadsync_base_by_card", "pair", "card_id"),
)

intent_table = sa.Table(
    "leadsync_intent",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("pair", sa.String, nullable=False, index=True),
    sa.Column("side", sa.String, nullable=False),
    sa.Column("lead_id", sa.String, nullable=False),
    sa.Column("card_id", sa.String, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    # with a default, so that they can be added to a database of an earlier schema
    sa.Column("state", sa.String, nullable=False, server_default=IntentState.PENDING.value),
    sa.Column("run", sa.String, nullable=False, server_default=""),
    sa.Column("answered", sa.Float, nullable=False, server_default="0"),
    sa.Column("sent", sa.Text, nullable=False, server_default="{}"),
    sa.Column("undo", sa.Text, nullable=False, server_default="{}"),
    sa.Column("conflicts", sa.Text, nullable=False, server_default="[]"),
)

holder_table = sa.Table(
    "leadsync_holder",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
)

snapshot_table = sa.Table(
    "leadsync_seen",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("side", sa.String, primary_key=True),  # records | cards
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("marker", sa.Text, nullable=False, server_default=""),  # of a card, the lead that it names first
    sa.Index("leadsync_seen_by_marker", "pair", "marker"),
)

calls_table = sa.Table(
    "leadsync_calls",
    metadata,
    sa.Column("month", sa.String, primary_key=True),  # like 2026-11
    sa.Column("airtable", sa.Integer, nullable=False),
)

check_table = sa.Table(
    "leadsync_check",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("card_id", sa.String, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
)

finding_table = sa.Table(
    "leadsync_finding",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("pair", sa.String, nullable=False, index=True),
    sa.Column("lead_id", sa.String, nullable=False),
    sa.Column("card_id", sa.String, nullable=False),
    sa.Column("field", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("remedy", sa.Text, nullable=False),
    sa.Column("card_url", sa.Text, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
)
