"""
The cells as data: which column is tied to which property of a card, and by which lens. Pure.

rows, loading: the mapping as a user writes it. columns, properties: what both ends know about each cell. terms, lenses,
dates: how two values correspond. cells: the rows tied to one table and one board. closing: which lists mean "done".
rules: what of the settings the planner may know. words, proposals, chosen, lines: what is likely meant, shown for a
person to change, and written down.
Never here: a frame, a client, a database, a decision about a lead.
"""
