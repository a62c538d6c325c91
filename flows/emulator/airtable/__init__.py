"""
Airtable's Web API under /v0, and a person at its web client.

Files are called as in `emulator.trello` where they do the same. Nothing here knows of Trello, of HTTP itself
(`emulator.wire`), or of the program under test.
"""
