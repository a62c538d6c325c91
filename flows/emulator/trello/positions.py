"""
Positions of lists, cards and custom fields among their neighbours.

Nothing here knows what lies there.
"""

from collections.abc import Iterable
from typing import Any

STEP = 16384.0


def whole(number: float) -> float | int:
    """Positions are written without a point where they can be."""
    return int(number) if float(number).is_integer() else number


def position(wanted: Any, taken: Iterable[float]) -> float:
    """A position among those taken: bottom is max + 16384, top is min / 2."""
    if isinstance(wanted, int | float):
        return float(wanted)
    if wanted == "top":
        return min(taken, default=2 * STEP) / 2
    return max(taken, default=0.0) + STEP
