"""
What nobody has verified of the two services, each doubt a named switch, so that tests can run under both readings.

A switch never changes while an emulator runs.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Knobs:
    """One reading of every fact without a primary source; the first ones are those thought likelier."""

    seed: int = 0
    """Start of all ids."""
    date_header: bool = True
    """Whether answers carry HTTP's Date, which follows the emulator's clock; a proxy may drop it."""

    airtable_429_envelope: Literal["plural", "single"] = "plural"
    """Body of a 429: as captured on the wire, or as documented."""
    airtable_retry_after: float | None = None
    """Value of a Retry-After header on 429 [s]; none was ever captured."""
    airtable_penalty_seconds: float = 30.0
    """Wait after the fifth call within a second was exceeded [s]."""
    airtable_penalty_extends: bool = False
    """Whether calls during the penalty start it anew."""
    airtable_unknown_token_message: str = "Authentication required"
    """Message of the 401 for a token that does not exist."""
    airtable_missing_scope_type: str = "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"
    """Type of the 403 when the token lacks a scope; the other reading is INVALID_PERMISSIONS."""
    airtable_locked_field_message: str = 'You are not permitted to edit values in field "{field}"'
    """Message of the 403 for a column that the token's user may not edit; that it names the field is known."""
    airtable_missing_base_status: Literal[404, 403] = 404
    """Data calls on a base that is missing or not in the token."""
    airtable_quota_covers_meta: bool = False
    """Whether /v0/meta uses up, and stops with, the monthly quota; one report says it goes on answering."""
    airtable_key_era_errors: bool = False
    """404 TABLE_NOT_FOUND and MODEL_ID_NOT_FOUND of 2022 instead of today's 403."""
    airtable_batch_limit: int | None = 10
    """Records per write call; None lets any number through."""
    airtable_iterator_lifetime: float = 300.0
    """Idle time after which a list offset expires [s]."""
    airtable_iterator_snapshot: bool = True
    """Paging goes over the ids of the first page's moment; False pages by position over the live table."""
    airtable_url_limit: int = 16_000
    """Longest URL [characters]."""
    airtable_url_limit_status: int = 414
    """Answer to a longer one."""
    airtable_rejects_malformed_email: bool = False
    """Whether an email cell refuses text that is no address."""
    airtable_noop_moves_modified: bool = False
    """Whether a PATCH with equal values moves lastModifiedTime."""
    airtable_modified_blank_until_edit: bool = False
    """Whether lastModifiedTime of a row added by hand is blank until the first edit."""
    airtable_formula_subsecond: bool = False
    """Whether times inside formulas carry milliseconds."""
    airtable_formula_lag: float = 0.0
    """How long a filtered list does not see a new record [s]."""
    airtable_upsert_on_email: bool = False
    """Whether a field of type email can be merged on."""
    airtable_upsert_ignores_case: bool = False
    """Whether upsert matching ignores case."""
    airtable_choice_trims: bool = False
    """Whether a select option matches after trimming."""
    airtable_choice_ids_writable: bool = False
    """Whether `sel…` ids are accepted as select values."""
    airtable_date_takes_times: bool = False
    """Whether a date cell takes a text with a time of day, and cuts it off, or refuses it."""
    airtable_number_rounds: bool = False
    """Whether numbers are stored rounded to the precision of their column, or only shown so."""
    airtable_text_limit: int = 100_000
    """Longest text cell [characters]."""
    airtable_record_limit: int | None = None
    """Records per base, 1,000 on the free plan."""
    airtable_record_limit_status: int = 422
    """Answer to the record above the limit."""
    airtable_webhook_limit_status: int = 422
    """Answer to the eleventh webhook of a base."""
    airtable_previous_of_api_writes: bool = True
    """Whether payloads of writes through the API hold previous values."""
    airtable_payload_lag: float = 0.0
    """How long a change cannot be read as a payload yet [s]."""
    airtable_payload_records: int | None = None
    """Records in one payload; an action that changes more is split over several."""

    trello_page_cap: int | None = 1000
    """Cards in a list answer without `limit`, newest first; None means all."""
    trello_empty_date_clears: bool = True
    """Whether an empty text clears due and start, or is refused with `Invalid date`; null always clears."""
    trello_null_clears_sets: bool = True
    """Whether null for idLabels and idMembers in a PUT clears them, or means not given; an empty text clears."""
    trello_old_labels: Literal["after", "before"] = "after"
    """What `old.idLabels` holds in the feed: the new set once more, as in most exports, or the former one."""
    trello_custom_fields: bool = True
    """Whether the board's plan has custom fields; without, they cannot be made and no card takes a value."""
    trello_custom_field_batch: bool = True
    """Whether PUT /cards/{id}/customFields is there; it is documented and was never recorded."""
    trello_false_removes_item: bool = False
    """Whether a checkbox set to "false" loses its item, or holds "false"."""
    trello_sorted_pages: bool = False
    """Whether a card page asked for with `limit` is sorted by id."""
    trello_server_time: bool = True
    """Whether answers carry X-Server-Time."""
    trello_retry_after: float | None = None
    """Value of a Retry-After header on 429 [s]."""
    trello_batch_cost: Literal["one", "each"] = "one"
    """Whether GET /1/batch counts once or per route."""
    trello_write_status: int = 200
    """Status of successful writes; 202 was seen for a while in June 2025."""
    trello_trims_desc: bool = False
    """Whether blanks and newlines at the end of a description are cut."""
    trello_normalises_newlines: bool = False
    """Whether CRLF in a description becomes LF."""
    trello_noop_makes_action: bool = False
    """Whether a PUT of equal values makes an action and moves dateLastActivity."""
    trello_pos_moves_activity: bool = False
    """Whether a change of position alone moves dateLastActivity."""
    trello_pos_makes_action: bool = True
    """Whether a change of position makes an updateCard action."""
    trello_template_makes_action: bool = True
    """Whether making a card a template, or changing its role, makes an updateCard action."""
    trello_rejects_empty_name: bool = False
    """Whether PUT refuses an empty card name; POST is known to accept it."""
    trello_keyless_text: Literal["invalid key", "missing scopes"] = "invalid key"
    """Answer to a token without key."""
    trello_actions_lag: float = 0.0
    """How far a board's actions run behind [s]."""
    trello_search_lag: float = 10.0
    """How far the search index runs behind [s]."""
    trello_open_cards_limit: int = 5000
    """Open cards per board before creation is refused with 403."""
    trello_open_cards_error: str = "BOARD_TOO_MANY_OPEN_CARDS"
    """Name in that refusal."""
    trello_too_long_text: str = "invalid value for {field}"
    """Answer to a text of more than 16,384 characters."""
    trello_foreign_list_text: str = "List {list} does not exist on board {board}"
    """Answer to `idList` of another board."""
    trello_archived_list_readable: bool = True
    """Whether /lists/{id}/cards answers for an archived list."""
    trello_editor_link_title: str = ""
    """Title the web editor gives to e-mail links."""
    trello_editor_escapes_link_text: bool = True
    """Whether the web editor escapes underscores in the text of e-mail links too."""
