"""
The connections to a service. A request under way has an end, and a secret gets into its path only as it leaves.

What is never here: a retry, a pause, what an answer means.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from leadsync.loopback import is_loopback

_current = threading.local()


class UnderWay:
    """
    One request: connecting, sending it, and its answer to the end, within `seconds`.

    A time-out of the socket begins anew with every byte; this one does not: the connection is cut, whatever it waits
    for, and `late` says so. `left`: whether the request may have reached the service. `in_path`: as Wire has it.
    """

    def __init__(self, seconds: float, in_path: Mapping[str, str]) -> None:
        self.late, self.left = False, True
        self.in_path = in_path
        self._line: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def goes_by(self, line: socket.socket) -> None:
        """It is this connection that is cut. Held by a handle of our own: TLS takes the socket over, an answer too."""
        with self._lock:
            self._let_go()
            self._line = socket.fromfd(line.fileno(), socket.AF_INET, socket.SOCK_STREAM)  # whatever kind it is
            if self.late:
                self._hang_up()

    def end(self) -> None:
        """It is answered, or given up."""
        self._timer.cancel()
        with self._lock:
            self._let_go()

    def _cut(self) -> None:
        with self._lock:
            self.late = True
            self._hang_up()

    def _hang_up(self) -> None:
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


@contextmanager
def under_way(seconds: float, in_path: Mapping[str, str]) -> Iterator[UnderWay]:
    """What this thread asks inside of it is one request."""
    _current.request = request = UnderWay(seconds, in_path)
    try:
        yield request
    finally:
        request.end()


class Lines(HTTPAdapter):
    """
    The adapter of requests, its connections bound to what `under_way` says. For nothing outside of it.

    It alone looks at the environment, until it has found the way to a host: to look takes as long as to send.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._ways: dict[str, dict[str, Any]] = {}

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """As HTTPAdapter."""
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = _bound_pools(self.poolmanager)

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        """As HTTPAdapter, on the way that the environment says."""
        _current.request.left = False
        parts = urlsplit(request.url or "")
        host = f"{parts.scheme}://{parts.netloc}"
        way = self._ways.get(host) or way_to(host)
        response = super().send(request, *args, **(way | more))
        self._ways[host] = way
        return response

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        """As HTTPAdapter."""
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **more)
        if is_new:
            manager.pool_classes_by_scheme = _bound_pools(manager)
        return manager


def to_endpoint(request: requests.PreparedRequest, hosts: Mapping[str, str]) -> None:
    """Put in place of a host that a client has hard-coded the endpoint that `hosts` names for it, with its path."""
    parts = urlsplit(request.url or "")
    if endpoint := hosts.get(f"{parts.scheme}://{parts.netloc}"):
        target = urlsplit(endpoint)
        path = target.path.rstrip("/") + parts.path
        request.url = urlunsplit((target.scheme, target.netloc, path, parts.query, ""))


def way_to(url: str) -> dict[str, Any]:
    """
    Proxies and certificates for a host, as the environment has them.

    No proxy reaches this machine's loopback, and it would be shown the credentials.
    """
    way = dict(requests.Session().merge_environment_settings(url, {}, True, None, None))
    return way | ({"proxies": {}} if is_loopback(urlsplit(url).hostname) else {})


def _bound_pools(manager: Any) -> dict[str, type]:
    return {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": _bound(pool.ConnectionCls)})
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }


@cache
def _bound(kind: Any) -> Any:
    """A kind of connection, direct or by a proxy, plain or TLS, that tells the request under way what it does."""

    class Bound(kind):  # type: ignore[misc]
        def _new_conn(self) -> Any:
            line = super()._new_conn()
            _current.request.goes_by(line)
            return line

        def putrequest(self, method: str, url: str, *args: Any, **more: Any) -> None:
            for name, secret in _current.request.in_path.items():
                url = url.replace(name, secret)
            super().putrequest(method, url, *args, **more)

        def endheaders(self, *args: Any, **more: Any) -> None:
            if self.sock is None:
                self.connect()
            else:
                _current.request.goes_by(self.sock)
            _current.request.left = True
            super().endheaders(*args, **more)

    return Bound


def session(wire: BaseAdapter, headers: Mapping[str, str]) -> requests.Session:
    """A session in which every request goes over `wire`, and which looks at no environment: not at a .netrc."""
    new = requests.Session()
    new.trust_env = False
    new.headers.update(headers)
    new.mount("http://", wire)
    new.mount("https://", wire)
    return new
