"""The doors are tested with Prefect: one test server for the folder."""

import pytest
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.testing.utilities import prefect_test_harness

from emulator import Emulator


@pytest.fixture(scope="session")
def prefect_server():
    """A server on a database of its own; without heartbeats, whose thread costs a second a run."""
    with (
        prefect_test_harness(server_startup_timeout=600),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield


@pytest.fixture
def emulator():
    """Both services, empty."""
    with Emulator() as running:
        yield running


@pytest.fixture
def configured(emulator, tmp_path, monkeypatch):
    """The settings of the emulator and a fresh state database in the environment."""
    fast = {"AIRTABLE_REQUESTS_PER_SECOND": "50", "TRELLO_REQUESTS_PER_10_SECONDS": "300"}
    settings = {**emulator.settings(), **fast, "SYNC_STATE_URL": f"sqlite:///{tmp_path}/state.sqlite3"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings
