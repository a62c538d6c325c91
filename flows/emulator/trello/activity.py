"""
When a card was last active, and what the search index will see of it.

Which change counts as activity is decided by what makes it.
"""

from emulator.trello.model import Card
from emulator.trello.world import TrelloWorld


def touch(world: TrelloWorld, card: Card) -> None:
    """Move the dateLastActivity of a card and its board to now."""
    now = world.clock.now()
    card.last_activity = now
    world.boards[card.board_id].last_activity = now
    card.texts.append((now, f"{card.values['name']}\n{card.values['desc']}"))
