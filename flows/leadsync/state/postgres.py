"""
Connections to a PostgreSQL server that may fall silent: every wait has an end, on either side of the connection.

What is never here: what is kept in the database.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from functools import cache
from typing import Any

CONNECT_WITHIN = 10
"""Seconds."""
SILENCE = 60.0
"""Seconds without a word of the server after which it is given up, and the lock with the connection."""
ON_THE_SERVER = {
    "statement_timeout": "50s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""So that the server ends what we no longer wait for, and frees the lock of a machine that is gone within a minute."""


def connect(_dialect: Any, _record: Any, args: Any, given: dict[str, Any]) -> Any:
    """For SQLAlchemy's event do_connect. Raises: ModuleNotFoundError without the driver; what the driver raises."""
    import psycopg

    made = _patient_connection().connect(*args, **given)
    made.autocommit = True
    with contextlib.suppress(psycopg.Error):  # not every server knows all of them
        made.execute(
            "SELECT " + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in ON_THE_SERVER.items())
        )
    made.autocommit = False
    return made


@cache
def _patient_connection() -> Any:
    import psycopg

    class PatientConnection(psycopg.Connection[Any]):
        """psycopg's, which itself waits for ever."""

        def wait(self, gen: Any, *args: Any, **more: Any) -> Any:
            """As psycopg's. Raises: OperationalError after SILENCE; the connection is closed then."""
            try:
                return super().wait(_within(SILENCE, gen), *args, **more)
            except TimeoutError:
                self.pgconn.finish()
                raise psycopg.OperationalError(f"the server was silent for {SILENCE:.0f} s") from None

    return PatientConnection


def _within(seconds: float, waiting: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """The same steps; psycopg also takes one now and then when nothing has come. Raises: TimeoutError."""
    heard = time.monotonic()
    try:
        state = next(waiting)
        while True:
            ready = yield state
            if ready:
                heard = time.monotonic()
            elif time.monotonic() - heard > seconds:
                raise TimeoutError
            state = waiting.send(ready)
    except StopIteration as end:
        return end.value
