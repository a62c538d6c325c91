"""Leads from cards: a card without a LeadID line becomes a lead, once, where that is switched on."""

import pytest
import requests

from emulator import Fault
from leadsync.core.saved_plan import SavedPlan
from leadsync.pipeline.steps import UndoChoice
from support.harness import MARKER, World
from support.past_changes import changes_of, runs_of

COLUMN = "card_id"
ON = {"SYNC_CREATE_LEADS": "on"}


class Office(World):
    """A table with a column for the cards' ids, and three leads that have their cards."""

    def __init__(self, folder, leads=3, **env):
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, ordered=True, env=ON | env)
        self.airtable.add_field(COLUMN)
        self.leads = [self.lead(f"Lead {number}", email=f"lead{number}@example.com") for number in range(leads)]
        if leads:
            self.sync()

    def made(self, title="Zoë", description="", place="TODO", **more):
        return self.trello.add_card(place, title, description, **more)

    def of_card(self, card):
        """The leads that hold the card's id."""
        return {lead: cells for lead, cells in self.airtable.records().items() if cells.get(COLUMN) == card}

    def lead_of(self, card):
        (lead,) = self.of_card(card)
        return lead

    def assert_one_each(self, *cards):
        """Each card has one lead, whose line it carries; the next run writes nothing."""
        for card in cards:
            marks = [found[1] for line in self.trello.card(card)["desc"].splitlines() if (found := MARKER.match(line))]
            assert marks == [self.lead_of(card)]
        assert len(self.airtable.records()) == len(self.leads) + len(cards)
        self.assert_idle()


@pytest.fixture
def office(tmp_path):
    made = Office(tmp_path)
    yield made
    made.close()


def ids_of_columns(office):
    """Of all columns, by their names."""
    settings = office.settings()
    answer = requests.get(
        f"{office.emulator.url}/v0/meta/bases/{settings.airtable_base_id}/tables",
        headers={"Authorization": f"Bearer {settings.airtable_api_token.get_secret_value()}"},
        timeout=10,
    )
    return {field["name"]: field["id"] for field in answer.json()["tables"][0]["fields"]}


def rows(report, field):
    return [change for change in report.changes if change["field"] == field]


# --- what becomes a lead --------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", ["full", "delta", "auto"])
def test_card_becomes_a_lead_and_carries_its_id(office, read):
    """Title, list and its only e-mail address go over; its own text stays byte for byte."""
    card = office.made("Zoë 🚀", "Met at the fair.\r\n\r\nMail: ZOE@example.com", "DONE")
    report = office.sync(read=read)
    cells = office.of_card(card)[office.lead_of(card)]
    assert (cells["name"], cells["status"], cells["email"]) == ("Zoë 🚀", "QUALIFIED", "zoe@example.com")
    assert office.trello.card(card)["desc"].startswith("Met at the fair.\r\n\r\nMail: ZOE@example.com")
    assert [(row["lead_id"], row["card_id"]) for row in rows(report, "lead")] == [(office.lead_of(card), card)]
    assert (report.counts["created"], report.unmarked_cards, report.failures) == (1, 0, [])
    office.assert_one_each(card)


def test_without_the_setting_a_card_stays_nobodys(office):
    card = office.made()
    report = office.sync(SYNC_CREATE_LEADS="off")
    assert (office.writes(), office.of_card(card), report.unmarked_cards) == (0, {}, 1)


def test_edits_of_a_lead_made_of_a_card_go_both_ways(office):
    card = office.made()
    office.sync()
    office.airtable.edit(office.lead_of(card), status="CONTACTED")
    office.sync()
    assert office.place(office.lead_of(card)) == "IN_PROGRESS"
    office.trello.move(card, "DONE")
    office.sync()
    assert office.status(office.lead_of(card)) == "QUALIFIED"


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"isTemplate": True}, id="template"),
        pytest.param({"cardRole": "mirror"}, id="mirror"),
        pytest.param({"cardRole": "separator"}, id="separator"),
        pytest.param({"closed": True}, id="archived"),
        pytest.param({"place": "Elsewhere"}, id="list-outside-the-map"),
    ],
)
def test_card_that_is_no_plain_open_one_stays_nobodys(office, spoil):
    office.trello.add_list("Elsewhere")
    card = office.made(**spoil)
    office.sync()
    assert (office.writes(), office.of_card(card)) == (0, {})


def test_copy_of_a_leads_card_is_a_copy(office):
    """Its LeadID line says so; without the line it is a card like any other."""
    original = office.card(office.leads[0])
    copy = office.made("Lead 0", original["desc"])
    office.sync()
    assert (office.writes(), office.of_card(copy)) == (0, {})
    office.trello.edit(copy, desc="only a title")
    office.sync()
    office.assert_one_each(copy)


def test_several_addresses_are_no_bodys(office):
    """Which is the lead's, nobody can say."""
    card = office.made("Zoë", "zoe@example.com, or ask bo@example.com")
    office.sync()
    assert "email" not in office.of_card(card)[office.lead_of(card)]


# --- label ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["name", "id"])
def test_label_says_which_cards_become_leads(tmp_path, by):
    """Also one that is put on later, of which the board's activity may not tell."""
    office = Office(tmp_path)
    cards = [office.made("With"), office.made("Without"), office.made("Other")]
    for name, card in (("Lead", cards[0]), ("Leader", cards[2])):
        office.trello.make_label(name)
        office.trello.add_label(card, name)
    label = "Lead" if by == "name" else office.trello.card(cards[0])["idLabels"][0]
    office.env["SYNC_CREATE_LEADS_LABEL"] = label
    office.sync(read="delta")
    office.assert_one_each(cards[0])
    office.trello.add_label(cards[1], "Lead", traced=False)
    office.sync(read="delta")
    office.assert_one_each(*cards[:2])
    office.close()


# --- what looks like a lead -----------------------------------------------------------------------------------


def test_card_with_the_address_of_a_lead_is_listed_and_not_doubled(office):
    card = office.made("Somebody", "[LEAD1@example.com](mailto:LEAD1@example.com)")
    report = office.sync()
    assert (office.writes(), office.of_card(card)) == (0, {})
    (row,) = report.quarantine
    assert (row["lead_id"], row["card_id"]) == (office.leads[1], card)
    assert "same e-mail address, lead1@example.com" in row["reason"]
    assert "has a card already" in row["remedy"]


def test_of_two_cards_with_one_address_the_older_becomes_the_lead(office):
    """The other one is listed, in this run and in the next."""
    first, second = office.made("Zoë", "zoe@example.com"), office.made("Zoe", "zoe@example.com")
    report = office.sync()
    assert [row["card_id"] for row in report.quarantine] == [second]
    report = office.sync()
    assert [(row["lead_id"], row["card_id"]) for row in report.quarantine] == [(office.lead_of(first), second)]
    assert (office.writes(), office.of_card(second)) == (0, {})


def test_look_alike_of_a_lead_without_a_card_is_not_doubled(office):
    """Which has none because of its status, or was set aside for the card's sake."""
    office.airtable.add_select_option("status", "STRANGE")
    lead = office.lead("Zoë", "STRANGE")
    card = office.made("  zoë ")
    report = office.sync()
    assert office.of_card(card) == {}
    assert [(row["lead_id"], row["card_id"]) for row in report.quarantine if row["card_id"]] == [(lead, card)]
    office.airtable.edit(lead, status="NEW")
    report = office.sync()
    assert (office.writes(), office.of_card(card)) == (0, {})
    assert [(row["lead_id"], row["card_id"]) for row in report.quarantine] == [(lead, card)]


def test_declined_cards_never_become_leads(tmp_path):
    """On first contact somebody has said that they are nobody's; the others become leads."""
    office = Office(tmp_path, leads=0)
    office.leads = [office.lead("Ada"), office.lead("Bo")]
    declined, other = office.made("Ada"), office.made("Chore")
    office.sync(exit_code=3)
    office.sync(adopt="none")
    office.sync()
    assert office.of_card(declined) == {}
    office.assert_one_each(other)
    office.close()


def test_adopted_cards_are_their_leads(tmp_path):
    office = Office(tmp_path, leads=0)
    office.leads = [office.lead("Ada", email="ada@example.com")]
    card, other = office.made("A.", "ada@example.com"), office.made("Chore")
    office.sync(adopt="email")
    assert office.card(office.leads[0])["id"] == card
    office.assert_one_each(other)
    office.close()


# --- the column -----------------------------------------------------------------------------------------------


def test_lead_in_which_somebody_wrote_the_cards_id_is_the_cards(office):
    """However different the two look; what differs is a first match."""
    card = office.made("Zoë", place="DONE")
    lead = office.lead("Somebody", "NEW", **{COLUMN: card})
    report = office.sync()
    assert office.card(lead)["id"] == card
    assert {row["kind"] for row in report.conflicts} == {"first match"}
    assert office.trello.card(card)["name"] == "Somebody"
    assert len(office.airtable.records()) == 4
    office.assert_idle()


def test_id_that_two_leads_tell_is_for_a_person_to_say(office):
    card = office.made()
    leads = {office.lead("A", **{COLUMN: card}), office.lead("B", **{COLUMN: card})}
    report = office.sync()
    assert (office.writes(), {row["lead_id"] for row in report.quarantine}) == (0, leads)
    assert all("as another lead does" in row["reason"] for row in report.quarantine)
    office.airtable.edit(min(leads), **{COLUMN: None})
    office.sync()
    assert office.card(max(leads))["id"] == card


def test_id_of_a_card_in_a_lead_that_has_another_makes_no_lead(office):
    card = office.made()
    office.airtable.edit(office.leads[0], **{COLUMN: card})
    report = office.sync()
    assert (office.writes(), [row["card_id"] for row in report.quarantine]) == (0, [card])
    assert "has another card" in report.quarantine[0]["reason"]


def test_lead_that_the_view_hides_is_made_once(tmp_path):
    """And ends as a lead that left the view: nothing is written again."""
    office = Office(tmp_path)
    office.airtable.add_view("Known", lambda cells: str(cells.get("name", "")).startswith("Lead"))
    office.env["AIRTABLE_VIEW"] = "Known"
    card = office.made()
    office.sync()
    lead = office.lead_of(card)
    assert f"LeadID: {lead}" in office.trello.card(card)["desc"]
    office.sync()
    assert office.writes() == 0
    office.airtable.edit(lead, status="LOST")
    office.sync()
    assert (office.writes(), office.status(lead)) == (0, "LOST")
    office.close()


def test_columns_may_be_named_by_their_ids(tmp_path):
    office = Office(tmp_path)
    fields = ids_of_columns(office)
    office.env |= {f"AIRTABLE_{name.upper()}_FIELD": fields[name] for name in ("name", "email", "status", "source")}
    assert "AIRTABLE_CARD_ID_FIELD" in office.sync(exit_code=2).message
    office.env["AIRTABLE_CARD_ID_FIELD"] = fields[COLUMN]
    card = office.made()
    office.sync()
    office.assert_one_each(card)
    office.close()


def test_missing_column_is_named_with_its_remedy(tmp_path):
    office = Office(tmp_path, AIRTABLE_CARD_ID_FIELD="card_id")
    report = office.sync(exit_code=2, AIRTABLE_CARD_ID_FIELD="Karte")
    assert "AIRTABLE_CARD_ID_FIELD=Karte" in report.message
    assert "flows/validate.py --fix" in report.message
    office.close()


# --- guard, dry run, refusals, cost ---------------------------------------------------------------------------


@pytest.mark.parametrize(("leads", "cards", "code"), [(30, 10, 0), (36, 11, 3), (37, 11, 0), (3, 10, 0)])
def test_many_new_leads_are_refused_like_a_mass_change(tmp_path, leads, cards, code):
    """More than ten that are more than 30 % of the known ones."""
    office = Office(tmp_path, leads)
    made = [office.made(f"Card {number}") for number in range(cards)]
    shown = office.sync(dry_run=True, exit_code=code)
    report = office.sync(exit_code=code)
    if code:
        assert (office.writes(), report.unmarked_cards, shown.message[:40]) == (0, cards, report.message[:40])
        assert f"{cards} cards would become leads" in report.message
        office.sync(allow_mass_change=True)
    office.assert_one_each(*made)
    office.close()


def test_dry_run_shows_the_leads_and_writes_nothing(office):
    card = office.made("Zoë", "zoe@example.com")
    report = office.sync(dry_run=True)
    assert (office.writes(), office.of_card(card)) == (0, {})
    (row,) = rows(report, "lead")
    assert (row["card_id"], row["after"], row["direction"]) == (card, "Zoë, NEW, zoe@example.com", "to_airtable")


def test_cost_is_a_request_for_each_hundred_and_each_ten_and_one_more_read(office):
    cards = [office.made(f"Card {number}") for number in range(10)]
    office.sync()
    assert (office.writes("airtable"), office.writes("trello")) == (1, len(cards))
    assert office.calls()[0] == 4  # two reads, the look-up before the upsert, and the upsert


def test_idle_run_with_the_setting_costs_no_more(office):
    office.made("Chore", isTemplate=True)
    office.sync()
    report = office.sync(read="auto")
    assert report.calls == {"airtable": 1, "trello": 1}


def test_leads_are_read_whole_once_the_column_is_asked_for(office):
    """What was seen before did not tell it."""
    office.sync(SYNC_CREATE_LEADS="off")
    assert office.sync(read="delta").read["airtable"] == "full"
    assert office.sync(read="delta").read["airtable"] == "delta"


def test_refused_card_does_not_stop_the_others(office):
    """Neither its e-mail address nor its status is to be had: the one is left out, the other is a failure."""
    office.airtable.lock_field("email")
    office.airtable.delete_select_option("status", "QUALIFIED")
    good, bad = office.made("Good", "good@example.com"), office.made("Bad", place="DONE")
    report = office.sync(exit_code=1)
    assert [row["card_id"] for row in report.failures] == [bad]
    assert "QUALIFIED" in report.failures[0]["reason"]
    assert office.of_card(bad) == {}
    assert office.of_card(good)[office.lead_of(good)]["name"] == "Good"


def test_token_that_may_not_write_is_misconfigured(office):
    office.made()
    office.emulator.inject(Fault("status", service="airtable", method="PATCH", status=403, times=100))
    report = office.sync(exit_code=2)
    assert "Nothing could be written" in report.message


# --- beside other things --------------------------------------------------------------------------------------


def saved_plan(office):
    return SavedPlan.parse(office.sync(dry_run=True, asked={"saves": True}).plan.text, "plan.json")


def test_saved_plan_makes_the_leads_that_it_shows(office):
    cards = [office.made("Zoë"), office.made("Ann", "ann@example.com")]
    plan = saved_plan(office)
    shown = [(write.side, write.action, write.card_id) for write in plan.writes]
    assert sorted(shown) == sorted(("airtable", "create", card) for card in cards)
    report = office.sync(asked={"plan": plan})
    assert [len(office.of_card(card)) for card in cards] == [1, 1]
    assert "The next run writes the LeadID line into 2 cards" in str(report.notes)
    office.sync()
    office.assert_one_each(*cards)


@pytest.mark.parametrize("change", ["renamed", "another", "archived", "all-archived"])
def test_saved_plan_is_refused_if_other_leads_would_be_made(office, change):
    first, second = office.made("Zoë"), office.made("Ann")
    plan = saved_plan(office)
    if change == "renamed":
        office.trello.edit(first, name="Zoe")
    elif change == "another":
        office.made("Bo")
    else:
        for card in (first, second)[: 1 if change == "archived" else 2]:
            office.trello.archive(card)
    report = office.sync(exit_code=3, asked={"plan": plan})
    assert (office.writes(), len(office.airtable.records())) == (0, 3), report.message
    moved = {(row["card_id"], row["field"], row["side"]) for row in report.moved}
    assert (
        (first, "name", "trello") in moved
        if change == "renamed"
        else {each[1:] for each in moved} == {("card", "trello")}
    )


def test_mapped_cells_of_the_card_go_over_too(tmp_path):
    """By the first match of lead and card: an empty side is filled."""
    (tmp_path / "map.toml").write_text('[[field]]\nairtable = "Next step"\ncard = "due"\n')
    office = Office(tmp_path, leads=0)
    office.airtable.add_field("Next step", "date", {"dateFormat": {"name": "iso", "format": "YYYY-MM-DD"}})
    office.env["SYNC_FIELDS"] = str(tmp_path / "map.toml")
    card = office.made("Zoë", due="2026-12-24T12:00:00.000Z")
    office.sync()
    assert office.of_card(card)[office.lead_of(card)]["Next step"] == "2026-12-24"
    office.assert_one_each(card)
    office.close()


# --- what the history says, and an undo -----------------------------------------------------------------------


def test_lead_that_was_made_is_history_and_stays_when_the_run_is_undone(office):
    """Nothing is deleted; whoever undoes it is told so, by the lead."""
    office.airtable.edit(office.leads[0], name="Renamed")
    card = office.made("Zoë", "write to zoe@example.com", "IN_PROGRESS")
    office.sync()
    lead, run = office.lead_of(card), runs_of(office)[0]
    assert (lead, card, "Zoë, CONTACTED, zoe@example.com") in [
        (each.lead_id, each.card_id, each.entry.after.airtable)
        for each in changes_of(office, run.run_id)
        if (each.entry.field, each.entry.rule, each.entry.direction) == ("lead", "created", "to_airtable")
    ]
    before = office.cells(lead)
    report = office.sync(asked={"undo": UndoChoice(run.run_id)})
    assert [(row["lead_id"], row["field"]) for row in report.quarantine] == [(lead, "lead")]
    assert (office.cells(lead), office.trello.card(card)["closed"]) == (before, False)
    assert office.cells(office.leads[0])["name"] == "Lead 0"
    office.assert_idle()


def test_undo_of_a_run_that_only_made_leads_says_why_they_stay(office):
    office.made()
    office.sync()
    report = office.sync(asked={"undo": UndoChoice(runs_of(office)[0].run_id)})
    assert [row["reason"] for row in report.quarantine] == ["a lead was made of this card, and nothing is deleted"]
    assert report.changes == []
    office.assert_idle()


def test_undo_makes_no_lead_and_ties_none(office):
    """It takes back, and does nothing else; the next run does."""
    office.airtable.edit(office.leads[0], name="Renamed")
    office.sync()
    card, told = office.made("Zoë"), office.made("Bo")
    lead = office.lead("Bo", **{COLUMN: told})
    report = office.sync(asked={"undo": UndoChoice(runs_of(office)[0].run_id)})
    assert {row["lead_id"] for row in report.changes} == {office.leads[0]}
    assert (office.of_card(card), office.cards_of(lead)) == ({}, [])
    office.sync()
    assert (len(office.of_card(card)), office.card(lead)["id"]) == (1, told)


def test_leads_made_are_counted_in_the_history_as_in_the_report(office):
    for number in range(12):
        office.made(f"Card {number}")
    report = office.sync(allow_mass_change=True)
    (run,) = runs_of(office)[:1]
    assert (run.changes, run.ended is None) == (report.counts["changes"], False)
