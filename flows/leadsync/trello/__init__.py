"""Trello as the sync sees it; the only folder that imports py-trello. Never a decision."""
