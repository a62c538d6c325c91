"""What a lead and its card say: status through the lens, name and title, e-mail and source in the block."""

import pytest

from support.harness import STAGE_OF, World, findings, markers, written

CELLS = {"email": "ada_l@example.com", "source": "https://example.com/a_b"}


# Status


@pytest.mark.parametrize("after", STAGE_OF)
@pytest.mark.parametrize("before", STAGE_OF)
def test_status_moves_the_card(world, before, after):
    lead = world.linked("Ada", before)
    world.airtable.edit(lead, status=after)
    world.sync()
    assert (world.place(lead), world.status(lead)) == (STAGE_OF[after], after)
    assert world.writes() == (STAGE_OF[before] != STAGE_OF[after])
    world.assert_idle()


@pytest.mark.parametrize(("place", "status"), [("TODO", "NEW"), ("IN_PROGRESS", "CONTACTED"), ("DONE", "QUALIFIED")])
@pytest.mark.parametrize("before", STAGE_OF)
def test_list_gives_the_status(world, before, place, status):
    lead = world.linked("Ada", before)
    world.trello.move(world.card(lead)["id"], place)
    world.sync()
    kept = STAGE_OF[before] == place
    assert (world.place(lead), world.status(lead)) == (place, before if kept else status)
    assert world.writes("trello") == 0
    world.assert_idle()


@pytest.mark.parametrize(("before", "after"), [("QUALIFIED", "LOST"), ("LOST", "QUALIFIED")])
def test_qualified_and_lost_cost_trello_nothing(world, before, after):
    lead = world.linked("Ada", before)
    world.airtable.edit(lead, status=after)
    world.sync()
    assert (world.calls(), world.writes(), world.status(lead)) == ((1, 1), 0, after)


def test_lost_survives_every_other_edit(world):
    lead = world.linked("Ada", "LOST", **CELLS)
    card = world.card(lead)["id"]
    world.trello.edit(card, name="Ada L.", desc=f"note\n\n{world.card(lead)['desc']}")
    world.airtable.edit(lead, email="other@example.com")
    world.sync()
    world.trello.edit(card, dueComplete=True)
    world.sync()
    assert (world.status(lead), world.cells(lead)["name"]) == ("LOST", "Ada L.")
    world.assert_idle()


@pytest.mark.parametrize(("synced", "status"), [(True, "QUALIFIED"), (False, "LOST")])
def test_lost_card_dragged_out_and_back(world, synced, status):
    """The documented choice: LOST is remembered only as long as no run saw the card elsewhere."""
    lead = world.linked("Ada", "LOST")
    world.trello.move(world.card(lead)["id"], "TODO")
    if synced:
        world.sync()
    world.trello.move(world.card(lead)["id"], "DONE")
    world.sync()
    assert world.status(lead) == status


@pytest.mark.parametrize(
    ("policy", "status", "place"),
    [("airtable", "CONTACTED", "IN_PROGRESS"), ("trello", "QUALIFIED", "DONE"), ("hold", "CONTACTED", "DONE")],
)
def test_both_moved_apart_is_listed_and_decided_by_the_policy(world, policy, status, place):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED")
    world.trello.move(world.card(lead)["id"], "DONE")
    report = world.sync(SYNC_CONFLICT=policy)
    assert (world.status(lead), world.place(lead)) == (status, place)
    assert findings(report.conflicts, lead) == [("status", "CONTACTED", "DONE")]
    world.assert_idle(SYNC_CONFLICT=policy)


@pytest.mark.parametrize("policy", ["airtable", "trello", "hold"])
@pytest.mark.parametrize("status", ["QUALIFIED", "LOST"])
def test_both_moved_alike_only_moves_the_base(world, status, policy):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status=status)
    world.trello.move(world.card(lead)["id"], "DONE")
    report = world.assert_idle(SYNC_CONFLICT=policy)
    assert report.conflicts == []
    world.trello.move(world.card(lead)["id"], "TODO")
    world.sync(SYNC_CONFLICT=policy)
    assert world.status(lead) == "NEW"


@pytest.mark.parametrize("side", ["airtable", "trello"])
def test_held_conflict_waits_until_a_person_makes_both_equal(world, side):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED")
    world.trello.move(world.card(lead)["id"], "DONE")
    for _ in range(3):
        report = world.assert_idle(SYNC_CONFLICT="hold")
        assert findings(report.conflicts, lead) == [("status", "CONTACTED", "DONE")]
    if side == "airtable":
        world.airtable.edit(lead, status="LOST")
    else:
        world.trello.move(world.card(lead)["id"], "IN_PROGRESS")
    assert world.assert_idle(SYNC_CONFLICT="hold").conflicts == []
    world.airtable.edit(lead, status="NEW")
    world.sync(SYNC_CONFLICT="hold")
    assert world.place(lead) == "TODO"


def test_held_status_does_not_hold_the_other_cells(world):
    lead = world.linked("Ada", "NEW", **CELLS)
    world.airtable.edit(lead, status="CONTACTED", email="new@example.com")
    world.trello.edit(world.card(lead)["id"], list_name="DONE", name="Ada L.")
    world.sync(SYNC_CONFLICT="hold")
    assert world.cells(lead)["name"] == "Ada L."
    assert "new@example.com" in world.card(lead)["desc"]


def test_status_map_of_ones_own(world):
    world.airtable.add_select_option("status", "WON")
    world.env["SYNC_STATUS_MAP"] = '{"NEW": "TODO", "CONTACTED": "IN_PROGRESS", "WON": "DONE", "LOST": "DONE"}'
    lead = world.linked("Ada", "NEW")
    world.trello.move(world.card(lead)["id"], "DONE")
    world.sync()
    assert world.status(lead) == "WON"


# Empty and unknown status


def test_empty_status_is_not_written(world):
    lead = world.linked("Ada", None)
    world.airtable.edit(lead, name="Ada L.")
    world.sync()
    assert ("status" in world.cells(lead), world.place(lead)) == (False, "TODO")
    world.assert_idle()


def test_empty_status_gets_one_when_the_card_moves(world):
    lead = world.linked("Ada", None)
    world.trello.move(world.card(lead)["id"], "DONE")
    world.sync()
    assert world.status(lead) == "QUALIFIED"


def test_emptied_status_counts_as_new(world):
    lead = world.linked("Ada", "CONTACTED")
    world.airtable.edit(lead, status=None)
    world.sync()
    assert (world.place(lead), world.status(lead)) == ("TODO", "")
    world.assert_idle()


def test_unknown_status_gets_no_card_and_is_listed(world):
    world.airtable.add_select_option("status", "PAUSED")
    lead = world.lead("Ada", "PAUSED")
    report = world.sync()
    assert (world.cards_of(lead), [row["lead_id"] for row in report.quarantine]) == ([], [lead])
    assert "PAUSED" in report.quarantine[0]["reason"]
    world.airtable.edit(lead, status="LOST")
    world.sync()
    assert world.place(lead) == "DONE"


def test_unknown_status_holds_only_the_status_cell(world):
    world.airtable.add_select_option("status", "PAUSED")
    lead = world.linked("Ada", "NEW", **CELLS)
    world.airtable.edit(lead, status="PAUSED", email="new@example.com")
    world.trello.edit(world.card(lead)["id"], name="Ada L.", list_name="DONE")
    report = world.sync()
    assert (world.status(lead), world.place(lead), world.cells(lead)["name"]) == ("PAUSED", "DONE", "Ada L.")
    assert "new@example.com" in world.card(lead)["desc"]
    assert [row["lead_id"] for row in report.quarantine] == [lead]
    world.assert_idle()


@pytest.mark.parametrize("status", ["new", "N EW"])
def test_status_that_only_looks_known_is_unknown(world, status):
    world.airtable.add_select_option("status", status)
    lead = world.lead("Ada", status)
    assert [row["lead_id"] for row in world.sync().quarantine] == [lead]
    assert world.cards_of(lead) == []


# Mark done


def test_ticked_card_is_done_and_moves_there(world):
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], dueComplete=True)
    world.sync()
    assert (world.status(lead), world.place(lead), world.card(lead)["dueComplete"]) == ("QUALIFIED", "DONE", True)
    world.assert_idle()


def test_ticked_card_that_a_person_also_moved_lies_where_they_put_it(world):
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], dueComplete=True, list_name="IN_PROGRESS")
    world.sync()
    assert (world.status(lead), world.place(lead)) == ("CONTACTED", "IN_PROGRESS")
    world.assert_idle()


EARLIER_ACTION = (
    "an action of an earlier run is taken for the write: Date counts whole seconds, X-Server-Time is not read"
)


def test_card_that_was_moved_to_the_same_list_before_stays_there(world):
    """Twice marked done: the first move's former list is not what the second one replaced."""
    lead = world.linked("Ada", "NEW")
    for status, place in (("QUALIFIED", "DONE"), ("CONTACTED", "IN_PROGRESS"), ("QUALIFIED", "DONE")):
        world.airtable.edit(lead, status=status)
        report = world.sync()
        assert (world.place(lead), world.status(lead), report.conflicts) == (place, status, [])


def test_tick_is_cleared_when_the_sync_moves_the_card_out_of_done(world):
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], dueComplete=True)
    world.sync()
    world.airtable.edit(lead, status="CONTACTED")
    world.sync()
    assert (world.place(lead), world.card(lead)["dueComplete"]) == ("IN_PROGRESS", False)
    world.assert_idle()


@pytest.mark.parametrize("cell", ["status", "name"])
def test_detour_that_a_person_took_back_before_the_write_is_not_what_it_replaced(world, cell):
    """From TODO over IN_PROGRESS and DONE back to TODO, and then the sync moves the card to DONE."""
    lead, done = world.linked("Ada", "NEW"), []
    world.airtable.edit(lead, **({"status": "LOST"} if cell == "status" else {"name": "Eve"}))
    detour = {"status": ("IN_PROGRESS", "DONE", "TODO"), "name": ("Bob", "Eve", "Ada")}[cell]

    def edit(request, index):
        if request.method == "PUT" and not done:
            done.append(index)
            for value in detour:
                world.trello.edit(world.card(lead)["id"], **{"list_name" if cell == "status" else "name": value})

    world.emulator.before_request(edit)
    report = world.sync()
    assert report.conflicts == []
    world.assert_equal(lead)


def test_tick_and_equal_status_are_agreed(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="LOST")
    world.trello.edit(world.card(lead)["id"], dueComplete=True)
    assert world.sync().conflicts == []
    assert (world.status(lead), world.place(lead)) == ("LOST", "DONE")
    world.assert_idle()


@pytest.mark.parametrize(
    ("policy", "status", "place", "ticked"),
    [("airtable", "CONTACTED", "IN_PROGRESS", False), ("trello", "QUALIFIED", "DONE", True)],
)
def test_tick_against_another_status_is_a_conflict(world, policy, status, place, ticked):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, status="CONTACTED")
    world.trello.edit(world.card(lead)["id"], dueComplete=True)
    report = world.sync(SYNC_CONFLICT=policy)
    assert findings(report.conflicts, lead) == [("status", "CONTACTED", "DONE")]
    assert (world.status(lead), world.place(lead), world.card(lead)["dueComplete"]) == (status, place, ticked)
    world.assert_idle(SYNC_CONFLICT=policy)


def test_unticked_card_stays_where_it_is(world):
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], dueComplete=True)
    world.sync()
    world.trello.edit(world.card(lead)["id"], dueComplete=False)
    world.assert_idle()
    assert (world.status(lead), world.place(lead)) == ("QUALIFIED", "DONE")


def test_ticked_card_at_the_first_match_lies_where_it_lies(world):
    """Nobody knows when the tick was set; only one that the base has not seen means done."""
    lead = world.lead("Ada", "NEW")
    world.trello.add_card("TODO", "Ada", f"LeadID: {lead}", dueComplete=True)
    world.sync()
    assert (world.status(lead), world.place(lead)) == ("NEW", "TODO")
    world.assert_idle()


# Name and title


def test_name_and_title_go_both_ways(world):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, name="Ada L.")
    world.sync()
    assert world.card(lead)["name"] == "Ada L."
    world.trello.edit(world.card(lead)["id"], name="Ada K.")
    world.sync()
    assert world.cells(lead)["name"] == "Ada K."
    world.assert_idle()


@pytest.mark.parametrize(
    ("policy", "name", "title"), [("airtable", "Left", "Left"), ("trello", "Right", "Right"), ("hold", "Left", "Right")]
)
def test_name_and_title_moved_apart_are_a_conflict(world, policy, name, title):
    lead = world.linked("Ada", "NEW")
    world.airtable.edit(lead, name="Left")
    world.trello.edit(world.card(lead)["id"], name="Right")
    report = world.sync(SYNC_CONFLICT=policy)
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == (name, title)
    assert findings(report.conflicts, lead) == [("name", "Left", "Right")]
    world.assert_idle(SYNC_CONFLICT=policy)


@pytest.mark.parametrize("policy", ["airtable", "trello", "hold"])
def test_emptied_title_is_restored(world, policy):
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], name="")
    report = world.sync(SYNC_CONFLICT=policy)
    assert (world.card(lead)["name"], world.cells(lead)["name"], report.conflicts) == ("Ada", "Ada", [])
    world.assert_idle(SYNC_CONFLICT=policy)


def test_emptied_title_gives_way_to_an_edited_name(world):
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], name="  ")
    world.airtable.edit(lead, name="Ada L.")
    assert world.sync(SYNC_CONFLICT="trello").conflicts == []
    assert world.card(lead)["name"] == world.cells(lead)["name"] == "Ada L."


def test_lead_without_name_is_titled_by_its_email_which_is_never_a_name(world):
    lead = world.linked(None, "NEW", email="ada@example.com")
    assert world.card(lead)["name"] == "ada@example.com"
    world.airtable.edit(lead, email="new@example.com")
    world.sync()
    assert (world.card(lead)["name"], "name" in world.cells(lead)) == ("new@example.com", False)
    world.assert_idle()


def test_lead_without_name_and_email_is_titled_by_its_id(world):
    lead = world.linked(None, "NEW")
    assert world.card(lead)["name"] == f"Unnamed lead {lead}"
    world.airtable.edit(lead, email="ada@example.com")
    world.sync()
    assert (world.card(lead)["name"], "name" in world.cells(lead)) == ("ada@example.com", False)
    world.assert_idle()


def test_emptied_fallback_title_is_restored(world):
    lead = world.linked(None, "NEW", email="ada@example.com")
    world.trello.edit(world.card(lead)["id"], name="")
    world.sync()
    assert (world.card(lead)["name"], "name" in world.cells(lead)) == ("ada@example.com", False)
    world.assert_idle()


def test_title_written_over_a_fallback_becomes_the_name(world):
    lead = world.linked(None, "NEW", email="ada@example.com")
    world.trello.edit(world.card(lead)["id"], name="Ada")
    world.sync()
    assert world.cells(lead)["name"] == "Ada"
    world.assert_idle()


def test_emptied_name_falls_back(world):
    lead = world.linked("Ada", "NEW", email="ada@example.com")
    world.airtable.edit(lead, name=None)
    world.sync()
    assert (world.card(lead)["name"], "name" in world.cells(lead)) == ("ada@example.com", False)
    world.assert_idle()


def test_email_and_title_of_a_nameless_lead_edited_together_keep_both_edits(world):
    lead = world.linked(None, "NEW", email="ada@example.com")
    world.airtable.edit(lead, email="new@example.com")
    world.trello.edit(world.card(lead)["id"], name="Ada")
    world.sync()
    assert (world.cells(lead)["name"], world.card(lead)["name"]) == ("Ada", "Ada")
    assert "new@example.com" in world.card(lead)["desc"]
    world.assert_idle()


@pytest.mark.parametrize(
    "name",
    [
        "  blanks around  ",
        "two\nlines",
        "Zoe\u0308 (decomposed)",
        "*bold* _it_ [x](y) <b> | \\",
        "\u202eright to left",
        "👩‍💻 emoji",
        "x" * 16_384,
        "y" * 17_000,
        "👩" * 9_000,
        "LeadID: rec" + "A" * 14,
    ],
    ids=["blanks", "lines", "nfd", "markup", "bidi", "emoji", "full", "too-long", "too-many-units", "marker"],
)
def test_any_name_comes_to_rest(world, name):
    lead = world.linked(name, "NEW")
    assert len(world.cards_of(lead)) == 1
    world.assert_idle()
    assert world.cells(lead)["name"] == name


@pytest.mark.parametrize("title", ["  blanks around  ", "Zoe\u0308", "*bold* _it_", "z" * 16_384])
def test_any_title_comes_to_rest(world, title):
    lead = world.linked("Ada", "NEW")
    world.trello.edit(world.card(lead)["id"], name=title)
    world.sync()
    assert world.cells(lead)["name"]
    world.assert_idle()


# The managed block


def test_email_and_source_go_to_the_card(world):
    lead = world.linked("Ada", "NEW", **CELLS)
    world.airtable.edit(lead, email="new@example.com", source="fair")
    report = world.sync()
    assert {"new@example.com", "fair"} <= set(world.card(lead)["desc"].split())
    assert written(report) == [("email", "new@example.com", "to_trello"), ("source", "fair", "to_trello")]
    assert world.writes() == 1
    world.assert_idle()


@pytest.mark.parametrize("emptied", [{"email": None}, {"source": None}, {"email": None, "source": None}])
def test_emptied_cells_leave_the_block(world, emptied):
    lead = world.linked("Ada", "NEW", **CELLS)
    world.airtable.edit(lead, **emptied)
    world.sync()
    assert not any(CELLS[cell] in world.card(lead)["desc"] for cell in emptied)
    world.assert_idle()


@pytest.mark.parametrize("knob", [{}, {"trello_editor_escapes_link_text": False}, {"trello_editor_link_title": "x"}])
def test_description_saved_in_the_editor_is_no_change(world, knob):
    for name, value in knob.items():
        object.__setattr__(world.emulator.knobs, name, value)
    lead = world.linked("Ada_B", "NEW", **CELLS)
    before = world.card(lead)["desc"]
    world.trello.save_in_editor(world.card(lead)["id"])
    assert world.card(lead)["desc"] != before
    world.assert_idle()


def test_description_saved_in_the_editor_still_takes_new_values(world):
    lead = world.linked("Ada", "NEW", **CELLS)
    world.trello.save_in_editor(world.card(lead)["id"])
    world.sync()
    world.airtable.edit(lead, email="new_one@example.com")
    world.sync()
    assert "new_one@example.com" in world.card(lead)["desc"]
    assert "mailto" not in world.card(lead)["desc"]
    world.trello.save_in_editor(world.card(lead)["id"])
    world.assert_idle()


def test_hand_edit_inside_the_block_is_restored_and_reported(world):
    lead = world.linked("Ada", "NEW", **CELLS)
    card = world.card(lead)
    world.trello.edit(card["id"], desc=card["desc"].replace(CELLS["email"], "hacked@example.com"))
    report = world.sync()
    assert (world.card(lead)["desc"], world.cells(lead)["email"]) == (card["desc"], CELLS["email"])
    assert written(report) == [("email", CELLS["email"], "to_trello")]
    world.assert_idle()


NOTES = [
    "two\n\nparagraphs\n",
    "windows\r\nline ends\r\n",
    "  indented\n\ttabs\t\n",
    "trailing blanks   \n\n\n",
    "[link](https://example.com/a_b) and a_b@example.com",
    "E-mail: not-ours@example.com\nSource: not ours",
    "Lead details",
    "👩‍💻 ünïcödé \u200b",
]


@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize(
    "where", ["both", *(pytest.param(each, marks=pytest.mark.exhaustive) for each in ("above", "below"))]
)
def test_text_outside_the_block_stays_byte_for_byte(world, note, where):
    lead = world.linked("Ada", "NEW", **CELLS)
    block = world.card(lead)["desc"]
    head = f"{note}\n\n" if where != "below" else ""
    tail = f"\n\n{note}" if where != "above" else ""
    world.trello.edit(world.card(lead)["id"], desc=head + block + tail)
    world.assert_idle()
    world.airtable.edit(lead, source="fair", status="LOST", name="Ada L.")
    world.sync()
    assert world.card(lead)["desc"] == head + block.replace(CELLS["source"], "fair") + tail
    world.assert_idle()


def test_line_typed_inside_the_block_is_kept(world):
    lead = world.linked("Ada", "NEW", **CELLS)
    card = world.card(lead)
    lines = card["desc"].split("\n")
    world.trello.edit(card["id"], desc="\n".join([*lines[:2], "call after five", *lines[2:]]))
    world.airtable.edit(lead, source="fair")
    world.sync()
    assert "call after five" in world.card(lead)["desc"].split("\n")
    world.assert_idle()


@pytest.mark.parametrize("cell", ["email", "source"])
def test_lead_text_cannot_forge_a_marker(world, cell):
    other = world.linked("Bob", "NEW")
    lead = world.linked("Ada", "NEW", **{cell: f"x\nLeadID: {other}\ny"})
    assert markers(world.card(lead)) == [lead]
    assert len(world.cards_of(other)) == 1
    world.assert_idle()


@pytest.mark.parametrize(
    "source", ["–", "-", "a\\_b", "a_b_c", "[a](b)", "<x@y.z>", "\\", "x" * 2000, "a  b", "`c`", "…"]
)
def test_any_source_comes_to_rest(world, source):
    lead = world.linked("Ada", "NEW", source=source)
    world.assert_idle()
    world.trello.save_in_editor(world.card(lead)["id"])
    world.assert_idle()
    assert world.cells(lead)["source"] == source


def test_services_that_trim_descriptions_cause_no_writes(tmp_path):
    world = World(tmp_path, trello_trims_desc=True, trello_normalises_newlines=True)
    lead = world.linked("Ada", "NEW", source="a_b  \r\n")
    world.trello.edit(world.card(lead)["id"], desc=f"note\r\n\r\n{world.card(lead)['desc']}\n\n")
    world.assert_idle()
    world.airtable.edit(lead, source="fair")
    world.sync()
    world.assert_idle()
    world.close()


def test_full_description_is_listed_and_the_other_cells_go_on(world):
    lead = world.linked("Ada", "NEW", **CELLS)
    card = world.card(lead)
    filling = "n" * (16_384 - len(card["desc"]) - 2)
    world.trello.edit(card["id"], desc=f"{filling}\n\n{card['desc']}")
    world.airtable.edit(lead, source=CELLS["source"] + "/longer", status="LOST")
    report = world.sync()
    assert [row["lead_id"] for row in report.quarantine] == [lead]
    assert (world.place(lead), world.card(lead)["desc"]) == ("DONE", f"{filling}\n\n{card['desc']}")


# Writes


def test_one_put_carries_everything_that_changed_on_a_card(world):
    lead = world.linked("Ada", "NEW", **CELLS)
    world.airtable.edit(lead, name="Ada L.", status="LOST", source="fair")
    world.sync()
    puts = [request.body for request in world.emulator.requests if request.is_write]
    assert [set(put) for put in puts] == [{"idList", "name", "desc"}]


def test_only_changed_cells_are_sent(world):
    lead = world.linked("Ada", "NEW", **CELLS)
    world.trello.move(world.card(lead)["id"], "DONE")
    world.sync()
    (patch,) = [request for request in world.emulator.requests if request.is_write]
    assert patch.method == "PATCH"
    assert patch.body["records"] == [{"id": lead, "fields": {"status": "QUALIFIED"}}]
    assert not patch.body.get("typecast")
