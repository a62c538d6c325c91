from support.harness import world

__all__ = ["world"]
