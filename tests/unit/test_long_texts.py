"""
No text from outside costs more time than its length is worth: every regular expression of the product is tried on
texts made of its own parts over and over, and so is what reads whole cells and descriptions.
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Iterator
from itertools import product

import pytest

from leadsync.frames.block import HEADER, plain
from leadsync.model import TRELLO_TEXT_LIMIT
from leadsync.texts import text
from support.places import FLOWS
from support.rows import lead_id, parse, with_block

EMAIL_LABEL = "E-mail:"

LEAD = lead_id(1)
CELL = 100_000
"""Characters that a cell of Airtable holds."""
PUMPED = 12_000
"""Characters of a text that an expression is tried on."""
QUICK = 0.05
"""Seconds of CPU that prove nothing: what took longer is compared with a text an eighth as long."""
PART = 8
"""How much shorter that text is: time in proportion is 8 times as long, one that begins anew at each character 64."""
ANY = "word"
"""Stands for what a pattern is given at run time: a column, a cell's name."""


def pattern_of(node: ast.expr) -> str:
    """The pattern as written, ANY for what is put into it."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else ANY for part in node.values)
    if ast.unparse(node).startswith("shape."):  # of a path that we made ourselves
        return ANY
    assert isinstance(node, ast.Constant), f"{ast.unparse(node)} is no pattern that this test can see"
    return node.value


def expressions() -> Iterator[tuple[str, tuple[re.Pattern[str], str]]]:
    """Every pattern that a file hands to `re`, with its flags and how it is asked; by where it stands."""
    for path in sorted(path for path in FLOWS.rglob("*.py") if "emulator" not in path.relative_to(FLOWS).parts):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (
                asked := re.fullmatch(r"re\.((?!escape)[a-z]+)", ast.unparse(node.func))
            ):
                flags = re.findall(r"\bre\.([A-Z]+)\b", ast.unparse(node))
                pattern = re.compile(pattern_of(node.args[0]), sum(getattr(re, flag) for flag in flags))
                yield f"{path.relative_to(FLOWS)}:{node.lineno}", (pattern, asked[1])


EXPRESSIONS = dict(expressions())
PARTS = re.compile(r"\w+|\\.|.", re.DOTALL)


def parts_of(pattern: str) -> list[str]:
    """The words and signs in a pattern, and one each of what its classes stand for."""
    found = (part if part[0] != "\\" else part[1:] for part in PARTS.findall(pattern) if not re.match(r"\\\w", part))
    return sorted({*found, "a", "1", " "})


def pumps(pattern: str) -> Iterator[Callable[[int], str]]:
    """Texts of so many characters and one that ends no match: any two parts of a pattern in turn, any part before."""
    parts = parts_of(pattern)
    for once, again in [*product([""], map("".join, product(parts, parts))), *product(["", *parts], parts)]:
        yield lambda size, once=once, again=again: once + again * (size // len(again)) + "\0"


def seconds(call: Callable[[str], object], words: str) -> float:
    """CPU that a call took, the best of three tries if it took long: the machine is busy with other things, too."""
    took: list[float] = []
    while len(took) < 3 and min(took, default=QUICK) >= QUICK:
        began = time.process_time()
        call(words)
        took.append(time.process_time() - began)
    return min(took)


def in_proportion(call: Callable[[str], object], words: Callable[[int], str], size: int) -> bool:
    """Whether `call` on that many characters takes at most three times what its length is worth."""
    if (whole := seconds(call, words(size))) < QUICK:
        return True
    return whole < 3 * PART * min(seconds(call, words(size // PART)) for _ in range(5))


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_expression_takes_time_in_proportion(place):
    """Whatever a person, or somebody who is none, writes into a cell, a description or a setting."""
    pattern, asked = EXPRESSIONS[place]
    ways = [pattern.search, pattern.fullmatch] if asked not in ("match", "fullmatch") else [getattr(pattern, asked)]
    for way, words in product(ways, pumps(pattern.pattern)):
        assert in_proportion(way, words, PUMPED), f"{way} on {words(20)!r}…"


def test_expression_that_begins_anew_at_each_character_is_found():
    """The test above would see one, also one that needs a text before."""
    for slow in (r"\[((?:[^\[\]\\]|\\.)*)\]", r"\d+\s*[mhd]?\s*"):
        ways = (re.compile(slow).search, re.compile(slow).fullmatch)
        assert not all(in_proportion(way, words, PUMPED) for way in ways for words in pumps(slow)), slow


LINE = [
    *("[\\[", "\\[", "[\\", "[", "](", "[](", "[](()", '[a](b "', "[a](b ", "<", "<a", "<http://", "\\", " ", "\u00a0"),
    *("[]((", "[a](\t", "a_", "*", "\u0323\u0301"),
]


@pytest.mark.parametrize("part", LINE)
@pytest.mark.parametrize("once", ["", "["])
def test_line_of_a_description_takes_time_in_proportion(part, once):
    """A value line as long as a description may be, and what is compared of a cell as long as a cell may be."""

    def line(size: int) -> str:
        return once + part * (size // len(part))

    assert in_proportion(parse, lambda size: f"{HEADER}\n{EMAIL_LABEL} {line(size)}\nLeadID: {LEAD}", TRELLO_TEXT_LIMIT)
    assert in_proportion(plain, line, CELL)


@pytest.mark.parametrize("below", [HEADER, f"{EMAIL_LABEL} x", f"LeadID: {LEAD}", "", "LeadID: "], ids=repr)
@pytest.mark.parametrize("above", [HEADER, f"LeadID: {LEAD}", f"LeadID: {LEAD} x", ""], ids=repr)
def test_lines_of_a_description_take_time_in_proportion(above, below):
    """However many blocks and markers somebody pastes, and in which order."""

    def lines(size: int) -> str:
        return "\n".join(line for part in (above, below) for line in [part] * (size // 2 // (len(part) + 1)))

    assert in_proportion(parse, lines, CELL)
    assert in_proportion(lambda description: with_block(description, LEAD, "a@b.c", "web"), lines, CELL)


@pytest.mark.parametrize(
    ("once", "again"),
    [("\u0301", "\u0323"), ("", "a\u0323\u0301"), ("", "e\u0301")],
    ids=["one-letter-with-all", "two-a-letter", "one-a-letter"],
)
def test_cell_of_marks_takes_time_in_proportion(once, again):
    """Accents piled on one letter, whose order makes no difference, are put in order by trying each place."""
    assert in_proportion(text, lambda size: once * (size // 2) + again * (size // 2 // len(again)), CELL)
