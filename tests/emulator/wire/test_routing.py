"""Nothing is ignored in silence: at every route of both services, and where there is no route."""

import json
from typing import Any

import pytest

from emulator import Emulator, Knobs, ManualClock
from emulator.airtable.service import AirtableService
from emulator.airtable.world import AirtableWorld
from emulator.ids import IdSource
from emulator.trello.service import TrelloService
from emulator.trello.world import TrelloWorld
from emulator.wire.routing import Route

ROUTES = {
    "airtable": AirtableService(AirtableWorld(Knobs(), ManualClock(), IdSource(1)), False, None).routes.routes,
    "trello": TrelloService(TrelloWorld(Knobs(), ManualClock(), IdSource(1)), False).routes.routes,
}
EVERY = [pytest.param(name, route, id=f"{name}-{route.shown}") for name in ROUTES for route in ROUTES[name]]
WRITES = [each for each in EVERY if each.values[1].method in ("POST", "PUT", "PATCH")]
VALUES = ["x", "true", "false", "none", "", "0"]


class Places:
    """What the `{…}` of both services' paths may be, made anew so that everything is there; and all that there is."""

    def __init__(self, emulator: Emulator, airtable: Any, trello: Any) -> None:
        self.emulator, self.callers = emulator, {"airtable": airtable(emulator), "trello": trello(emulator)}
        (table,) = self.ask("airtable", "GET", f"meta/bases/{emulator.airtable.base_id}/tables").json()["tables"]
        hooks = f"bases/{emulator.airtable.base_id}/webhooks"
        asked = {"specification": {"options": {"filters": {"dataTypes": ["tableData"]}}}}
        hook = self.ask("airtable", "POST", hooks, json=asked).json()
        self.airtable = {"base": emulator.airtable.base_id, "table": table["id"], "field": table["fields"][0]["id"]}
        self.airtable |= {"record": emulator.airtable.add_lead("Ada"), "webhook": hook["id"]}
        card, board = emulator.trello.add_card("TODO", "Ada"), emulator.trello.board_id
        label = self.ask("trello", "POST", f"boards/{board}/labels", json={"name": "hot"}).json()["id"]
        column = emulator.trello.make_custom_field("Score", "list", ("high",))
        (option,) = self.ask("trello", "GET", f"customFields/{column}/options").json()
        self.trello = {"board": board, "card": card, "label": label, "customField": column, "member": "me"}
        self.trello |= {"list": emulator.trello.list_id("TODO"), "option": option["_id"], "filter": "all"}
        self.trello |= {"card_or_filter": "all", "token": emulator.trello.token, "field": "name", "webhook": "0" * 24}
        self.trello |= {"action": emulator.trello.actions()[0]["id"]}

    def ask(self, service: str, method: str, path: str, **options: Any) -> Any:
        """An answer of a service, whose paths all begin alike."""
        return self.callers[service](method, f"/v0/{path}" if service == "airtable" else path, **options)

    def path(self, service: str, route: Route) -> str:
        """A path of the route at which everything is there."""
        return "/".join(route.pattern).format(**(self.airtable if service == "airtable" else self.trello))

    @property
    def content(self) -> str:
        """All that a write could have changed."""
        held = [self.emulator.airtable.records(), self.emulator.trello.cards(), self.emulator.trello.lists()]
        held += [self.emulator.trello.actions(), self.emulator.trello.board()]
        held += [self.ask("airtable", "GET", f"meta/bases/{self.airtable['base']}/tables").json()]
        held += [self.ask("airtable", "GET", f"bases/{self.airtable['base']}/webhooks").json()]
        return json.dumps(held, sort_keys=True)

    def refused(self, answer: Any) -> bool:
        """The emulator says that it is the emulator that lacks something, and does not echo who asked."""
        secret = self.emulator.trello.token in answer.text
        return answer.status_code == 501 and answer.text.startswith("emulator: ") and not secret


@pytest.fixture
def places(emulator, airtable, trello):
    return Places(emulator, airtable, trello)


@pytest.mark.parametrize(("service", "route"), EVERY)
def test_unknown_parameter_is_refused_at_every_route(places, service, route):
    """Whatever its value, and nothing has happened."""
    before, path = places.content, places.path(service, route)
    for value in VALUES:
        answer = places.ask(service, route.method, path, params={"nonsense": value})
        assert answer.status_code == 501, (value, answer.text)
        assert answer.text.startswith("emulator: nonsense of ")
    assert places.content == before


@pytest.mark.parametrize(("service", "route"), WRITES)
def test_unknown_key_of_a_body_is_refused_at_every_route(places, service, route):
    """Beside what the route knows, too; and so is a body that is no object."""
    before, path = places.content, places.path(service, route)
    known = dict.fromkeys(route.holds or route.takes, "x")
    for body in ({"nonsense": "x"} | known, {"nonsense": False} | known, [], ["nonsense"], "nonsense", 7):
        answer = places.ask(service, route.method, path, json=body)
        assert answer.status_code == 501, (body, answer.text)
        assert answer.text.startswith("emulator: ")
    assert places.content == before


@pytest.mark.parametrize(("service", "route"), [each for each in EVERY if each.values[1].off])
def test_what_is_not_emulated_may_be_done_without_at_every_route(places, service, route):
    """`attachments=false` asks for nothing; `attachments=true` is refused."""
    path = places.path(service, route)
    for name in route.off:
        without, within = (places.ask(service, route.method, path, params={name: v}) for v in ("false", "true"))
        assert without.status_code != 501, name
        assert places.refused(within), (name, within.text)


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("PUT", "boards/{board}", {"prefs/voting": "members"}),
        ("PUT", "boards/{board}", {"name": "New", "subscribed": "true"}),
        ("POST", "boards", {"name": "Copy", "idBoardSource": "{board}"}),
        ("POST", "boards", {"name": "Open", "prefs_permissionLevel": "public"}),
        ("POST", "lists", {"name": "Copy", "idBoard": "{board}", "idListSource": "{list}"}),
        ("POST", "cards", {"idList": "{list}", "isTemplate": "false"}),
        ("POST", "cards", {"idList": "{list}", "idCardSource": "{card}", "keepFromSource": "votes"}),
        ("PUT", "cards/{card}", {"isTemplate": "false"}),
        ("PUT", "cards/{card}", {"cover": "x"}),
        ("PUT", "cards/{card}/nodeId", {"value": "x"}),
        ("PUT", "cards/{card}/name", {"value": "x", "idList": "{list}"}),
        ("PUT", "lists/{list}/color", {"value": "red"}),
        ("PUT", "customFields/{customField}", {"display_cardFront": "false"}),
        ("GET", "boards/{board}/nodeId", {}),
        ("GET", "cards/{card}/nodeId", {}),
        ("GET", "lists/{list}/nodeId", {}),
        ("GET", "cards/{card}", {"attachments": "maybe"}),
        ("GET", "cards/{card}", {"customFieldItems": "all"}),
        ("GET", "boards/{board}", {"members": "admins"}),
        ("GET", "boards/{board}", {"labels": "20"}),
        ("GET", "boards/{board}/cards", {"sort": "name", "limit": "5"}),
        ("GET", "boards/{board}/cards", {"sort": "-id"}),
        ("GET", "boards/{board}/cards", {"filter": ["open", "closed"]}),
        ("GET", "boards/{board}/cards/open", {"filter": "closed"}),
        ("GET", "boards/{board}/cards/{card}", {"limit": "1"}),
        ("GET", "boards/{board}/actions", {"format": "count"}),
        ("GET", "members/me/boards", {"filter": "organization"}),
        ("GET", "search", {"query": "Ada", "modelTypes": "members"}),
    ],
    ids=str,
)
def test_trello_value_that_is_not_emulated_is_refused(places, method, path, params):
    """Of a parameter that is known, too; and nothing has happened."""
    before = places.content
    filled = {name: v.format(**places.trello) if isinstance(v, str) else v for name, v in params.items()}
    assert places.refused(places.ask("trello", method, path.format(**places.trello), params=filled))
    assert places.content == before


LEADS = "{base}/{table}"


@pytest.mark.parametrize(
    ("method", "path", "params", "body"),
    [
        ("GET", LEADS, {"recordMetadata[]": "createdBy"}, None),
        ("GET", LEADS, {"sort[0][field]": "name", "sort[0][direction]": "up"}, None),
        ("GET", LEADS, {"sort[0]": "name"}, None),
        ("GET", LEADS, {"sort": "name"}, None),
        ("GET", LEADS, {"maxRecords": "-1"}, None),
        ("GET", LEADS + "/{record}", {"fields[]": "name"}, None),
        ("POST", LEADS + "/listRecords", {"pageSize": "1"}, {}),
        ("POST", LEADS + "/listRecords", {}, {"timeZone": "UTC"}),
        ("POST", LEADS + "/listRecords", {}, {"sort": [{"field": "name", "order": "asc"}]}),
        ("POST", LEADS + "/listRecords", {}, {"sort": ["name"]}),
        ("POST", LEADS, {}, {"records": [{"fields": {}}], "fields": {}}),
        ("POST", LEADS, {}, {"records": [{"fields": {}, "id": "x"}]}),
        ("PATCH", LEADS, {}, {"records": [{"id": "{record}", "fields": {}, "typecast": True}]}),
        ("PATCH", LEADS, {}, {"records": [{"fields": {}}], "performUpsert": {"fieldsToMergeOn": ["name"], "x": 1}}),
        ("PATCH", LEADS + "/{record}", {"returnFieldsByFieldId": "1"}, {"fields": {}}),
        ("DELETE", LEADS, {"records[]": "{record}", "recordsToKeep[]": "x"}, None),
        ("GET", "meta/bases", {"offset": ""}, None),
        ("GET", "meta/bases/{base}/tables", {"include": "everything"}, None),
        ("POST", "meta/bases/{base}/tables", {}, {"name": "T", "fields": [{"name": "n", "type": "email", "x": 1}]}),
        ("PATCH", "meta/bases/{base}/tables/{table}", {}, {"dateDependencySettings": {}}),
    ],
    ids=str,
)
def test_airtable_value_that_is_not_emulated_is_refused(places, method, path, params, body):
    """Of a parameter that is known, or deep in a body; and nothing has happened."""
    before = places.content
    filled = {name: value.format(**places.airtable) for name, value in params.items()}
    held = json.loads(json.dumps(body).replace("{record}", places.airtable["record"]))
    options = {"params": filled} | ({} if body is None else {"json": held})
    assert places.refused(places.ask("airtable", method, path.format(**places.airtable), **options))
    assert places.content == before


@pytest.mark.parametrize(
    "part",
    [
        {"filters": {"dataTypes": ["tableData"], "sourceOptions": {}}},
        {"filters": {"dataTypes": ["tableData", "tableFields"]}},
        {"filters": {"dataTypes": ["tableMetadata"]}},
        {"filters": {"dataTypes": ["tableData"], "watchSchemasOfFieldIds": []}},
        {"filters": {"dataTypes": ["tableData"]}, "includes": {"includePreviousFieldDefinitions": True}},
        {"filters": {"dataTypes": ["tableData"]}, "excludes": {}},
    ],
    ids=str,
)
def test_webhook_that_would_be_told_less_than_it_asks_is_refused(places, part):
    """Nobody waits for payloads that never come."""
    before, path = places.content, f"bases/{places.airtable['base']}/webhooks"
    assert places.refused(places.ask("airtable", "POST", path, json={"specification": {"options": part}}))
    assert places.content == before


@pytest.mark.parametrize(
    ("service", "method", "path"),
    [
        ("trello", "GET", "cards/{card}/checklists/x"),
        ("trello", "POST", "cards/{card}/attachments"),
        ("trello", "POST", "checklists"),
        ("trello", "PUT", "actions/{action}"),
        ("trello", "PUT", "boards/{board}/members/me"),
        ("trello", "GET", "members/me/organizations"),
        ("trello", "GET", "organizations/x"),
        ("trello", "DELETE", "cards/{card}/actions/{action}/comments"),
        ("airtable", "GET", "{base}/{table}/{record}/comments"),
        ("airtable", "POST", "{base}/{record}/{field}/uploadAttachment"),
        ("airtable", "DELETE", "meta/bases/{base}/tables/{table}"),
        ("airtable", "GET", "meta/bases/{base}/collaborators"),
        ("airtable", "PATCH", "bases/{base}/webhooks/{webhook}"),
    ],
)
def test_path_that_is_not_emulated_is_refused(places, service, method, path):
    """The service has it, so that nobody looks for the mistake in the request."""
    filled = path.format(**(places.airtable if service == "airtable" else places.trello))
    assert places.refused(places.ask(service, method, filled))


def test_path_that_nobody_has_is_refused_as_the_service_does(places):
    """Words of the service's own."""
    assert places.ask("trello", "GET", "nonsense/x").text.startswith("Cannot GET /1/nonsense/x")
    assert places.ask("trello", "PATCH", "cards/x").text.startswith("Cannot PATCH /1/cards/x")
    assert places.ask("airtable", "GET", "nonsense/x/y/z").json() == {"error": "NOT_FOUND"}


def test_card_of_a_board_and_what_no_board_has(places):
    """Calls that Trello answers with 200."""
    board, card = places.trello["board"], places.trello["card"]
    shown = places.ask("trello", "GET", f"boards/{board}/cards/{card}", params={"fields": "name"})
    assert shown.json() == {"id": card, "name": "Ada"}
    other = places.emulator.trello.add_board("Other")
    assert places.ask("trello", "GET", f"boards/{other}/cards/{card}").status_code == 404
    for path in ("boardStars", "plugins", "boardPlugins", "checklists"):
        assert places.ask("trello", "GET", f"boards/{board}/{path}").json() == []
    assert places.ask("trello", "GET", f"cards/{card}/membersVoted").json() == []


def test_shapes_since_2024(places):
    """What recordings show: objects where there had been null, the workspace, the member's rate, reactions."""
    board, card = places.trello["board"], places.trello["card"]
    answer = places.ask("trello", "GET", f"cards/{card}")
    assert answer.json()["descData"] == {"emoji": {}}
    assert (answer.headers["X-Rate-Limit-Member-Max"], answer.headers["X-Rate-Limit-Member-Interval-Ms"]) == (
        "375",
        "10000",
    )
    me = places.ask("trello", "GET", "members/me").json()
    workspace = places.ask("trello", "GET", f"boards/{board}").json()["idOrganization"]
    assert (me["idOrganizations"], me["bioData"], len(workspace)) == ([workspace], {"emoji": {}}, 24)
    comment = places.ask("trello", "POST", f"cards/{card}/actions/comments", json={"text": "hello"}).json()
    assert comment["limits"]["reactions"]["perAction"] == {"status": "ok", "disableAt": 1000, "warnAt": 900}


def test_list_that_is_watched_says_so(places):
    """And its limit of cards; nobody hears of who watches."""
    path, told = f"lists/{places.trello['list']}", len(places.emulator.trello.actions())
    assert places.ask("trello", "PUT", f"{path}/subscribed", json={"value": True}).json()["subscribed"] is True
    assert len(places.emulator.trello.actions()) == told
    assert places.ask("trello", "PUT", path, json={"softLimit": 5}).json()["softLimit"] == 5
    assert places.ask("trello", "GET", path).json()["subscribed"] is True


@pytest.mark.parametrize(
    ("service", "path"),
    [("airtable", "meta/enterpriseAccounts/entX"), ("airtable", "meta/nothing"), ("airtable", "bases/{base}")]
    + [("airtable", "meta/bases/{base}"), ("trello", "emoji")],
)
def test_call_that_only_the_service_has_is_not_taken_for_another(places, service, path):
    """`meta` is no base that was not found, and the picture list has no id at its end."""
    assert places.refused(places.ask(service, "GET", path.format(**places.airtable)))
