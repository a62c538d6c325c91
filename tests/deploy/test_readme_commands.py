"""Every command that README.md prints exists, with the options it is printed with."""

import functools
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from prefect.cli._app import _app as prefect_command
from prefect.flows import load_flow_from_entrypoint

from support import readme_commands
from support.places import ROOT
from support.readme_commands import Command

pytestmark = pytest.mark.installation

SCRIPTS = sorted(f"flows/{path.name}" for path in (ROOT / "flows").glob("*.py") if "__main__" in path.read_text())
OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")


@functools.cache
def options_in_help(*program):
    """What `--help` of a script or a module names."""
    shown = subprocess.run(
        [sys.executable, *program, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return set(OPTION.findall(shown.stdout))


def prefect_arguments(command):
    """How Prefect's own parser reads the command. Raises: an error of that parser, with its words."""
    _, session, *_ = prefect_command.meta.parse_args(list(command.arguments), exit_on_error=False, print_error=False)
    _, parsed, *_ = prefect_command.parse_args(list(session.args), exit_on_error=False, print_error=False)
    return parsed.arguments


def deployment_parameters():
    """The parameters of each deployment in prefect.yaml, by the name that people type."""
    found = {}
    for deployment in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]:
        flow = load_flow_from_entrypoint(str(ROOT / deployment["entrypoint"]))
        found[f"{flow.name}/{deployment['name']}"] = set(flow.parameters.properties)
    return found


def assert_exists(command):
    """Extras, groups, the program, its options; of `prefect deployment run` the deployment and its parameters too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(command.extras) <= set(project["project"]["optional-dependencies"])
    assert set(command.groups) <= set(project["dependency-groups"])
    if command.program == readme_commands.ELLIPSIS:
        return
    if command.program == "prefect":
        arguments = prefect_arguments(command)
        if command.arguments[:2] == ("deployment", "run"):
            parameters = deployment_parameters()[arguments["name"]]
            assert {each.split("=")[0] for each in arguments.get("params") or []} <= parameters
        return
    if command.program.endswith(".py"):
        assert (ROOT / command.program).is_file(), command.program
        known = options_in_help(command.program)
    else:
        known = options_in_help("-m", command.program)
    assert set(command.options) <= known, set(command.options) - known


@pytest.mark.parametrize("command", readme_commands.every_command(readme_commands.readme()), ids=lambda each: each.text)
def test_command_of_the_readme_exists(command):
    """So that nobody types what only the README knows."""
    assert_exists(command)


@pytest.mark.parametrize("option", readme_commands.lone_options(readme_commands.readme()))
def test_option_of_the_readme_belongs_to_a_script(option):
    """Options that the text explains without naming the command."""
    assert any(option in options_in_help(script) for script in SCRIPTS)


BROKEN = """
Type `uv run flows/snyc.py`, or `uv run flows/sync.py --dryrun`, or `uv run prefect
work-pool craete leads`.

| `uv run flows/validate.py` | checks; `--jsno` |
| `uv run prefect deployment run 'sync-leads/by-hand'` | on demand |
| `uv run prefect deployment run 'sync-leads/on-demand'` | `--wacth`, `--param dryrun=true` |

```
pip install uv && uv run ptyest
uv run --extra postgers flows/sync.py
uv run --group test pytest
```
"""


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("uv run ptyest", "ptyest"),
        ("uv run --extra postgers flows/sync.py", "postgers"),
        ("uv run --group test pytest", "test"),
        ("uv run flows/snyc.py", "snyc"),
        ("uv run flows/sync.py --dryrun", "--dryrun"),
        ("uv run prefect work-pool craete leads", "craete"),
        ("uv run flows/validate.py --jsno", "--jsno"),
        ("uv run prefect deployment run 'sync-leads/by-hand'", "by-hand"),
        ("uv run prefect deployment run 'sync-leads/on-demand' --wacth", "--wacth"),
        ("uv run prefect deployment run 'sync-leads/on-demand' --param dryrun=true", "dryrun"),
    ],
)
def test_misspelt_command_is_found(text, wrong):
    """The commands are found wherever they stand, and the check itself sees what is wrong."""
    command = next(each for each in readme_commands.every_command(BROKEN) if each.text == text)
    with pytest.raises(Exception, match=re.escape(wrong)):
        assert_exists(command)


def test_only_commands_of_the_tests_name_the_group_of_their_tools():
    """Nothing else downloads them."""
    for command in readme_commands.every_command(readme_commands.readme()):
        tests = command.program == "pytest" or command.program.startswith("tests/")
        assert command.groups == (("dev",) if tests else ()), command.text


def test_set_up_is_the_block_that_the_installation_follows():
    """What the server must know before it starts, the server, worker last; what lies between ends by itself."""
    steps = [" ".join(command.arguments) for command in readme_commands.set_up()]
    assert steps[0].startswith("config set PREFECT_SERVER_")
    assert steps[1] == "server start"
    assert steps[-1].startswith("worker start")
    assert Command.parse("uv run prefect --no-prompt deploy --all") in readme_commands.set_up()
