"""
Airtable's refusals, word for word.

When one is due is decided elsewhere.
"""

from typing import Any, Literal

from emulator.wire.messages import Refused, json_reply

NOT_PERMITTED_OR_MISSING = "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"
MESSAGES = {
    "AUTHENTICATION_REQUIRED": "Authentication required",
    NOT_PERMITTED_OR_MISSING: (
        "Invalid permissions, or the requested model was not found. Check that both your user and your token "
        "have the required permissions, and that the model names and/or ids are correct."
    ),
    "INVALID_PERMISSIONS": "You are not permitted to perform this operation",
    "INVALID_REQUEST_UNKNOWN": "Invalid request: parameter validation failed. Check your request data.",
    "INVALID_REQUEST_MISSING_FIELDS": 'Could not find field "fields" in the request body',
    "INVALID_PAGE_SIZE_ARGUMENT": "Page size argument should be between 0 and 100",
    "RATE_LIMIT_REACHED": "Rate limit exceeded. Please try again later",
    "PUBLIC_API_BILLING_LIMIT_EXCEEDED": (
        "API billing plan limit exceeded. You've reached the maximum number of requests allowed for this month."
    ),
}


def refusal(status: int, kind: str, message: str | None = None) -> Refused:
    """`{"error":{"type","message"}}`; the message may be left out by passing an empty text."""
    error: dict[str, Any] = {"type": kind}
    words = MESSAGES.get(kind, "") if message is None else message
    if words:
        error["message"] = words
    return Refused(json_reply({"error": error}, status))


def bare_refusal(status: int, kind: str) -> Refused:
    """`{"error":"NOT_FOUND"}`."""
    return Refused(json_reply({"error": kind}, status))


def too_many_requests(kind: str, envelope: Literal["plural", "single"]) -> Refused:
    """429, in the form captured on the wire (`errors`, plural) or in the documented one."""
    if envelope == "single":
        return refusal(429, kind)
    return Refused(json_reply({"errors": [{"error": kind, "message": MESSAGES[kind]}]}, 429))


def unknown_field(name: str) -> Refused:
    """422 for a column that is not there."""
    return refusal(422, "UNKNOWN_FIELD_NAME", f'Unknown field name: "{name}"')


def computed_field(name: str) -> Refused:
    """422 for a write to a computed column."""
    words = f'Field "{name}" cannot accept a value because the field is computed'
    return refusal(422, "INVALID_VALUE_FOR_COLUMN", words)


def locked_field(name: str, words: str) -> Refused:
    """403 for a column that this writer may not edit; newer texts name the field."""
    return refusal(403, "INVALID_PERMISSIONS", words.format(field=name))


def wrong_value(name: str) -> Refused:
    """422 for a value of the wrong JSON type."""
    return refusal(422, "INVALID_VALUE_FOR_COLUMN", f'Field "{name}" cannot accept the provided value')


def unparsable_value(name: str, value: Any) -> Refused:
    """422 for a text that the column cannot read."""
    return refusal(422, "INVALID_VALUE_FOR_COLUMN", f'Cannot parse value "{value}" for field {name}')


def unknown_choice(choice: str) -> Refused:
    """422 for a missing select option; the name stands in two pairs of quotes."""
    words = f'Insufficient permissions to create new select option ""{choice}""'
    return refusal(422, "INVALID_MULTIPLE_CHOICE_OPTIONS", words)


def missing_row(record_id: str) -> Refused:
    """422 for a record id that is not in the table."""
    return refusal(422, "ROW_DOES_NOT_EXIST", f"Record ID {record_id} does not exist in this table")
