"""
Findings that stand: a conflict held or a card set aside is news once, and listed as long as it lasts.

What is kept is a digest of each, no text. Never here: what is found, how it is told.
"""

from __future__ import annotations

import hashlib

from leadsync.report.report import Finding, Report
from leadsync.state.facts import Facts

DIGEST = 16
"""Hexadecimal digits: two findings of a pair that are taken for one are as good as impossible."""


def mark_standing(report: Report, facts: Facts, pair: str) -> None:
    """Tell the report which of its findings the run before listed; this one's are kept, unless it is a dry run."""
    key = f"findings {pair}"
    kept = {*(facts.load(key) or {}).get("told", ())}
    digests = {finding: _digest(finding) for finding in report.findings}
    report.standing = frozenset(finding for finding, digest in digests.items() if digest in kept)
    if not report.dry_run and kept != {*digests.values()}:
        facts.save(key, {"told": sorted(digests.values())})


def _digest(finding: Finding) -> str:
    return hashlib.sha256(repr(finding).encode("utf-8", "backslashreplace")).hexdigest()[:DIGEST]
