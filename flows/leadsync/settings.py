"""
Everything a run needs from outside: each setting with its sentence, its default and what it may be.

`.env.sample` lists the same names (a test compares). What is never here: where settings are
looked for (see environment.py), a rule, a client.
"""

from __future__ import annotations

import json
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, unquote, urlsplit

import platformdirs
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from leadsync.model import (
    DEFAULT_STAGE_OF,
    STAGES,
    ChangeFeed,
    ConflictPolicy,
    OnCardDeleted,
    OnLeadDeleted,
    Rules,
    StatusMap,
)

PROJECT = Path(__file__).resolve().parents[2]
TOKEN_LENGTH = 16
"""Fewest characters of SYNC_API_TOKEN."""
BOARD_URL = re.compile(r"^https?://(?:www\.)?trello\.com/b/([0-9A-Za-z]{8})(?:[/?#].*)?$")
SQLITE_FILE = re.compile(
    r"(?P<kind>sqlite(?:\+\w+)?:///)(?!:memory:|[A-Za-z]:|\\)(?P<path>[^?]+)(?P<options>\?.*)?", re.DOTALL
)
"""A file's address; not one in memory, nor one with a drive or a share of Windows, which is never relative."""
DURATION = re.compile(r"\s*(?P<number>\d+(\.\d+)?)\s*(?P<unit>[mhd]?)\s*")
DURATION_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def public_url(value: str) -> str:
    """An address under which webhooks can be received, without a slash at its end. Raises: ValueError."""
    text = value.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or parts.query or parts.fragment or parts.username or not text.isascii() or " " in text:
        raise ValueError(f"{value!r} is not an address to be reached at; allowed is https://host[:port][/path]")
    return text


def default_state_url() -> str:
    """An SQLite file in the user's data folder."""
    return f"sqlite:///{platformdirs.user_data_path('leadsync') / 'state.sqlite3'}"


def state_url(value: str) -> str:
    """
    The address of a state database, an SQLite file's with its whole path.

    A relative path is relative to the project and `~` is the home, so that the settings name the same state from
    wherever a run is started. Any other address stays as it is. Raises: ValueError.
    """
    text = value.strip()
    found = SQLITE_FILE.fullmatch(text)
    if found is None:
        return text
    path, options = found["path"], found["options"] or ""
    if not path.startswith("file:") or not re.search(r"[?&]uri=(1|t|true|y|yes|on)(&|$)", options, re.IGNORECASE):
        return f"{found['kind']}{_whole_path(path)}{options}"
    path = path.removeprefix("file:")
    if path.startswith((":memory:", "//")) or "mode=memory" in options:
        return text
    return f"{found['kind']}file:{quote(str(_whole_path(unquote(path))))}{options}"


def _whole_path(path: str) -> Path:
    """Raises: ValueError if a state lies where a relative path led to in earlier versions, and would be forgotten."""
    expanded = os.path.expanduser(path)
    if expanded.startswith("~"):
        raise ValueError(f"{path!r} begins with a home that does not exist")
    whole, left = Path(os.path.abspath(PROJECT / expanded)), Path(os.path.abspath(expanded))
    if left.is_file() and not whole.exists():
        raise ValueError(
            f"a relative path is relative to the project, where {whole} does not exist; there is a state in {left}. "
            "Move it there, or give the whole path"
        )
    return whole


class Settings(BaseSettings):
    """All settings, frozen. A field is called as its environment variable, in lower case."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True, env_file_encoding="utf-8"
    )

    airtable_api_token: SecretStr
    """Personal access token with the scopes data.records:read and data.records:write."""
    airtable_base_id: str
    """The base, as in its address: airtable.com/appXXXXXXXXXXXXXX/…"""
    airtable_table_name: str = "Leads"
    """The table's name or id (tbl…)."""
    airtable_view: str | None = None
    """A view's name or id; only the leads it shows are synced. A lead that leaves it is left alone."""
    airtable_endpoint_url: str = "https://api.airtable.com"
    """Where Airtable's API is; only tests and proxies change it."""
    airtable_name_field: str = "name"
    """The column with the lead's name. Four columns by name, or all four by id (fld…)."""
    airtable_email_field: str = "email"
    """The column with the e-mail address."""
    airtable_status_field: str = "status"
    """The single-select column with the status."""
    airtable_source_field: str = "source"
    """The column that says where the lead came from."""
    airtable_requests_per_second: float = Field(default=4.75, gt=0, le=50)
    """Our pace [1/s]. Airtable allows 5 per base, shared with every other program."""
    airtable_change_feed: ChangeFeed = ChangeFeed.OFF
    """off, or on: a webhook without address collects changes; deltas see deletions, and overwritten edits are found."""
    airtable_monthly_calls: int | None = Field(default=None, gt=0)
    """Calls a month that Airtable's plan allows: scheduled runs keep to that pace. Free has 1,000, Team 100,000."""

    trello_api_key: SecretStr
    """API key of the Power-Up, 32 hex digits."""
    trello_api_token: SecretStr
    """Token of the user in whose name the sync works, with the scopes read and write."""
    trello_api_secret: SecretStr | None = None
    """The Power-Up's secret; signs webhooks, not needed for a sync."""
    trello_board_id: str
    """The board's id, its short link, or its whole address."""
    trello_list_todo_id: str | None = None
    """Id of the list for TODO; not needed when the list is called TODO."""
    trello_list_in_progress_id: str | None = None
    """Id of the list for IN_PROGRESS; not needed when the list is called IN_PROGRESS."""
    trello_list_done_id: str | None = None
    """Id of the list for DONE; not needed when the list is called DONE."""
    trello_endpoint_url: str = "https://api.trello.com"
    """Where Trello's API is; only tests and proxies change it."""
    trello_requests_per_10_seconds: int = Field(default=95, gt=0, le=300)
    """Our pace [1/10 s]. Trello allows 100 per token."""

    sync_state_url: SecretStr = Field(default_factory=lambda: SecretStr(default_state_url()))
    """SQLAlchemy URL of the state database; PostgreSQL for teams. A relative path is relative to the project."""
    sync_conflict: ConflictPolicy = ConflictPolicy.AIRTABLE
    """When both sides moved one cell apart: airtable wins, trello wins, or hold (write neither)."""
    sync_on_lead_deleted: OnLeadDeleted = OnLeadDeleted.ARCHIVE
    """A deleted lead's card is archived, or left."""
    sync_on_card_deleted: OnCardDeleted = OnCardDeleted.LEAVE
    """A deleted card is left deleted until its lead's status is edited, or created again at once."""
    sync_max_archive_percent: float = Field(default=30, ge=0, le=100)
    """Refuse a run in which more than this share of the known leads or cards is missing [%], from 10 on."""
    sync_full_every: Annotated[timedelta, NoDecode] = timedelta(hours=24)
    """With `--read auto`: how long until both sides are read whole again, like 24h, 90m or 7d; a number is hours."""
    sync_status_map: Annotated[StatusMap, NoDecode] = Field(
        default_factory=lambda: StatusMap.from_stages(DEFAULT_STAGE_OF), validate_default=False
    )
    """JSON object, status -> list. The first status of a list is what a card moved there gives its lead."""
    sync_public_url: str | None = None
    """Where the gateway can be reached from the internet; webhooks are registered and checked with it."""
    sync_api_token: SecretStr | None = None
    """Bearer token that callers of the gateway's POST /sync must show; at least 16 characters."""

    @field_validator("sync_status_map", mode="before")
    @classmethod
    def _parse_status_map(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            stage_of = json.loads(value, object_pairs_hook=_unique_keys)
        except json.JSONDecodeError as exc:
            raise ValueError(f"not JSON ({exc.msg}); allowed is e.g. {json.dumps(DEFAULT_STAGE_OF)}") from None
        if not isinstance(stage_of, dict):
            raise ValueError(f"not an object; allowed is e.g. {json.dumps(DEFAULT_STAGE_OF)}")
        return StatusMap.from_stages(stage_of)

    @field_validator("sync_full_every", mode="before")
    @classmethod
    def _parse_duration(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = DURATION.fullmatch(value)
        if not found:
            raise ValueError(f"{value!r} is not a duration; allowed is e.g. 24h, 90m or 7d")
        return timedelta(**{DURATION_UNITS[found["unit"] or "h"]: float(found["number"])})

    @field_validator("sync_state_url")
    @classmethod
    def _is_the_same_everywhere(cls, value: SecretStr) -> SecretStr:
        return SecretStr(state_url(value.get_secret_value()))

    @field_validator("airtable_endpoint_url", "trello_endpoint_url")
    @classmethod
    def _is_http_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"{value!r} is not an address; allowed is http(s)://host[:port]")
        return value.rstrip("/")

    @field_validator("sync_public_url")
    @classmethod
    def _is_public_url(cls, value: str | None) -> str | None:
        return None if value is None else public_url(value)

    @field_validator("sync_api_token")
    @classmethod
    def _is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        text = "" if value is None else value.get_secret_value().strip()
        if value is not None and (len(text) < TOKEN_LENGTH or not text.isascii() or not text.isprintable()):
            raise ValueError(
                f"it must be at least {TOKEN_LENGTH} plain characters; make one with "
                "`python -c 'import secrets; print(secrets.token_urlsafe(32))'`"
            )
        return None if value is None else SecretStr(text)

    @field_validator("trello_board_id")
    @classmethod
    def _board_from_address(cls, value: str) -> str:
        value = value.strip()
        if found := BOARD_URL.match(value):
            return found.group(1)
        if not re.fullmatch(r"[0-9A-Za-z]+", value):
            raise ValueError(
                f"{value!r} is not a board; allowed are its id (24 hex digits), its short link (8 characters) "
                "or its address https://trello.com/b/…"
            )
        return value

    @field_validator("airtable_base_id")
    @classmethod
    def _is_base_id(cls, value: str) -> str:
        if not re.fullmatch(r"\s*app[0-9A-Za-z]+\s*", value):
            raise ValueError(f"{value!r} is not a base id; allowed is appXXXXXXXXXXXXXX, as in the base's address")
        return value.strip()

    @field_validator("airtable_api_token", "trello_api_key", "trello_api_token", "trello_api_secret")
    @classmethod
    def _fits_in_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        text = value.get_secret_value().strip()
        if not text or not text.isascii() or not text.isprintable() or " " in text or '"' in text:
            raise ValueError("it is empty or holds characters that no key or token has; paste it again")
        return SecretStr(text)

    @property
    def columns(self) -> dict[str, str]:
        """Our field name -> the column in Airtable."""
        return {
            "name": self.airtable_name_field,
            "email": self.airtable_email_field,
            "status": self.airtable_status_field,
            "source": self.airtable_source_field,
        }

    @property
    def list_ids(self) -> dict[str, str | None]:
        """Stage -> configured list id, None where the list is found by its name."""
        ids = (self.trello_list_todo_id, self.trello_list_in_progress_id, self.trello_list_done_id)
        return dict(zip(STAGES, ids, strict=True))

    def rules(self, *, conflict: ConflictPolicy | None = None, allow_mass_change: bool = False) -> Rules:
        """The part the planner may see, with the choices of this one run."""
        return Rules(
            status_map=self.sync_status_map,
            conflict=conflict or self.sync_conflict,
            on_lead_deleted=self.sync_on_lead_deleted,
            on_card_deleted=self.sync_on_card_deleted,
            max_archive_percent=self.sync_max_archive_percent,
            allow_mass_change=allow_mass_change,
            columns=self.columns,
        )


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for index, (key, _) in enumerate(pairs):
        if key in dict(pairs[:index]):
            raise ValueError(f"status {key!r} is mapped twice")
    return dict(pairs)
