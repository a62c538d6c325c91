"""
A command that is called by a Python without this project's packages says what to type. Never here: such a package.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

FLOWS = Path(__file__).resolve().parents[1]
PROJECT = FLOWS.parent
MISCONFIGURED = 2
"""As errors.Exit has it, which older Pythons cannot import."""


def tell_what_is_missing() -> None:
    """Call before anything else is imported."""
    sys.excepthook = _say


def _say(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    ours = (FLOWS / missing).exists() or (FLOWS / f"{missing}.py").exists()
    if ours and sys.version_info >= (3, 11):
        sys.__excepthook__(kind, error, trace)
        return
    here = PROJECT / ".venv"
    make = "" if here.exists() and Path(sys.prefix) != here else "`pip install uv && uv sync`, then "
    enter = r".venv\Scripts\activate" if sys.platform == "win32" else "source .venv/bin/activate"
    why = f"lacks a package of this project ({missing})" if missing else "is older than Python 3.11"
    print(f"{sys.executable} {why}. In {PROJECT} type {make}`{enter}`, and the command again.", file=sys.stderr)
    raise SystemExit(MISCONFIGURED)
