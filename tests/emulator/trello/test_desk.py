"""What people do on Trello by hand, and what they cannot."""

import pytest


def test_card_is_moved_archived_copied_deleted(emulator):
    card = emulator.trello.add_card("TODO", "Ada", "LeadID: x", due="2026-03-01")
    emulator.trello.move(card, "IN_PROGRESS")
    emulator.trello.edit(card, list_name="DONE", dueComplete=True)
    emulator.trello.archive(card)
    copied = emulator.trello.copy(card, "TODO")
    shown = emulator.trello.cards()
    assert shown[card]["closed"]
    assert shown[card]["idList"] == emulator.trello.list_id("DONE")
    assert shown[copied]["desc"] == "LeadID: x"
    assert not shown[copied]["closed"]
    assert copied > card
    emulator.trello.delete(copied)
    assert list(emulator.trello.cards()) == [card]


def test_unknown_card_field_or_list_raises(emulator):
    with pytest.raises(KeyError, match="colour"):
        emulator.trello.add_card("TODO", colour="red")
    with pytest.raises(KeyError, match="no list 'BACKLOG'"):
        emulator.trello.add_card("BACKLOG")


def test_lists_and_boards_change_by_hand(emulator, trello):
    emulator.trello.add_list("OLD")
    emulator.trello.rename_list("OLD", "OLDER")
    emulator.trello.archive_list("OLDER")
    emulator.trello.close_board()
    call, board = trello(emulator), emulator.trello.board_id
    assert [each["name"] for each in call("GET", f"boards/{board}/lists?filter=closed").json()] == ["OLDER"]
    assert call("GET", f"boards/{board}").json()["closed"] is True


def test_templates_and_mirrors_can_be_planted(emulator):
    template = emulator.trello.add_card("TODO", "T", isTemplate=True)
    mirror = emulator.trello.add_card(
        "TODO", "https://trello.com/c/AbCdEf12", cardRole="mirror", mirrorSourceId=template
    )
    assert emulator.trello.card(template)["isTemplate"] is True
    assert emulator.trello.card(mirror)["cardRole"] == "mirror"
