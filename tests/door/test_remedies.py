"""What a sentence tells people to type is there: it names the command, and that has the option."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from support.places import ROOT

LEADSYNC = ROOT / "flows/leadsync"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
DOOR = re.compile(r"flows/(\w+)\.py")
PART = re.compile(r"\s*--[a-z-]+(?: \{.*\})?")
"""An option, or one with its value, which is put behind a command elsewhere."""
MADE_UP = {"{rules.command}": "sync", "{sync}": "sync", "{take}": "conflicts", "{_command(": "conflicts"}
"""Commands that are made up where the run is known, and doors that they name."""
OWN = {"pipeline/plan_files.py": "sync", "gateway/server.py": "serve"}
"""Files that speak of the options of one door alone, to whoever has typed them."""
EVERYWHERE = {"report/terminal.py": ["conflicts", "fleet", "history", "sync"]}
"""Files that speak of options which several doors have."""
FOREIGN = re.compile(r"\buv run\b|\bprefect\b")


def options_of(door: str) -> set[str]:
    """All options of a command and of those below it."""
    module = importlib.import_module(door)
    app: Any = getattr(module, "app", None)
    if app is None:
        app = typer.Typer()
        app.command()(getattr(module, "main", None) or getattr(module, door))
    return set(_options(typer.main.get_command(app)))


def _options(command: Any) -> Iterator[str]:
    for each in command.params:
        yield from (*each.opts, *each.secondary_opts)
    for below in getattr(command, "commands", {}).values():
        yield from _options(below)


def sentences(path: Path) -> Iterator[str]:
    """The texts of a file that name an option, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(each.value if isinstance(each, ast.Constant) else _placeholder(each) for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in {*bare, *parts}:
            text = node.value
        else:
            continue
        if OPTION.search(text) and not (FOREIGN.search(text) or PART.fullmatch(text)):
            yield text


def _placeholder(value: ast.expr) -> str:
    assert isinstance(value, ast.FormattedValue)
    return f"{{{ast.unparse(value.value)}}}"


def doors_named(file: str, text: str) -> list[str]:
    found = DOOR.findall(text) or ([OWN[file]] if file in OWN else EVERYWHERE.get(file, []))
    return found or [door for command, door in MADE_UP.items() if command in text]


def test_sentence_with_an_option_names_a_command_that_has_it():
    """Whoever reads it may have come by another door, or by the page."""
    wrong, seen = [], 0
    for path in sorted(LEADSYNC.rglob("*.py")):
        file = str(path.relative_to(LEADSYNC))
        for text in sentences(path):
            seen += 1
            doors = doors_named(file, text)
            lacking = [door for door in doors if not {*OPTION.findall(text)} <= options_of(door)]
            if not doors or lacking:
                wrong.append((file, text, lacking))
    assert wrong == []
    assert seen > 8
