"""
Deterministic ids in the two services' shapes.

Nothing here remembers what an id was given to.
"""

import random
import re
import string

ALPHANUMERIC = string.ascii_letters + string.digits

BEGINNING = 1_735_689_600.0
"""When all was made that is there at the start, by an emulator that follows the machine's time [s since 1970]."""
OBJECT_ID = re.compile(r"[0-9a-f]{24}", re.IGNORECASE)
SHORT_LINK = re.compile(r"[0-9A-Za-z]{8}")


def is_airtable_id(prefix: str, text: str) -> bool:
    """Whether `text` is `prefix` plus 14 alphanumerics."""
    return re.fullmatch(prefix + r"[0-9A-Za-z]{14}", text) is not None


def is_object_id(text: object) -> bool:
    """Whether `text` is a string of 24 hexadecimal digits."""
    return isinstance(text, str) and OBJECT_ID.fullmatch(text) is not None


class IdSource:
    """
    All ids of one emulator; equal seeds and equal orders of calls give equal ids.

    `beginning`: until `begin` is called Trello's ids tell this moment [s since 1970], and so are the same each time.
    """

    def __init__(self, seed: int = 0, beginning: float | None = None) -> None:
        self._beginning = beginning
        self._random = random.Random(seed)
        self._process = self._random.getrandbits(40)
        self._counter = self._random.getrandbits(16)

    def begin(self) -> None:
        """From now on Trello's ids tell when they were made."""
        self._beginning = None

    def airtable(self, prefix: str) -> str:
        """`prefix` + 14 alphanumerics, such as `rec…`."""
        return prefix + self.letters(14)

    def object_id(self, at: float) -> str:
        """
        A Trello id: 8 hex digits of creation second, then process and counter, so that it grows within a
        second.
        """
        self._counter += 1
        at = at if self._beginning is None else self._beginning
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
