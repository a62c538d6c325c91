"""The playground over real HTTP: every button is a step, every step an address, and nobody else presses them."""

import re

import pytest
import requests

from playground.boards import table_of
from support.play_world import playing


class Played:
    """A browser without a script: it sends forms, and follows where it is sent."""

    def __init__(self, url, world):
        self.url, self.world = url, world

    def get(self, path):
        return requests.get(self.url + path, timeout=30)

    def press(self, path, **fields):
        return requests.post(f"{self.url}/play/{path}", data=fields, headers={"Origin": self.url}, timeout=30)


@pytest.fixture
def played(tmp_path):
    with playing(tmp_path) as (url, world):
        yield Played(url, world)


def steps(answer):
    """What the address holds."""
    return re.findall(r"step=([^&]*)", answer.url)


def test_buttons_are_steps_in_the_address(played):
    """Of a row the cells that were edited; a preview is none, since it changes nothing."""
    assert steps(played.press("run", kind="sync")) == ["sync"]
    moved = played.press("do", kind="move", lead="3", list="DONE", text="Chiara Rossi")
    assert steps(moved) == ["sync", "move+3+DONE"]
    row = {"name": "Ada & Bo", "email": "amelia.hart@northwind.example", "status": "LOST", "source": "Web form"}
    edited = played.press("do", kind="row", lead="1", **row)
    assert steps(edited)[2:] == ["name+1+Ada+%26+Bo", "status+1+LOST"]
    planned = played.press("run", kind="preview")
    assert steps(planned) == steps(edited)
    assert "The plan" in planned.text
    assert "Changed on the card since both sides last agreed" in planned.text
    assert "Calls of this run: 1 to Airtable" in planned.text
    assert steps(played.press("do", kind="lost")) == [*steps(edited), "lost"]
    assert steps(played.press("start", seed="5")) == []


def test_sync_now_on_any_page_is_a_step(played):
    """And so is part of the link."""
    requests.post(f"{played.url}/page/sync", headers={"Origin": played.url}, timeout=30)
    played.press("do", kind="add", text="Zoë")
    assert steps(played.get("/play"))[-1] == "add+Zo%C3%AB"
    assert "sync" in steps(played.get("/play"))


def test_link_is_followed(played):
    """From wherever; the page then is the one of its address."""
    answer = played.get("/play?seed=3&step=sync&step=name+1+%3Cb%3EAda")
    assert answer.status_code == 200
    assert "&lt;b&gt;Ada" in answer.text
    assert "<b>" not in answer.text
    assert table_of(played.world)[0].name == "<b>Ada"
    assert played.get("/play").url == answer.url


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("seed=x", "is no seed"),
        ("seed=-1", "is no seed"),
        ("seed=" + "9" * 30, "is no seed"),
        ("step=fly", "is no step"),
        ("step=move+1+DONE", "Lead 1 has no card yet; sync first."),
        ("&".join(["step=lost"] * 201), "An address holds 200 steps at most."),
    ],
)
def test_link_that_leads_nowhere_is_told(played, query, wrong):
    answer = played.get(f"/play?{query}")
    assert answer.status_code == 400
    assert wrong in answer.text
    assert "Amelia Hart" in answer.text


def test_nobody_else_presses(played):
    """Another site's page can send a form, and not from here."""
    for path in ("do", "run", "start"):
        refused = requests.post(
            f"{played.url}/play/{path}", data={"kind": "sync"}, headers={"Origin": "https://evil.example"}, timeout=30
        )
        assert refused.status_code == 403
    assert played.world.steps == []


def test_menu_leads_from_view_to_view(played):
    """The playground is one more of the page's views."""
    for path in ("/", "/play"):
        assert 'href="/play"' in played.get(path).text
        assert 'href="/"' in played.get(path).text
