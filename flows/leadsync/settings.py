"""
Everything a run needs from outside: each setting with its sentence, its default and what it may be.

`.env.sample` lists the same names (a test compares). What is never here: where settings are
looked for (see environment.py), how a value is written (see setting_values.py), a rule, a client.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from leadsync import pasted_ids, setting_addresses, setting_values
from leadsync.mapping.cells import Cell
from leadsync.mapping.closing import Closing
from leadsync.mapping.names import BoardNames
from leadsync.mapping.rows import CellMapping
from leadsync.mapping.rules import Rules
from leadsync.mapping.tied import tie
from leadsync.model import (
    DEFAULT_STAGE_OF,
    DONE,
    IN_PROGRESS,
    TODO,
    ChangeFeed,
    ConflictPolicy,
    CreateLeads,
    OnCardDeleted,
    OnLeadDeleted,
    StatusMap,
)
from leadsync.setting_addresses import state_url
from leadsync.setting_mapping import MAPPED_BY, mapping_of, status_map_of

LIST_IDS = {TODO: "trello_list_todo_id", IN_PROGRESS: "trello_list_in_progress_id", DONE: "trello_list_done_id"}
"""Stage -> the setting that may hold its list's id."""


class Settings(BaseSettings):
    """All settings, frozen. A field is called as its environment variable, in lower case."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True)

    @classmethod
    def settings_customise_sources(cls, *_args: Any, **sources: Any) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, then the environment: files are read elsewhere, and to look in vain takes its time."""
        return sources["init_settings"], sources["env_settings"]

    airtable_api_token: SecretStr
    """Personal access token with the scopes data.records:read and data.records:write."""
    airtable_base_id: str
    """The base's id (app…), or an address of it: https://airtable.com/appXXXXXXXXXXXXXX/…"""
    airtable_table_name: str = "Leads"
    """The table's name, its id (tbl…), or an address of it."""
    airtable_view: str | None = None
    """A view's name, id or address; only the leads it shows are synced. A lead that leaves it is left alone."""
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
    airtable_card_id_field: str = "card_id"
    """The text column that holds a card's id, needed with SYNC_CREATE_LEADS=on."""
    airtable_requests_per_second: float = Field(default=4.75, gt=0, le=50)
    """Our pace [1/s]. Airtable allows 5 per base, shared with every other program."""
    airtable_change_feed: ChangeFeed = ChangeFeed.OFF
    """off, or on: a webhook without address collects changes; deltas see deletions, and overwritten edits are found."""
    airtable_workspace: str = ""
    """The workspace that the base is in, by any name: calls of a month are counted for each. Empty is one for all."""
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
    """The list for TODO: its id, or a name that no other list has; not needed when it is called TODO."""
    trello_list_in_progress_id: str | None = None
    """The list for IN_PROGRESS: its id, or a name that no other list has; not needed when it is called IN_PROGRESS."""
    trello_list_done_id: str | None = None
    """The list for DONE: its id, or a name that no other list has; not needed when it is called DONE."""
    trello_endpoint_url: str = "https://api.trello.com"
    """Where Trello's API is; only tests and proxies change it."""
    trello_requests_per_10_seconds: int = Field(default=95, gt=0, le=300)
    """Our pace [1/10 s]. Trello allows 100 per token."""

    sync_state_url: SecretStr = Field(default_factory=lambda: SecretStr(setting_addresses.default_state_url()))
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
    sync_history_days: int = Field(default=90, ge=1)
    """Days for which the history keeps what each run changed, with the values; after that it cannot be undone."""
    sync_status_map: Annotated[StatusMap, NoDecode] = Field(
        default_factory=lambda: StatusMap.from_stages(DEFAULT_STAGE_OF), validate_default=False
    )
    """JSON object, status -> list (name or id). A list's first status is what a card moved there gives its lead."""
    sync_fields: str | None = None
    """A file in TOML that ties more columns to cards; if not set, leadsync.toml beside .env, if that is there."""
    sync_done_lists: Annotated[tuple[str, ...] | None, NoDecode] = None
    """Lists of the map that mean closed, like Won, Lost, or [] for none; if not set, DONE where the map has it."""
    sync_create_leads: CreateLeads = CreateLeads.OFF
    """off, or on: an open card without a LeadID line in a list of the map becomes a lead."""
    sync_create_leads_label: str | None = None
    """With SYNC_CREATE_LEADS=on: only cards that bear this label, given by its name or id."""
    sync_public_url: str | None = None
    """Where the gateway can be reached from the internet; webhooks are registered and checked with it."""
    sync_api_token: SecretStr | None = None
    """Bearer token that callers of the gateway's POST /sync must show; at least 16 characters."""

    _base = field_validator("airtable_base_id")(pasted_ids.base_id)
    _table = field_validator("airtable_table_name")(pasted_ids.table)
    _view = field_validator("airtable_view")(pasted_ids.view)
    _board = field_validator("trello_board_id")(pasted_ids.board_id)
    _lists = field_validator(*LIST_IDS.values())(pasted_ids.board_list)
    _endpoints = field_validator("airtable_endpoint_url", "trello_endpoint_url")(setting_addresses.endpoint_url)
    _credentials = field_validator("airtable_api_token", "trello_api_key", "trello_api_token", "trello_api_secret")(
        setting_values.credential
    )
    _state_url = field_validator("sync_state_url")(lambda value: SecretStr(state_url(value.get_secret_value())))
    _public_url = field_validator("sync_public_url")(lambda value: value and setting_addresses.public_url(value))
    _api_token = field_validator("sync_api_token")(setting_values.api_token)
    _full_every = field_validator("sync_full_every", mode="before")(setting_values.duration)
    _status_map = field_validator("sync_status_map", mode="before")(setting_values.status_map)
    _done_lists = field_validator("sync_done_lists", mode="before")(setting_values.names)
    _writable = field_validator("*", mode="before")(setting_values.without_control_characters)

    @model_validator(mode="before")
    @classmethod
    def _are_bare(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Every value without what is around it; nothing else counts as not set, but for a token that keeps a door."""
        stripped = {name: setting_values.bare(value) for name, value in values.items()}
        said = {"sync_api_token"} & {name for name, value in values.items() if value}
        return {name: value for name, value in stripped.items() if name in said or setting_values.plain(value) != ""}

    @field_validator("sync_status_map")
    @classmethod
    def _has_the_lists_with_an_id(cls, value: StatusMap, others: ValidationInfo) -> StatusMap:
        for stage, setting in LIST_IDS.items():
            if others.data.get(setting) is not None and stage not in value.stages:
                name = setting.upper()
                raise ValueError(f"no status is mapped to {stage}, whose list is {name}; map one, or take {name} out")
        return value

    @field_validator("sync_fields")
    @classmethod
    def _is_a_mapping(cls, value: str | None, others: ValidationInfo) -> str | None:
        """Its text is kept: the file is read once, and may lie elsewhere where a pair is synced."""
        text, where = setting_addresses.mapping_text(value) if value else (None, "")
        if others.data.keys() >= MAPPED_BY:
            mapping_of(others.data | {"sync_fields": text}, where)
        return text

    @field_validator("sync_done_lists")
    @classmethod
    def _are_lists_of_the_map(cls, value: tuple[str, ...] | None, others: ValidationInfo) -> tuple[str, ...] | None:
        if MAPPED_BY | {"sync_fields"} <= others.data.keys():
            Closing.of(status_map_of(others.data, mapping_of(others.data)).stages, value)
        return value

    @cached_property
    def mapping(self) -> CellMapping:
        """Which column is tied to which property of a card."""
        return mapping_of(vars(self))

    @cached_property
    def status_map(self) -> StatusMap:
        """Which status is which list: SYNC_STATUS_MAP, unless the mapping has a map of its own."""
        return status_map_of(vars(self), self.mapping)

    @cached_property
    def untied(self) -> tuple[Cell, ...]:
        """The cells that can be read without knowing table and board."""
        return tie(self.mapping, None, BoardNames({})).generic

    @property
    def columns(self) -> dict[str, str]:
        """What reports call a cell -> the column in Airtable."""
        return {row.field: row.airtable for row in sorted(self.mapping.fields, key=lambda row: row.field == "status")}

    @property
    def list_ids(self) -> dict[str, str | None]:
        """Stage -> configured list id, None where the map itself names the list."""
        return {stage: getattr(self, LIST_IDS.get(stage, ""), None) for stage in self.status_map.stages}

    def rules(self, *, conflict: ConflictPolicy | None = None, allow_mass_change: bool = False) -> Rules:
        """The part the planner may see, with the choices of this one run."""
        return Rules(
            status_map=self.status_map,
            closing=Closing.of(self.status_map.stages, self.sync_done_lists, "done" in self.mapping.properties),
            conflict=conflict or self.sync_conflict,
            on_lead_deleted=self.sync_on_lead_deleted,
            on_card_deleted=self.sync_on_card_deleted,
            max_archive_percent=self.sync_max_archive_percent,
            allow_mass_change=allow_mass_change,
            columns=self.columns,
            cells=self.untied,
            rows={row.field: row for row in self.mapping.fields},
        )
