"""What the services' answers hold, for tests of the emulator."""

from __future__ import annotations

from typing import Any

import requests


def ids(answer: requests.Response) -> list[str]:
    """The ids of the records."""
    return [record["id"] for record in answer.json()["records"]]


def names(answer: requests.Response) -> list[str]:
    """The names of the cards or lists."""
    return [each["name"] for each in answer.json()]


def error(kind: str, message: str | None = None) -> dict[str, Any]:
    """The body of a refusal by Airtable."""
    return {"error": {"type": kind} | ({"message": message} if message else {})}
