"""
Keeps the Airtable table Leads and a Trello board equal, in both directions, without losing an edit.

The words: *base*, what both sides agreed on last time. *Lead*, a record of the table; *card*, its form on the board.
*Mapping*, which column is tied to which property of a card; *cell*, one such tie of one lead; *lens*, how its two
values correspond. *Moved*, a cell that differs from its base on that side. *Stage*, a list of the board that the status
map names. *Decision*, what becomes of a lead or of a cell; *plan*, the writes that follow; *guard*, what refuses a
plan. *Conflict*, a cell that both sides moved to values that do not fit each other. *First match*, a lead and a card
that meet without a base. *Parked*, a card in a list outside the map. *Quarantine*, what is set aside with a reason.
*Intent*, a write noted in the journal before it is sent.

The floors, from below: errors, model, texts → mapping → settings, frames → core, transport → airtable, trello → state →
apply → report, pipeline → page → gateway. A file imports what lies below it. Nothing in here imports Prefect: only the
doors above and flows/runs do. The order of arguments is base, airtable, trello, everywhere.

Three recipes. A test follows each to the letter:

1. A property of cards that columns can be tied to is one row of _ROWS in mapping/properties.py. It says what the
   property is called, here and by Trello, how its value stands in JSON, and which kinds of columns fit it, by which
   lens; what it names for itself goes above _ROWS:

    RANKED: Final[Fits] = {ColumnKind.NUMBER: LensKind.NUMBER}

    Property("pos", "pos", Form(lambda held: number(held) if held else "", lambda value: value or "bottom"), RANKED),

   Then card = "pos" in leadsync.toml ties a column to it; validate, journal, deltas and reports know it by that.

2. A status or a list needs nothing in here. Add the option to the column in Airtable, and the status with its list to
   the map in .env; flows/validate.py --fix creates the list:

    SYNC_STATUS_MAP={"NEW": "TODO", "CONTACTED": "IN_PROGRESS", "OFFERED": "Offer", "QUALIFIED": "DONE", "LOST": "DONE"}

3. A rule is a row of a table in core/decisions.py, in place of the one with the same key: of ROW_DECISIONS for a lead
   as a whole, of CELL_DECISIONS and those beside it for a cell. An outcome that there was not is a member of
   RowDecision there, and a row of ROW_PLANNERS in core/plan_rows.py. So a lead that leaves the view takes its card
   along:

    FAREWELL = "farewell"

    (LeadPresence.OUT_OF_VIEW, CardPresence.OPEN): RowDecision.FAREWELL,

    RowDecision.FAREWELL: _archive,

   What must stop a run is no decision but a guard: a function in core/guards.py that raises GuardError.
"""
