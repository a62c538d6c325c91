"""
Between a world and the services stands a server that spoils answers: cut, endless, or saying something else.

The service has done what is asked, but for a 429.
"""

from __future__ import annotations

import gzip
import http.client
import json
import random
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from support.harness import World, unpaced_wire
from support.raw_server import RawServer, Request, answer

DEADLINE = 0.4
"""Seconds in real time for one request; what drips here goes on for 30 s."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BOMB = gzip.compress(b" " * 2**22) * 20
Spoil = Callable[[RawServer, socket.socket, bytes, random.Random], None]


def sends(make: Callable[[bytes], bytes]) -> Spoil:
    return lambda server, connection, body, chance: connection.sendall(make(body))


def drips(beginning: Callable[[bytes], bytes], drop: bytes = b" ") -> Spoil:
    return lambda server, connection, body, chance: server.drips(connection, beginning(body), drop)


def endless(server: RawServer, connection: socket.socket, body: bytes, chance: random.Random) -> None:
    connection.sendall(HEAD + b"\r\n[")
    while not server.closed.is_set():
        connection.sendall(b'"",' * 20_000)


def of_another_type(server: RawServer, connection: socket.socket, body: bytes, chance: random.Random) -> None:
    """The answer with one value of another type, or without it; what cells hold is not the wire's matter."""
    told = json.loads(body)
    places = list(places_in(told))
    holder, key = chance.choice(places) if places else ([told], 0)
    others = [value for value in (None, 5, -0.5, "x", "", True, [], {}, [[]]) if type(value) is not type(holder[key])]
    if isinstance(holder, dict) and chance.random() < 0.2:
        del holder[key]
    else:
        holder[key] = chance.choice(others)
    connection.sendall(answer(json.dumps(told)))


def kept_and_cut(server: RawServer, connection: socket.socket, body: bytes, chance: random.Random) -> None:
    """The answer is whole, and the connection it keeps open ends as the next request comes."""
    connection.sendall(answer(body))
    connection.settimeout(1.0)
    with suppress(TimeoutError):
        connection.recv(1)


def goes_on(server: RawServer, connection: socket.socket, body: bytes, chance: random.Random) -> None:
    """Whoever waits for more than "100 Continue" waits for ever."""
    while not server.closed.is_set():
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def places_in(value: Any) -> Any:
    """Each value in some JSON by what holds it, but for the cells of records."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        if key != "fields":
            yield from places_in(value[key])


KINDS: dict[str, Spoil] = {
    "nothing": sends(lambda body: b""),
    "half-a-head": sends(lambda body: HEAD[:-9]),
    "half-a-body": sends(lambda body: answer(body)[: -len(body) // 2]),
    "half-a-body-of-no-length": sends(lambda body: HEAD + b"\r\n" + body[: len(body) // 2]),
    "half-a-chunk": sends(lambda body: HEAD + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n" + body),
    "chunk-of-less-than-nothing": sends(lambda body: HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n" + body),
    "garbage": sends(lambda body: bytes(range(256)) * 9),
    "another-protocol": sends(lambda body: b"SSH-2.0-OpenSSH_9.7\r\n"),
    "many-headers": sends(lambda body: HEAD + b"a: b\r\n" * 200 + b"\r\n{}"),
    "no-gzip": sends(lambda body: answer(body, "200 OK", "Content-Encoding: gzip")),
    "dripping-head": drips(lambda body: HEAD + b"X: ", b"x"),
    "dripping-body": drips(lambda body: HEAD + b"Content-Length: 99999999\r\n\r\n" + body),
    "dripping-body-of-no-length": drips(lambda body: HEAD + b"\r\n" + body),
    "endless": endless,
    "html": sends(lambda body: answer("<html>log in</html>", kind="text/html")),
    "empty": sends(lambda body: answer("")),
    "text": sends(lambda body: answer('"OK"')),
    "null": sends(lambda body: answer("null")),
    "object": sends(lambda body: answer("{}")),
    "list": sends(lambda body: answer("[]") if body.strip()[:1] == b"{" else answer("[[]]")),
    "numbers": sends(lambda body: answer("[1, 2]")),
    "deep": sends(lambda body: answer("[" * 100_000)),
    "deep-but-whole": sends(lambda body: answer('{"a":' * 600 + "1" + "}" * 600)),
    "moved": sends(lambda body: answer("", "302 Found", "Location: https://example.com/")),
    "429-for-a-day": sends(lambda body: answer("{}", "429 Slow Down", "Retry-After: 86400")),
    "429-for-nonsense": sends(lambda body: answer('{"error": []}', "429 Slow Down", "Retry-After: \xb2")),
    "503-for-a-day": sends(lambda body: answer("[]", "503 Busy", "Retry-After: 86400")),
    "401": sends(lambda body: answer("invalid token", "401 Unauthorized", kind="text/plain")),
    "403-nonsense": sends(lambda body: answer("[[]]", "403 Forbidden")),
    "404-nonsense": sends(lambda body: answer("7", "404 Not Found")),
    "nothing-to-say": sends(lambda body: b"HTTP/1.1 204 No Content\r\n\r\n"),
    "not-modified": sends(lambda body: b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "no-such-status": sends(lambda body: answer(body, "999 ?")),
    "status-in-words": sends(lambda body: answer(body, "OK")),
    "for-ever-to-be-continued": goes_on,
    "kept-and-cut": kept_and_cut,
    "twice": sends(lambda body: answer(body) * 2),
    "length-in-words": sends(lambda body: HEAD + b"Content-Length: all\r\n\r\n" + body),
    "length-too-short": sends(lambda body: HEAD + b"Content-Length: 3\r\n\r\n" + body),
    "utf-16": sends(lambda body: answer(body.decode().encode("utf-16"))),
    "not-utf-8": sends(lambda body: answer(body[:-1] + b"\xff\xfe")),
    "half-a-gzip": sends(lambda body: answer(gzip.compress(body)[:-9], "200 OK", "Content-Encoding: gzip")),
    "bomb": sends(lambda body: answer(BOMB, "200 OK", "Content-Encoding: gzip")),
    "too-many-digits": sends(lambda body: answer('{"records": [%s]}' % ("7" * 10_000))),
    "no-number": sends(lambda body: answer('[NaN, {"id": Infinity}, 1e999]')),
    "times-of-nowhere": sends(
        lambda body: answer(body, "200 OK", "Date: when", "X-Server-Time: \xb2", "Retry-After: -1", "Set-Cookie: ;;=")
    ),
    "nothing-left": sends(
        lambda body: answer(
            body,
            "200 OK",
            "X-Rate-Limit-Api-Token-Remaining: -7",
            "X-Rate-Limit-Api-Token-Interval-Ms: 99999999999",
        )
    ),
    "422-nonsense": sends(lambda body: answer('{"error": {"type": [], "message": {}}}', "422 Unprocessable")),
}
NOT_REACHED = ("429-for-a-day", "429-for-nonsense")
"""What refuses for its pace has done nothing: that is why a POST may be sent again."""


class Wild(World):
    """A world whose services are reached through a server that spoils answers, once it has gone wild."""

    active = False
    server: RawServer | None = None

    def go_wild(self, spoil: Spoil, first: int, times: int, seed: int = 0) -> None:
        """So many answers are spoilt, from that request on."""
        self.spoil, self.first, self.times, self.chance = spoil, first, times, random.Random(seed)
        self.came, self.active = 0, True
        self.server = RawServer(self.between)
        self.own = f"{self.emulator.settings()['AIRTABLE_ENDPOINT_URL']}".split("/")[2]
        for name in ("AIRTABLE_ENDPOINT_URL", "TRELLO_ENDPOINT_URL"):
            self.env[name] = self.env[name].replace(self.own, self.server.host)

    @property
    def transport(self):
        return partial(unpaced_wire, clock=self.clock, read_timeout=20.0, deadline=DEADLINE if self.active else 60.0)

    def between(self, connection: socket.socket, request: Request) -> None:
        index, self.came = self.came, self.came + 1
        is_spoilt = self.active and self.first <= index < self.first + self.times
        if is_spoilt and self.spoil in [KINDS[kind] for kind in NOT_REACHED]:
            return self.spoil(self.server, connection, b"", self.chance)
        asked = http.client.HTTPConnection(self.own)
        headers = [line.split(": ", 1) for line in request.head.decode("latin-1").split("\r\n")[1:]]
        kept = {name: value for name, value in headers if name.lower() not in ("host", "connection", "accept-encoding")}
        asked.request(request.method, request.path, request.body, kept)
        told = asked.getresponse()
        body = told.read()
        date = [f"{name}: {told.headers[name]}" for name in ("Date", "X-Server-Time") if told.headers[name]]
        asked.close()
        if is_spoilt:
            return self.spoil(self.server, connection, body, self.chance)
        kind = told.headers["Content-Type"] or "text/plain"
        more = (*date, "Connection: close")  # which is what happens; a POST would be sent on it otherwise
        return connection.sendall(answer(body, f"{told.status} {told.reason}", *more, kind=kind))

    def close(self) -> None:
        if self.server is not None:
            self.server.__exit__()
        super().close()
