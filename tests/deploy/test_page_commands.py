"""Every command that a page for people prints exists, with the options it is printed with."""

import functools
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from prefect.cli._app import _app as prefect_command
from prefect.flows import load_flow_from_entrypoint

from support import pages
from support.pages import PAGES, Command
from support.places import ROOT

pytestmark = pytest.mark.installation

SCRIPTS = sorted(f"flows/{path.name}" for path in (ROOT / "flows").glob("*.py") if "__main__" in path.read_text())
COMMANDS = dict.fromkeys(("run", "lead", "undo", "forget"), "history") | dict.fromkeys(("take", "untie"), "conflicts")
"""Those of a door that has several, and which door that is."""
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
    if command.program in ("", pages.ELLIPSIS):
        return
    if command.program == "prefect":
        arguments = prefect_arguments(command)
        if command.arguments[:2] == ("deployment", "run"):
            parameters = deployment_parameters()[arguments["name"]]
            assert {each.split("=")[0] for each in arguments.get("params") or []} <= parameters
        return
    if command.program.endswith(".py"):
        assert (ROOT / command.program).is_file(), command.program
        known = options_in_help(command.program, *(each for each in command.arguments[:1] if each in COMMANDS))
    else:
        known = options_in_help("-m", command.program)
    assert set(command.options) <= known, set(command.options) - known


EVERY_COMMAND = list(dict.fromkeys(command for page in PAGES for command in pages.every_command(pages.text_of(page))))
LONE_OPTIONS = sorted({option for page in PAGES for option in pages.lone_options(pages.text_of(page))})


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda each: each.text)
def test_command_of_a_page_exists(command):
    """So that nobody types what only a page knows."""
    assert_exists(command)


@pytest.mark.parametrize("option", LONE_OPTIONS)
def test_option_of_a_page_belongs_to_a_script(option):
    """Options that the text explains without naming the command."""
    commands = [(f"flows/{door}.py", each) for each, door in COMMANDS.items()]
    assert any(option in options_in_help(*each) for each in [*((script,) for script in SCRIPTS), *commands])


BROKEN = """
Type `python flows/snyc.py`, or `uv run flows/sync.py --dryrun`, or `prefect
work-pool craete leads`.

| `python flows/validate.py` | checks; `--jsno` |
| `prefect deployment run 'sync-leads/by-hand'` | on demand |
| `prefect deployment run 'sync-leads/on-demand'` | `--wacth`, `--param dryrun=true` |
| `python -m tests.simulatoin` | plays |

```bash
pip install uv && uv run ptyest
uv sync --extra postgers
uv run --group test pytest
```
"""


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("uv run ptyest", "ptyest"),
        ("uv sync --extra postgers", "postgers"),
        ("uv run --group test pytest", "test"),
        ("python flows/snyc.py", "snyc"),
        ("uv run flows/sync.py --dryrun", "--dryrun"),
        ("prefect work-pool craete leads", "craete"),
        ("python flows/validate.py --jsno", "--jsno"),
        ("python -m tests.simulatoin", "simulatoin"),
        ("prefect deployment run 'sync-leads/by-hand'", "by-hand"),
        ("prefect deployment run 'sync-leads/on-demand' --wacth", "--wacth"),
        ("prefect deployment run 'sync-leads/on-demand' --param dryrun=true", "dryrun"),
    ],
)
def test_misspelt_command_is_found(text, wrong):
    """The commands are found wherever they stand, and the check itself sees what is wrong."""
    command = next(each for each in pages.every_command(BROKEN) if each.text == text)
    with pytest.raises(Exception, match=re.escape(wrong)):
        assert_exists(command)


def test_only_commands_of_the_tests_name_the_group_of_their_tools():
    """Nothing else downloads them, and nothing else is typed with uv once there is an environment."""
    for command in EVERY_COMMAND:
        tests = command.program == "pytest" or command.program.startswith("tests/")
        assert command.groups == (("dev",) if tests else ()), command.text


def test_set_up_is_the_block_that_the_installation_follows():
    """What Prefect must know before the server starts, the server, the worker last; the rest ends by itself."""
    steps = [" ".join(command.arguments) for command in pages.set_up()]
    start = steps.index("server start")
    assert start == 2
    assert all(step.startswith("config set PREFECT_") for step in steps[:start])
    assert not any(step.startswith("config set") for step in steps[start:])
    assert steps[-1].startswith("worker start")
    assert Command.parse("prefect --no-prompt deploy --all") in pages.set_up()
