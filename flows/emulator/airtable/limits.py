"""
Airtable's request rates, the penalty for exceeding them, and the month's quota.

Nothing here knows what a call does.
"""

from emulator.airtable.refusals import too_many_requests
from emulator.knobs import Knobs
from emulator.rate_limits import PenaltyWindow, SlidingWindow
from emulator.wire.messages import Refused, Reply

CALLS_PER_SECOND_AND_BASE, CALLS_PER_SECOND_AND_USER = 5, 50


class AirtableLimits:
    """The rates are counted and refused in strict mode only, the quota always."""

    def __init__(self, knobs: Knobs, strict: bool, monthly_quota: int | None) -> None:
        self._knobs, self._strict, self._quota = knobs, strict, monthly_quota
        self.calls_this_month = 0
        self._bases: dict[str, PenaltyWindow] = {}
        self._users: dict[str, SlidingWindow] = {}

    def count(self, user_id: str, base_id: str | None, now: float, is_meta: bool) -> None:
        """Record a call; raises Refused with 429 over a limit."""
        if not is_meta or self._knobs.airtable_quota_covers_meta:
            self._spend_quota()
        if not self._strict:
            return
        user = self._users.setdefault(user_id, SlidingWindow(CALLS_PER_SECOND_AND_USER, 1.0))
        if not user.add(now) or (base_id is not None and not self._base_window(base_id).add(now)):
            raise self._too_many("RATE_LIMIT_REACHED")

    def foreign_calls(self, base_id: str, now: float, count: int) -> None:
        """Other programs' calls: they use up the base's limit and the month's quota."""
        self.calls_this_month += count
        for _ in range(count):
            self._base_window(base_id).add(now)

    def _spend_quota(self) -> None:
        self.calls_this_month += 1
        if self._quota is not None and self.calls_this_month > self._quota:
            raise self._too_many("PUBLIC_API_BILLING_LIMIT_EXCEEDED")

    def _base_window(self, base_id: str) -> PenaltyWindow:
        knobs = self._knobs
        fresh = PenaltyWindow(
            CALLS_PER_SECOND_AND_BASE, 1.0, knobs.airtable_penalty_seconds, knobs.airtable_penalty_extends
        )
        return self._bases.setdefault(base_id, fresh)

    def _too_many(self, kind: str) -> Refused:
        knobs = self._knobs
        reply = too_many_requests(kind, knobs.airtable_429_envelope).reply
        if knobs.airtable_retry_after is None:
            return Refused(reply)
        headers = {"Retry-After": f"{knobs.airtable_retry_after:g}"}
        return Refused(Reply(reply.status, reply.body, reply.content_type, headers))
