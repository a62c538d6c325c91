from harness import world

__all__ = ["world"]
