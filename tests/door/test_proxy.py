"""A machine behind a proxy: the demo needs no network, and asks nobody but this machine."""

import os
import subprocess
import sys

import pytest

from support.places import FLOWS, ROOT
from support.raw_server import RawServer, answer, sends


@pytest.mark.installation
@pytest.mark.parametrize("no_proxy", [None, "intra.example"], ids=["unset", "others"])
def test_demo_runs_where_proxy_variables_are_set(tmp_path, no_proxy):
    """Prefect's temporary server and the emulator are asked directly; the proxy hears nothing."""
    env = {name: value for name, value in os.environ.items() if name.upper() not in ("NO_PROXY", "PREFECT_API_URL")}
    env |= {"PREFECT_HOME": str(tmp_path / "prefect")} | ({"NO_PROXY": no_proxy} if no_proxy else {})
    with RawServer(sends(answer("", "502 Bad Gateway"))) as proxy:
        env |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), proxy.url)
        command = [sys.executable, str(FLOWS / "sync.py"), "--demo"]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert [request.line for request in proxy.requests] == []
    assert "Third sync" in done.stdout
