"""Where a server of a test may listen."""

import contextlib
import random
import socket

LISTENED_ON = range(20_000, 32_000)
"""Ports that no system gives to a connection by itself: another one may be taken before a server gets there."""


def free_port() -> int:
    """One of this machine's that nobody listens on."""
    for port in random.SystemRandom().sample(LISTENED_ON, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("a hundred ports are taken")
