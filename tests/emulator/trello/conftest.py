"""The emulated Trello, asked with its own credentials."""

import pytest


@pytest.fixture
def call(emulator, trello):
    return trello(emulator)


@pytest.fixture
def lists(emulator):
    return {name: emulator.trello.list_id(name) for name in ("TODO", "IN_PROGRESS", "DONE")}


@pytest.fixture
def card(emulator):
    return emulator.trello.add_card("TODO", "Ada")


@pytest.fixture
def feed(emulator, call):
    """`feed(limit=…)`: the board's activity, newest first."""
    return lambda **params: call("GET", f"boards/{emulator.trello.board_id}/actions", params=params).json()
