"""Every block of shell commands on a page for people is typed into a shell as printed, or says here where it is."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulator import Emulator
from support.installation import SECONDS, Installation
from support.pages import PAGES, Command, blocks, text_of
from support.places import ROOT
from support.ports import free_port

if sys.platform == "win32":
    pytest.skip("no pseudo-terminals, no bash", allow_module_level=True)

from support.terminal import Terminal

pytestmark = pytest.mark.installation

ELSEWHERE = {
    "pip install uv && uv run flows/sync.py --demo": (
        ".ci/run",
        "it downloads packages: the second line is typed there on a fresh machine, the first is the demo's test",
    ),
    "prefect config set PREFECT_API_URL": (
        "tests/deploy/test_deployment.py",
        "a server and a worker that keep running, followed there with all that comes after",
    ),
    "python flows/fleet.py": ("tests/door/test_fleet_door.py", "it takes saved pairs, each with a base and a board"),
    "python flows/conflicts.py": ("tests/door/test_conflicts.py", "it names a lead by its id"),
    "python flows/history.py": ("tests/door/test_history_door.py", "it names runs and a lead by their ids"),
}
"""How a block begins that is not typed here -> the file that does, and why not here."""
STAY = {"flows/emulator/__main__.py": "TRELLO_", "flows/serve.py": "gateway on http", "--every": "Trello calls"}
"""What keeps running until Ctrl-C, and what it prints once it is up; each has a terminal, ahead of its block's rest."""
PORTED = ("flows/emulator/__main__.py", "flows/init.py --emulator", "flows/serve.py")
TOKENS = ("AIRTABLE_API_TOKEN", "TRELLO_API_KEY", "TRELLO_API_TOKEN")
IN_A_SHELL = "import os, sys; os.execvp('bash', ['bash', '-ec', sys.argv[1]])"
FOUND = [(page.relative_to(ROOT), block) for page in PAGES for block in blocks(text_of(page), "bash")]
BLOCKS = {f"{page}: {block.splitlines()[0]}": block for page, block in FOUND}
TYPED = {name: block for name, block in BLOCKS.items() if not block.startswith(tuple(ELSEWHERE))}


@dataclass
class Project:
    """A fresh clone with its virtual environment, and both services with the demo's leads."""

    folder: Path
    emulator: Emulator
    environment: dict[str, str]

    def connect(self) -> None:
        """As init.py does it."""
        lines = [f"{name}={value}" for name, value in self.emulator.settings().items()]
        (self.folder / ".env").write_text("\n".join(lines) + "\n")
        (self.folder / ".env").chmod(0o600)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euc", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS * len(script.splitlines()),  # for each command
            check=False,
        )

    def terminal(self, script: str) -> Terminal:
        return Terminal(["-c", IN_A_SHELL, script], self.environment, cwd=str(self.folder))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A Prefect server, so that no command has to start one of its own."""
    running = Installation(tmp_path_factory.mktemp("prefect"), {})
    try:
        running.follow([Command.parse("prefect server start")])
        yield running
    finally:
        running.stop()


@pytest.fixture
def project(server: Installation, tmp_path: Path) -> Iterator[Project]:
    folder = tmp_path / "leadsync"
    shutil.copytree(ROOT / "flows", folder / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".env.sample", "prefect.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    activate = folder / ".venv/bin/activate"
    activate.parent.mkdir(parents=True)
    activate.write_text(f'export PATH="{Path(sys.executable).parent}:$PATH"\n')
    mine = {name: value for name, value in server.environment.items() if name != "LEADSYNC_ENV_FILE"}
    mine |= {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"), "PYTHONUNBUFFERED": "1"}
    mine |= {"PREFECT_API_URL": f"{server.url}/api", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with Emulator.demo() as emulator:
        yield Project(folder, emulator, mine)


def with_ports(block: str, port: int) -> str:
    """The block with a port that is free, instead of the one that is meant if nothing is said."""
    lines = [re.sub(r"\s+# .*", "", line).replace(":8000", f":{port}") for line in block.splitlines()]
    return "\n".join(f"{line} --port {port}" if any(words in line for words in PORTED) else line for line in lines)


def answer_init(at: Terminal, emulator: Emulator) -> None:
    """Two tokens and six answers."""
    answers = {
        "Airtable token: ": emulator.airtable.token,
        "base (number": "",
        "table (number": "",
        "Trello API key: ": emulator.trello.key,
        "Trello token: ": emulator.trello.token,
        "board (number": "",
        "Enter to go on": "",
        "Sync now?": "y",
    }
    for question, answer in answers.items():
        at.wait_for(question)
        at.type(answer)


def prepare(project: Project, block: str) -> None:
    """What stands in the text around the block, and is there before it is typed."""
    if "flows/init.py" not in block:
        project.connect()
        return
    elsewhere = {f"{service}_ENDPOINT_URL": project.emulator.url for service in ("AIRTABLE", "TRELLO")}
    if "--emulator" not in block:
        project.environment |= elsewhere
    if "--yes" in block:
        project.environment |= {name: project.emulator.settings()[name] for name in TOKENS}
        project.emulator.airtable.add_field("Next step", "date")
        project.emulator.trello.add_list("Gone")


@pytest.mark.parametrize("name", TYPED)
def test_block_is_typed_as_printed(project: Project, name: str) -> None:
    """It ends well, what keeps running comes up, and none of it takes long to stop."""
    block = with_ports(TYPED[name], port := free_port())
    if north := re.search(r"--env (\S+\.env)", block):
        second = project.emulator.trello.add_board("North", ["TODO", "IN_PROGRESS", "DONE"])
        base = project.emulator.settings()["AIRTABLE_BASE_ID"]
        (project.folder / north[1]).write_text(f"AIRTABLE_BASE_ID={base}\nTRELLO_BOARD_ID={second}\n")
    prepare(project, block)
    staying = [line for line in block.splitlines() if any(words in line for words in STAY)]
    script = "\n".join(line for line in block.splitlines() if line not in staying)
    terminals = [project.terminal(line) for line in staying]
    try:
        for at, line in zip(terminals, staying, strict=True):
            wait_until_up(at, line, port)
        if script:
            type_all(project, script)
        for at in terminals:
            os.killpg(at.process.pid, signal.SIGINT)
            assert at.end(SECONDS) == 0, at.screen
            assert "Traceback" not in at.screen
    finally:
        for at in terminals:
            at.close()


def type_all(project: Project, script: str) -> None:
    if "flows/init.py" in script and "--" not in script:
        at = project.terminal(script)
        try:
            answer_init(at, project.emulator)
            assert at.end() == 0, at.screen
        finally:
            at.close()
    else:
        done = project.run(script)
        assert done.returncode == 0, done.stdout + done.stderr


def wait_until_up(at: Terminal, line: str, port: int) -> None:
    """It said so; a server answers as well."""
    (said,) = (said for words, said in STAY.items() if words in line)
    at.wait_for(said, SECONDS)
    deadline = time.monotonic() + SECONDS
    while f"--port {port}" in line:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline, f"nobody answers; printed was:\n{at.screen}"
        time.sleep(0.1)


@pytest.mark.parametrize("begins", ELSEWHERE)
def test_block_that_is_typed_elsewhere_is_there(begins: str) -> None:
    """On a page, and in the file that is named for it."""
    assert len(BLOCKS) == len(FOUND)
    assert [name for name, block in BLOCKS.items() if block.startswith(begins)]
    assert (ROOT / ELSEWHERE[begins][0]).is_file()
