"""Due and start of a card: formats, clearing, and what the feed tells."""

import pytest


@pytest.mark.parametrize("field", ["due", "start"])
@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00.000Z"),
        ("2026-03-01T12:00:00.987Z", "2026-03-01T12:00:00.000Z"),
        ("2026-03-01", "2026-03-01T00:00:00.000Z"),
        ("2026-03-01 12:00:00 UTC", "2026-03-01T12:00:00.000Z"),
        (None, None),
        ("null", None),
    ],
)
def test_date_is_taken_in_whole_seconds_of_utc(emulator, call, card, field, given, stored):
    call("PUT", f"cards/{card}", json={field: "2020-01-01"})
    assert call("PUT", f"cards/{card}", json={field: given}).json()[field] == stored
    shown = call("GET", f"cards/{card}", params={"fields": f"{field},badges"}).json()
    assert (shown[field], shown["badges"][field]) == (stored, stored)


@pytest.mark.parametrize("given", ["soon", 7, True, ["2026-03-01"]])
@pytest.mark.parametrize("field", ["due", "start"])
def test_what_is_no_date_is_refused(emulator, call, card, field, given):
    answer = call("PUT", f"cards/{card}", json={field: given, "name": "Bob"})
    assert (answer.status_code, answer.text) == (400, f"invalid value for {field}")
    assert emulator.trello.card(card)["name"] == "Ada"


@pytest.mark.parametrize(("clears", "status"), [(True, 200), (False, 400)])
def test_empty_text_for_a_date_under_both_readings(make, trello, clears, status):
    emulator = make(trello_empty_date_clears=clears)
    card = emulator.trello.add_card(due="2026-03-01")
    answer = trello(emulator)("PUT", f"cards/{card}", json={"due": ""})
    assert answer.status_code == status
    assert (emulator.trello.card(card)["due"] is None) is clears
    assert clears or answer.text == "Invalid date"


def test_date_left_out_of_a_put_stays(emulator, call, card):
    emulator.trello.edit(card, due="2026-03-01", start="2026-02-01", dueComplete=True)
    changed = call("PUT", f"cards/{card}", json={"name": "Bob", "dueComplete": None}).json()
    assert changed["due"] == "2026-03-01T00:00:00.000Z"
    assert changed["start"] == "2026-02-01T00:00:00.000Z"
    assert changed["dueComplete"] is True


def test_feed_tells_dates_with_their_former_values(emulator, call, card, feed):
    """One action a field, the new value in data.card, the former one in data.old."""
    call("PUT", f"cards/{card}", json={"due": "2026-03-01", "start": "2026-02-01", "dueComplete": True})
    call("PUT", f"cards/{card}", json={"due": None})
    told = [(each["data"]["old"], each["data"]["card"]) for each in feed(filter="updateCard")]
    assert [old for old, _ in told] == [
        {"due": "2026-03-01T00:00:00.000Z"},
        {"dueComplete": False},
        {"start": None},
        {"due": None},
    ]
    assert told[0][1]["due"] is None
    assert told[2][1]["start"] == "2026-02-01T00:00:00.000Z"
    assert len(feed(filter="updateCard:due")) == 2


def test_first_due_date_by_hand_brings_a_reminder_first(emulator, call, card, feed):
    emulator.trello.set_due(card, "2026-03-01T12:00:00Z")
    emulator.trello.set_due(card, "2026-03-02T12:00:00Z")
    emulator.trello.set_due(card, None)
    olds = [each["data"]["old"] for each in feed(filter="updateCard")]
    assert [set(old) for old in olds] == [{"due"}, {"due"}, {"due"}, {"dueReminder"}]
    assert feed()[3]["data"]["card"]["dueReminder"] == 1440
    assert emulator.trello.card(card)["due"] is None


def test_ticked_card_without_a_due_date(emulator, call, card):
    changed = call("PUT", f"cards/{card}", json={"dueComplete": "true"}).json()
    assert (changed["due"], changed["dueComplete"]) == (None, True)


# What the emulator has not


@pytest.mark.parametrize("field", ["cover", "address", "coordinates", "dueReminder", "idAttachmentCover"])
def test_card_field_that_is_not_emulated_is_not_ignored(emulator, call, card, field):
    for method, path, body in (
        ("PUT", f"cards/{card}", {field: "x"}),
        ("PUT", f"cards/{card}/{field}", {"value": "x"}),
        ("POST", "cards", {field: "x", "idList": emulator.trello.list_id("TODO")}),
    ):
        answer = call(method, path, json=body)
        assert answer.status_code == 501
        assert answer.text.startswith("emulator:")
    assert len(emulator.trello.cards()) == 1


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("cards/{card}", {"fields": "name,nodeId"}),
        ("cards/{card}", {"membersVoted": "true"}),
        ("boards/{board}/cards", {"checkItemStates": "true"}),
        ("boards/{board}/actions", {"idModels": "x"}),
        ("boards/{board}/actions", {"format": "count"}),
        ("boards/{board}", {"organization": "true"}),
        ("boards/{board}/memberships", {"member": "true"}),
    ],
)
def test_parameter_that_is_not_emulated_is_not_ignored(emulator, call, card, path, params):
    answer = call("GET", path.format(card=card, board=emulator.trello.board_id), params=params)
    assert answer.status_code == 501
    assert answer.text.startswith("emulator:")


def test_actions_without_the_members(emulator, call, card, feed):
    params = {"memberCreator": "false", "member": "false"}
    (action,) = feed(**params)
    assert "memberCreator" not in action
    assert "idMemberCreator" in action
