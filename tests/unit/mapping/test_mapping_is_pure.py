"""The mapping knows no service, no frame and no time of day."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[3] / "flows" / "leadsync" / "mapping"
FILES = sorted(PACKAGE.glob("*.py"))
OURS = ("leadsync.errors", "leadsync.model", "leadsync.texts", "leadsync.mapping.")
FOREIGN = {
    "__future__",
    "collections",
    "contextlib",
    "dataclasses",
    "enum",
    "functools",
    "typing",
    "re",
    "math",
    "decimal",
} | {*("contextlib", "tomllib", "datetime", "zoneinfo", "json", "unicodedata", "sys")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_mapping_imports_words_and_texts_only(path):
    """Of ours what lies below it, else the standard library's values; of datetime never what it is now."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert all(name.startswith(OURS) or name.split(".")[0] in FOREIGN for name in modules), modules
    asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not asked & {"now", "utcnow", "today"}
