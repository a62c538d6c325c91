"""What people do in Airtable by hand, and what they cannot."""

import pytest


def test_lead_is_added_edited_cleared_deleted_restored(emulator):
    lead = emulator.airtable.add_lead("Ada", email="ada@example.com", status="NEW", notes="long")
    emulator.airtable.edit(lead, status="LOST", email=None)
    shown = {"name": "Ada", "status": "LOST", "notes": "long"}
    assert emulator.airtable.records() == {lead: shown}
    emulator.airtable.delete(lead)
    assert emulator.airtable.records() == {}
    emulator.airtable.restore(lead)
    assert emulator.airtable.records() == {lead: shown}


def test_renamed_column_answers_to_old_and_new_name(emulator):
    """Tests may go on saying `status`; what is read back carries the new name."""
    lead = emulator.airtable.add_lead("Ada", status="NEW")
    emulator.airtable.rename_field("status", "Lead Status")
    emulator.airtable.edit(lead, status="LOST")
    assert emulator.airtable.records()[lead]["Lead Status"] == "LOST"
    emulator.airtable.edit(lead, **{"lead status": "NEW"})
    assert emulator.airtable.records()[lead]["Lead Status"] == "NEW"


def test_impossible_edits_raise(emulator):
    with pytest.raises(ValueError, match="INVALID_MULTIPLE_CHOICE_OPTIONS"):
        emulator.airtable.add_lead("Ada", status="planning")
    with pytest.raises(KeyError, match="no column 'colour'"):
        emulator.airtable.add_lead("Ada", colour="red")
    with pytest.raises(KeyError):
        emulator.airtable.edit("rec" + "A" * 14, name="x")


def test_select_options_come_and_go(emulator):
    """Deleting an option empties its cells."""
    emulator.airtable.add_select_option("status", "PAUSED")
    lead = emulator.airtable.add_lead("Ada", status="PAUSED")
    emulator.airtable.rename_select_option("status", "PAUSED", "On hold")
    assert emulator.airtable.records()[lead]["status"] == "On hold"
    emulator.airtable.delete_select_option("status", "On hold")
    assert "status" not in emulator.airtable.records()[lead]


def test_retyped_and_deleted_fields_show_in_the_schema(emulator, airtable):
    emulator.airtable.retype_field("source", "singleSelect", {"choices": [{"name": "web"}]})
    emulator.airtable.delete_field("email")
    path = f"/v0/meta/bases/{emulator.airtable.base_id}/tables"
    kinds = {each["name"]: each["type"] for each in airtable(emulator)("GET", path).json()["tables"][0]["fields"]}
    assert kinds["source"] == "singleSelect"
    assert "email" not in kinds


def test_cells_that_are_no_text_are_held_as_the_service_shows_them(emulator, airtable):
    """Linked records as bare ids, collaborators as objects, attachments at an address that is soon another."""
    people, lead = emulator.airtable, emulator.airtable.add_lead("Ada")
    for name, kind in {
        "links": "multipleRecordLinks",
        "owner": "singleCollaborator",
        "team": "multipleCollaborators",
        "files": "multipleAttachments",
    }.items():
        people.add_field(name, kind)
    owner = {"id": "usr" + "A" * 14, "email": "eve@example.com", "name": "Eve"}
    people.edit(lead, links=[lead], owner=owner, team=[{"email": "bob@example.com"}])
    people.edit(lead, files=[{"url": "https://example.com/offer.pdf"}])
    path = f"/v0/{people.base_id}/Leads/{lead}"
    cells = airtable(emulator)("GET", path).json()["fields"]
    assert (cells["links"], cells["owner"]) == ([lead], owner)
    assert [set(each) for each in cells["team"]] == [{"id", "email"}]
    assert [each["filename"] for each in cells["files"]] == ["offer.pdf"]
    emulator.clock.advance(3 * 3600)
    assert airtable(emulator)("GET", path).json()["fields"]["files"][0]["url"] != cells["files"][0]["url"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("multipleRecordLinks", ["rec" + "A" * 14]),
        ("multipleRecordLinks", "Ada"),
        ("singleCollaborator", "Eve"),
        ("multipleCollaborators", {"email": "eve@example.com"}),
        ("multipleAttachments", "https://example.com/offer.pdf"),
        ("multipleAttachments", ["https://example.com/offer.pdf"]),
        ("aiText", "text"),
    ],
)
def test_cells_that_are_no_text_refuse_one(emulator, kind, value):
    lead = emulator.airtable.add_lead("Ada")
    emulator.airtable.add_field("other", kind)
    with pytest.raises(ValueError, match="error"):
        emulator.airtable.edit(lead, other=value)


def test_recomputed_cell_moves_no_time_of_change(emulator):
    lead = emulator.airtable.add_lead("Ada")
    emulator.airtable.add_field("sum", "formula")
    before = emulator.airtable.records(computed=True)[lead]
    emulator.clock.advance(60)
    emulator.airtable.recompute(lead, sum={"error": "#ERROR!"})
    assert emulator.airtable.records(computed=True)[lead] == before | {"sum": {"error": "#ERROR!"}}
    with pytest.raises(ValueError, match="not computed"):
        emulator.airtable.recompute(lead, name="Bob")
