"""Worlds for hostile input."""

from harness import world

__all__ = ["world"]
