"""The same settings name the same state, from wherever a run is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadsync.environment import load_settings
from leadsync.errors import ConfigurationError
from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore
from support.harness import STAGE_OF, World


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """The project and two folders to run from, the first of which is the working directory."""
    made = [tmp_path / name for name in ("project", "here", "there")]
    for folder in made:
        folder.mkdir()
    monkeypatch.setattr("leadsync.setting_addresses.PROJECT", made[0])
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(made[1])
    return made


@pytest.fixture
def world(folders, tmp_path):
    made = World(tmp_path)
    made.lead("Uninvolved", "CONTACTED")
    yield made
    made.close()


@pytest.mark.parametrize("path", ["state.db", "./state.db", "kept/state.db", "~/state.db"])
def test_card_move_between_runs_from_two_folders_is_not_undone(world, folders, monkeypatch, path):
    """A second, empty state would take the move for a first match, in which Airtable wins."""
    world.env["SYNC_STATE_URL"] = f"sqlite:///{path}"
    ada = world.linked("Ada", "NEW")
    monkeypatch.chdir(folders[2])
    world.trello.move(world.card(ada)["id"], "DONE")
    assert world.sync().conflicts == []
    assert (world.status(ada), world.place(ada)) == ("QUALIFIED", "DONE")
    assert [list(folder.iterdir()) for folder in folders[1:]] == [[], []]
    world.assert_idle()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("sqlite:///state.db", "sqlite:///{project}/state.db"),
        ("sqlite:///a/../b/state.db", "sqlite:///{project}/b/state.db"),
        ("sqlite+pysqlite:///state.db?timeout=3", "sqlite+pysqlite:///{project}/state.db?timeout=3"),
        (" sqlite:///state.db ", "sqlite:///{project}/state.db"),
        ("sqlite:///~/state.db", "sqlite:///{home}/state.db"),
        ("sqlite:///file:state.db?uri=true&vfs=unix", "sqlite:///file:{project}/state.db?uri=true&vfs=unix"),
        ("sqlite:///file:~/state.db?uri=true", "sqlite:///file:{home}/state.db?uri=true"),
        ("sqlite:///file:state.db", "sqlite:///{project}/file:state.db"),
    ],
)
def test_relative_file_is_relative_to_the_project(world, folders, given, meant):
    """Not to the folder from which a run happens to be started."""
    places = {"project": folders[0], "home": folders[0].parent / "home"}
    told = world.settings(SYNC_STATE_URL=given).sync_state_url.get_secret_value()
    assert told == meant.format(**places)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////var/lib/state.db?timeout=3",
        r"sqlite:///C:\Users\ada\state.db",
        "sqlite:///C:/Users/ada/state.db",
        r"sqlite:///\\server\share\state.db",
        "sqlite:///file:/var/lib/state.db?uri=true",
        "sqlite:///file:///var/lib/state.db?uri=true",
        "postgresql://user:p%40ss@host/state?sslmode=require",
        "postgresql+psycopg:///state",
        "state.db",
    ],
)
def test_any_other_state_url_stays_as_it_is(world, url):
    assert world.settings(SYNC_STATE_URL=url).sync_state_url.get_secret_value() == url


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite+pysqlite:///:memory:",
        "sqlite:///file::memory:?uri=true&cache=shared",
        "sqlite:///file:kept?mode=memory&uri=true",
        "sqlite:///file:kept?uri=true&mode=memory",
    ],
)
def test_state_that_no_run_keeps_is_refused(monkeypatch, world, url):
    """The next one would meet everything as if for the first time."""
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SYNC_STATE_URL", url)
    with pytest.raises(ConfigurationError, match="SYNC_STATE_URL: it would be forgotten when a run ends"):
        load_settings(())


def test_home_of_nobody_is_refused(monkeypatch, world):
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SYNC_STATE_URL", "sqlite:///~nobody.of.this.name/state.db")
    with pytest.raises(ConfigurationError, match=r"SYNC_STATE_URL: .*~nobody.of.this.name"):
        load_settings(())


def test_state_left_in_the_working_directory_is_not_forgotten(monkeypatch, world, folders):
    """Where earlier versions put it: a new state beside it would forget all that it knows."""
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SYNC_STATE_URL", "sqlite:///state.db")
    StateStore(f"sqlite:///{folders[1]}/state.db").close()
    with pytest.raises(ConfigurationError) as caught:
        load_settings(())
    assert all(str(folder / "state.db") in str(caught.value) for folder in folders[:2])
    assert caught.value.exit_code == 2
    (folders[1] / "state.db").rename(folders[0] / "state.db")
    load_settings(())


def test_checklist_shows_the_resolved_path(world, folders):
    """Who reads it need not guess where the state is."""
    store = StateStore(world.settings(SYNC_STATE_URL="sqlite:///state.db?timeout=3").sync_state_url.get_secret_value())
    assert store.database.shown_url == f"sqlite:///{folders[0]}/state.db"
    store.close()


@pytest.mark.parametrize("form", ["file:{path}", "file://{path}", "file://localhost{path}"])
def test_file_uri_is_its_file(tmp_path, monkeypatch, form):
    """Its folder is made, its lock is beside it, and nothing else appears in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "kept here" / "state.db"
    store = StateStore(f"sqlite:///{form.format(path=str(path).replace(' ', '%20'))}?uri=true")
    with pair_lock(store, "appA/board"):
        assert {beside.suffix for beside in path.parent.iterdir()} >= {".db", ".lock"}
    assert (store.database.path, [found.name for found in tmp_path.iterdir()]) == (path, ["kept here"])
    store.close()


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_shared_memory_has_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("file::memory:?uri=true&cache=shared", "file:kept?mode=memory&cache=shared&uri=true"):
        store = StateStore(f"sqlite:///{name}")
        assert (store.database.path, list(Path().iterdir())) == (None, [])
        store.close()


def test_two_names_of_one_file_share_one_lock(tmp_path):
    """A linked state file is the same state, so only one run at a time may use it."""
    (tmp_path / "linked").mkdir()
    first = StateStore(f"sqlite:///{tmp_path}/state.db")
    (tmp_path / "linked" / "other.db").symlink_to(tmp_path / "state.db")
    second = StateStore(f"sqlite:///{tmp_path}/linked/other.db")
    with pair_lock(first, "appA/board"), pytest.raises(Exception, match="Another sync"):
        with pair_lock(second, "appA/board"):
            pass
    for store in (first, second):
        store.close()


def test_named_env_file_that_is_not_there_is_refused(tmp_path, monkeypatch, world):
    """Without it the run would go on with other settings, and so with another state."""
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LEADSYNC_ENV_FILE", str(tmp_path / "team.env"))
    with pytest.raises(ConfigurationError, match=r"LEADSYNC_ENV_FILE.*team\.env.*not there"):
        load_settings()


def test_state_that_knows_none_of_the_cards_is_told(world, folders):
    """Whoever starts a run under another state than before, by whatever accident, can see it in the report."""
    world.env["SYNC_STATE_URL"] = f"sqlite:///{folders[0]}/state.db"
    world.linked("Ada")
    assert [row["note"] for row in world.sync().notes] == []
    for dry_run in (True, False):
        (note,) = (row["note"] for row in world.sync(SYNC_STATE_URL="sqlite:///elsewhere.db", dry_run=dry_run).notes)
        assert "knows nothing yet of 2 cards" in note
        assert "SYNC_STATE_URL" in note


def test_board_by_any_of_its_names_is_the_same_pair(world, folders):
    """Id, short link and address; blanks around base and board."""
    ada = world.linked("Ada", "NEW")
    link = world.trello.board()["shortLink"]
    names = (link, f"https://trello.com/b/{link}/sales", f" {world.trello.board_id} ")
    for name, status in zip(names, ("QUALIFIED", "CONTACTED", "NEW"), strict=True):
        world.trello.move(world.card(ada)["id"], STAGE_OF[status])
        report = world.sync(TRELLO_BOARD_ID=name, AIRTABLE_BASE_ID=f" {world.airtable.base_id} ")
        assert (report.conflicts, report.notes, world.status(ada)) == ([], [], status)


def test_env_file_that_may_not_be_read_is_a_sentence(tmp_path, monkeypatch):
    """And not a run with other settings."""
    file = tmp_path / "team.env"
    file.write_text("")

    def forbidden(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", forbidden)
    monkeypatch.setenv("LEADSYNC_ENV_FILE", str(file))
    with pytest.raises(ConfigurationError, match=r"team\.env could not be read \(Permission denied\)"):
        load_settings()
