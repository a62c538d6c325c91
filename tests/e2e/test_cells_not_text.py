"""Cells that are no plain text: shown as a person sees them, or set aside alone, and never lost or overwritten."""

import pytest

from support.harness import findings, written

EVE = {"id": "usr" + "E" * 14, "email": "eve@example.com", "name": "Eve"}
FILES = [{"url": "https://example.com/offer.pdf"}, {"url": "https://example.com/x", "filename": "plan.png"}]
ERROR = {"error": "#ERROR!"}
UNREADABLE = {
    "error": ERROR,
    "special-value": {"specialValue": "NaN"},
    "linked-records": ["rec" + "L" * 14],
    "unknown-object": {"kind": "new", "url": "https://signed.example.com/abc"},
    "ai-text-pending": {"state": "loading", "isStale": True, "value": None},
    "broken-lookup": ["fair", ERROR],
}
POLICIES = ("airtable", "trello", "hold")


def computed(world, column, **cells):
    """The column is a formula from now on. Returns: a function that sets what it gives for a lead."""
    world.airtable.retype_field(column, "formula")
    return lambda lead, value: world.airtable.recompute(lead, **{column: value})


def block(world, lead):
    """The lines of the lead's card as (e-mail, source)."""
    lines = world.card(lead)["desc"].split("\n")
    return tuple(next(line.removeprefix(label) for line in lines if line.startswith(label)) for label in LABELS)


LABELS = ("E-mail: ", "Source: ")


# What a person sees


@pytest.mark.parametrize("column", ["email", "source"])
@pytest.mark.parametrize(
    ("kind", "value", "line"),
    [
        ("singleCollaborator", EVE, "Eve"),
        ("singleCollaborator", {"email": "eve@example.com"}, "eve@example.com"),
        ("multipleCollaborators", [EVE, {"email": "bob@example.com"}], "Eve, bob@example.com"),
        ("multipleAttachments", FILES, "offer.pdf, plan.png"),
        ("number", 3.0, "3"),
        ("number", 2.5, "2.5"),
        ("barcode", {"text": "4006381333931", "type": "ean13"}, "4006381333931"),
    ],
    ids=["collaborator", "collaborator-by-mail", "collaborators", "attachments", "whole", "number", "barcode"],
)
def test_typed_cell_shows_what_a_person_sees(world, column, kind, value, line):
    lead = world.linked("Ada", "NEW")
    world.airtable.retype_field(column, kind)
    world.airtable.edit(lead, **{column: value})
    assert world.sync().quarantine == []
    assert block(world, lead)[column == "source"] == line
    world.assert_idle()


def test_signed_address_of_an_attachment_is_neither_shown_nor_kept(world, tmp_path):
    """It is another one every few hours, which must rewrite neither the card nor what is kept of the lead."""
    lead = world.linked("Ada", "NEW")
    world.airtable.retype_field("source", "multipleAttachments")
    world.airtable.edit(lead, source=FILES)
    world.sync()
    for _ in range(3):
        world.emulator.clock.advance(7_200)
        world.assert_idle(read="auto")
    assert "usercontent" not in world.card(lead)["desc"]
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("state.sqlite3*"))
    assert (b"offer.pdf" in kept, b"usercontent" in kept) == (True, False)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (["Expo", "Fair"], "Expo, Fair"),
        ([EVE, {"id": "rec" + "L" * 14, "name": "Acme"}], "Eve, Acme"),
        ([{"id": "sel" + "S" * 14, "name": "Web", "color": "redBright"}], "Web"),
        ([[{"id": "att" + "F" * 14, "filename": "a.pdf", "url": "https://x"}], None, 4.0], "a.pdf, 4"),
        ({"state": "generated", "isStale": True, "value": "A summary"}, "A summary"),
        ({"state": "empty", "isStale": False, "value": None}, "–"),
        ({"label": "Open", "url": "https://x"}, "Open"),
        ("rec" + "L" * 14, "rec" + "L" * 14),
    ],
    ids=["texts", "people", "selects", "nested", "ai-text", "empty-ai-text", "button", "formula-of-an-id"],
)
def test_computed_cell_shows_what_a_person_sees(world, value, line):
    lead = world.linked("Ada", "NEW", source="fair")
    computed(world, "source")(lead, value)
    assert world.sync().quarantine == []
    assert block(world, lead)[1] == line
    world.assert_idle()


# What cannot be read


@pytest.mark.parametrize("what", UNREADABLE)
def test_unreadable_cell_is_set_aside_and_the_others_go_on(world, what):
    """Its line stays, also where the block is rewritten for another cell's sake; it is named with a remedy."""
    lead = world.linked("Ada", "NEW", email="ada@example.com", source="fair")
    give = computed(world, "source")
    give(lead, UNREADABLE[what])
    world.airtable.edit(lead, name="Ada L.", status="CONTACTED", email="new@example.com")
    report = world.sync()
    assert (world.place(lead), world.card(lead)["name"]) == ("IN_PROGRESS", "Ada L.")
    assert block(world, lead) == ("new@example.com", "fair")
    (row,) = report.quarantine
    assert (row["lead_id"], row["field"], "'source'" in row["reason"]) == (lead, "source", True)
    assert row["remedy"]
    assert "signed" not in str(report.quarantine)
    assert world.assert_idle().quarantine == report.quarantine
    give(lead, "web")
    world.sync()
    assert block(world, lead) == ("new@example.com", "web")
    assert world.assert_idle().quarantine == []


@pytest.mark.parametrize("cell", ["name", "email", "source"])
def test_new_lead_with_an_unreadable_cell_gets_its_card(world, cell):
    """What is missing on it comes when the cell can be read."""
    lead = world.lead("Ada", "CONTACTED", email="ada@example.com", source="fair")
    give = computed(world, cell)
    give(lead, ERROR)
    assert [row["field"] for row in world.sync().quarantine if row["lead_id"] == lead] == [cell]
    shown = {"name": "Ada", "email": "ada@example.com", "source": "fair"}
    without = shown | {"email": "–", "source": "–"} | {"name": "ada@example.com"}
    expected = shown | {cell: without[cell]}
    assert (world.place(lead), world.card(lead)["name"]) == ("IN_PROGRESS", expected["name"])
    assert block(world, lead) == (expected["email"], expected["source"])
    world.assert_idle()
    give(lead, shown[cell])
    report = world.sync()
    assert (report.conflicts, world.writes("airtable")) == ([], 0)
    assert (world.card(lead)["name"], block(world, lead)) == ("Ada", ("ada@example.com", "fair"))
    world.assert_idle()


def test_new_lead_whose_status_cannot_be_read_waits_for_its_card(world):
    lead = world.lead("Ada", "CONTACTED")
    give = computed(world, "status")
    give(lead, ERROR)
    assert [(row["lead_id"], row["field"]) for row in world.sync().quarantine] == [(lead, "status")]
    assert world.cards_of(lead) == []
    give(lead, "CONTACTED")
    world.sync()
    assert world.place(lead) == "IN_PROGRESS"


@pytest.mark.parametrize("email", ["ada@example.com", None])
@pytest.mark.parametrize("policy", POLICIES)
def test_title_stays_while_the_name_cannot_be_read(world, policy, email):
    """No fallback is put in its place, whatever else of the lead is edited."""
    lead = world.linked("Ada", "NEW", email=email)
    give = computed(world, "name")
    give(lead, ERROR)
    world.airtable.edit(lead, email="new@example.com", status="LOST")
    world.sync(SYNC_CONFLICT=policy)
    assert (world.card(lead)["name"], world.place(lead)) == ("Ada", "DONE")
    world.assert_idle(SYNC_CONFLICT=policy)
    give(lead, "Ada")
    assert world.assert_idle(SYNC_CONFLICT=policy).quarantine == []


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("column", ["name", "status"])
def test_edit_on_the_board_waits_until_the_cell_can_be_read_again(world, column, policy):
    """It is not written to Airtable meanwhile, and compared with the base afterwards."""
    lead = world.linked("Ada", "NEW")
    world.airtable.retype_field(column, "formula")
    world.airtable.recompute(lead, **{column: ERROR})
    world.trello.edit(world.card(lead)["id"], **{"name": {"name": "Ada L."}, "status": {"list_name": "DONE"}}[column])
    for _ in range(2):
        report = world.assert_idle(SYNC_CONFLICT=policy)
        assert [row["field"] for row in report.quarantine if row["lead_id"] == lead] == [column]
    world.airtable.recompute(lead, **{column: {"name": "Ada", "status": "NEW"}[column]})
    kind = {"name": ("singleLineText", None), "status": ("singleSelect", OPTIONS)}[column]
    world.airtable.retype_field(column, *kind)
    assert world.sync(SYNC_CONFLICT=policy).conflicts == []
    assert (world.cells(lead)[column], world.card(lead)["name"], world.place(lead)) == {
        "name": ("Ada L.", "Ada L.", "TODO"),
        "status": ("QUALIFIED", "Ada", "DONE"),
    }[column]
    world.assert_idle(SYNC_CONFLICT=policy)


OPTIONS = {"choices": [{"name": name} for name in ("NEW", "CONTACTED", "QUALIFIED", "LOST")]}


def test_both_edited_while_a_name_could_not_be_read_are_a_conflict(world):
    lead = world.linked("Ada", "NEW")
    give = computed(world, "name")
    give(lead, ERROR)
    world.trello.edit(world.card(lead)["id"], name="Right")
    world.sync()
    give(lead, "Left")
    assert findings(world.sync().conflicts, lead) == [("name", "Left", "Right")]
    assert world.card(lead)["name"] == "Left"


@pytest.mark.parametrize("policy", POLICIES)
def test_nameless_lead_keeps_its_title_while_the_email_cannot_be_read(world, policy):
    lead = world.linked(None, "NEW", email="ada@example.com")
    give = computed(world, "email")
    give(lead, ERROR)
    world.assert_idle(SYNC_CONFLICT=policy)
    assert world.card(lead)["name"] == "ada@example.com"
    give(lead, "new@example.com")
    assert world.sync(SYNC_CONFLICT=policy).conflicts == []
    assert (world.card(lead)["name"], block(world, lead)[0]) == ("new@example.com", "new@example.com")


def test_title_typed_over_a_fallback_becomes_the_name_though_the_email_cannot_be_read(world):
    lead = world.linked(None, "NEW", email="ada@example.com")
    computed(world, "email")(lead, ERROR)
    world.trello.edit(world.card(lead)["id"], name="Ada")
    world.sync()
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == ("Ada", "Ada")


def test_line_edited_by_hand_while_its_cell_cannot_be_read_is_restored_afterwards(world):
    """A rewrite of the block for another cell's sake does not make it the agreed one."""
    lead = world.linked("Ada", "NEW", email="ada@example.com", source="fair")
    give = computed(world, "source")
    give(lead, ERROR)
    card = world.card(lead)
    world.trello.edit(card["id"], desc=card["desc"].replace("fair", "hacked"))
    world.airtable.edit(lead, email="new@example.com")
    world.sync()
    assert block(world, lead) == ("new@example.com", "hacked")
    give(lead, "fair")
    world.sync()
    assert block(world, lead) == ("new@example.com", "fair")
    world.assert_idle()


def test_deleted_block_comes_back_with_the_line_that_was_agreed(world):
    lead = world.linked("Ada", "NEW", email="ada@example.com", source="fair")
    computed(world, "source")(lead, ERROR)
    world.trello.edit(world.card(lead)["id"], desc="")
    world.sync()
    assert block(world, lead) == ("ada@example.com", "fair")
    world.assert_idle()


@pytest.mark.parametrize("gone", ["archived", "deleted"])
def test_card_put_away_stays_so_while_the_status_cannot_be_read(world, gone):
    """The status counts as unmoved, then and when it can be read again; an edit is seen as one."""
    lead = world.linked("Ada", "CONTACTED")
    card = world.card(lead)["id"]
    world.trello.archive(card) if gone == "archived" else world.trello.delete(card)
    world.sync()
    give = computed(world, "status")
    for value in (ERROR, "CONTACTED"):
        give(lead, value)
        for _ in range(2):
            world.assert_idle()
    give(lead, ERROR)
    world.sync()
    give(lead, "NEW")
    world.sync()
    assert (world.place(lead), world.card(lead)["closed"]) == ("TODO", False)


@pytest.mark.parametrize("column", ["name", "email", "status", "source"])
def test_column_that_breaks_as_a_whole_changes_no_card(world, column):
    """Not even where every lead is concerned at once."""
    leads = [world.lead(f"Lead {number}", "CONTACTED", email=f"{number}@example.com") for number in range(12)]
    world.sync()
    before = world.trello.cards()
    world.airtable.retype_field(column, "formula")
    for lead in world.airtable.records():
        world.airtable.recompute(lead, **{column: ERROR})
    report = world.assert_idle()
    assert {row["lead_id"] for row in report.quarantine} >= set(leads)
    assert world.trello.cards() == before


def test_two_unreadable_cells_of_a_lead_are_two_findings(world):
    lead = world.linked("Ada", "NEW", source="fair")
    for column in ("name", "source"):
        computed(world, column)(lead, ERROR)
    assert [row["field"] for row in world.sync().quarantine if row["lead_id"] == lead] == ["name", "source"]


def test_remedy_for_a_name_asks_for_a_column_that_can_be_written(world):
    """A lookup of the linked name would be refused by the next check: it can never be written."""
    lead = world.linked("Ada", "NEW", source="fair")
    for column in ("name", "status", "source"):
        computed(world, column)(lead, ["rec" + "L" * 14])
    remedies = {row["field"]: row["remedy"] for row in world.sync().quarantine if row["lead_id"] == lead}
    assert "single line text" in remedies["name"]
    assert "single select" in remedies["status"]
    assert "AIRTABLE_SOURCE_FIELD" in remedies["source"]
    assert "lookup" in remedies["source"]


# Blanks around an option


def blank_option(world, name="NEW", spelt="NEW "):
    world.airtable.rename_select_option("status", name, spelt)


@pytest.mark.parametrize("spelt", ["NEW ", " NEW", "\tNEW\u00a0"])
def test_option_with_blanks_around_it_is_read_as_equal_and_written_as_it_is(world, spelt):
    """Another lead shows how it is spelt, so it costs no further request."""
    blank_option(world, spelt=spelt)
    shows, lead = world.linked("Bob", spelt), world.linked("Ada", "CONTACTED")
    assert (world.place(shows), world.sync().quarantine) == ("TODO", [])
    world.trello.move(world.card(lead)["id"], "TODO")
    world.sync()
    assert (world.status(lead), world.calls()) == (spelt, (3, 1))
    world.assert_idle()


def test_option_that_no_lead_shows_is_looked_up_once_and_the_write_sent_again(world):
    blank_option(world, "QUALIFIED", "QUALIFIED ")
    leads = [world.lead(f"Lead {number}", "NEW") for number in range(25)]
    world.sync()
    for lead in leads:
        world.trello.move(world.card(lead)["id"], "DONE")
    report = world.sync()
    assert (report.failures, {world.status(lead) for lead in leads}) == ([], {"QUALIFIED "})
    assert len([request for request in world.emulator.requests if "/meta/" in request.path]) == 1
    assert [change["after"] for change in report.changes] == ["QUALIFIED"] * 25
    world.assert_idle()


def test_option_that_may_not_be_looked_up_is_told_and_the_others_are_written(world):
    """The remedy can be followed: the map takes the option with its blanks, too."""
    blank_option(world, "QUALIFIED", "QUALIFIED ")
    token = world.airtable.add_token({"data.records:read", "data.records:write"})
    lead, other = world.linked("Ada", "NEW"), world.linked("Bob", "NEW")
    world.trello.move(world.card(lead)["id"], "DONE")
    world.trello.move(world.card(other)["id"], "IN_PROGRESS")
    report = world.sync(exit_code=1, AIRTABLE_API_TOKEN=token)
    (failure,) = report.failures
    assert (failure["lead_id"], "'QUALIFIED'" in failure["reason"], world.status(other)) == (lead, True, "CONTACTED")
    world.lead("Shows it", "QUALIFIED ")
    world.sync(AIRTABLE_API_TOKEN=token)
    assert world.status(lead) == "QUALIFIED "


def test_option_that_is_missing_costs_one_look_up_a_run(world):
    world.airtable.delete_select_option("status", "QUALIFIED")
    leads = [world.lead(f"Lead {number}", "NEW") for number in range(3)]
    world.sync()
    for lead in leads:
        world.trello.move(world.card(lead)["id"], "DONE")
    world.sync(exit_code=1)
    assert len([request for request in world.emulator.requests if "/meta/" in request.path]) == 1


def test_exact_option_goes_before_one_with_blanks(world):
    world.airtable.add_select_option("status", "CONTACTED ")
    world.linked("Bob", "CONTACTED ")
    world.linked("Eve", "CONTACTED")
    lead = world.linked("Ada", "NEW")
    world.trello.move(world.card(lead)["id"], "IN_PROGRESS")
    world.sync()
    assert world.status(lead) == "CONTACTED"


def test_map_with_blanks_means_the_option_without(world):
    blank_option(world)
    lead = world.linked("Ada", "NEW ")
    spelt = '{"NEW ": "TODO", " CONTACTED": "IN_PROGRESS", "QUALIFIED": "DONE", "LOST": "DONE"}'
    world.assert_idle(SYNC_STATUS_MAP=spelt)
    world.airtable.edit(lead, status="CONTACTED")
    assert written(world.sync(SYNC_STATUS_MAP=spelt)) == [("status", "IN_PROGRESS", "to_trello")]


def test_renaming_an_option_by_a_blank_writes_nothing(world):
    lead = world.linked("Ada", "NEW")
    blank_option(world)
    world.assert_idle()
    assert world.status(lead) == "NEW "
