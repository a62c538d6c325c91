"""Every way a run can end early, each with its exit code. Messages say what, which, and what to do; never a secret."""

from __future__ import annotations


class LeadsyncError(Exception):
    """Base of all. One string argument, so that it survives pickling between Prefect and the door."""

    exit_code = 1
    title = "Incomplete"


class TransientServiceError(LeadsyncError):
    """A 429, 5xx, time-out or dropped connection that outlasted the retries; a later run can cure it."""

    title = "Unreachable"


class UnclearWriteError(TransientServiceError):
    """A write whose answer never came: it may or may not have taken effect. Only raised for POST."""


class TimedOutWriteError(UnclearWriteError):
    """As above, but the server may still be working on it."""


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
    """Settings, credentials or schema are wrong; nothing was written."""

    exit_code = 2
    title = "Misconfigured"


class StateStoreError(ConfigurationError):
    """The state database cannot be used; nothing was written."""


class GuardError(LeadsyncError):
    """A guard refused the plan; nothing was written."""

    exit_code = 3
    title = "RefusedByGuard"


class IncompleteReadError(GuardError):
    """A read did not finish, so nothing may be inferred from it; nothing was written."""


class BusyError(LeadsyncError):
    """Another run of the same pair holds the lock."""

    exit_code = 4
    title = "Busy"
