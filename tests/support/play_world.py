"""The playground served over real HTTP in this process, as its door serves it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from playground.routes import Playground
from playground.world import World
from support.gateway_process import free_port
from support.gateway_world import serving


@contextlib.contextmanager
def playing(folder: Path) -> Iterator[tuple[str, World]]:
    """Yields: its address, and what is behind it."""
    with contextlib.closing(World(folder)) as world:
        playground = Playground(world, "127.0.0.1")
        with serving(playground.gate, free_port(), playground.app()) as url:
            yield url, world
