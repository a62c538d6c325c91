"""Delta reads: what they cost, what they see, and when a full read takes their place."""

import pytest
from harness import World


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    made.lead("Uninvolved", "CONTACTED", email="un_involved@example.com", source="fair")
    made.sync()
    yield made
    made.close()


def test_idle(world):
    r = world.sync(read="delta")
    print(r.read, world.calls(), r.changes)
    assert r.read == {"airtable": "delta", "trello": "delta"}
    assert world.calls() == (1, 1)
