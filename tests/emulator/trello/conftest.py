"""The emulated Trello, asked with its own credentials."""

import pytest


@pytest.fixture
def call(emulator, trello):
    return trello(emulator)


@pytest.fixture
def lists(emulator):
    return {name: emulator.trello.list_id(name) for name in ("TODO", "IN_PROGRESS", "DONE")}
