"""
The wire gone wild at the requests that a mapping, first contact, leads from cards, and webhooks add.

However that ends the run, it is soon, with a sentence, the lock is free; clean runs later all is as it should be.
"""

from __future__ import annotations

import time
from itertools import count

import pytest
import requests

from leadsync.errors import LeadsyncError
from leadsync.gateway.webhooks import Webhooks
from leadsync.pipeline.clients import open_clients
from support.harness import MARKER
from support.mapped_scene import MappedScene
from support.raw_server import RawServer, answer, sends
from support.wild_wire import KINDS, Wild, of_another_type

SOON = 90.0
"""Seconds in which the busiest machine comes to the end of a run; without deadlines it would never."""


class Mapped(Wild, MappedScene):
    """Every property mapped, a label to be created, and Airtable's change feed."""

    adopt = "ask"

    def __init__(self, folder):
        super().__init__(folder, env={"AIRTABLE_CHANGE_FEED": "on"})

    def assert_done(self):
        self.assert_written()
        self.assert_alike()
        self.assert_at_rest()


class Contact(Wild):
    """A board that holds the leads already, and whose cards are adopted."""

    adopt = "email"

    def __init__(self, folder):
        folder.mkdir(parents=True)
        super().__init__(folder, ordered=True)
        self.ours = {}
        for number in range(3):
            lead = self.lead(f"Lead {number}", "NEW", email=f"lead{number}@example.com", source="fair")
            self.ours[lead] = self.trello.add_card("TODO", f"Card {number}", f"LEAD{number}@example.com")
        self.ours[self.lead("Ada")] = None
        self.trello.add_card("TODO", "Chore", "milk")

    def assert_done(self):
        cards = {lead: self.card(lead)["id"] for lead in self.ours}
        assert {lead: card for lead, card in cards.items() if self.ours[lead]} == {
            lead: card for lead, card in self.ours.items() if card
        }
        assert len(self.trello.cards()) == 5
        self.assert_idle()


class Office(Wild):
    """Cards that become leads."""

    adopt = "ask"

    def __init__(self, folder):
        folder.mkdir(parents=True)
        super().__init__(folder, ordered=True, env={"SYNC_CREATE_LEADS": "on"})
        self.airtable.add_field("card_id")
        self.lead("Ada")
        self.sync()
        self.cards = [self.trello.add_card("TODO", f"Card {number}", "", due=None) for number in range(3)]

    def assert_done(self):
        made = {cells["card_id"]: lead for lead, cells in self.airtable.records().items() if "card_id" in cells}
        assert made.keys() == {*self.cards}
        for card in self.cards:
            lines = self.trello.card(card)["desc"].splitlines()
            assert [found[1] for line in lines if (found := MARKER.match(line))] == [made[card]]
        assert (len(self.airtable.records()), len(self.trello.cards())) == (4, 4)
        self.assert_idle()


WORLDS = {"mapped": Mapped, "contact": Contact, "office": Office}
STEPS = {"mapped": 7, "contact": 3, "office": 3}
"""Of the plain run, between two requests that are spoilt."""


def disturbed(make, folder, spoil, first, times, seed=0):
    """One run with spoilt answers, and what must hold after it. Returns: whether there was such a request."""
    world = make(folder)
    world.go_wild(spoil, first, times, seed)
    began = time.monotonic()
    report = world.sync(exit_code=None, adopt=world.adopt)
    took = time.monotonic() - began
    struck = world.came > first
    world.active = False
    assert took < SOON, first
    assert report.message, first
    assert "Traceback" not in report.as_json()
    assert report.exit_code == 0 or report.failures or report.error, (first, report.message)
    world.sync(adopt=world.adopt)
    world.sync()
    world.assert_done()
    world.close()
    return struck


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("times", [1, 10_000], ids=["once", "from-there-on"])
def test_some_spoilt_answer_at_every_few_requests_loses_nothing(tmp_path, world, times):
    """Another kind at each; the exhaustive tests have them all."""
    kinds, step = [*KINDS.values()], STEPS[world] if times == 1 else 2 * STEPS[world]
    for index in count(times % 2, step):
        if not disturbed(WORLDS[world], tmp_path / str(index), kinds[index * 11 % len(kinds)], index, times):
            assert index > 3
            return


@pytest.mark.exhaustive
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("times", [1, 10_000], ids=["once", "from-there-on"])
@pytest.mark.parametrize("kind", KINDS)
def test_spoilt_answer_at_any_request_loses_nothing(tmp_path, world, kind, times):
    for index in count():
        if not disturbed(WORLDS[world], tmp_path / str(index), KINDS[kind], index, times):
            return


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("seeds", [1, pytest.param(8, marks=pytest.mark.exhaustive)], ids=["some", "all"])
def test_value_of_another_type_at_any_request_loses_nothing(tmp_path, world, seeds):
    for index in count(0, 2 * STEPS[world] if seeds == 1 else 1):
        places = [tmp_path / f"{index}-{seed}" for seed in range(seeds)]
        struck = [disturbed(WORLDS[world], place, of_another_type, index, 1, n) for n, place in enumerate(places)]
        if not any(struck):
            return


# --- webhooks -------------------------------------------------------------------------------------------------


class Registering(Wild):
    """Both services, and whoever registers a gateway's webhooks with them."""

    def __init__(self, folder, address):
        folder.mkdir(parents=True)
        super().__init__(folder, ordered=True, env={"SYNC_PUBLIC_URL": address, "TRELLO_API_SECRET": "s" * 32})

    def webhooks(self, do):
        settings = self.settings()
        with open_clients(settings, self.transport) as clients:
            return do(Webhooks(settings, clients.airtable, clients.trello, clients.store, settings.sync_public_url))

    def registered(self):
        """How many webhooks there are, of Airtable and of Trello."""
        airtable, trello, url = self.airtable, self.trello, self.emulator.url
        bearer = {"Authorization": f"Bearer {self.env['AIRTABLE_API_TOKEN']}"}
        ours = requests.get(f"{url}/v0/bases/{airtable.base_id}/webhooks", headers=bearer, timeout=10).json()
        query = {"key": trello.key, "token": trello.token}
        theirs = requests.get(f"{url}/1/tokens/{trello.token}/webhooks", params=query, timeout=10).json()
        return len(ours["webhooks"]), len(theirs)


@pytest.fixture
def address():
    """Where Trello's question is answered."""
    with RawServer(sends(answer(""))) as server:
        yield server.url


@pytest.mark.parametrize("do", [Webhooks.register, Webhooks.refresh, Webhooks.unregister], ids=lambda do: do.__name__)
@pytest.mark.parametrize(
    "kinds", [[*KINDS][3::16], pytest.param([*KINDS], marks=pytest.mark.exhaustive)], ids=["some", "all"]
)
def test_spoilt_answer_while_webhooks_are_tended_is_a_sentence(tmp_path, address, do, kinds):
    """And the next time there is one of each service, or none."""
    for kind in kinds:
        for index in count():
            world = Registering(tmp_path / f"{kind}-{index}", address)
            if do is not Webhooks.register:
                world.webhooks(Webhooks.register)
            world.go_wild(KINDS[kind], index, 1)
            began = time.monotonic()
            try:
                said = str(world.webhooks(do))
            except LeadsyncError as error:
                said = str(error)
            assert said, (kind, index)
            assert time.monotonic() - began < SOON, (kind, index)
            struck, world.active = world.came > index, False
            world.webhooks(Webhooks.unregister if do is Webhooks.unregister else Webhooks.register)
            wanted = 0 if do is Webhooks.unregister else 1
            assert world.registered() == (wanted, wanted), (kind, index)
            world.close()
            if not struck:
                break
