"""A file like `.env`: what is written is what is read."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadsync.env_file import env_text, read_env_file

VALUES = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r"), min_size=1, max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["SYNC_STATUS_MAP", "AIRTABLE_NAME_FIELD", "TRELLO_BOARD_ID"]), VALUES))
def test_whatever_is_written_is_read_again(tmp_path, values):
    file = tmp_path / ".env"
    file.write_text(env_text(values), encoding="utf-8", newline="\n")
    assert read_env_file(file) == values


@pytest.mark.parametrize(
    "value", ["${HOME}", "$HOME", "a${x:-y}b", "it's", "a # b", "\\n", "\\'", '{"New": "To do"}', "ü", " a "]
)
def test_value_that_means_something_to_a_shell_means_itself(tmp_path, value):
    file = tmp_path / ".env"
    file.write_text(env_text({"AIRTABLE_NAME_FIELD": value}), encoding="utf-8")
    assert read_env_file(file) == {"AIRTABLE_NAME_FIELD": value}


def test_plain_value_needs_no_quotes():
    assert env_text({"TRELLO_BOARD_ID": "65f0"}) == "TRELLO_BOARD_ID=65f0\n"
