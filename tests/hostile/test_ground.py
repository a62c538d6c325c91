"""The ground changes under a run: permissions, columns, lists and boards, before it and in its midst."""

from __future__ import annotations

import pytest

from support.harness import Scene

AIRTABLE_TOKEN, TRELLO_TOKEN = "AIRTABLE_API_TOKEN", "TRELLO_API_TOKEN"
SCOPES = {"data.records:read", "data.records:write"}


def renew(setting):
    """A person makes a new token and puts it into the settings."""

    def mend(scene):
        fresh = scene.airtable.add_token(SCOPES) if setting == AIRTABLE_TOKEN else scene.trello.add_token()
        scene.env[setting] = fresh

    return mend


# side, what happens, how a person mends it
UPSETS = {
    "trello-token-revoked": ("trello", lambda s: s.trello.revoke_token(), renew(TRELLO_TOKEN)),
    "board-out-of-sight": ("trello", lambda s: s.trello.hide_board(), lambda s: s.trello.show_board()),
    "board-closed": ("trello", lambda s: s.trello.close_board(), lambda s: s.trello.reopen_board()),
    "list-archived": ("trello", lambda s: s.trello.archive_list("DONE"), lambda s: s.trello.unarchive_list("DONE")),
    "list-renamed": (
        "neither",
        lambda s: s.trello.rename_list("DONE", "Gone"),
        lambda s: s.trello.rename_list("Gone", "DONE"),
    ),
    "airtable-token-revoked": ("airtable", lambda s: s.airtable.revoke(), renew(AIRTABLE_TOKEN)),
    "column-renamed": (
        "airtable",
        lambda s: s.airtable.rename_field("status", "Stage"),
        lambda s: s.airtable.rename_field("Stage", "status"),
    ),
    "column-retyped": (
        "airtable",
        lambda s: s.airtable.retype_field("name", "number"),
        lambda s: s.airtable.retype_field("name", "singleLineText"),
    ),
    "option-deleted": (
        "airtable",
        lambda s: s.airtable.delete_select_option("status", "QUALIFIED"),
        lambda s: s.airtable.add_select_option("status", "QUALIFIED"),
    ),
    "table-renamed": (
        "airtable",
        lambda s: s.airtable.rename_table("Customers"),
        lambda s: s.airtable.rename_table("Leads"),
    ),
}


def upset_scenes(tmp_path, happens, indices):
    """For each of these requests of a run, a scene in which something happened just before it. Yields: all three."""
    for at in indices:
        scene, struck = Scene(tmp_path / str(at)), []

        def before(request, index, scene=scene, struck=struck, at=at):
            if index == at and not struck:
                struck.append(request)
                happens(scene)

        scene.emulator.before_request(before)
        report = scene.sync(exit_code=None)
        if struck:
            yield struck[0], scene, report
        scene.close()
        if not struck:
            return


@pytest.mark.parametrize(
    "indices",
    [pytest.param((6,), id="while-writing"), pytest.param(range(40), id="anywhere", marks=pytest.mark.exhaustive)],
)
@pytest.mark.parametrize("what", UPSETS)
def test_upset_at_any_request_is_told_and_finished_once_it_is_mended(tmp_path, what, indices):
    """No exception, no double, no lost edit; what the upset does not touch is written all the same."""
    side, happens, mend = UPSETS[what]
    for request, scene, report in upset_scenes(tmp_path, happens, indices):
        assert report.exit_code in (0, 1, 2), (request.path, report.message)
        assert report.exit_code == 0 or report.message
        assert all(row["reason"] and row["remedy"] for row in (*report.failures, *report.quarantine))
        if side == "airtable" and request.is_write and request.service == "trello":
            assert report.counts["to_trello"] >= 5, "the other side was not finished"
        mend(scene)
        scene.sync()
        scene.assert_done()
