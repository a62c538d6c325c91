"""
An authorised request, and finding what its path names, with the refusals for the missing and the forbidden.

Whether the caller may is checked before, in `service`.
"""

from dataclasses import dataclass

from emulator.airtable.account import Token
from emulator.airtable.model import Base, Record, Table
from emulator.airtable.refusals import NOT_PERMITTED_OR_MISSING, bare_refusal, refusal
from emulator.airtable.world import AirtableWorld
from emulator.ids import is_airtable_id
from emulator.wire.messages import Request


@dataclass(frozen=True)
class Call:
    """An authorised request with the values of its path."""

    request: Request
    token: Token
    values: dict[str, str]


def base_of(world: AirtableWorld, call: Call) -> Base:
    """The base of `{base}`."""
    base = world.base(call.values["base"])
    if base is None:
        raise bare_refusal(404, "NOT_FOUND")
    return base


def table_of(world: AirtableWorld, call: Call) -> Table:
    """The table of `{table}`, by name or id."""
    key = call.values["table"]
    table = base_of(world, call).table(key)
    if table is not None:
        return table
    if world.knobs.airtable_key_era_errors:
        words = f"Could not find table {key} in application {call.values['base']}"
        raise refusal(404, "TABLE_NOT_FOUND", words)
    raise refusal(403, NOT_PERMITTED_OR_MISSING)


def record_of(world: AirtableWorld, call: Call, table: Table) -> Record:
    """The record of `{record}` in a table."""
    record_id = call.values["record"]
    if not is_airtable_id("rec", record_id):
        raise bare_refusal(404, "NOT_FOUND")
    if record_id in table.records:
        return table.records[record_id]
    if world.knobs.airtable_key_era_errors:
        raise refusal(404, "MODEL_ID_NOT_FOUND", "Record not found")
    raise refusal(403, NOT_PERMITTED_OR_MISSING)
