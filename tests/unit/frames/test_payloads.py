"""Payloads of Airtable's webhooks, parsed: what they say, which leads they name, and what cannot be read."""

from __future__ import annotations

import pytest

from leadsync.frames.payloads import ChangeKind, LeadChange, PayloadError, cell_text, named, read_payloads

TABLE, ADA, BOB, NAME, STATUS = "tblLeads", "recAda", "recBob", "fldName", "fldStatus"
CREATED, CHANGED, DESTROYED = ChangeKind.CREATED, ChangeKind.CHANGED, ChangeKind.DESTROYED
USER = {"source": "client", "sourceMetadata": {"user": {"id": "usrMe", "email": "me@example.com"}}}


def payload(changes, action=USER, **more):
    told = {"timestamp": "2026-01-01T00:00:42.507Z", "baseTransactionNumber": 4, "payloadFormat": "v0"}
    return told | {"actionMetadata": action, "changedTablesById": {TABLE: changes}} | more


def cells(**values):
    return {"cellValuesByFieldId": values}


def changed(current, **more):
    return {"changedRecordsById": {ADA: {"current": cells(**current)} | more}}


def test_change_holds_what_was_what_is_and_who_did_it():
    """A select is told as an object and read as its name; a cleared cell is empty."""
    old = {"id": "selNew", "name": "NEW", "color": "blueLight2"}
    (change,) = read_payloads([payload(changed({STATUS: None}, previous=cells(**{STATUS: old})))], TABLE)
    assert change == LeadChange(
        ADA, CHANGED, {STATUS: ""}, {STATUS: "NEW"}, "client", "usrMe", 1_767_225_642.507, transaction=4
    )


def test_change_without_former_values_says_so():
    """Absent is not empty."""
    told = [changed({NAME: "Ada"}), changed({NAME: "Ada"}, previous=cells())]
    assert [change.previous for change in read_payloads(map(payload, told), TABLE)] == [None, {}]


def test_created_changed_and_destroyed_leads_come_in_the_order_of_the_payloads():
    """Other tables are no concern of ours, nor are changes of columns."""
    told = [
        payload({"createdRecordsById": {ADA: {"createdTime": "2026-01-01T00:00:00.000Z"} | cells(**{NAME: "Ada"})}}),
        payload(changed({NAME: "Countess"})),
        payload({"destroyedRecordIds": [BOB], "changedFieldsById": {NAME: {"current": {}}}}),
        payload({}) | {"changedTablesById": {"tblOther": changed({NAME: "Else"})}},
    ]
    assert [(each.lead_id, each.kind) for each in read_payloads(told, TABLE)] == [
        (ADA, CREATED),
        (ADA, CHANGED),
        (BOB, DESTROYED),
    ]


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"error": True, "code": "INVALID_FILTERS"}, id="error"),
        pytest.param({"error": True}, id="error-without-code"),
        pytest.param(payload({}) | {"destroyedTableIds": [TABLE]}, id="table-deleted"),
        pytest.param(payload({"changedRecordsById": {ADA: {}}}), id="change-without-cells"),
        pytest.param(payload(changed({})) | {"changedTablesById": {TABLE: {"changedRecordsById": [ADA]}}}, id="list"),
        pytest.param(payload({}) | {"changedTablesById": ["tbl"]}, id="tables-as-list"),
        pytest.param("payload", id="text"),
        pytest.param(None, id="null"),
    ],
)
def test_payload_that_says_nothing_reliable_is_an_error(told):
    with pytest.raises(PayloadError):
        read_payloads([told], TABLE)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  Ada \n", "  Ada \n"),
        (None, ""),
        ([], ""),
        ({"id": "sel1", "name": "NEW ", "color": "x"}, "NEW "),
        ([{"id": "sel1", "name": "a"}, {"id": "sel2", "name": "b"}], "a, b"),
        ({"id": "usr1", "email": "a@b.c"}, "a@b.c"),
        ({"id": "rec1"}, ""),
        (3.5, "3.5"),
        (True, "True"),
        ("half an emoji \ud83d\0", "half an emoji "),
    ],
)
def test_cell_as_text(value, text):
    """A text as it is typed, so that it can be given back; an object by what a person sees of it."""
    assert cell_text(value) == text


def change(kind=CHANGED, lead=ADA, **current):
    return LeadChange(lead, kind, current)


KNOWN = {ADA: {NAME: "Ada", STATUS: "NEW"}}


@pytest.mark.parametrize(
    ("changes", "to_read", "gone"),
    [
        pytest.param([change(fldName="Countess")], [ADA], set(), id="news"),
        pytest.param([change(fldName=" Ada ")], [], set(), id="as-known"),
        pytest.param([change(fldName="Countess"), change(fldName="Ada")], [], set(), id="there-and-back"),
        pytest.param([change(fldName="Ada", fldNotes="!")], [ADA], set(), id="another-column"),
        pytest.param([change(DESTROYED)], [ADA], {ADA}, id="deleted"),
        pytest.param([change(DESTROYED), change(CREATED, fldName="Ada")], [], set(), id="restored"),
        pytest.param([change(CREATED, BOB)], [BOB], set(), id="new"),
        pytest.param([change(CREATED, BOB), change(DESTROYED, BOB)], [], {BOB}, id="come-and-gone"),
        pytest.param([change(CREATED, BOB), change(fldName="X")], [BOB, ADA], set(), id="in-order"),
        pytest.param([], [], set(), id="nothing"),
    ],
)
def test_leads_named_by_what_is_not_known_of_them(changes, to_read, gone):
    """Our own writes come back, and end in what was answered to them."""
    news = named(changes, KNOWN)
    assert (news.to_read, news.gone) == (to_read, gone)
