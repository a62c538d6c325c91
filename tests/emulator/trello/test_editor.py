"""Trello's editor rewrites what is saved in it."""

from hypothesis import given
from hypothesis import strategies as st

from emulator.trello.editor import editor_saves


def test_editor_rewrites_a_saved_description(emulator):
    """E-mails and bare URLs become links, underscores are escaped, the marker survives."""
    text = "Email: ada_l@example.com\nSee https://example.com/a_b.\nsnake_case\n\nLeadID: recABCDEFGHIJKLMN"
    card = emulator.trello.add_card("TODO", "Ada", text)
    emulator.trello.save_in_editor(card)
    assert emulator.trello.card(card)["desc"] == (
        'Email: [ada\\_l@example.com](mailto:ada_l@example.com "")\n'
        'See [https://example.com/a_b](https://example.com/a_b "smartCard-inline").\n'
        "snake\\_case\n\nLeadID: recABCDEFGHIJKLMN"
    )


@given(st.text(alphabet='ab_@.:/ \\[]()`\n"', max_size=40))
def test_second_save_changes_nothing_more(text):
    once = editor_saves(text, "", True)
    assert editor_saves(once, "", True) == once


def test_editor_knobs(make):
    emulator = make(trello_editor_link_title="\u200c", trello_editor_escapes_link_text=False)
    card = emulator.trello.add_card("TODO", "Ada", "a_b@example.com")
    emulator.trello.save_in_editor(card)
    assert emulator.trello.card(card)["desc"] == '[a_b@example.com](mailto:a_b@example.com "\u200c")'
