"""
Files of ours: nobody but their owner may read them, and folders that hold nothing else are closed to others.

Never here: what is in a file.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
STOPPING = (signal.SIGINT, signal.SIGTERM)
OTHERS = stat.S_IRWXG | stat.S_IRWXO
COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database, with the rights that it finds there."""


def make_private(path: Path) -> None:
    """
    See that the file is there, and it, what SQLite keeps beside it and its folder are its owner's alone.

    Folders that are missing are made. One that was there is closed to others only if all in it is called after the
    file: it may be a project, or everybody's. Raises: OSError if the file cannot be made.
    """
    _make_folder(path.parent)
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, FILE))
    for each in (path, *(path.with_name(path.name + end) for end in COMPANIONS)):
        close_to_others(each)
    if all(each.name.startswith(path.name) for each in path.parent.iterdir()):
        _take_away(path.parent)


def write_private(texts: Mapping[Path, str]) -> None:
    """
    Put files in place, each its owner's alone: all of them or, if one cannot be written or Ctrl-C comes, none.

    A link stays one. Raises: OSError.
    """
    ready: dict[str, Path] = {}
    try:
        for path, text in texts.items():
            target = Path(os.path.realpath(path))
            _make_folder(target.parent)
            number, name = tempfile.mkstemp(".env", f"{target.name}.", target.parent)  # 0600, and no file of git's
            ready[name] = target
            with os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
        with _undisturbed():
            for name, target in ready.items():
                os.replace(name, target)
            ready.clear()
    finally:
        for name in ready:
            with contextlib.suppress(OSError):
                os.unlink(name)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C and SIGTERM come afterwards."""
    if threading.current_thread() is not threading.main_thread():  # signals do not come here
        yield
        return
    came: list[int] = []
    before = {each: signal.signal(each, lambda number, _: came.append(number)) for each in STOPPING}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        if came:
            signal.raise_signal(came[0])


def close_to_others(path: Path) -> None:
    """Of a file, if it is there; one of somebody else stays as it is, and `validate` tells."""
    if path.is_file():
        _take_away(path)


def read_by_others(path: Path) -> bool:
    """Whether somebody else may read or write a file, as far as its rights say."""
    return os.name == "posix" and path.is_file() and bool(path.stat().st_mode & OTHERS)


def _make_folder(folder: Path) -> None:
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(FOLDER, exist_ok=True)


def _take_away(path: Path) -> None:
    """Rights of others; the owner's stay. A folder in which everybody keeps files is not ours, whoever's it is."""
    with contextlib.suppress(OSError):  # gone meanwhile, or on a file system that knows no rights
        found = path.stat()
        if os.name == "posix" and found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX:
            path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)
