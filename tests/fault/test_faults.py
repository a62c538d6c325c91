"""Any fault at any request: after one clean run every edit is in force, once."""

from itertools import count

import pytest

from emulator import Fault
from support.harness import Scene

FAULTS = {
    "drop-before": Fault("drop_before"),
    "drop-after": Fault("drop_after"),
    "timeout-before": Fault("timeout_before", seconds=0.4),
    "timeout-after": Fault("timeout_after", seconds=0.4),
    "status-500": Fault("status", status=500),
    "status-503-after": Fault("status_after", status=503),
    "status-429": Fault("status", status=429),
    "truncate": Fault("truncate"),
    "html": Fault("html"),
    "html-200": Fault("html", status=200),
}
ALWAYS = ("drop-after", "timeout-after")
REST = [kind for kind in FAULTS if kind not in ALWAYS]


def at(fault, index, times=1):
    return Fault(**{**vars(fault), "nth": index + 1, "times": times})


def disturbed(folder, fault):
    """A scene after a run with the fault. Returns: the scene, the run's report, whether the fault struck."""
    scene = Scene(folder)
    scene.emulator.inject(fault)
    scene.read_timeout = 0.25 if fault.kind.startswith("timeout") else 20.0
    report = scene.sync(exit_code=None)
    struck = len(scene.emulator.requests) >= fault.nth
    scene.read_timeout = 20.0
    scene.emulator.clear_faults()
    return scene, report, struck


def every_index(tmp_path, fault, times=1, first=0, step=1):
    """Scenes disturbed at one request after the other, up to the last; each with its index and report."""
    for index in count(first, step):
        scene, report, struck = disturbed(tmp_path / str(index), at(fault, index, times))
        if struck:
            yield index, scene, report
        scene.close()
        if not struck:
            return


@pytest.mark.parametrize(
    ("kind", "first", "step"),
    [
        *((kind, 0, 1) for kind in ALWAYS),
        *((kind, number % 4, 4) for number, kind in enumerate(REST)),
        *(pytest.param(kind, 0, 1, marks=pytest.mark.exhaustive) for kind in REST),
    ],
)
def test_fault_at_any_request_is_mended_by_the_next_run(tmp_path, kind, first, step):
    indices = []
    for index, scene, report in every_index(tmp_path, FAULTS[kind], first=first, step=step):
        indices.append(index)
        assert report.exit_code == bool(report.failures or report.error), index
        scene.sync()
        scene.assert_done()
    assert len(indices) >= 12 // step


@pytest.mark.exhaustive
@pytest.mark.parametrize("times", [2, 5, 60])
@pytest.mark.parametrize("kind", FAULTS)
def test_fault_that_lasts_is_mended_by_the_next_run(tmp_path, kind, times):
    for _, scene, report in every_index(tmp_path, FAULTS[kind], times):
        assert report.exit_code in (0, 1, 2)
        scene.sync()
        scene.assert_done()


@pytest.mark.parametrize("kind", ["drop-before", "drop-after", "status-500", "status-503-after", "truncate"])
def test_unclear_create_is_not_sent_again_before_the_board_was_read(tmp_path, kind):
    scene = Scene(tmp_path)
    scene.emulator.inject(Fault(**{**vars(FAULTS[kind]), "service": "trello", "method": "POST"}))
    scene.sync()
    methods = [request.method for request in scene.emulator.requests if request.service == "trello"]
    first = methods.index("POST")
    assert methods[first + 1] == "GET"
    assert methods.count("POST") == (2 if kind in ("drop-after", "status-503-after", "truncate") else 3)
    assert not any("search" in request.path for request in scene.emulator.requests)
    scene.assert_done()
    scene.close()


@pytest.mark.parametrize("kind", ["timeout-before", "timeout-after"])
def test_create_that_timed_out_is_left_to_the_next_run(tmp_path, kind):
    """The server may still be at it, so that a second POST could make a second card."""
    fault = Fault(**{**vars(FAULTS[kind]), "service": "trello", "method": "POST"})
    scene, report, _ = disturbed(tmp_path, fault)
    posts = sum(request.method == "POST" for request in scene.emulator.requests)
    assert posts == 2
    assert report.exit_code == (1 if kind == "timeout-before" else 0)
    scene.sync()
    scene.assert_done()
    scene.close()


def test_writes_that_answer_202_took_place(tmp_path):
    scene = Scene(tmp_path, trello_write_status=202)
    scene.sync()
    scene.assert_done()
    scene.close()


@pytest.mark.parametrize(("service", "seconds"), [("airtable", 30), ("trello", 10)])
def test_429_waits_out_the_window(tmp_path, service, seconds):
    scene = Scene(tmp_path)
    scene.emulator.inject(Fault("status", service=service, status=429))
    scene.sync()
    assert seconds <= scene.clock.waited < seconds + 5
    scene.assert_done()
    scene.close()


def test_refused_request_is_not_sent_again(tmp_path):
    """One card's PUT gets a 400; the other cards go through, and the next run tries it anew."""
    scene = Scene(tmp_path)
    scene.emulator.inject(Fault("status", service="trello", method="PUT", status=400, body="invalid value"))
    report = scene.sync(exit_code=1)
    assert (len(report.failures), scene.emulator.calls("trello", writes=True)) == (1, 5)
    scene.sync()
    scene.assert_done()
    scene.close()
