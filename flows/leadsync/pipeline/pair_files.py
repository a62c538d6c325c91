"""
The files in which a pair is written down: `.env`, and beside it the mapping. Both or none, and their owner's alone.

Never here: what is in them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from leadsync.env_file import env_text, read_env_file
from leadsync.environment import MAPPING_FILE, OF_THE_PAIR, SENT_TO
from leadsync.errors import ConfigurationError
from leadsync.private_files import write_private
from leadsync.setting_values import bare

SECRETS: Final = ("AIRTABLE_API_TOKEN", "TRELLO_API_KEY", "TRELLO_API_TOKEN")
ENDPOINTS: Final = tuple(name.upper() for name in SENT_TO)
PAIR: Final = tuple(name.upper() for name in OF_THE_PAIR)
WRITTEN: Final = (*SECRETS, *ENDPOINTS, *PAIR)
"""What a new file has or has not; anything else stays as the file of before has it."""
OF_THE_SERVICES: Final = ("SYNC_STATE_URL", "TRELLO_API_SECRET")
"""What does not stay if the services are others than before."""
HEADER: Final = "# Written by flows/init.py. What else can be set is in .env.sample.\n"
NOTHING_TIED: Final = "# Nothing beyond the defaults is tied.\n"


def refuse_environment(env: Path) -> None:
    """Raises: ConfigurationError if the environment describes a pair, which would go before that of the file."""
    if outside := [name for name in PAIR if bare(os.environ.get(name, ""))]:
        raise ConfigurationError(
            f"The environment sets {', '.join(outside)}, which goes before {env}. Unset it, and begin again."
        )


def write_pair(env: Path, values: Mapping[str, str], mapping: str) -> None:
    """
    Put the settings, by name, into `env`, and the text of the mapping beside it. A mapping of before does not stay.

    Raises: ConfigurationError if a file cannot be written, or the environment has another secret or endpoint.
    """
    outside = {name: bare(os.environ.get(name, "")) for name in WRITTEN}
    if other := [name for name, value in outside.items() if value and value != values.get(name)]:
        raise ConfigurationError(
            f"The environment sets {', '.join(other)}, which goes before {env}, to something else. Unset it, and begin "
            "again."
        )
    before = read_env_file(env) if env.is_file() else {}
    elsewhere = any(before.get(name) != values.get(name) for name in ENDPOINTS)
    gone = {*WRITTEN, *values, *(OF_THE_SERVICES if elsewhere else ())}
    kept = {name: value for name, value in before.items() if name not in gone}
    texts, beside = {env: HEADER + env_text({**values, **kept})}, env.with_name(MAPPING_FILE)
    if mapping or beside.exists():
        texts[beside] = mapping or NOTHING_TIED
    try:
        write_private(texts)
    except OSError as exc:
        raise ConfigurationError(f"{env} could not be written ({exc.strerror}); nothing was.") from None
