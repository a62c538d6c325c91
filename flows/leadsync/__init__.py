"""
Keeps the Airtable table Leads and a Trello board equal, in both directions, without losing an edit.

The words: *base*, what both sides agreed on last time. *Lead*, a record of the table; *card*, its form on the board.
*Cell*, one field of one lead. *Moved*, a cell that differs from its base on that side. *Stage*, a list of the board
that the status map names. *Decision*, what becomes of a lead or of a cell; *plan*, the writes that follow; *guard*,
what refuses a plan. *Conflict*, a cell that both sides moved to values that do not fit each other. *First match*, a
lead and a card that meet without a base. *Parked*, a card in a list outside the map. *Quarantine*, what is set aside
with a reason. *Intent*, a write noted in the journal before it is sent.

The floors, from below: errors, model, texts, settings → mapping → frames → core → transport → airtable, trello →
state → apply → report, pipeline → gateway. A file imports what lies below it. Nothing in here imports Prefect: only
the doors above and flows/runs do. The order of arguments is base, airtable, trello, everywhere.
"""
