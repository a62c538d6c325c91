"""Which hosts are this machine itself. Never here: a request, a setting."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str | None) -> bool:
    """Whether the name or address can be nothing but this machine."""
    name = (host or "").rstrip(".").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
