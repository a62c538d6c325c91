"""
What is tied to what, as `init.py` proposes it: shown as a table, of which every line can be changed.

Never here: what is likely meant (see mapping/proposals.py), a request, a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from leadsync.environment import settings_with
from leadsync.errors import ConfigurationError
from leadsync.mapping.chosen import Chosen
from leadsync.mapping.lines import NOTHING, Line, lines, problems, with_line
from leadsync.mapping.proposals import Found, propose
from leadsync.report.questions import Questions
from leadsync.report.terminal import say, tabulate

TYPED = {
    "own": "another column",
    "status": "another list; one that the board lacks can be created afterwards",
    "closed": f"lists, parted by commas, or {NOTHING}",
    "column": f"due, start, done, labels, members, url, line:NAME, custom:NAME, or {NOTHING}",
    "timezone": "a time zone, as Europe/Berlin",
}
"""What a line can be changed to, by its kind."""


def choose_mapping(
    questions: Questions, changes: Sequence[tuple[str, str, str]], values: Mapping[str, str], found: Found
) -> tuple[dict[str, str], str]:
    """
    `changes`: (kind, key, what it is changed to) of lines, see mapping/lines.py. `values`: the settings so far.

    Returns: all settings, and the text of the mapping file, "" if it needs none. Raises: ConfigurationError.
    """
    chosen = propose(found)
    for kind, key, said in changes:
        try:
            chosen = with_line(chosen, found, kind, key, said)
        except ValueError as exc:
            raise ConfigurationError(str(exc)) from None
    while True:
        shown = lines(chosen, found)
        rows = ((number, line.airtable, line.card) for number, line in enumerate(shown, 1))
        tabulate(questions.console, "What is tied to what", ("#", "Airtable", "Trello"), rows)
        settings, text, wrong = _written_down(chosen, found, values)
        if not questions.somebody and wrong:
            raise ConfigurationError(" ".join(wrong))
        for sentence in wrong:
            say(questions.console, sentence, "red")
        number = questions.ask(
            "Enter to go on, or the number of a line to change", _number_up_to(len(shown)), optional=True
        )
        if number is None and not wrong:
            return settings, text
        if number is not None:
            chosen = _changed(questions, chosen, found, shown[number - 1])


def _written_down(chosen: Chosen, found: Found, values: Mapping[str, str]) -> tuple[dict[str, str], str, list[str]]:
    """Returns: the settings, the mapping file's text, and what keeps both from being used."""
    if wrong := [*problems(chosen, found)]:
        return {}, "", wrong
    safe = chosen.called_safely({name: column.column_id for name, column in found.columns.items()})
    settings = {**values, **safe.settings({name: list_id for list_id, name in found.called.items()})}
    text = safe.toml()
    try:
        settings_with(
            {name.lower(): value for name, value in settings.items()} | ({"sync_fields": text} if text else {})
        )
    except ConfigurationError as error:
        return {}, "", [str(error)]
    return settings, text, []


def _number_up_to(most: int) -> Callable[[str], int | None]:
    def check(said: str) -> int | None:
        if said and not (said.isascii() and said.isdigit() and 1 <= int(said) <= most):
            raise ValueError(f"Say a number from 1 to {most}, or nothing to go on.")
        return int(said) if said else None

    return check


def _changed(questions: Questions, chosen: Chosen, found: Found, line: Line) -> Chosen:
    def check(said: str) -> Chosen:
        return with_line(chosen, found, line.kind, line.key, said) if said else chosen

    return questions.ask(f"{line.airtable.strip()} ({TYPED[line.kind]}; Enter leaves it)", check)
