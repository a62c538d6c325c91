"""A Prefect installation made by the README's own commands: server, work pool, deployments, worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from support.pages import Command
from support.places import ROOT
from support.ports import free_port

PRINTED_ADDRESS = "127.0.0.1:4200"
KEEP_RUNNING = (("prefect", "server", "start"), ("prefect", "worker", "start"), ("flows/serve.py",))
SECONDS = 300
"""What a command, or the server's start, may take on a busy machine."""


class Installation:
    """
    Commands run in the project's folder, on a PREFECT_HOME of their own, whose server has a port of its own.

    settings: the sync's, by their environment names. What says where the server is comes from the commands.
    """

    def __init__(self, home: Path, settings: dict[str, str]) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.address}"
        mine = {
            "PREFECT_HOME": str(home),
            "PREFECT_SERVER_API_PORT": self.address.split(":")[1],
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "COLUMNS": "200",
        }
        self.environment = {**os.environ, **settings, **mine}
        self.processes: list[subprocess.Popen[bytes]] = []

    def follow(self, commands: list[Command]) -> None:
        """Run the commands as printed, the address apart; those that keep running do so in the background."""
        for command in commands:
            argv = [word.replace(PRINTED_ADDRESS, self.address) for word in command.as_process()]
            words = (command.program, *command.arguments)
            if any(words[: len(start)] == start for start in KEEP_RUNNING):
                self.processes.append(self._start(argv))
                self._wait()
            else:
                done = self._run(argv)
                assert done.returncode == 0, f"{command.text}: {done.stdout}{done.stderr}"

    def start_server(self) -> None:
        """Only that, as a command finds it which is told where it is."""
        self.environment["PREFECT_API_URL"] = f"{self.url}/api"
        self.processes.append(self._start([sys.executable, "-m", "prefect", "server", "start"]))
        self._wait()

    def prefect(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of Prefect's."""
        return self._run([sys.executable, "-m", "prefect", *arguments])

    def script(self, path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A script of ours."""
        return self._run([sys.executable, path, *arguments])

    def post(self, path: str, **body: Any) -> Any:
        """What Prefect's API answers."""
        request = urllib.request.Request(
            f"{self.url}/api/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        return json.load(urllib.request.urlopen(request, timeout=10))

    def last_run(self) -> dict[str, Any]:
        """The flow run that started last; one that is merely scheduled would be sorted before it."""
        started = {"start_time": {"is_null_": False}}
        runs: list[dict[str, Any]] = self.post("flow_runs/filter", flow_runs=started, sort="START_TIME_DESC", limit=1)
        return runs[0]

    def kill_server(self) -> None:
        """As if the machine had run out of memory."""
        self._server.kill()
        self._server.wait()

    def start_server_again(self) -> None:
        """The same command, on the same database and port. Returns once it answers."""
        self.processes[self.processes.index(self._server)] = self._start(list(self._server.args))
        self._wait()

    @property
    def _server(self) -> subprocess.Popen[bytes]:
        return next(process for process in self.processes if "server" in process.args)

    def stop(self) -> None:
        """The worker goes before the server that it talks to."""
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, argv: list[str]) -> subprocess.Popen[bytes]:
        silent = subprocess.DEVNULL
        return subprocess.Popen(argv, env=self.environment, cwd=ROOT, stdin=silent, stdout=silent, stderr=silent)

    def _run(self, argv: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and all(process.poll() is None for process in self.processes):
            try:
                urllib.request.urlopen(f"{self.url}/api/health", timeout=2).close()
                return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError(f"{self.processes[-1].args} did not come up, or another ended")
