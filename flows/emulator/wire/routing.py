"""
Patterns such as `boards/{board}/lists` to endpoints, the first pattern that fits wins; and what each of them knows.

Who may call what is for the service.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.wire.messages import Reply, unsupported

OFF = ("none", "false", "")
"""Values, in lower case, by which a caller does without something."""


@dataclass(frozen=True)
class Route:
    """One method and pattern of a service."""

    method: str
    pattern: tuple[str, ...]
    endpoint: Callable[..., Reply]
    scopes: tuple[str, ...] = ()
    """Airtable only: what the token must hold."""
    takes: frozenset[str] = frozenset()
    """Parameters that the endpoint minds; at Airtable those of the query alone."""
    off: frozenset[str] = frozenset()
    """Parameters that may only be given to do without what the emulator does not do."""
    holds: frozenset[str] = frozenset()
    """Airtable only: keys of a body."""

    @property
    def shown(self) -> str:
        """As refusals name it."""
        return f"{self.method} {'/'.join(self.pattern)}"


@dataclass(frozen=True)
class RouteMatch:
    """A route and the values of its `{…}` segments."""

    route: Route
    values: dict[str, str]


class RouteTable:
    """Routes of one service, in order of precedence."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
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


def route(
    method: str,
    pattern: str,
    endpoint: Callable[..., Reply],
    *scopes: str,
    takes: str = "",
    off: str = "",
    holds: str = "",
) -> Route:
    """Shorthand for a `Route` with a slash-separated pattern, and names that are separated by blanks."""
    names = (frozenset(each.split()) for each in (takes, off, holds))
    return Route(method, tuple(pattern.split("/")), endpoint, scopes, *names)


def refuse_unknown(given: Mapping[str, Any], known: Iterable[str], off: Iterable[str], of: str) -> None:
    """501 for what is given and not known, or is to be done without and asked for all the same. Raises: Refused."""
    left = given.keys() - {*known}
    unknown = sorted(name for name in left if name not in off or str(given[name]).lower() not in OFF)
    if unknown:
        raise unsupported(f"{', '.join(unknown)} of {of}")


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
