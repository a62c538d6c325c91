"""A world for what cannot be asked without the services."""

from support.harness import world

__all__ = ["world"]
