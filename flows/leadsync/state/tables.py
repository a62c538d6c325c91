"""The tables of the state database. Never here: a query."""

from __future__ import annotations

import sqlalchemy as sa

from leadsync.core.journal import IntentState
from leadsync.frames.agreed import BASE_COLUMNS, CELLS, NEVER_AGREED

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
        sa.Column(column, sa.Boolean if isinstance(getattr(NEVER_AGREED, column), bool) else sa.Text, nullable=False)
        for column in BASE_COLUMNS
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
    sa.Column("entries", sa.Text, nullable=False, server_default="[]"),
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

budget_table = sa.Table(
    "leadsync_budget",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("until", sa.Float, nullable=False),  # of a pause, by the server's clock [s since 1970]
)

pair_run_table = sa.Table(
    "leadsync_pair_run",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),  # by the name of its block
    sa.Column("due", sa.Float, nullable=False),  # [s since 1970]
    sa.Column("succeeded", sa.Float),  # when it last did [s since 1970]
    sa.Column("failures", sa.Integer, nullable=False),  # in a row
    sa.Column("message", sa.Text, nullable=False),  # how it ended last
)

spent_plan_table = sa.Table(
    "leadsync_spent_plan",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)

review_table = sa.Table(
    "leadsync_review",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),  # as in its file
)

run_table = sa.Table(
    "leadsync_run",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("pair", sa.String, nullable=False),
    sa.Column("at", sa.Float, nullable=False),  # when it began, by our clock [s since 1970]
    sa.Column("ended", sa.Float),  # None if it was cut off
    sa.Column("kind", sa.String, nullable=False),  # RunKind
    sa.Column("undoes", sa.String, nullable=False),  # the run that it takes back, else ""; of that only
    sa.Column("lead_id", sa.String, nullable=False),  # this lead, and
    sa.Column("field", sa.String, nullable=False),  # this field; "" for all
    sa.Index("leadsync_run_of_pair", "pair", "at"),
    sa.Index("leadsync_run_of_kind", "pair", "kind", "ended"),
)

change_table = sa.Table(
    "leadsync_change",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("pair", sa.String, nullable=False),
    sa.Column("run", sa.String, nullable=False, index=True),
    sa.Column("lead_id", sa.String, nullable=False),
    sa.Column("card_id", sa.String, nullable=False),
    sa.Column("at", sa.Float, nullable=False),  # when it was recorded, by our clock [s since 1970]
    sa.Column("field", sa.String, nullable=False),
    sa.Column("direction", sa.String, nullable=False),
    sa.Column("rule", sa.String, nullable=False),
    sa.Column("note", sa.String, nullable=False),
    sa.Column("airtable_before", sa.Text, nullable=False),
    sa.Column("trello_before", sa.Text, nullable=False),
    sa.Column("airtable_after", sa.Text, nullable=False),
    sa.Column("trello_after", sa.Text, nullable=False),
    sa.Column("cells", sa.Text, nullable=False),  # JSON, agreed | held | now | left -> columns of the base
    sa.Column("reverses", sa.Integer, index=True),  # id of the change that it takes back
    sa.Index("leadsync_change_of_lead", "pair", "lead_id"),
    sqlite_autoincrement=True,
)

conflict_table = sa.Table(
    "leadsync_conflict",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("lead_id", sa.String, primary_key=True),
    sa.Column("cell", sa.String, primary_key=True),  # as the base calls it
    sa.Column("since", sa.Float, nullable=False),  # by our clock [s since 1970]
    sa.Column("conflict", sa.Text, nullable=False),  # JSON, a Conflict
)

aside_table = sa.Table(
    "leadsync_aside",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("pair", sa.String, nullable=False, index=True),
    sa.Column("lead_id", sa.String, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("entry", sa.Text, nullable=False),  # JSON, a SetAside
)

check_table = sa.Table(
    "leadsync_check",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("card_id", sa.String, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),  # by our clock [s since 1970]
    sa.Column("status", sa.Text, nullable=False),
)

standing_table = sa.Table(
    "leadsync_standing",
    metadata,
    sa.Column("pair", sa.String, primary_key=True),
    sa.Column("side", sa.String, primary_key=True),  # lead | card
    sa.Column("id", sa.String, primary_key=True),
)
