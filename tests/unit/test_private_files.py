"""Files of ours are their owner's alone: those that are made, and those that were there."""

import os
import signal
import stat

import pytest

from leadsync.private_files import close_to_others, make_private, read_by_others, write_private
from leadsync.state.lock import pair_lock
from leadsync.state.store import StateStore

pytestmark = pytest.mark.skipif(os.name != "posix", reason="rights of Unix")
PAIR = "appA/board"


@pytest.fixture(autouse=True)
def generous():
    """What a file gets when nobody looks."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def use(path):
    """A state as a run leaves it, while it is open. Returns: every file beside it."""
    store = StateStore(f"sqlite:///{path}")
    with pair_lock(store, PAIR):
        store.facts.save("key", {"a": 1})
        found = {each: mode(each) for each in path.parent.iterdir()}
    store.close()
    return found


def test_state_that_is_made_is_its_owners_alone(tmp_path):
    """The database, what SQLite keeps beside it, and the lock; and each folder that had to be made."""
    path = tmp_path / "one" / "two" / "state.sqlite3"
    files = use(path)
    assert {each.name.removeprefix(path.name).lstrip("-.").rpartition(".")[2] for each in files} == {
        "",
        "wal",
        "shm",
        "lock",
    }
    assert set(files.values()) == {0o600}
    assert (mode(tmp_path / "one"), mode(tmp_path / "one/two")) == (0o700, 0o700)


def test_state_of_before_is_tightened(tmp_path):
    """With its folder, in which there is nothing else."""
    folder = tmp_path / "leadsync"
    path = folder / "state.sqlite3"
    for each in use(path):
        if each.exists():
            each.chmod(0o644)
    for end in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + end).touch(0o664)
    folder.chmod(0o755)
    make_private(path)
    assert {mode(each) for each in folder.iterdir() if each.suffix != ".lock"} == {0o600}
    assert mode(folder) == 0o700
    assert set(use(path).values()) == {0o600}


@pytest.mark.parametrize("before", [0o755, 0o775, 0o1777])
def test_folder_of_others_stays_as_it_is(tmp_path, before):
    """A project, or a place where everybody keeps files, even if it is empty but for ours."""
    folder = tmp_path / "shared"
    folder.mkdir()
    if before != 0o1777:
        folder.joinpath("README.md").touch()
    folder.chmod(before)
    use(folder / "state.sqlite3")
    assert mode(folder) == before


def test_rights_are_taken_and_never_given(tmp_path):
    """A state that was made read-only stays so."""
    path = tmp_path / "state.sqlite3"
    use(path)
    path.chmod(0o444)
    make_private(path)
    assert mode(path) == 0o400


def test_folder_in_place_of_a_file_is_left_alone(tmp_path):
    path = tmp_path / "state.sqlite3"
    path.mkdir()
    path.chmod(0o755)
    tmp_path.joinpath("other").touch()
    make_private(path)
    close_to_others(path)
    assert mode(path) == 0o755


def test_file_that_vanishes_meanwhile_is_no_error(tmp_path, monkeypatch):
    """SQLite removes what it keeps beside the database when the last program closes it."""
    path = tmp_path / "state.sqlite3"
    path.touch(0o644)
    monkeypatch.setattr("pathlib.Path.is_file", lambda _: True)
    close_to_others(tmp_path / "gone")
    make_private(path)
    assert mode(path) == 0o600


def test_what_others_may_read_is_told(tmp_path):
    file = tmp_path / ".env"
    assert not read_by_others(file)
    for rights, told in ((0o600, False), (0o400, False), (0o640, True), (0o604, True), (0o620, True)):
        file.touch()
        file.chmod(rights)
        assert read_by_others(file) is told


def test_files_are_put_in_place_together_and_are_their_owners_alone(tmp_path):
    one, two = tmp_path / "new" / ".env", tmp_path / "leadsync.toml"
    two.write_text("before")
    two.chmod(0o666)
    write_private({one: "ä\n", two: "after"})
    assert (one.read_text("utf-8"), two.read_text()) == ("ä\n", "after")
    assert (mode(one), mode(one.parent), mode(two)) == (0o600, 0o700, 0o600)


def test_link_to_a_file_stays_one(tmp_path):
    (tmp_path / "kept").mkdir()
    link = tmp_path / ".env"
    link.symlink_to(tmp_path / "kept" / "real.env")
    write_private({link: "A=1\n"})
    assert link.is_symlink()
    assert (tmp_path / "kept" / "real.env").read_text() == "A=1\n"


@pytest.mark.parametrize("failure", [OSError("full"), KeyboardInterrupt()], ids=["full", "ctrl-c"])
def test_nothing_is_half_written(tmp_path, monkeypatch, failure):
    """Whatever happens before the last file is whole: those of before stay, and no other is left behind."""
    one, two = tmp_path / ".env", tmp_path / "leadsync.toml"
    one.write_text("before")
    opened = os.fdopen
    calls = []

    def fail_at_the_second(*arguments, **more):
        calls.append(arguments)
        if len(calls) == 2:
            raise failure
        return opened(*arguments, **more)

    monkeypatch.setattr(os, "fdopen", fail_at_the_second)
    with pytest.raises(type(failure)):
        write_private({one: "after", two: "new"})
    assert [each.name for each in tmp_path.iterdir()] == [".env"]
    assert one.read_text() == "before"


def test_ctrl_c_between_two_files_comes_after_both(tmp_path, monkeypatch):
    one, two = tmp_path / ".env", tmp_path / "leadsync.toml"
    replace = os.replace

    def then_ctrl_c(*arguments):
        replace(*arguments)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(os, "replace", then_ctrl_c)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever a command left; conftest puts it back
    with pytest.raises(KeyboardInterrupt):
        write_private({one: "A=1\n", two: "new"})
    assert (one.read_text(), two.read_text()) == ("A=1\n", "new")
