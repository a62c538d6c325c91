"""Both services in a process of their own, so that only ours is measured. Told on stdin what people do there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "flows"))

from emulator import Emulator, ManualClock

OPEN_CARDS = 5_000
"""The most that a board of Trello's takes."""
PLACES = {"NEW": "TODO", "CONTACTED": "IN_PROGRESS", "QUALIFIED": "DONE", "LOST": "DONE"}


def populated(leads: int) -> Emulator:
    """Leads that have cards already, which carry their block: the first OPEN_CARDS open, those of the rest archived."""
    emulator = Emulator(clock=ManualClock(), trello_open_cards_limit=100_000)
    for number in range(leads):
        status = list(PLACES)[number % 4] if number < OPEN_CARDS else ("QUALIFIED", "LOST")[number % 2]
        name, email = f"Lead {number}", f"lead{number}@example.com"
        lead_id = emulator.airtable.add_lead(name, email, status, "web")
        block = f"E-mail: {email}\nSource: web\nLeadID: {lead_id}"
        card_id = emulator.trello.add_card(PLACES[status], name, block, pos=number + 1)
        if number >= OPEN_CARDS:
            emulator.trello.archive(card_id)
    emulator.clock.advance(3_600.0)
    return emulator


def edit(emulator: Emulator, edits: int, turn: int) -> None:
    """Half of them at Airtable, half at Trello, each turn other leads; all of them of leads with open cards."""
    leads = [*emulator.airtable.records()][: min(OPEN_CARDS, len(emulator.airtable.records()))]
    cards = [card_id for card_id, card in sorted(emulator.trello.cards().items()) if not card["closed"]]
    for number in range(edits // 2):
        at = (turn * edits + number) % (len(leads) // 2)
        emulator.airtable.edit(leads[at], name=f"Renamed {turn}")
        emulator.trello.edit(cards[len(cards) // 2 + at], name=f"Retitled {turn}")


def main() -> None:
    """Answers each line of stdin, `advance SECONDS` or `edit EDITS TURN`, with one of JSON."""
    with populated(int(sys.argv[1])) as emulator:
        print(json.dumps(emulator.settings()), flush=True)
        for line in sys.stdin:
            what, *numbers = line.split()
            if what == "edit":
                edit(emulator, *map(int, numbers))
            emulator.clock.advance(float(numbers[0]) if what == "advance" else 5.0)
            print("{}", flush=True)


if __name__ == "__main__":
    main()
