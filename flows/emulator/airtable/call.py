"""An authorised request: what every endpoint gets."""

from dataclasses import dataclass

from emulator.airtable.account import Token
from emulator.wire.messages import Request


@dataclass(frozen=True)
class Call:
    """An authorised request with the values of its path."""

    request: Request
    token: Token
    values: dict[str, str]
