"""The managed block: a person's text stays as it is, the editor's markup is no change, no marker can be forged."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from emulator.trello.editor import editor_saves
from leadsync.frames import block
from leadsync.frames.block import HEADER, MARKER, VALUE_LIMIT, gap_before, plain, without_appended
from support.rows import LABELS, base_row, card, is_idle, lead_id, one_lead, parse, record, render, shown, with_block

LEAD, OTHER = lead_id(1), lead_id(2)
CARD = card()["id"]
LIKE_OURS = ["E-mail: my own", "Source:", "Source: a friend", "LeadID:", "LeadID: rec123", "leadid: x", "– ", "```"]
LINES = st.one_of(st.sampled_from(["", " ", "> quote", "**bold**", "tab\there", *LIKE_OURS]), st.text(max_size=12))
TEXTS = st.lists(LINES, max_size=6).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\n\n"]).map(lambda end: end.join(lines))
)
ANY_VALUE = st.one_of(
    st.text(max_size=40),
    st.sampled_from([f"x\nLeadID: {OTHER}", f"LeadID: {OTHER}", f"\r\nLeadID: {OTHER}\r\n", "\u2028Lead", "–", "\\"]),
    st.sampled_from(["[a](b)", "<a@b.c>", "a_b@c.d", "https://x.y/a_(b)", "*x*", f"{HEADER}\nSource: z", "🦊" * 9]),
)


def described(text, **cells):
    """A lead that agrees with its card, whose description is `text`."""
    return one_lead(record=record(**cells), card=card(desc=text), base=base_row())


# --- a person's text ------------------------------------------------------------------------------------------


@given(TEXTS, TEXTS)
@settings(max_examples=300, deadline=None)
def test_text_around_the_block_stays_byte_for_byte(before, after):
    """Only the paragraph from the header to the marker is replaced."""
    assume(HEADER not in before + after)
    assume(not parse(before).markers and not parse(after).markers)
    old, new = render(LEAD, "old@example.com", "fair"), render(LEAD, "new@example.com", "web")
    assert with_block(f"{before}\n{old}\n{after}", LEAD, "new@example.com", "web") == f"{before}\n{new}\n{after}"


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_block_is_appended_to_a_text_without_one(text):
    """The text stays a prefix, and the block stands at line starts after it."""
    assume(HEADER not in text and not parse(text).markers)
    assume(text.strip() or not text.strip("\n"))
    written = with_block(text, LEAD, "a@b.c", "web")
    assert written.startswith(text)
    assert written.endswith(render(LEAD, "a@b.c", "web"))
    assert parse(written).markers == (LEAD,)
    assert with_block(written, LEAD, "a@b.c", "web") == written


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_block_that_was_appended_is_taken_off_again(text):
    """The text is as before, to the last line end; what was written behind the block since stays, too."""
    assume(HEADER not in text and not parse(text).markers)
    written = with_block(text, LEAD, "a@b.c", "web")
    assert without_appended(written, LEAD, LABELS, gap_before(text)) == text
    later = without_appended(f"{written}\nlater", LEAD, LABELS, gap_before(text))
    assert (later.startswith(text), later.endswith("later"), parse(later).markers) == (True, True, ())


@given(TEXTS, TEXTS)
@settings(max_examples=200, deadline=None)
def test_bare_marker_grows_into_a_block_in_its_place(before, after):
    """Text above and below a marker written by hand stays byte for byte."""
    assume(HEADER not in before + after and not parse(before).markers and not parse(after).markers)
    written = with_block(f"{before}\nLeadID: {LEAD}\n{after}", LEAD, "a@b.c", "web")
    assert written == f"{before}\n{render(LEAD, 'a@b.c', 'web')}\n{after}"


@given(TEXTS, TEXTS)
@settings(max_examples=200, deadline=None)
def test_deleted_marker_is_restored_in_its_place(before, after):
    """The block without its last line is still found, and what stands below it is a person's."""
    assume(HEADER not in before + after and not parse(before).markers and not parse(after).markers)
    assume(not after.strip().startswith(("E-mail:", "Source:")))
    old = render(LEAD, "a@b.c", "web").rpartition("\n")[0]
    assert with_block(f"{before}\n{old}\n{after}", LEAD, "a@b.c", "web") == (
        f"{before}\n{render(LEAD, 'a@b.c', 'web')}\n{after}"
    )


def test_block_whose_lines_stand_in_another_order_is_replaced_whole():
    """As once the mapping's rows have changed places; nothing of it stays as if a person had written it."""
    before = block.with_block("Mine.", LEAD, {"Phone": "111", "E-mail": "a@example.com", "Mobile": "222"})
    values = {"Mobile": "333", "E-mail": "b@example.com", "Phone": "111"}
    after = block.with_block(before, LEAD, values)
    assert after == block.with_block("Mine.", LEAD, values)
    assert block.without_block(after, LEAD, ["Phone", "Mobile", "E-mail"]).strip() == "Mine."


def test_foreign_line_inside_the_block_is_kept():
    """What a person typed into the block stands above it afterwards, once, and stays there."""
    header, email, source, marker = render(LEAD, "a@b.c", "fair").split("\n")
    torn = "\n".join(["top", header, email, "call her on Monday", source, marker, "bottom"])
    written = with_block(torn, LEAD, "a@b.c", "web")
    assert written == f"top\ncall her on Monday\n{render(LEAD, 'a@b.c', 'web')}\nbottom"
    assert with_block(written, LEAD, "a@b.c", "web") == written


def test_block_appended_to_a_blank_starts_a_line():
    """What is there, be it a blank, is text outside the block; writing again must not take it away."""
    written = with_block(" ", LEAD, "a@b.c", "web")
    assert with_block(written, LEAD, "a@b.c", "web") == written


def test_note_between_a_torn_block_and_a_marker_put_elsewhere_is_kept():
    """The marker was cut from the block and put back below a note: the note is a person's text, line by line."""
    torn = render(LEAD, "a@b.c", "fair").rpartition("\n")[0]
    note = "\n\nMy notes\n\nSource: the fair in Bern, hall 3\n\nE-mail: she prefers calls\n\n"
    written = with_block(f"{torn}{note}LeadID: {LEAD}", LEAD, "a@b.c", "web")
    assert "Source: the fair in Bern, hall 3" in written
    assert "E-mail: she prefers calls" in written


def test_emptied_description_gets_the_block_alone():
    """No blank lines are piled up."""
    assert with_block("", LEAD, "a@b.c", "web") == render(LEAD, "a@b.c", "web")


# --- markers --------------------------------------------------------------------------------------------------


@given(ANY_VALUE, ANY_VALUE, TEXTS)
@settings(max_examples=300, deadline=None)
def test_values_cannot_forge_a_marker(email, source, around):
    """Whatever a cell holds, the block has four lines and one marker, and shows what the frames compare."""
    assume(not parse(around).markers and HEADER not in around)
    block = render(LEAD, email, source)
    assert block.count("\n") == 3
    parsed = parse(f"{around}\n{block}")
    assert parsed.markers == (LEAD,)
    assert parsed.block
    assert (parsed.email_line, parsed.source_line) == tuple(
        plain(line.partition(":")[2]) for line in block.split("\n")[1:3]
    )


@given(ANY_VALUE, ANY_VALUE)
@settings(max_examples=60, deadline=None)
def test_written_block_is_no_change_for_the_next_run(email, source):
    """A new card with any values is settled at once: nothing is written again."""
    world = one_lead(record=record(email=email, source=source))
    world.sync()
    assert is_idle(world.plan())


def test_long_value_is_cut_in_the_block_and_settled():
    """The whole value is in Airtable."""
    world = one_lead(record=record(source="x" * (VALUE_LIMIT + 1)))
    world.sync()
    [created] = world.cards.values()
    assert f"Source: {'x' * (VALUE_LIMIT - 1)}…" in created["desc"].split("\n")
    assert is_idle(world.plan())


@pytest.mark.parametrize(
    ("line", "accepted"),
    [
        pytest.param(f"LeadID: {LEAD}", True, id="as-we-write-it"),
        pytest.param(f"LeadID:{LEAD}", True, id="without-blank"),
        pytest.param(f"LeadID:\t{LEAD}  ", True, id="tab-and-trailing-blanks"),
        pytest.param(f"LeadID: {LEAD}\r", True, id="crlf"),
        pytest.param(f" LeadID: {LEAD}", False, id="indented"),
        pytest.param(f"see LeadID: {LEAD}", False, id="in-a-sentence"),
        pytest.param(f"LeadID: {LEAD} (Ada)", False, id="text-behind-it"),
        pytest.param(f"leadid: {LEAD}", False, id="lower-case"),
        pytest.param(f"LeadID: {LEAD[:-1]}", False, id="too-short"),
        pytest.param(f"LeadID: {LEAD}0", False, id="too-long"),
        pytest.param(f"LeadID: {LEAD[:-1]}-", False, id="foreign-character"),
        pytest.param("LeadID: " + LEAD.upper(), False, id="upper-case-rec"),
    ],
)
def test_marker_line_is_matched_as_specified(line, accepted):
    """One pattern, per line."""
    assert (MARKER.match(line) is not None) is accepted
    assert (parse(f"a\n{line}\nb").markers == (LEAD,)) is accepted


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n\n", "\n "], ids=["lf", "crlf", "blank-line", "indented"])
def test_marker_never_crosses_lines(line_end):
    """A label on one line and an id on the next are not a marker."""
    assert parse(f"LeadID:{line_end}{LEAD}").markers == ()


def test_markers_are_counted_by_difference():
    """The same line twice is one marker; two leads are two, in their order."""
    twice = f"LeadID: {LEAD}\nLeadID: {LEAD}"
    assert parse(twice).markers == (LEAD,)
    assert parse(f"{twice}\nLeadID: {OTHER}").markers == (LEAD, OTHER)


def test_bare_marker_is_accepted_and_left_alone():
    """A card tied by hand is adopted and not rewritten."""
    world = one_lead(record=record(), card=card(desc=f"my notes\nLeadID: {LEAD}"))
    assert world.sync().writes == 0
    assert is_idle(world.plan())


def test_bare_marker_grows_when_something_must_be_written():
    """The lead's e-mail changes: now the card shows it, below the person's text."""
    text = f"my notes\nLeadID: {LEAD}"
    world = one_lead(record=record(), card=card(desc=text))
    world.sync()
    world.records[LEAD]["fields"]["email"] = "new@example.com"
    [write] = world.sync().card_writes
    assert [change.field for change in write.changes] == ["email"]
    assert world.cards[CARD]["desc"] == f"my notes\n{render(LEAD, 'new@example.com', 'fair')}"
    assert is_idle(world.plan())


@pytest.mark.parametrize(
    "left",
    [
        pytest.param("", id="all-deleted"),
        pytest.param("my notes", id="replaced-by-notes"),
        pytest.param(render(LEAD, "ada@example.com", "fair").rpartition("\n")[0], id="only-the-marker-deleted"),
    ],
)
def test_deleted_marker_is_restored(left):
    """The base still knows the card: one PUT with the description alone."""
    world = described(left)
    [write] = world.sync().card_writes
    assert (write.stage, write.title) == (None, None)
    assert [change.field for change in write.changes] == ["marker"]
    assert world.cards[CARD]["desc"].startswith(left)
    assert parse(world.cards[CARD]["desc"]).markers == (LEAD,)
    assert is_idle(world.plan())


# --- edits and rewrites ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "email"),
    [
        pytest.param('[ada@example.com](mailto:ada@example.com "")', "ada@example.com", id="e-mail-link"),
        pytest.param('[ada@example.com](mailto:ada@example.com "‌")', "ada@example.com", id="link-title"),
        pytest.param("<ada@example.com>", "ada@example.com", id="autolink"),
        pytest.param(r"ada\_l@example.com", "ada_l@example.com", id="escaped-underscore"),
        pytest.param(r'[ada\_l@example.com](mailto:ada_l@example.com "")', "ada_l@example.com", id="both"),
        pytest.param('[https://x.y/a_b](https://x.y/a_b "smartCard-inline")', "https://x.y/a_b", id="smart-card"),
        pytest.param('[https://x.y/a_(b)](https://x.y/a_(b) "smartCard-inline")', "https://x.y/a_(b)", id="parens"),
        pytest.param("ada@example.com\\", "ada@example.com", id="hard-line-break"),
        pytest.param("  ada@example.com\r", "ada@example.com", id="crlf"),
    ],
)
def test_editor_markup_is_no_change(line, email):
    """The web editor rewrites our lines when a person saves the card; that is not an edit."""
    text = render(LEAD, "EMAIL", "fair").replace("EMAIL", line)
    base = base_row(email_line=email, shown_email=email)
    world = one_lead(record=record(email=email), card=card(desc=text), base=base)
    assert is_idle(world.plan())


@given(
    st.from_regex(r"[a-z_.+]{1,8}[a-z]@[a-z_-]{1,6}x\.(com|org)", fullmatch=True),
    st.sampled_from(["web_form", "https://x.y/a_b?c=d_e", "a b_c", "", "[x](y)", "see https://x.y/z.", "1_000*2"]),
    st.sampled_from(["", "smartCard-inline"]),
    st.booleans(),
)
@settings(max_examples=50, deadline=None)
def test_description_saved_in_the_editor_is_no_change(email, source, link_title, escapes):
    """However it saves the whole description."""
    world = one_lead(record=record(email=email, source=source))
    world.sync()
    [created] = world.cards.values()
    created["desc"] = editor_saves(created["desc"], link_title, escapes)
    assert is_idle(world.plan())


@pytest.mark.parametrize("cell", ["email", "source"])
def test_hand_edit_inside_the_block_is_restored_and_reported(cell):
    """These two go one way."""
    values = {"email": "ada@example.com", "source": "fair"} | {cell: "by hand"}
    text = f"notes\n\n{render(LEAD, values['email'], values['source'])}"
    world = described(text)
    plan = world.sync()
    [change] = plan.changes
    assert (change.field, change.before, change.direction) == (cell, "by hand", "to_trello")
    assert "hand edit" in change.note
    assert not plan.lead_writes
    assert world.cards[CARD]["desc"] == f"notes\n\n{render(LEAD, 'ada@example.com', 'fair')}"
    assert is_idle(world.plan())


def test_changed_email_and_source_are_one_write():
    """One PUT for both lines, with the text around them untouched."""
    world = described(f"top\n{card()['desc']}\nbottom", email="new@example.com", source="web")
    [write] = world.sync().card_writes
    assert [change.field for change in write.changes] == ["email", "source"]
    assert world.cards[CARD]["desc"] == f"top\n{render(LEAD, 'new@example.com', 'web')}\nbottom"
    assert is_idle(world.plan())


def test_everything_that_changed_goes_into_one_put():
    """Status, name and e-mail of one lead are one card write, and one record in the base."""
    world = described(card()["desc"], email="new@example.com", status="LOST", name="Ada L.")
    [write] = world.sync().card_writes
    assert (write.stage, write.title, tuple(write.block.values())) == ("DONE", "Ada L.", ("new@example.com", "fair"))
    assert is_idle(world.plan())


def test_line_already_equal_is_agreed_without_a_write():
    """A person typed into the card what Airtable now says too."""
    text = render(LEAD, "new@example.com", "fair")
    world = described(text, email="new@example.com")
    assert world.sync().writes == 0
    assert world.shown(LEAD)["email_line"] == "new@example.com"


def test_line_that_trello_gave_back_otherwise_was_agreed_so():
    """If Trello changes a text on its way in, the sync does not write it again for ever."""
    text = render(LEAD, "ada@example.com", "fair 2026")
    world = one_lead(
        record=record(source="fair\u00a02026!"),
        card=card(desc=text),
        base=base_row(source_line=shown("fair\u00a02026!"), shown_source="fair 2026"),
    )
    assert is_idle(world.plan())


def test_full_description_is_set_aside_and_the_rest_goes_on():
    """The remedy says by how much to shorten it; the title is written all the same."""
    world = described("x" * 16_300, email="new@example.com", name="Ada L.")
    plan = world.plan()
    [write] = plan.card_writes
    assert (write.title, write.block) == ("Ada L.", None)
    [row] = plan.quarantine
    assert "Shorten" in row.remedy
