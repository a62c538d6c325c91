"""One installation and one short history of runs for the folder's tests that need a server."""

import shlex

import pytest
from installation import Installation
from readme_commands import set_up

from demo import edit_both_sides
from emulator import Emulator

ON_DEMAND = shlex.split("deployment run sync-leads/on-demand --watch")


@pytest.fixture(scope="session")
def emulator():
    """Both services, with the demo's leads."""
    with Emulator.demo() as running:
        yield running


@pytest.fixture(scope="session")
def prefect(emulator, tmp_path_factory):
    """All that the README says to do once, in its own words."""
    folder = tmp_path_factory.mktemp("prefect")
    state = {"SYNC_STATE_URL": f"sqlite:///{folder}/state.sqlite3"}
    installation = Installation(folder / "home", emulator.settings() | state)
    try:
        installation.follow(set_up())
        yield installation
    finally:
        installation.stop()


@pytest.fixture(scope="session")
def history(prefect, emulator):
    """A first sync, the demo's edits on both sides, a dry run, and a sync. Returns: these runs, by what they are."""
    runs = {}
    for what, edit, options in (
        ("first", None, []),
        ("dry", edit_both_sides, ["--param", "dry_run=true"]),
        ("findings", None, []),
    ):
        if edit:
            edit(emulator)
        watched = prefect.prefect(*ON_DEMAND, *options)
        assert watched.returncode == 0, watched.stdout
        runs[what] = prefect.last_run()
    return runs
