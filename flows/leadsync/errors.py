"""Every way a run can end early, each with its exit code. Messages say what, which, and what to do; never a secret."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a command, or a run, ended; outside it is the integer."""

    DONE = 0
    INCOMPLETE = 1
    MISCONFIGURED = 2
    REFUSED = 3
    BUSY = 4
    SOMETHING_TO_DO = 5


class LeadsyncError(Exception):
    """Base of all. One string argument, so that it survives pickling between Prefect and the door."""

    exit_code = Exit.INCOMPLETE
    title = "Incomplete"


class TransientServiceError(LeadsyncError):
    """A 429, 5xx, time-out or dropped connection that outlasted the retries; a later run can cure it."""

    title = "Unreachable"


class UnclearWriteError(TransientServiceError):
    """A write whose answer never came: it may or may not have taken effect. Only raised for POST."""


class TimedOutWriteError(UnclearWriteError):
    """As above, but the server may still be working on it."""


class ReadAgainError(TransientServiceError):
    """
    A PATCH that would have to wait before it is sent, or sent again: what it is based on must be read anew first.

    Attributes: `sent`, whether it left at all; `unclear`, whether it may have taken effect; `pause` [s], None = back
        off; `attempts`, how many tries it is worth; `what` came instead of an answer.
    """

    def __init__(
        self,
        text: str,
        sent: bool = True,
        unclear: bool = False,
        pause: float | None = None,
        attempts: int = 1,
        what: str = "",
    ) -> None:
        super().__init__(text)
        self.sent, self.unclear, self.pause, self.attempts, self.what = sent, unclear, pause, attempts, what


class QuotaExceededError(LeadsyncError):
    """The monthly API quota of the Airtable workspace is used up; a retry is useless."""

    title = "QuotaExceeded"


class ServiceRefusedError(LeadsyncError):
    """
    A 4xx answer: the service understood and said no.

    Attributes: `service` ("Airtable" or "Trello"), `status` (HTTP), `kind` (Airtable's error type or ""),
        `text` (the service's own words, redacted).
    """

    title = "Refused by the service"

    def __init__(self, service: str, status: int, kind: str, text: str) -> None:
        super().__init__(service, status, kind, text)
        self.service, self.status, self.kind, self.text = service, status, kind, text

    def __str__(self) -> str:
        return f"{self.service} answered {self.status} {self.kind or ''} {self.text}".replace("  ", " ").strip()


class ConfigurationError(LeadsyncError):
    """
    Settings, credentials or schema are wrong; nothing was written.

    Attributes: `setting` (the one that a service refused, "" if it is about something else).
    """

    exit_code = Exit.MISCONFIGURED
    title = "Misconfigured"

    def __init__(self, *told: object, setting: str = "") -> None:
        super().__init__(*told)
        self.setting = setting


class DeadTokenError(ConfigurationError):
    """
    A service that had accepted our credentials does so no more: nothing further can be asked of it or written there.

    Attributes: `service`, `setting` (the one to be replaced), `text` (the service's own words), `reason` and `remedy`.
    """

    title = "TokenExpired"

    def __init__(self, service: str, setting: str, text: str) -> None:
        super().__init__(service, setting, text, setting=setting)
        self.service, self.text = service, text

    @property
    def reason(self) -> str:
        """What happened; a token that lacks a scope is refused in the same words as one that was withdrawn."""
        if "scope" in self.text:
            return f"{self.service} says {self.text!r}: {self.setting} may not write, has expired or was revoked"
        return f"{self.service} no longer accepts {self.setting} ({self.text}): it expired or was revoked"

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return f"Make a new one that may read and write, put it into {self.setting}, and run again."

    def __str__(self) -> str:
        return f"{self.reason}. {self.remedy}"


class StateStoreError(ConfigurationError):
    """The state database cannot be used; nothing was written."""


class GuardError(LeadsyncError):
    """A guard refused the plan; nothing was written."""

    exit_code = Exit.REFUSED
    title = "RefusedByGuard"


class FirstContactError(GuardError):
    """Cards without a LeadID line look like leads without a card, and nobody has said yet whose they are."""


class IncompleteReadError(GuardError):
    """A read did not finish, so nothing may be inferred from it; nothing was written."""


class PlanRefusedError(GuardError):
    """A saved plan is not what would be written now, was applied before, or is of another pair; nothing was written."""

    title = "PlanRefused"


class ReviewNeededError(GuardError):
    """A person is to read the plan before it is applied; nothing was written."""

    title = "WaitsForReview"


class BusyError(LeadsyncError):
    """Another run of the same pair holds the lock."""

    exit_code = Exit.BUSY
    title = "Busy"
