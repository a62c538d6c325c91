"""What takes minutes: fifty edits through the real process, an hour's soak, and a burst against Prefect runs."""

import sys
import threading
import time

import pytest
import requests

from support.gateway_bench import Bench, percentile
from support.gateway_world import trello_delivery

pytestmark = pytest.mark.exhaustive


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path, leads=10, settle=0.5)
    yield made
    made.close()


def test_fifty_edits_arrive_within_three_seconds(bench):
    """At the 95th percentile, settle time excluded; the run that carries an edit costs five requests at most."""
    made = [bench.edit(number) for number in range(50)]
    assert percentile([edit.seconds - bench.settle for edit in made], 0.95) < 3.0
    assert max(edit.calls_of_run for edit in made if edit.side == "airtable") <= 5
    assert max(edit.runs for edit in made) <= 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_hours_soak_shows_no_growth(bench):
    """Memory, threads and open files, after a warm-up; the services' clock goes on for an hour."""
    seen = []
    for number in range(90):
        bench.edit(number)
        bench.emulator.clock.advance(40)
        if number in (29, 59, 89):
            time.sleep(11)  # a limiter's thread takes up to ten seconds to end
            seen.append(bench.gateway.resources())
    first, _, last = seen
    assert last["threads"] <= first["threads"] + 2
    assert last["files"] <= first["files"] + 4
    assert last["rss_kib"] <= first["rss_kib"] * 1.1


def test_burst_of_500_deliveries_is_at_most_three_flow_runs(bench):
    """As in the plain run, but each run is Prefect's."""
    secret = bench.emulator.trello.secret
    before = bench.gateway.health()["runs_ended"]

    def deliver(first):
        with requests.Session() as session:
            for number in range(first, 500, 10):
                sent = trello_delivery(bench.gateway.url, f"burst {number}", secret)
                assert session.post(**sent, timeout=10).json() == {"verdict": "hint"}
                time.sleep(max(0.0, begun + number / 250 - time.monotonic()))

    begun = time.monotonic()
    threads = [threading.Thread(target=deliver, args=(first,)) for first in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bench.rest()
    assert 1 <= bench.gateway.health()["runs_ended"] - before <= 3
