"""What a run leaves with Prefect: the type of its final state, by which automations and `--watch` judge it."""

import re

import pytest

from leadsync.errors import Exit
from leadsync.report.report import Report
from runs.record import final_state
from support.pages import text_of
from support.places import FLOWS

STATE = re.compile(r"^\| (\d) \|.*\| (\w+) \|$", re.MULTILINE)


@pytest.mark.parametrize(
    ("exit_code", "kind"), [(0, "COMPLETED"), (1, "FAILED"), (2, "FAILED"), (3, "FAILED"), (4, "CANCELLED")]
)
def test_final_state_by_exit_code(exit_code, kind):
    """Its name and message are the report's; a run that found the lock taken has not failed."""
    report = Report(exit_code=exit_code, title="Speaking", error="What happened.")
    state = final_state(report)
    assert (state.type.value, state.name, state.message) == (kind, "Speaking", report.message)


def test_the_page_of_the_commands_tells_the_state_of_every_exit_code():
    told = {int(code): state.upper() for code, state in STATE.findall(text_of(FLOWS / "README.md"))}
    assert told == {code.value: final_state(Report(exit_code=code)).type.value for code in Exit}
