"""
Trello's request rates and the headers that tell what is left.

Nothing here knows what a call does.
"""

from emulator.knobs import Knobs
from emulator.rate_limits import FixedWindow
from emulator.trello.refusals import coded
from emulator.wire.messages import Refused, Reply

PER_TOKEN, PER_KEY, INTERVAL = 100, 300, 10.0
PER_MEMBER = 375
"""Told in the headers of every answer; nobody gets there with one token."""
PER_MEMBER_ROUTE, MEMBER_INTERVAL = 100, 900.0
REJECTIONS_BEFORE_BLOCK = 200
STATIC_HEADERS = {
    "X-Trello-Environment": "Production",
    "X-Trello-Version": "1.300000.0",
    "Cache-Control": "max-age=0, must-revalidate, no-cache, no-store",
    "Server": "AtlassianEdge",
    "Access-Control-Allow-Origin": "*",
    "Set-Cookie": "dsc=0; Path=/; Secure",
}


class TrelloLimits:
    """Counts in both modes; refuses only in strict mode."""

    def __init__(self, knobs: Knobs, strict: bool) -> None:
        self._knobs, self._strict = knobs, strict
        self._tokens: dict[str, FixedWindow] = {}
        self._keys: dict[str, FixedWindow] = {}
        self._members: dict[str, FixedWindow] = {}
        self._rejections: dict[str, FixedWindow] = {}

    def count(self, key: str, token: str, now: float, cost: int, is_member_call: bool) -> None:
        """Record a call; raises Refused with 429 over a limit. Refused calls count towards the block only."""
        rejected = self._window(self._rejections, key, REJECTIONS_BEFORE_BLOCK, INTERVAL)
        blocked = rejected.used(now) > REJECTIONS_BEFORE_BLOCK
        by_token = self._window(self._tokens, token, PER_TOKEN, INTERVAL)
        by_key = self._window(self._keys, key, PER_KEY, INTERVAL)
        by_member = self._window(self._members, token, PER_MEMBER_ROUTE, MEMBER_INTERVAL)
        fits = by_token.fits(now, cost) and by_key.fits(now, cost) and not blocked
        if self._strict and not (fits and (by_member.fits(now) or not is_member_call)):
            rejected.add(now)
            raise self._refused(blocked or not by_key.fits(now, cost), by_token.fits(now, cost))
        by_token.add(now, cost)
        by_key.add(now, cost)
        if is_member_call:
            by_member.add(now)

    def foreign_calls(self, key: str, token: str, now: float, count: int) -> None:
        """Use up budget without a request."""
        self._window(self._tokens, token, PER_TOKEN, INTERVAL).add(now, count)
        self._window(self._keys, key, PER_KEY, INTERVAL).add(now, count)

    def headers(self, key: str, token: str, now: float) -> dict[str, str]:
        """The headers of every answer."""
        left_token = self._window(self._tokens, token, PER_TOKEN, INTERVAL).remaining(now)
        left_key = self._window(self._keys, key, PER_KEY, INTERVAL).remaining(now)
        used = sum(PER_TOKEN - window.remaining(now) for window in self._tokens.values())
        clock = {"X-Server-Time": str(int(now * 1000))} if self._knobs.trello_server_time else {}
        rates = {
            "X-Rate-Limit-Api-Token-Interval-Ms": str(int(INTERVAL * 1000)),
            "X-Rate-Limit-Api-Token-Max": str(PER_TOKEN),
            "X-Rate-Limit-Api-Token-Remaining": str(left_token),
            "X-Rate-Limit-Api-Key-Interval-Ms": str(int(INTERVAL * 1000)),
            "X-Rate-Limit-Api-Key-Max": str(PER_KEY),
            "X-Rate-Limit-Api-Key-Remaining": str(left_key),
            "X-Rate-Limit-Member-Interval-Ms": str(int(INTERVAL * 1000)),
            "X-Rate-Limit-Member-Max": str(PER_MEMBER),
            "X-Rate-Limit-Member-Remaining": str(max(0, PER_MEMBER - used)),
        }
        return STATIC_HEADERS | rates | clock

    def _window(self, windows: dict[str, FixedWindow], name: str, allowed: int, seconds: float) -> FixedWindow:
        if name not in windows:
            windows[name] = FixedWindow(allowed, seconds)
        return windows[name]

    def _refused(self, by_key: bool, token_ok: bool) -> Refused:
        if by_key:
            refused = coded(429, "Rate limit exceeded", "API_KEY_LIMIT_EXCEEDED")
        elif not token_ok:
            refused = coded(429, "Rate limit exceeded", "API_TOKEN_LIMIT_EXCEEDED")
        else:
            refused = coded(429, "Exceeded rate limit to /1/member", "RATE_LIMIT_EXCEEDED")
        if self._knobs.trello_retry_after is None:
            return refused
        headers = {"Retry-After": f"{self._knobs.trello_retry_after:g}"}
        return Refused(Reply(429, refused.reply.body, refused.reply.content_type, headers))
