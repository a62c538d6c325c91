"""
Which names are settings, and which only look like one: a typo must not be a setting that silently is not there.

What is never here: what a setting is or may be (see settings.py), its value.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cache
from typing import Final

from leadsync.settings import Settings
from leadsync.texts import did_you_mean

SETTINGS: Final = tuple(name.upper() for name in Settings.model_fields)
OF_THE_ENVIRONMENT: Final = ("LEADSYNC_ENV_FILE", "LEADSYNC_FOLDER")
"""What is asked of the environment alone: where settings are, and for a worker where this folder is."""
OURS: Final = ("SYNC_", "LEADSYNC_")
OF_THE_SERVICES: Final = ("AIRTABLE_", "TRELLO_")
PREFIXES: Final = (*OF_THE_SERVICES, *OURS)
OF_OTHER_PROGRAMS: Final = ("AIRTABLE_API_KEY", "TRELLO_KEY", "TRELLO_TOKEN")
"""Names by which clients of the services are known to look for credentials: no typo, wherever they stand."""
LIKE_A_SETTING: Final = 0.82
"""Likeness of names of the services: AIRTABLE_BASE has 0.90, AIRTABLE_CLIENT_ID 0.76, each to AIRTABLE_BASE_ID."""
TYPO: Final = 0.9
"""Likeness of any other name: TRELO_BOARD_ID has 0.97 to ours, JIRA_API_TOKEN 0.81."""


def unknown_in_file(names: Iterable[str], where: str) -> list[str]:
    """A sentence for each name in a file that is no setting, and has the prefix of one or is like one."""
    return [
        f"{where} holds {name}, which is only read from the environment."
        if name.upper() in OF_THE_ENVIRONMENT
        else _told(name, where)
        for name in names
        if name.upper() not in SETTINGS and (name.upper().startswith(PREFIXES) or _nearest(name.upper(), TYPO))
    ]


def unknown_in_environment(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """
    The same for the environment: what is refused, and what is only worth a warning.

    Names of the services may belong to other programs there, unless they are like a setting.
    """
    refused, doubtful = [], []
    for name in names:
        known, upper = name in OF_THE_ENVIRONMENT, name.upper()
        if known or upper in SETTINGS:
            continue
        of_a_service = upper.startswith(OF_THE_SERVICES)
        likeness = LIKE_A_SETTING if of_a_service else TYPO
        if upper.startswith(OURS) or (upper not in OF_OTHER_PROGRAMS and _nearest(upper, likeness)):
            refused.append(_told(name, "The environment"))
        elif of_a_service:
            doubtful.append(_told(name, "The environment"))
    return refused, doubtful


def _told(name: str, where: str) -> str:
    near = did_you_mean((*SETTINGS, *OF_THE_ENVIRONMENT), name)
    return f"{where} holds an unknown setting {name}{near or '; there are: ' + ', '.join(SETTINGS) + '.'}"


@cache
def _nearest(name: str, likeness: float) -> str:
    return next(iter(difflib.get_close_matches(name, (*SETTINGS, *OF_THE_ENVIRONMENT), 1, likeness)), "")
