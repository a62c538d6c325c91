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
PUMPED, BOUND = 12_000, 0.1
"""Characters, and seconds of CPU: linear expressions took 2 ms, one that began anew at each character 380 ms."""
ANY = "word"
"""Stands for what a pattern is given at run time: a column, a cell's name."""


def pattern_of(node: ast.expr) -> str:
    """The pattern as written, ANY for what is put into it."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else ANY for part in node.values)
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


def pumps(pattern: str) -> Iterator[str]:
    """Texts of PUMPED characters and one that ends no match: any two parts of a pattern in turn, any part before."""
    parts = parts_of(pattern)
    for once, again in [*product([""], map("".join, product(parts, parts))), *product(["", *parts], parts)]:
        yield once + again * (PUMPED // len(again)) + "\0"


def seconds(call: Callable[..., object], *args: object) -> float:
    """CPU that a call took, the better of two tries if it took long."""
    took = []
    while len(took) < 2 and min(took, default=BOUND) >= BOUND:
        began = time.process_time()
        call(*args)
        took.append(time.process_time() - began)
    return min(took)


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_expression_takes_time_in_proportion(place):
    """Whatever a person, or somebody who is none, writes into a cell, a description or a setting."""
    pattern, asked = EXPRESSIONS[place]
    ways = [pattern.search, pattern.fullmatch] if asked not in ("match", "fullmatch") else [getattr(pattern, asked)]
    for way, words in product(ways, pumps(pattern.pattern)):
        assert seconds(way, words) < BOUND, f"{way} on {words[:20]!r}…"


def test_expression_that_begins_anew_at_each_character_is_found():
    """The test above would see one, also one that needs a text before."""
    for slow in (r"\[((?:[^\[\]\\]|\\.)*)\]", r"\d+\s*[mhd]?\s*"):
        ways = (re.compile(slow).search, re.compile(slow).fullmatch)
        assert any(seconds(way, words) >= BOUND for way in ways for words in pumps(slow)), slow


LINE = [
    *("[\\[", "\\[", "[\\", "[", "](", "[](", "[](()", '[a](b "', "[a](b ", "<", "<a", "<http://", "\\", " ", "\u00a0"),
    *("[]((", "[a](\t", "a_", "*", "\u0323\u0301"),
]


@pytest.mark.parametrize("part", LINE)
@pytest.mark.parametrize("once", ["", "["])
def test_line_of_a_description_takes_time_in_proportion(part, once):
    """A value line as long as a description may be, and what is compared of a cell as long as a cell may be."""
    line = once + part * (TRELLO_TEXT_LIMIT // len(part))
    assert seconds(parse, f"{HEADER}\n{EMAIL_LABEL} {line}\nLeadID: {LEAD}") < BOUND
    assert seconds(plain, once + part * (CELL // len(part))) < BOUND


@pytest.mark.parametrize("below", [HEADER, f"{EMAIL_LABEL} x", f"LeadID: {LEAD}", "", "LeadID: "], ids=repr)
@pytest.mark.parametrize("above", [HEADER, f"LeadID: {LEAD}", f"LeadID: {LEAD} x", ""], ids=repr)
def test_lines_of_a_description_take_time_in_proportion(above, below):
    """However many blocks and markers somebody pastes, and in which order."""
    half = CELL // 2
    lines = "\n".join([*[above] * (half // (len(above) + 1)), *[below] * (half // (len(below) + 1))])
    assert seconds(parse, lines) < BOUND
    assert seconds(with_block, lines, LEAD, "a@b.c", "web") < BOUND


@pytest.mark.parametrize(
    "words",
    ["\u0301" * (CELL // 2) + "\u0323" * (CELL // 2), "a\u0323\u0301" * (CELL // 3), "e\u0301" * (CELL // 2)],
    ids=["one-letter-with-all", "two-a-letter", "one-a-letter"],
)
def test_cell_of_marks_takes_time_in_proportion(words):
    """Accents piled on one letter, whose order makes no difference, are put in order by trying each place."""
    assert seconds(text, words) < BOUND
