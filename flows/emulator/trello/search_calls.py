"""
Finding cards and boards by words, and an action by its id.

Nothing here sees what the index has not seen yet.
"""

import re
from typing import Any

from emulator.trello.call import TrelloCall
from emulator.trello.fields import BOARD_DEFAULT_FIELDS, chosen
from emulator.trello.model import Card
from emulator.trello.refusals import invalid, not_found
from emulator.trello.values import asked, id_list, text, whole_number
from emulator.trello.world import TrelloWorld
from emulator.wire.messages import Reply, json_reply, unsupported
from emulator.wire.routing import Route, route

SEARCHED_BY = (
    "query modelTypes idBoards cards_limit cards_page card_fields board_fields partial member_fields "
    "organization_fields"
)
"""The last two would only tell how those are shown who are never found here."""
FOUND = ("all", "boards", "cards")


class SearchCalls:
    """Endpoints under /1/search and /1/actions."""

    def __init__(self, world: TrelloWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Routes in order of precedence."""
        return [
            route("GET", "search", self._search, takes=SEARCHED_BY),
            route("GET", "actions/{action}", self._action),
        ]

    def _search(self, call: TrelloCall) -> Reply:
        query = text(call.given.get("query"), "query", self._world.knobs)
        if not query:
            raise invalid("query")
        terms = [term for term in query.lower().split() if ":" not in term or term.endswith(":")]
        kinds = str(call.given.get("modelTypes") or "all").split(",")
        if unknown := sorted(set(kinds) - set(FOUND)):
            raise unsupported(f"searching {', '.join(unknown)}")
        partial = asked(call.given, "partial")
        answer: dict[str, Any] = {
            "options": {
                "terms": [{"text": term} for term in terms],
                "modifiers": [],
                "modelTypes": kinds,
                "partial": partial,
            }
        }
        if "cards" in kinds or "all" in kinds:
            answer["cards"] = self._found_cards(call, terms, partial)
        if "boards" in kinds or "all" in kinds:
            seen = [b for b in self._world.boards.values() if b.visible and _speaks_of(terms, b.name, partial)]
            shown = call.given.get("board_fields")
            fields = None if shown is None else str(shown)
            answer["boards"] = [chosen(board.model(), fields, BOARD_DEFAULT_FIELDS) for board in seen]
        return json_reply(answer)

    def _found_cards(self, call: TrelloCall, terms: list[str], partial: bool) -> list[dict[str, Any]]:
        size = whole_number(call.given, "cards_limit", 10, 1, 1000)
        page = whole_number(call.given, "cards_page", 0, 0, 100)
        scope = id_list(call.given.get("idBoards"), "idBoards") if call.given.get("idBoards") != "mine" else []
        cards = [c for c in self._world.cards.values() if self._world.boards[c.board_id].visible]
        cards = [card for card in cards if not scope or card.board_id in scope]
        found = [card for card in cards if _speaks_of(terms, self._indexed_text(card), partial)]
        fields = call.given.get("card_fields")
        wanted = None if fields is None else str(fields)
        return [chosen(card.model(), wanted) for card in found[page * size : (page + 1) * size]]

    def _indexed_text(self, card: Card) -> str:
        """What the index knew `trello_search_lag` seconds ago."""
        horizon = self._world.clock.now() - self._world.knobs.trello_search_lag
        return next((words for at, words in reversed(card.texts) if at <= horizon), "")

    def _action(self, call: TrelloCall) -> Reply:
        for action in self._world.feed:
            if action["id"] == call.values["action"]:
                return json_reply(action)
        raise not_found()


def _speaks_of(terms: list[str], content: str, partial: bool) -> bool:
    """Whether each word of the terms is one of the content, or begins one if they may be `partial`."""
    words = set(re.findall(r"\w+", content.lower()))
    wanted = re.findall(r"\w+", " ".join(terms))
    return all(any(word.startswith(each) for word in words) if partial else each in words for each in wanted)
