import pytest

from support.browser import browser
from support.play_world import playing


@pytest.fixture(scope="module")
def opened():
    """A browser for all tests of a file."""
    with browser() as found:
        yield found


@pytest.fixture
def play(tmp_path):
    """The playground: its address, and the world behind it."""
    with playing(tmp_path) as found:
        yield found
