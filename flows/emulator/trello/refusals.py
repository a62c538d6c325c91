"""
Trello's refusals, word for word.

When one is due is decided elsewhere.
"""

from emulator.wire.messages import Refused, json_reply, text_reply

NOT_FOUND = "The requested resource was not found."


def plain(status: int, text: str) -> Refused:
    """A text/plain refusal."""
    return Refused(text_reply(text, status))


def invalid(field: str) -> Refused:
    """400 `invalid value for …`."""
    return plain(400, f"invalid value for {field}")


def coded(status: int, message: str, error: str | None = None) -> Refused:
    """A JSON refusal, `{"message","error"?}`."""
    return Refused(json_reply({"message": message} | ({"error": error} if error else {}), status))


def not_found() -> Refused:
    """404 for an unknown id of most models."""
    return plain(404, NOT_FOUND)
