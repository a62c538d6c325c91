"""
Trello's REST API under /1, and a person at its web client.

Files are called as in `emulator.airtable` where they do the same. Nothing here knows of Airtable, of HTTP itself
(`emulator.wire`), or of the program under test.
"""
