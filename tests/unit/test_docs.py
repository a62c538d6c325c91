"""The pages for people: short at the front, links that lead somewhere, blocks that say what they are."""

import re

import pytest

from support.pages import FENCE, PAGES, README, blocks, text_of
from support.places import ROOT

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
LANGUAGES = {"bash", "toml", "text"}


def anchors(text):
    """As GitHub makes them of headings."""
    headings = HEADING.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page, text):
    """Links of a page that lead to no file, or to no heading of one; addresses elsewhere are not asked."""
    broken = []
    for path, anchor in LINK.findall(FENCE.sub("", text)):
        if "://" in path:
            continue
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(text if target == page else text_of(target))):
            broken.append(f"{path}#{anchor}" if anchor else path)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page):
    assert broken_links(page, text_of(page)) == []


def test_link_that_leads_nowhere_is_found():
    text = "# Here\n[a](nowhere.md) [b](#here) [c](#there) [d](flows/README.md#settings) [e](flows/README.md#nothing)"
    assert broken_links(README, text) == ["nowhere.md", "#there", "flows/README.md#nothing"]


def test_readme_is_short():
    assert len(text_of(README).splitlines()) <= 160


def test_readme_opens_with_the_two_commands():
    """As a fresh machine types them."""
    demo, tests = blocks(text_of(README), "bash")[0].splitlines()
    assert demo == "pip install uv && uv run flows/sync.py --demo"
    assert tests == "pip install uv && uv run --group dev pytest"


def test_the_page_of_the_commands_names_every_folder_of_the_code():
    """And no other; of the files beside them those that it names are there."""
    rows = re.findall(
        r"^\| (`[^|]+) \|", text_of(ROOT / "flows/README.md").partition("## Find your way")[2], re.MULTILINE
    )
    named, code = set(re.findall(r"`([^`]+)`", " ".join(rows))), ROOT / "flows/leadsync"
    assert {each for each in named if "." not in each} == {path.parent.name for path in code.glob("*/__init__.py")}
    assert [each for each in named if "." in each and not (code / each).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_block_says_what_it_is(page):
    """What is typed into a shell is `bash`, so that no block escapes the tests of commands."""
    assert {language for language, _ in FENCE.findall(text_of(page))} <= LANGUAGES
