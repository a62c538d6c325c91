"""
Deterministic ids in the two services' shapes.

Nothing here remembers what an id was given to.
"""

import random
import re
import string

ALPHANUMERIC = string.ascii_letters + string.digits

OBJECT_ID = re.compile(r"[0-9a-f]{24}", re.IGNORECASE)
SHORT_LINK = re.compile(r"[0-9A-Za-z]{8}")


def is_airtable_id(prefix: str, text: str) -> bool:
    """Whether `text` is `prefix` plus 14 alphanumerics."""
    return re.fullmatch(prefix + r"[0-9A-Za-z]{14}", text) is not None


def is_object_id(text: object) -> bool:
    """Whether `text` is a string of 24 hexadecimal digits."""
    return isinstance(text, str) and OBJECT_ID.fullmatch(text) is not None


class IdSource:
    """All ids of one emulator; equal seeds and equal orders of calls give equal ids."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._process = self._random.getrandbits(40)
        self._counter = self._random.getrandbits(16)

    def airtable(self, prefix: str) -> str:
        """`prefix` + 14 alphanumerics, such as `rec…`."""
        return prefix + self.letters(14)

    def object_id(self, at: float) -> str:
        """
        A Trello id: 8 hex digits of creation second, then process and counter, so that it grows within a
        second.
        """
        self._counter += 1
        return f"{int(at):08x}{self._process:010x}{self._counter:06x}"

    def letters(self, count: int) -> str:
        """`count` alphanumeric characters."""
        return "".join(self._random.choices(ALPHANUMERIC, k=count))

    def hexadecimal(self, count: int) -> str:
        """`count` lower-case hexadecimal digits."""
        return "".join(self._random.choices("0123456789abcdef", k=count))

    def raw_bytes(self, count: int) -> bytes:
        """`count` bytes, for webhook secrets."""
        return self._random.randbytes(count)
