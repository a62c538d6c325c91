"""The commands that README.md prints, found by parsing it, and how they are run in the tests' own environment."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from support.places import ROOT

FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
PASSAGE = re.compile(r"\n\s*\n|\n(?=\s*(?:\d+\.|[-*|])\s)")
ITEM = re.compile(r"\s*(\d+\.|[-*|])\s")
LEAD_IN = re.compile(r"^(\$ )?(pip install uv && )?(?=uv run )")
ELLIPSIS = "…"


@dataclass(frozen=True)
class Command:
    """
    `uv run [--extra NAME] [--group NAME] PROGRAM ARGUMENTS`.

    An option that stands beside a command in its line belongs to it.
    """

    text: str
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    program: str
    arguments: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Command:
        words = shlex.split(text.replace("\\|", "|"), comments=True)[2:]
        given: dict[str, list[str]] = {"--extra": [], "--group": []}
        while words[0] in given:
            given[words[0]].append(words[1])
            words = words[2:]
        arguments = tuple(word for word in words[1:] if word != ELLIPSIS)
        return cls(text, tuple(given["--extra"]), tuple(given["--group"]), words[0], arguments)

    @property
    def options(self) -> list[str]:
        return [word.split("=")[0] for word in self.arguments if word.startswith("-")]

    def as_process(self) -> list[str]:
        """The same, by the interpreter that runs the tests."""
        program = [self.program] if self.program.endswith(".py") else ["-m", self.program]
        return [sys.executable, *program, *self.arguments]


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def fenced(text: str) -> Iterator[list[Command]]:
    """The commands of each fenced block that has some."""
    for body in FENCE.findall(text):
        commands = [Command.parse(LEAD_IN.sub("", line)) for line in body.splitlines() if LEAD_IN.match(line)]
        if commands:
            yield commands


def inline(text: str) -> Iterator[Command]:
    """Commands in running text and in tables; in a list item or a table's row once more with each option beside it."""
    for item, spans in passages(text):
        command = None
        for span in spans:
            if span.startswith("uv run "):
                command = span
                yield Command.parse(command)
            elif span.startswith("-") and command and item:
                yield Command.parse(f"{command} {span}")


def lone_options(text: str) -> list[str]:
    """Options that the text explains without saying of which command."""
    found = {
        span.split()[0].split("=")[0]
        for item, spans in passages(text)
        if not (item and any(span.startswith("uv run ") for span in spans))
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
    found = [command for block in fenced(text) for command in block]
    return list(dict.fromkeys([*found, *inline(text)]))


def set_up() -> list[Command]:
    """The block that makes an installation: server, work pool, deployments, worker."""
    (block,) = (block for block in fenced(readme()) if any("server start" in command.text for command in block))
    return block
