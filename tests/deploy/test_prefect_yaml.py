"""prefect.yaml: typos pass Prefect in silence, so every key, entrypoint, schedule and parameter is checked here."""

from pathlib import Path

import pytest
import yaml
from prefect.cli.deploy._models import DeploymentConfig, PrefectYamlModel
from prefect.client.schemas.schedules import construct_schedule
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.schema_tools import validate

ROOT = Path(__file__).resolve().parents[2]
FREE = {"definitions"}


def read():
    return yaml.safe_load((ROOT / "prefect.yaml").read_text())


def unknown_keys(document):
    """Keys that Prefect would ignore: at the top, in a deployment, its work pool, its limit, its schedules."""
    found = set(document) - set(PrefectYamlModel.model_fields) - FREE - {"prefect-version"}
    for deployment in document["deployments"]:
        found |= set(deployment) - set(DeploymentConfig.model_fields)
        found |= set(deployment.get("work_pool", {})) - {"name", "work_queue_name", "job_variables"}
        found |= set(deployment.get("concurrency_limit", {})) - {"limit", "collision_strategy", "grace_period_seconds"}
        for schedule in deployment.get("schedules", []):
            found |= set(schedule) - {"cron", "interval", "rrule", "timezone", "anchor_date", "active", "slug"}
    return found


DEPLOYMENTS = {deployment["name"]: deployment for deployment in read()["deployments"]}


def test_names_are_those_of_the_readme():
    """Three deployments, under the names that people type."""
    assert set(DEPLOYMENTS) == {"scheduled", "on-demand", "daily"}


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


@pytest.mark.parametrize("name", ["scheduled", "daily"])
def test_schedule_is_one_that_prefect_can_keep(name):
    """Interval or cron, with a time zone, active."""
    for schedule in DEPLOYMENTS[name]["schedules"]:
        built = {key: schedule.get(key) for key in ("interval", "cron", "timezone")}
        assert construct_schedule(**built)
        assert schedule["active"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_slow_run_does_not_queue_up_stale_ones(name):
    """One run at a time; a further one is cancelled."""
    assert DEPLOYMENTS[name]["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
