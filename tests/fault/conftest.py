import pytest

from support.harness import World, world
from support.mapped_scene import MAPPING, build

__all__ = ["world"]


@pytest.fixture
def mapped(tmp_path):
    """A world with every property of a card mapped."""
    made = World(tmp_path)
    build(made)
    made.env["SYNC_FIELDS"] = MAPPING
    made.linked("Uninvolved", "NEW")
    yield made
    made.close()
