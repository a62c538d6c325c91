"""A Prefect flow with as many task runs as an idle sync, and nothing in them: what Prefect itself costs."""

from prefect import flow, task
from prefect.cache_policies import NO_CACHE


@task(cache_policy=NO_CACHE)
def nothing(step: str) -> str:
    """Do nothing."""
    return step


@flow(name="bare")
def bare() -> None:
    """Two side by side, then two in a row, as in flows/sync.py."""
    beside = [nothing.submit("extract leads"), nothing.submit("extract cards")]
    for future in beside:
        future.result()
    nothing("join and diff")
    nothing("report")


if __name__ == "__main__":
    bare()
