"""
Patterns such as `boards/{board}/lists` to endpoints; the first pattern that fits wins.

Who may call what is for the service.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emulator.wire.messages import Reply


@dataclass(frozen=True)
class Route:
    """One method and pattern of a service."""

    method: str
    pattern: tuple[str, ...]
    endpoint: Callable[..., Reply]
    scopes: tuple[str, ...] = ()
    """Airtable only: what the token must hold."""


@dataclass(frozen=True)
class RouteMatch:
    """A route and the values of its `{…}` segments."""

    route: Route
    values: dict[str, str]


class RouteTable:
    """Routes of one service, in order of precedence."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._by_size: dict[tuple[str, int], list[Route]] = {}
        for route in routes:
            self._by_size.setdefault((route.method, len(route.pattern)), []).append(route)

    def match(self, method: str, segments: Sequence[str]) -> RouteMatch | None:
        """The first fitting route, or None; a placeholder never takes an empty segment."""
        for route in self._by_size.get((method, len(segments)), []):
            values = _values(route.pattern, segments)
            if values is not None:
                return RouteMatch(route, values)
        return None


def route(method: str, pattern: str, endpoint: Callable[..., Reply], *scopes: str) -> Route:
    """Shorthand for a `Route` with a slash-separated pattern."""
    return Route(method, tuple(pattern.split("/")), endpoint, scopes)


def _values(pattern: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    values = {}
    for expected, got in zip(pattern, segments, strict=True):
        if expected.startswith("{"):
            if not got:
                return None
            values[expected[1:-1]] = got
        elif expected != got:
            return None
    return values
