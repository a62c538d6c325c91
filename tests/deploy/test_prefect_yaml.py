"""prefect.yaml: typos pass Prefect in silence, so every key, entrypoint, schedule and parameter is checked here."""

import asyncio
import io
import tempfile
from pathlib import Path

import pytest
import yaml
from prefect.cli.deploy._config import _load_deploy_configs_and_actions
from prefect.cli.deploy._models import DeploymentConfig, PrefectYamlModel
from prefect.client.schemas.schedules import construct_schedule
from prefect.deployments.steps.utility import run_shell_script
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.schema_tools import validate
from prefect.utilities.templating import apply_values
from rich.console import Console

from support.places import ROOT

EXAMPLE = ("  # - name", "  #   ")
SYNC = {
    "dry_run": False,
    "conflict": "settings",
    "allow_mass_change": False,
    "pair": "",
    "adopt": "ask",
    "review": "never",
}
PARAMETERS = {
    "scheduled": SYNC | {"read": "auto", "paced": True},
    "on-demand": SYNC | {"read": "full", "paced": False},
    "north": SYNC | {"read": "auto", "paced": True, "pair": "north"},
    "reviewed": SYNC | {"read": "auto", "paced": True, "review": "risky"},
    "fleet": {
        "every": "1h",
        "limit": 0,
        "only": None,
        "read": "auto",
        "paced": True,
        "dry_run": False,
        "at_once": 16,
        "review": "never",
    },
    "daily": {"every_minutes": 60, "pair": ""},
}
EVERY_HOUR = [{"interval": "PT1H", "timezone": "Etc/UTC", "active": True}]
EVERY_MORNING = [{"cron": "30 5 * * *", "timezone": "Etc/UTC", "active": True}]
EVERY_FIVE_MINUTES = [{"interval": "PT5M", "timezone": "Etc/UTC", "active": False}]
SCHEDULES = {"scheduled": EVERY_HOUR, "on-demand": [], "fleet": EVERY_FIVE_MINUTES, "daily": EVERY_MORNING}
SCHEDULES |= {"north": EVERY_HOUR, "reviewed": EVERY_HOUR}
ONE_AT_A_TIME = {"limit": 1, "collision_strategy": "CANCEL_NEW"}
IN_TURN = {"limit": 1, "collision_strategy": "ENQUEUE"}


def text(*, with_example=True):
    """prefect.yaml, with the examples whose comment signs are taken away."""
    lines = (ROOT / "prefect.yaml").read_text().splitlines()
    if with_example:
        lines = [line.replace("# ", "", 1) if line.startswith(EXAMPLE) else line for line in lines]
    return "\n".join(lines)


def read(*, with_example=True):
    """The file as it stands, with the keys that Prefect would ignore."""
    return yaml.safe_load(text(with_example=with_example))


def deployments(*, with_example=True):
    """Name -> the deployment as `prefect deploy` reads it; fleet is the other flow's, which bears a name of these."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "prefect.yaml"
        file.write_text(text(with_example=with_example))
        said = io.StringIO()
        found, _ = _load_deploy_configs_and_actions(file, console=Console(file=said))
    assert said.getvalue() == ""
    fleet = "flows/fleet.py:sync_fleet"
    return {"fleet" if each["entrypoint"] == fleet else each["name"]: each for each in found}


def unknown_keys(document):
    """Keys that Prefect would ignore: at the top, in a deployment, its work pool, its limit, its schedules."""
    found = set(document) - set(PrefectYamlModel.model_fields) - {"prefect-version"}
    for deployment in document["deployments"]:
        found |= set(deployment) - set(DeploymentConfig.model_fields)
        found |= set(deployment.get("work_pool", {})) - {"name", "work_queue_name", "job_variables"}
        found |= set(deployment.get("concurrency_limit", {})) - {"limit", "collision_strategy", "grace_period_seconds"}
        for schedule in deployment.get("schedules", []):
            found |= set(schedule) - {"cron", "interval", "rrule", "timezone", "anchor_date", "active", "slug"}
    return found


DEPLOYMENTS = deployments()


def test_names_are_those_of_the_page_of_the_commands():
    """Under the names that people type; the others are examples. The fleet's is `sync-fleet/scheduled`."""
    assert list(deployments(with_example=False)) == ["scheduled", "on-demand", "fleet", "daily"]
    assert DEPLOYMENTS["fleet"]["name"] == "scheduled"
    assert set(DEPLOYMENTS) == set(PARAMETERS)


def test_file_leaves_nothing_to_the_parser():
    """No anchor, no alias, no merge key: releases of one parser have read those in two ways."""
    events = list(yaml.parse(text()))
    assert [event for event in events if getattr(event, "anchor", None)] == []
    assert [event for event in events if getattr(event, "value", None) == "<<"] == []


@pytest.mark.parametrize("name", PARAMETERS)
def test_deployment_has_the_parameters_and_schedules_that_are_meant(name):
    """As Prefect's own loader reads them: economical where a schedule starts it, whole where a person does."""
    assert DEPLOYMENTS[name]["parameters"] == PARAMETERS[name]
    assert DEPLOYMENTS[name].get("schedules", []) == SCHEDULES[name]


def test_further_pair_has_its_own_parameters_and_schedule():
    """Each pair is a deployment of its own, so that its limit and its schedule are too."""
    assert DEPLOYMENTS["north"]["parameters"] == DEPLOYMENTS["scheduled"]["parameters"] | {"pair": "north"}
    assert DEPLOYMENTS["north"]["schedules"] == DEPLOYMENTS["scheduled"]["schedules"]


def test_no_key_is_unknown():
    """What Prefect ignores would be a setting that does nothing."""
    assert unknown_keys(read()) == set()


@pytest.mark.parametrize("typo", ["paramaters", "concurency_limit", "shedules"])
def test_typo_is_found(typo):
    """The check above can fail."""
    document = read()
    document["deployments"][0][typo] = {}
    assert unknown_keys(document) == {typo}


def test_prefect_reads_the_whole_file():
    """Prefect's own model takes it."""
    assert len(PrefectYamlModel.model_validate(read()).deployments) == len(DEPLOYMENTS)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_parameters_are_those_of_the_flow(name):
    """Names and values fit the flow that the entrypoint names."""
    deployment = DEPLOYMENTS[name]
    flow = load_flow_from_entrypoint(str(ROOT / deployment["entrypoint"]))
    schema = flow.parameters.model_dump()
    assert set(deployment["parameters"]) == set(schema["properties"])
    validate(deployment["parameters"], schema, raise_on_error=True)


@pytest.mark.parametrize("name", ["scheduled", "daily", "fleet", "north", "reviewed"])
def test_schedule_is_one_that_prefect_can_keep(name):
    """Interval or cron, with a time zone, active; the fleet's is switched on by whoever has one."""
    for schedule in DEPLOYMENTS[name]["schedules"]:
        built = {key: schedule.get(key) for key in ("interval", "cron", "timezone")}
        assert construct_schedule(**built)
        assert schedule["active"] is (name != "fleet")


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS.keys() - {"reviewed"}))
def test_slow_run_does_not_queue_up_stale_ones(name):
    """One run at a time; a further one is cancelled."""
    assert DEPLOYMENTS[name]["concurrency_limit"] == ONE_AT_A_TIME


def test_run_that_was_approved_is_not_cancelled_for_another():
    """Where plans are reviewed, runs wait for each other: a resumed one is a further one to Prefect."""
    reviewing = {name for name, each in DEPLOYMENTS.items() if each["parameters"].get("review", "never") != "never"}
    assert {name: DEPLOYMENTS[name]["concurrency_limit"] for name in reviewing} == {"reviewed": IN_TURN}


def pull(monkeypatch, folder):
    """Run the shell step of `pull` as a worker does, somewhere else. Returns: the folder it found."""
    monkeypatch.setenv("PWD", "/the/deploying/machine")
    (step,) = read()["pull"][0].values()
    step.pop("id")
    monkeypatch.chdir(folder)
    return asyncio.run(run_shell_script(**apply_values(step, {})))["stdout"]


def test_worker_finds_the_project_where_it_is_told(monkeypatch, tmp_path):
    """LEADSYNC_FOLDER on the worker goes before the folder that was deployed from, which need not exist there."""
    monkeypatch.setenv("LEADSYNC_FOLDER", str(ROOT))
    assert pull(monkeypatch, tmp_path) == str(ROOT)
    (change_folder,) = read()["pull"][1].values()
    assert change_folder == {"directory": "{{ project.stdout }}"}


def test_worker_elsewhere_is_told_what_to_set(monkeypatch, tmp_path):
    """Not a run that fails on a missing file."""
    with pytest.raises(RuntimeError, match="not in /the/deploying/machine on this machine; set LEADSYNC_FOLDER"):
        pull(monkeypatch, tmp_path)
