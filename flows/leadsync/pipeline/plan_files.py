"""
The file of a saved plan, its owner's alone: what people wrote stands in it. And what a command is asked about plans.

Never here: what a plan says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadsync.core.saved_plan import SavedPlan
from leadsync.errors import ConfigurationError
from leadsync.private_files import write_private


@dataclass(frozen=True)
class Asked:
    """What a run is asked beside its parameters: to save its plan in `out`, to apply `plan`, to have nothing to do."""

    out: Path | None = None
    plan: SavedPlan | None = None
    expects_nothing: bool = False


NOTHING_ASKED = Asked()


PLAN_FILE = Path("plan.json")
"""Where the plan of a run in this process goes that is to be reviewed, unless it is said."""


def ask(out: Path | None, plan: Path | None, expects_nothing: bool, dry_run: bool, reviewed: bool = False) -> Asked:
    """
    `reviewed`: the run may have to wait for review.

    Raises: ConfigurationError if these do not go together, or the file of `plan` holds none.
    """
    if plan and (out or expects_nothing):
        raise ConfigurationError("--plan applies a plan that was made; leave --out and --expect-no-changes away.")
    if out and not (dry_run or expects_nothing or reviewed):
        raise ConfigurationError("--out saves the plan of a dry run: add --dry-run. Nothing was written.")
    if reviewed and not (dry_run or expects_nothing or plan):
        out = out or PLAN_FILE
    return Asked(out, read_plan(plan) if plan else None, expects_nothing)


def with_those_of(plan: SavedPlan, options: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """
    The options of a run that applies `plan`: what it was made with.

    Raises: ConfigurationError if something else is asked for than that or the default.
    """
    for name, made_with in plan.options.items():
        if options.get(name) not in (defaults[name], made_with):
            option = f"--{name.replace('_', '-')}"
            raise ConfigurationError(f"The plan was made with {option} {made_with}; leave {option} away.")
    return {**options, **plan.options}


def read_plan(path: Path) -> SavedPlan:
    """Raises: ConfigurationError that names the file if it cannot be read, or is no plan of this program."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigurationError(f"The plan {path} could not be read ({reason}); nothing was written.") from None
    return SavedPlan.parse(text, str(path))


def write_plan(path: Path, plan: SavedPlan) -> None:
    """Raises: ConfigurationError if it cannot be written, or would take the place of something else."""
    if _is_something_else(path):
        raise ConfigurationError(
            f"{path} is there already, and is no plan of this program: it stays as it is. Give --out another name."
        )
    try:
        write_private({path: plan.text})
    except OSError as error:
        raise ConfigurationError(f"The plan could not be written to {path} ({error.strerror}).") from None


def _is_something_else(path: Path) -> bool:
    if not path.is_file():
        return path.exists() and not path.is_dir()  # a folder is told as such
    if path.stat().st_size == 0:
        return False
    try:
        read_plan(path)
    except ConfigurationError:
        return True
    return False
