"""The pages for people: their commands, found by parsing, and how these are run in the tests' own environment."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.places import ROOT

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "flows").rglob("README.md")), *sorted((ROOT / "tests").rglob("README.md"))]
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
PASSAGE = re.compile(r"\n\s*\n|\n(?=\s*(?:\d+\.|[-*|])\s)")
ITEM = re.compile(r"\s*(\d+\.|[-*|])\s")
COMMAND = re.compile(r"^(pip install uv && )?(?=(uv (run|sync)|python|prefect) )")
ELLIPSIS = "…"


@dataclass(frozen=True)
class Command:
    """
    `python PROGRAM ARGUMENTS`, `prefect ARGUMENTS`, or either after `uv run [--extra NAME] [--group NAME]`.

    `program`: a script's path or a module's name, "" of `uv sync`. An option that stands beside a command in its line
    belongs to it.
    """

    text: str
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    program: str
    arguments: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Command:
        words = shlex.split(text.replace("\\|", "|"), comments=True)
        given: dict[str, list[str]] = {"--extra": [], "--group": []}
        if words[0] == "uv":
            words = words[2:]
            while words and words[0] in given:
                given[words[0]].append(words[1])
                words = words[2:]
        if words and words[0] == "python":
            words = words[2:] if words[1] == "-m" else words[1:]
        program, *arguments = words or [""]
        arguments = [word for word in arguments if word != ELLIPSIS]
        return cls(text, tuple(given["--extra"]), tuple(given["--group"]), program, tuple(arguments))

    @property
    def options(self) -> list[str]:
        return [word.split("=")[0] for word in self.arguments if word.startswith("-")]

    def as_process(self) -> list[str]:
        """The same, by the interpreter that runs the tests."""
        program = [self.program] if self.program.endswith(".py") else ["-m", self.program]
        return [sys.executable, *program, *self.arguments]


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks in that language."""
    return [body for named, body in FENCE.findall(text) if named == language]


def block_commands(block: str) -> list[Command]:
    """The commands of ours, and of Prefect and uv, in a block."""
    lines = [line.strip() for line in block.splitlines()]
    return [Command.parse(COMMAND.sub("", line)) for line in lines if COMMAND.match(line)]


def inline(text: str) -> Iterator[Command]:
    """Commands in running text and in tables; in a list item or a table's row once more with each option beside it."""
    for item, spans in passages(text):
        command = None
        for span in spans:
            if COMMAND.match(span):
                command = span
                yield Command.parse(command)
            elif span.startswith("-") and command and item:
                yield Command.parse(f"{command} {span}")


def lone_options(text: str) -> list[str]:
    """Options that the text explains without saying of which command."""
    found = {
        span.split()[0].split("=")[0]
        for item, spans in passages(text)
        if not (item and any(COMMAND.match(span) for span in spans))
        for span in spans
        if span.startswith("--")
    }
    return sorted(found)


def passages(text: str) -> Iterator[tuple[bool, list[str]]]:
    """Code spans of each paragraph, list item and table's row, and whether it is one of the latter two."""
    for passage in PASSAGE.split(FENCE.sub("", text)):
        yield bool(ITEM.match(passage)), [" ".join(span.split()) for span in SPAN.findall(passage)]


def every_command(text: str) -> list[Command]:
    """Without repetitions, in the order of the text."""
    found = [command for block in blocks(text, "bash") for command in block_commands(block)]
    return list(dict.fromkeys([*found, *inline(text)]))


def set_up() -> list[Command]:
    """The block that makes an installation: server, work pool, deployments, worker."""
    (block,) = (block for block in blocks(text_of(README), "bash") if "server start" in block)
    return block_commands(block)
