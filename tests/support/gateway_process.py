"""`flows/serve.py` as a process of its own, in front of an emulator; for the gateway's tests and its benchmark."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

from emulator import Emulator
from support.places import ROOT
from support.ports import free_port

FAST = {"AIRTABLE_REQUESTS_PER_SECOND": "50", "TRELLO_REQUESTS_PER_10_SECONDS": "300"}
TOKEN = "a-token-of-the-tests-0123456789"


class GatewayProcess:
    """
    A gateway on loopback whose webhooks are registered with the emulator.

    `environment` comes on top of the emulator's settings; `url` is known at once, `start` waits for it to answer.
    """

    def __init__(self, emulator: Emulator, folder: Path, *arguments: str, **environment: str) -> None:
        self.emulator, self.folder = emulator, folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self.arguments = ["--port", self.url.rpartition(":")[2], *arguments]
        state = {"SYNC_STATE_URL": f"sqlite:///{folder / 'state.sqlite3'}", "SYNC_PUBLIC_URL": self.url}
        self.environment = os.environ | emulator.settings() | FAST | state | {"LEADSYNC_ENV_FILE": ""} | environment
        self.process: subprocess.Popen[str] | None = None
        self.log = folder / "gateway.log"

    def start(self, within: float = 120.0) -> GatewayProcess:
        """Wait until the webhooks are in place (with --register), or until health answers. Raises: AssertionError."""
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "flows/serve.py", *self.arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                text=True,
            )
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.said()
            if self._is_up():
                return self
            time.sleep(0.05)
        raise AssertionError(self.said())

    def _is_up(self) -> bool:
        if "--register" in self.arguments and "Airtable: webhook" not in self.said():
            return False
        try:
            return requests.get(f"{self.url}/health", timeout=2).ok
        except requests.RequestException:
            return False

    def said(self) -> str:
        """What it printed so far."""
        return self.log.read_text(encoding="utf-8")

    def health(self) -> dict[str, Any]:
        answer: dict[str, Any] = requests.get(f"{self.url}/health", timeout=30).json()
        return answer

    def sync(self, **choices: Any) -> dict[str, Any]:
        """A run now. Returns: its report."""
        answer = requests.post(f"{self.url}/sync?wait=true", json=choices, timeout=120)
        answer.raise_for_status()
        report: dict[str, Any] = answer.json()["report"]
        return report

    def wait_until_idle(self, quiet: float = 0.0, within: float = 60.0) -> None:
        """Nothing under way and nothing waiting, for `quiet` seconds."""
        deadline, since = time.monotonic() + within, time.monotonic()
        while time.monotonic() < deadline:
            queue = self.health()["queue"]
            if queue.get("running") or queue["waiting"]:
                since = time.monotonic()
            elif time.monotonic() - since >= quiet:
                return
            time.sleep(0.05)
        raise AssertionError(f"not idle: {self.health()}")

    def stop(self, number: int = signal.SIGTERM, within: float = 40.0) -> int:
        """Returns: its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(within)

    def resources(self) -> dict[str, int]:
        """Memory [KiB], threads and open files of the process right now (Linux)."""
        assert self.process is not None
        place = Path(f"/proc/{self.process.pid}")
        status = place.joinpath("status").read_text()
        found = {key: int(value) for key, value in re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.MULTILINE)}
        return {
            "rss_kib": found["VmRSS"],
            "threads": found["Threads"],
            "files": len(list(place.joinpath("fd").iterdir())),
        }
