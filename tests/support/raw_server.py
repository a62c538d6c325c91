"""A server that does what no framework would: it gets a request whole, and answers with the bytes that it is told."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Behave = Callable[[socket.socket, "Request"], None]
"""What is done with a request, in a thread of its own; the connection is closed after it unless it is `kept`."""
GIVES_UP = 30.0
"""Seconds after which a server that has no end of its own ends all the same."""


@dataclass
class Request:
    """One request, in bytes. `kept`: the connection takes another one after it."""

    line: str
    head: bytes
    body: bytes
    kept: bool = False

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    def header(self, name: str) -> str:
        """ "" if it is not there."""
        lines = (line.partition(":") for line in self.head.decode("latin-1").splitlines()[1:])
        return next((value.strip() for key, _, value in lines if key.lower() == name.lower()), "")


class RawServer:
    """
    Listens on a loopback port. `requests`: those that came, in order; `connections`: how many were made.

    tls: a context for the server's side. Closing it ends what is still under way.
    """

    def __init__(self, behave: Behave, tls: ssl.SSLContext | None = None) -> None:
        self.behave, self._tls = behave, tls
        self.requests: list[Request] = []
        self.connections = 0
        self.closed = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> RawServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.host}"

    def drips(self, connection: socket.socket, beginning: bytes, drop: bytes = b" ", pause: float = 0.02) -> None:
        """Send the beginning, then drop after drop for as long as anybody listens."""
        connection.sendall(beginning)
        end = time.monotonic() + GIVES_UP
        while time.monotonic() < end and not self.closed.wait(pause):
            connection.sendall(drop)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        with suppress(OSError), connection:
            if self._tls is not None:
                self._open.discard(connection)
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.add(connection)
            with connection:
                while (request := read_request(connection)) is not None:
                    self.requests.append(request)
                    self.behave(connection, request)
                    if not request.kept:
                        break
        self._open.discard(connection)


def read_request(connection: socket.socket) -> Request | None:
    """The next one on a connection; None at its end."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        if not more:
            return None
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    request = Request(head.split(b"\r\n")[0].decode("latin-1"), head, body)
    while len(request.body) < int(request.header("Content-Length") or 0):
        request.body += connection.recv(65536)
    return request


def answer(body: bytes | str = b"{}", status: str = "200 OK", *headers: str, kind: str = "application/json") -> bytes:
    """A whole answer, its length included. `headers`: further lines."""
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def sends(*answers: bytes) -> Behave:
    """Answers with these in turn, the last for ever; the connection stays open."""
    left = list(answers)

    def behave(connection: socket.socket, request: Request) -> None:
        request.kept = True
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return behave


@dataclass(frozen=True)
class Certificate:
    """One for 127.0.0.1, and the file that says whom to trust for it."""

    authority: Path
    server: ssl.SSLContext


def make_certificate(folder: Path, host: str = "127.0.0.1") -> Certificate:
    """A certificate that signs itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "leadsync tests")])
    now = datetime.datetime.now(datetime.UTC)
    made: Any = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    places = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    made = made.add_extension(places, False).add_extension(x509.BasicConstraints(True, None), True)
    text = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "authority.pem").write_bytes(text)
    (folder / "server.pem").write_bytes(text + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return Certificate(folder / "authority.pem", context)
