"""`flows/validate.py`: every finding says how to mend it, and nothing is written unless asked."""

import json
import os

import pytest
from prefect.artifacts import Artifact
from prefect.automations import Automation
from prefect.client.orchestration import get_client
from typer import Typer
from typer.testing import CliRunner

import validate as door
from runs.automations import install_alerts


@pytest.fixture
def command(prefect_server, configured):
    """Run the command in this process. Returns: a function from arguments to (exit code, stdout)."""
    app = Typer()
    app.command()(door.validate)

    def run(*arguments):
        result = CliRunner().invoke(app, list(arguments))
        return result.exit_code, result.stdout

    return run


def failures(printed):
    return [finding for finding in json.loads(printed)["findings"] if finding["level"] == "fail"]


def test_sound_setup_passes_and_shows_the_list_ids(command, emulator):
    """Exit code 0; the ids can be pasted into .env; no write is sent."""
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    code, printed = command()
    assert code == 0
    assert f"TRELLO_LIST_TODO_ID={emulator.trello.list_id('TODO')}" in printed
    assert emulator.calls("trello", writes=True) == 0


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        pytest.param({"AIRTABLE_API_TOKEN": "patNobodyKnowsThis"}, "AIRTABLE_API_TOKEN was not accepted", id="token"),
        pytest.param({"AIRTABLE_TABLE_NAME": "Laeds"}, "AIRTABLE_TABLE_NAME 'Laeds'", id="table"),
        pytest.param({"AIRTABLE_NAME_FIELD": "Nmae"}, "the table has no column 'Nmae'", id="column"),
        pytest.param({"TRELLO_API_KEY": "0" * 32}, "TRELLO_API_KEY was not accepted", id="key"),
        pytest.param({"TRELLO_API_TOKEN": "ATTAnobody"}, "TRELLO_API_TOKEN was not accepted", id="trello-token"),
        pytest.param({"TRELLO_BOARD_ID": "0" * 24}, "TRELLO_BOARD_ID", id="board"),
        pytest.param({"TRELLO_LIST_DONE_ID": "0" * 24}, "TRELLO_LIST_DONE_ID", id="list"),
        pytest.param({"SYNC_STATE_URL": "oracle9://x"}, "SYNC_STATE_URL", id="state"),
        pytest.param({"SYNC_CONFLICT": "both"}, "SYNC_CONFLICT", id="setting"),
    ],
)
def test_wrong_setting_is_named(command, monkeypatch, break_it, words):
    """Exit code 2, and a sentence about just that setting."""
    for name, value in break_it.items():
        monkeypatch.setenv(name, value)
    code, printed = command("--json")
    assert code == 2
    assert any(words in finding["detail"] for finding in failures(printed))


@pytest.mark.parametrize(
    ("break_it", "check", "remedy"),
    [
        pytest.param({"AIRTABLE_API_TOKEN": "patNobodyKnowsThis"}, "Airtable token", "", id="airtable-token"),
        pytest.param({"AIRTABLE_BASE_ID": "app" + "x" * 14}, "Airtable base", "there are: CRM = app", id="base"),
        pytest.param(
            {"AIRTABLE_TABLE_NAME": "Laeds"},
            "Airtable table",
            "Correct AIRTABLE_TABLE_NAME; there are: Leads, Invoices; did you mean 'Leads'?",
            id="table",
        ),
        pytest.param(
            {"AIRTABLE_VIEW": "gird VIEW"},
            "Airtable view",
            "Correct AIRTABLE_VIEW; there are: Grid view; did you mean 'Grid view'?",
            id="view",
        ),
        pytest.param(
            {"AIRTABLE_STATUS_FIELD": "Staus"},
            "mapping",
            "Correct AIRTABLE_STATUS_FIELD; there are: created, email, last_modified, name, notes, source, status; "
            "did you mean 'status'?",
            id="column",
        ),
        pytest.param({"TRELLO_API_KEY": "0" * 32}, "Trello key", "", id="trello-key"),
        pytest.param({"TRELLO_API_TOKEN": "ATTAnobody"}, "Trello token", "", id="trello-token"),
        pytest.param(
            {"TRELLO_BOARD_ID": "0" * 24}, "Trello board", "Correct TRELLO_BOARD_ID; there are: Sales = ", id="board"
        ),
        pytest.param({"TRELLO_LIST_DONE_ID": "Dome"}, "Trello lists", "did you mean 'DONE'?", id="list"),
    ],
)
def test_wrong_setting_is_told_once_with_the_right_ones(command, emulator, monkeypatch, break_it, check, remedy):
    """Called after the thing it is about, told once, with what there is and the nearest of it."""
    emulator.airtable.add_table("Invoices")
    for name, value in break_it.items():
        monkeypatch.setenv(name, value)
    code, printed = command("--json")
    [finding] = failures(printed)
    assert (code, finding["check"]) == (2, check)
    assert remedy in f"{finding['detail']} {finding['remedy']}"


@pytest.mark.parametrize("setting", ["AIRTABLE_BASE_ID", "AIRTABLE_TABLE_NAME"])
def test_without_the_schema_a_wrong_base_or_table_says_what_it_takes_to_list_the_right_ones(
    command, emulator, monkeypatch, setting
):
    monkeypatch.setenv("AIRTABLE_API_TOKEN", emulator.airtable.add_token(["data.records:read", "data.records:write"]))
    monkeypatch.setenv(setting, "app" + "x" * 14)
    [finding] = failures(command("--json")[1])
    assert finding["remedy"].startswith("Which there are cannot be told without the scope schema.bases:read")


def test_token_that_may_not_read_records_is_told_from_a_wrong_table(command, emulator, monkeypatch):
    monkeypatch.setenv("AIRTABLE_API_TOKEN", emulator.airtable.add_token(["schema.bases:read"]))
    [finding] = failures(command("--json")[1])
    assert finding["check"] == "Airtable token"
    assert finding["remedy"] == "Base and table are there: give AIRTABLE_API_TOKEN the scope data.records:read."


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        (["data.records:read", "data.records:write"], "Nothing that could be created was found missing, as far as"),
        (["data.records:read", "data.records:write", "schema.bases:read"], "Nothing is missing that could be created."),
    ],
)
def test_fix_that_could_not_look_does_not_say_that_nothing_is_missing(command, emulator, monkeypatch, scopes, words):
    monkeypatch.setenv("AIRTABLE_API_TOKEN", emulator.airtable.add_token(scopes))
    code, printed = command("--fix", "--yes")
    assert (code, printed.splitlines()[0].startswith(words)) == (0, True)


def test_read_only_token_is_found_without_writing(command, emulator, monkeypatch):
    """The write scope is probed with an empty batch."""
    token = emulator.airtable.add_token(["data.records:read", "schema.bases:read"])
    monkeypatch.setenv("AIRTABLE_API_TOKEN", token)
    before = emulator.airtable.records()
    code, printed = command("--json")
    assert code == 2
    assert failures(printed)[0]["remedy"].startswith("Give AIRTABLE_API_TOKEN the scope data.records:write")
    assert emulator.airtable.records() == before


@pytest.mark.skipif(os.name != "posix", reason="rights of Unix")
@pytest.mark.parametrize("rights", [0o644, 0o640, 0o606], ids=oct)
def test_env_file_that_others_can_read_is_told(command, configured, tmp_path, monkeypatch, rights):
    """A warning with the command that mends it, and none once it is mended."""
    file = tmp_path / "my settings.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in configured.items()))
    file.chmod(rights)
    monkeypatch.setenv("LEADSYNC_ENV_FILE", str(file))

    def told():
        code, printed = command("--json")
        findings = json.loads(printed)["findings"]
        return code, [each for each in findings if each["level"] == "warning" and each["check"] == "files"]

    code, [finding] = told()
    assert (code, str(file) in finding["detail"]) == (0, True)
    assert f"chmod 600 '{file}'" in finding["remedy"]
    file.chmod(0o600)
    assert told() == (0, [])


def test_copies_and_unknown_statuses_are_told(command, emulator):
    """Warnings: a sync would list them and go on."""
    lead = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    emulator.airtable.add_select_option("status", "Won")
    emulator.airtable.add_lead("Bob", "bob@example.com", "Won", "web")
    for _ in range(2):
        emulator.trello.add_card("TODO", "Ada", f"LeadID: {lead}")
    code, printed = command("--json")
    details = " ".join(finding["detail"] for finding in json.loads(printed)["findings"])
    assert code == 0
    assert "a copy: another card already carries this LeadID" in details
    assert "not in the map: Won" in details


def told(printed):
    """Level, detail and remedy of each finding about columns and cells."""
    findings = [each for each in json.loads(printed)["findings"] if each["check"].startswith("Airtable c")]
    return [(each["level"], each["detail"], each["remedy"]) for each in findings]


@pytest.mark.parametrize("kind", ["formula", "rollup", "multipleLookupValues", "aiText", "multipleRecordLinks"])
@pytest.mark.parametrize(("column", "what"), [("name", "renamed"), ("status", "moved")])
def test_column_that_can_never_be_written_is_named_with_the_consequence(command, emulator, column, what, kind):
    """For what people do on the board there must be a column that takes it."""
    emulator.airtable.retype_field(column, kind)
    code, printed = command("--json")
    ((level, detail, remedy),) = told(printed)
    assert (code, level) == (2, "fail")
    assert f"column '{column}' is of type {kind}" in detail
    assert f"a card {what} on the board never reaches its lead" in detail
    assert remedy.startswith("Make it a single")


@pytest.mark.parametrize(
    ("kind", "level", "words"),
    [
        ("multipleRecordLinks", "warning", "no card shows it"),
        ("multipleAttachments", "ok", "the files' names"),
        ("singleCollaborator", "ok", "the person's name"),
        ("multipleCollaborators", "ok", "the people's names"),
    ],
)
@pytest.mark.parametrize("column", ["email", "source"])
def test_column_of_objects_is_judged_by_what_cards_show_of_it(command, emulator, column, kind, level, words):
    emulator.airtable.retype_field(column, kind)
    code, printed = command("--json")
    ((told_level, detail, remedy),) = told(printed)
    assert (code, told_level, words in detail) == (0, level, True)
    assert (f"AIRTABLE_{column.upper()}_FIELD" in remedy) == (level == "warning")


@pytest.mark.parametrize("kind", ["singleLineText", "number", "formula", "multipleLookupValues", "date"])
def test_column_that_only_goes_to_the_card_may_be_computed(command, emulator, kind):
    emulator.airtable.retype_field("source", kind)
    code, printed = command("--json")
    assert (code, told(printed)) == (0, [])


def test_cells_that_cannot_be_read_are_counted_by_column(command, emulator):
    leads = [emulator.airtable.add_lead(name, f"{name}@example.com", "NEW") for name in ("ada", "bob")]
    emulator.airtable.retype_field("source", "formula")
    for lead in leads:
        emulator.airtable.recompute(lead, source={"error": "#ERROR!"})
        emulator.trello.add_card("TODO", "Ada", f"LeadID: {lead}")
    code, printed = command("--json")
    ((level, detail, remedy),) = told(printed)
    assert (code, level, remedy) == (0, "warning", "Correct the formula, or what it refers to.")
    assert "column 'source': 2 of 2 cannot be read" in detail
    assert "#ERROR!" in detail
    assert not [each for each in json.loads(printed)["findings"] if each["check"] == "cards" and each["remedy"]]


@pytest.mark.parametrize("column", ["name", "status"])
def test_values_tell_of_a_wrong_column_where_the_schema_may_not_be_read(command, emulator, monkeypatch, column):
    token = emulator.airtable.add_token(["data.records:read", "data.records:write"])
    monkeypatch.setenv("AIRTABLE_API_TOKEN", token)
    lead = emulator.airtable.add_lead("Ada", status="NEW")
    assert command()[0] == 0
    emulator.airtable.retype_field(column, "formula")
    emulator.airtable.recompute(lead, **{column: 5})
    code, printed = command("--json")
    failed = [each for each in told(printed) if each[0] == "fail"]
    assert (code, [f"column '{column}' holds no text" in detail for _, detail, _ in failed]) == (2, [True])


def test_option_with_blanks_around_it_is_not_missing(command, emulator):
    for name in ("NEW", "QUALIFIED"):
        emulator.airtable.rename_select_option("status", name, f" {name} ")
    emulator.airtable.add_lead("Ada", status=" NEW ")
    code, printed = command("--json")
    assert (code, failures(printed)) == (0, [])
    assert "not in the map" not in printed


def test_fix_creates_a_missing_list(command, emulator, monkeypatch):
    """It shows what it would create, creates it, and checks again."""
    for stage in ("TODO", "IN_PROGRESS", "DONE"):
        monkeypatch.delenv(f"TRELLO_LIST_{stage}_ID")
    emulator.trello.rename_list("TODO", "Backlog")
    assert command()[0] == 2
    code, printed = command("--fix", "--yes")
    assert "• list TODO" in printed
    assert code == 0
    assert emulator.trello.list_id("TODO")


def test_lists_of_another_map_are_told_and_created(command, emulator, monkeypatch):
    """Those it names by name; an id that the board does not have names no list to create."""
    for stage in ("TODO", "IN_PROGRESS", "DONE"):
        monkeypatch.delenv(f"TRELLO_LIST_{stage}_ID")
    talking = emulator.trello.add_list("Talking")
    stage_of = {"NEW": "Inbox", "CONTACTED": talking, "QUALIFIED": "Won", "LOST": "0" * 24}
    monkeypatch.setenv("SYNC_STATUS_MAP", json.dumps(stage_of))
    monkeypatch.setenv("SYNC_DONE_LISTS", "Won")
    code, printed = command("--fix", "--yes")
    assert (code, [line.strip() for line in printed.splitlines() if "•" in line]) == (2, ["• list Inbox", "• list Won"])
    monkeypatch.setenv("SYNC_STATUS_MAP", json.dumps(stage_of | {"LOST": "DONE"}))
    code, printed = command("--json")
    assert (code, [finding["detail"] for finding in findings_on(printed, "Trello lists")]) == (
        0,
        [
            f"'Inbox' is {emulator.trello.list_id('Inbox')}",
            f"'Talking' is {talking}",
            f"'Won' is {emulator.trello.list_id('Won')}",
            f"TRELLO_LIST_DONE_ID={emulator.trello.list_id('DONE')}",
        ],
    )
    assert findings_on(printed, "closed lists")[0]["detail"] == "cards may stay archived in Won"
    names = [each["name"] for each in emulator.trello.lists()]
    assert names == ["TODO", "IN_PROGRESS", "DONE", "Talking", "Inbox", "Won"]


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        pytest.param({"SYNC_STATUS_MAP": '{"NEW": "Inbox"}'}, "whose list is TRELLO_LIST_TODO_ID", id="list-id"),
        pytest.param({"SYNC_DONE_LISTS": "Won"}, "SYNC_DONE_LISTS: no status is mapped to 'Won'", id="closed-list"),
    ],
)
def test_settings_about_lists_that_contradict_each_other_are_told(command, monkeypatch, break_it, words):
    for name, value in break_it.items():
        monkeypatch.setenv(name, value)
    code, printed = command("--json")
    assert (code, words in failures(printed)[0]["detail"]) == (2, True)


def test_missing_option_is_for_a_person_to_add(command, emulator):
    """Airtable's API adds none: the remedy says what, to which column of which table, and --fix does not offer it."""
    emulator.airtable.delete_select_option("status", "QUALIFIED")
    code, printed = command("--json", "--fix", "--yes")
    (finding,) = failures(printed)
    assert code == 2
    for words in ("In Airtable", "column 'status'", "table 'Leads'", "QUALIFIED"):
        assert words in finding["remedy"]
    assert "--fix" not in finding["remedy"]
    assert emulator.calls("airtable", writes=True) == 1  # the probe with an empty batch
    emulator.airtable.add_select_option("status", "QUALIFIED")
    assert command("--json")[0] == 0


def test_forecast_warns_when_the_schedule_outspends_the_free_plan(command, emulator):
    """Every minute is 43,200 calls a month."""
    emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
    assert "about 43,200 Airtable calls a month" in command("--every", "1")[1]


@pytest.mark.parametrize("every", ["15", "15m", "900s", "0.25h"])
def test_forecast_takes_the_pace_as_other_commands_do(command, every):
    """A bare number is minutes."""
    assert "at one run every 15 minutes" in command("--every", every)[1]


@pytest.mark.parametrize("every", ["0", "-5", "nan", "soon", "0s", "9999999999999d"])
def test_pace_that_is_none_is_told(command, every):
    code, printed = command(f"--every={every}")
    assert (code, "is no time between two syncs" in printed) == (2, True)


def findings_on(printed, check):
    return [finding for finding in json.loads(printed)["findings"] if finding["check"] == check]


def test_change_feed_that_is_off_is_not_checked(command, emulator):
    emulator.airtable.add_lead("Ada", status="NEW")
    assert findings_on(command("--json")[1], "change feed") == []


@pytest.mark.parametrize(
    ("scopes", "role", "words"),
    [
        pytest.param(["webhook:manage", "schema.bases:read"], "create", "", id="fine"),
        pytest.param(["schema.bases:read"], "create", "webhook:manage", id="scope"),
        pytest.param(["webhook:manage", "schema.bases:read"], "edit", "role creator", id="role"),
        pytest.param(["webhook:manage"], "create", "schema.bases:read", id="ids"),
    ],
)
def test_what_the_change_feed_lacks_is_told_and_stops_nothing(command, emulator, monkeypatch, scopes, role, words):
    """A run goes on without it; nothing is made to find out."""
    emulator.airtable.add_lead("Ada", status="NEW")
    token = emulator.airtable.add_token(["data.records:read", "data.records:write", *scopes], role=role)
    monkeypatch.setenv("AIRTABLE_CHANGE_FEED", "on")
    monkeypatch.setenv("AIRTABLE_API_TOKEN", token)
    code, printed = command("--json")
    (finding,) = findings_on(printed, "change feed")
    assert (code, finding["level"]) == (0, "warning" if words else "ok")
    assert words in finding["remedy"]
    assert not [request for request in emulator.requests if "webhooks" in request.path and request.is_write]


ROWS = """
[[field]]
airtable = "Next step"
card = "due"
[[field]]
airtable = "Tags"
card = "labels"
[[field]]
airtable = "Budget"
card = "custom:Budget"
[[field]]
airtable = "Age"
card = "start"
[[field]]
airtable = "Card"
card = "url"
"""


@pytest.fixture
def mapped(emulator, monkeypatch):
    """A table and a board to which a mapping of five further columns fits."""
    table, board = emulator.airtable, emulator.trello
    table.add_field("Next step", "date")
    table.add_field("Tags", "multipleSelects", {"choices": [{"name": "Hot"}, {"name": "Cold"}]})
    table.add_field("Budget", "number", {"precision": 2})
    table.add_field("Age", "createdTime")
    table.add_field("Card", "url")
    board.make_label("Hot")
    board.make_custom_field("Budget", "number")
    monkeypatch.setenv("SYNC_FIELDS", ROWS)
    return emulator


def mapping_of(printed):
    return [(row["column"], row["type"], row["card"], row["direction"], row["lens"]) for row in printed["mapping"]]


DEFAULT_ROWS = [
    ("status", "singleSelect", "list", "both", "choice"),
    ("name", "singleLineText", "title", "both", "text"),
    ("email", "email", "line:E-mail", "to_trello", "text"),
    ("source", "singleLineText", "line:Source", "to_trello", "text"),
]


def test_mapping_is_a_table(command, mapped, monkeypatch):
    """Column, type, property, direction, lens: for people, and for programs."""
    lead = mapped.airtable.add_lead("Ada", status="NEW", Tags=["Cold"])
    monkeypatch.setenv("COLUMNS", "120")
    code, printed = command()
    assert code == 0
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in printed.splitlines()]
    assert ["Next step", "date", "due", "both ways", "date"] in lines
    assert ["email", "email", "line:E-mail", "Airtable → Trello", "text"] in lines
    assert ["Card", "url", "url", "Trello → Airtable", "text"] in lines
    code, printed = command("--json")
    told = json.loads(printed)
    assert (code, told["ok"]) == (0, True)
    assert mapping_of(told) == [
        *DEFAULT_ROWS,
        ("Next step", "date", "due", "both", "date"),
        ("Tags", "multipleSelects", "labels", "both", "set"),
        ("Budget", "number", "custom:Budget", "both", "number"),
        ("Age", "createdTime", "start", "to_trello", "date"),
        ("Card", "url", "url", "to_airtable", "text"),
    ]
    assert [each["detail"] for each in findings_on(printed, "labels")] == [
        "the board has no label 'Cold': the next sync creates it"
    ]
    [paid] = [each for each in findings_on(printed, "mapping") if "Standard" in each["detail"]]
    assert (paid["level"], paid["detail"].startswith("'Budget' = custom:Budget")) == ("warning", True)
    [computed] = findings_on(printed, "Airtable columns")
    assert (computed["level"], 'direction = "to_trello"' in computed["remedy"]) == ("warning", True)
    assert "column 'Age' is of type createdTime" in computed["detail"]
    assert mapped.calls("trello", writes=True) == 0
    assert mapped.airtable.records()[lead]["Tags"] == ["Cold"]
    assert json.loads(Artifact.get("validate-mapping").data) == told["mapping"]


def test_table_stands_without_a_mapping_of_ones_own(command, emulator):
    code, printed = command("--json")
    assert (code, mapping_of(json.loads(printed))) == (0, DEFAULT_ROWS)
    assert [each["level"] for each in findings_on(printed, "mapping")] == ["ok"]


def test_every_mismatch_is_named_with_its_remedy(command, mapped, monkeypatch):
    """Of several rows, of both ends of one row, and also where a missing column keeps the leads from being read."""
    rows = """
[[field]]
airtable = "Birthday"
card = "start"
[[field]]
airtable = "Nowhere"
card = "custom:Nothing"
[[field]]
airtable = "Next step"
card = "done"
[[field]]
airtable = "Owner"
card = "members"
map = { "Zoe" = "zoe", "Ann" = "ann" }
"""
    mapped.airtable.add_field("Owner", "singleSelect", {"choices": [{"name": "Ann"}]})
    mapped.airtable.delete_select_option("status", "QUALIFIED")
    monkeypatch.setenv("SYNC_FIELDS", rows)
    code, printed = command("--json")
    named = [each["detail"] for each in findings_on(printed, "mapping") if each["level"] == "fail"]
    assert code == 2
    assert [detail.split(": ", 1)[0] for detail in named] == [
        "'status' = list",
        "'Birthday' = start",
        "'Nowhere' = custom:Nothing",
        "'Nowhere' = custom:Nothing",
        "'Next step' = done",
        "'Owner' = members",
        "'Owner' = members",
    ]
    for words in (
        "no option QUALIFIED",
        "no column 'Birthday'",
        "no custom field 'Nothing'",
        "no column 'Nowhere'",
        "holds a date",
        "not one member zoe, ann",
        "no option Zoe",
    ):
        assert any(words in detail for detail in named), words
    assert all(each["remedy"] for each in findings_on(printed, "mapping"))
    assert ("Birthday", "", "start", "", "") in mapping_of(json.loads(printed))


def test_people_whom_the_map_does_not_know_are_told(command, mapped, monkeypatch):
    """They are on no card, and a sync leaves the cell alone."""
    table = mapped.airtable
    table.add_field("Owner", "singleCollaborator")
    ann, ben = table.add_collaborator("Ann", "ann@example.com"), table.add_collaborator("Ben", "ben@example.com")
    mapped.trello.invite("Ann")
    rows = '[[field]]\nairtable = "Owner"\ncard = "members"\nmap = { "ann@example.com" = "Ann" }\n'
    monkeypatch.setenv("SYNC_FIELDS", rows)
    for person, mail in ((ann, "ann@example.com"), (ben, "ben@example.com")):
        table.add_lead(mail, status="NEW", Owner={"id": person, "email": mail})
    code, printed = command("--json")
    [finding] = findings_on(printed, "Airtable cells")
    assert (code, finding["level"]) == (0, "warning")
    assert finding["detail"] == f"column 'Owner' holds what members has not: {ben}"


def test_without_the_schema_validate_says_that_it_could_not_look(command, mapped, monkeypatch):
    """A row that says itself what its column holds is tied; one that does not is named."""
    token = mapped.airtable.add_token(["data.records:read", "data.records:write"])
    monkeypatch.setenv("AIRTABLE_API_TOKEN", token)
    code, printed = command("--json")
    [finding] = findings_on(printed, "Airtable columns")
    assert (finding["level"], finding["remedy"]) == ("warning", "Add the scope schema.bases:read.")
    failed = [each["detail"] for each in findings_on(printed, "mapping") if each["level"] == "fail"]
    assert (code, [detail.split(":")[0] for detail in failed]) == (2, ["'Next step' = due", "'Age' = start"])
    told = mapping_of(json.loads(printed))
    assert ("Next step", "", "due", "", "") in told
    assert ("Tags", "", "labels", "both", "set") in told
    monkeypatch.setenv(
        "SYNC_FIELDS", ROWS.replace('"due"', '"due"\nas = "date"').replace('"start"', '"start"\nas = "datetime"')
    )
    code, printed = command("--json")
    assert (code, failures(printed)) == (0, [])
    assert ("Next step", "date", "due", "both", "date") in mapping_of(json.loads(printed))


def test_without_the_board_the_columns_are_checked_all_the_same(command, mapped, monkeypatch):
    """What could not be compared is named; it is not called missing, and no label would be created."""
    mapped.airtable.retype_field("Next step", "checkbox")
    monkeypatch.setenv("TRELLO_API_KEY", "0" * 32)
    code, printed = command("--json")
    named = {each["level"]: each["detail"] for each in findings_on(printed, "mapping")}
    assert (code, named.keys()) == (2, {"warning", "fail"})
    assert named["warning"].endswith("'Tags' = labels, 'Budget' = custom:Budget")
    assert named["fail"].startswith("'Next step' = due: column 'Next step' holds a checkbox")
    assert findings_on(printed, "labels") == []


def test_without_the_table_the_board_is_checked_all_the_same(command, mapped, monkeypatch):
    """A token that is not accepted lacks no scope."""
    mapped.trello.delete_custom_field("Budget")
    monkeypatch.setenv("SYNC_FIELDS", ROWS.replace('"custom:Budget"', '"custom:Budget"\nas = "number"'))
    monkeypatch.setenv("AIRTABLE_API_TOKEN", "patNobodyKnowsThis")
    code, printed = command("--json")
    named = [each["detail"].split(":")[0] for each in failures(printed)]
    assert (code, named[1:]) == (2, ["'Budget' = custom"])
    assert "AIRTABLE_API_TOKEN was not accepted" in failures(printed)[0]["detail"]
    assert "schema.bases:read" not in printed
    assert ("Tags", "", "labels", "both", "set") in mapping_of(json.loads(printed))


def test_lists_that_are_missing_hide_no_other_mismatch(command, mapped, monkeypatch):
    """And they are named once."""
    for stage in ("TODO", "IN_PROGRESS", "DONE"):
        monkeypatch.delenv(f"TRELLO_LIST_{stage}_ID")
    mapped.trello.rename_list("TODO", "Backlog")
    mapped.trello.delete_custom_field("Budget")
    code, printed = command("--json")
    assert code == 2
    assert ["TODO" in each["detail"] for each in failures(printed)] == [True, False]
    assert "no custom field 'Budget'" in failures(printed)[1]["detail"]


def test_status_or_name_that_goes_one_way_is_meant_if_its_row_says_so(command, mapped, monkeypatch):
    mapped.airtable.retype_field("name", "formula")
    assert command()[0] == 2
    row = '[[field]]\nairtable = "name"\ncard = "title"\ndirection = "to_trello"\n'
    monkeypatch.setenv("SYNC_FIELDS", row)
    code, printed = command("--json")
    assert (code, failures(printed)) == (0, [])


def test_status_may_be_a_column_of_texts(command, emulator):
    """As the mapping's page says."""
    emulator.airtable.retype_field("status", "singleLineText")
    code, printed = command("--json")
    assert (code, failures(printed)) == (0, [])
    assert mapping_of(json.loads(printed))[0] == ("status", "singleLineText", "list", "both", "choice")


# --- leads from cards -----------------------------------------------------------------------------------------


def about_card_ids(printed):
    return [each for each in json.loads(printed)["findings"] if each["check"] == "leads from cards"]


def test_column_of_the_cards_ids_is_asked_for_only_where_it_is_needed(command, emulator, monkeypatch):
    assert about_card_ids(command("--json")[1]) == []
    monkeypatch.setenv("SYNC_CREATE_LEADS", "on")
    code, printed = command("--json")
    (found,) = about_card_ids(printed)
    assert (code, failures(printed)) == (2, [found])  # told once
    assert "AIRTABLE_CARD_ID_FIELD=card_id: there is no such column" in found["detail"]
    assert "--fix" in found["remedy"]
    emulator.airtable.add_field("card_id")
    code, printed = command("--json")
    assert (code, about_card_ids(printed)[0]["level"]) == (0, "ok")


def test_column_of_the_cards_ids_is_created_after_asking(command, emulator, monkeypatch):
    monkeypatch.setenv("SYNC_CREATE_LEADS", "on")
    monkeypatch.setenv("AIRTABLE_CARD_ID_FIELD", "Card {id}")
    code, printed = command("--fix", "--yes")
    assert (code, "created column 'Card {id}' (singleLineText)" in " ".join(printed.split())) == (0, True)
    lead = emulator.airtable.add_lead("Ada")
    emulator.airtable.edit(lead, **{"Card {id}": "0" * 24})


def test_column_of_the_cards_ids_that_may_not_be_created_is_told(command, emulator, monkeypatch):
    monkeypatch.setenv("SYNC_CREATE_LEADS", "on")
    scopes = ["data.records:read", "data.records:write", "schema.bases:read"]
    monkeypatch.setenv("AIRTABLE_API_TOKEN", emulator.airtable.add_token(scopes))
    code, printed = command("--fix", "--yes")
    assert (code, "schema.bases:write" in printed) == (2, True)


@pytest.mark.parametrize("kind", ["number", "email"])
def test_column_of_the_cards_ids_of_another_type_is_told(command, emulator, monkeypatch, kind):
    emulator.airtable.add_field("card_id", kind, {"precision": 0} if kind == "number" else None)
    monkeypatch.setenv("SYNC_CREATE_LEADS", "on")
    code, printed = command("--json")
    assert (code, f"of type {kind}" in about_card_ids(printed)[0]["detail"]) == (2, True)


def test_column_of_the_cards_ids_that_could_not_be_looked_at_is_told(command, emulator, monkeypatch):
    emulator.airtable.add_field("card_id")
    monkeypatch.setenv("SYNC_CREATE_LEADS", "on")
    monkeypatch.setenv("AIRTABLE_API_TOKEN", emulator.airtable.add_token(["data.records:read", "data.records:write"]))
    code, printed = command("--json")
    (found,) = about_card_ids(printed)
    assert (code, found["level"], "could not be looked at" in found["detail"]) == (0, "warning", True)


@pytest.fixture
def alerts(prefect_server):
    """Installs them; returns the names. At the end there are none again."""
    yield lambda: install_alerts("https://example.com/hook", 3.0)
    with get_client(sync_client=True) as client:
        for each in client.read_automations():
            client.delete_automation(each.id)


def told_of_alerts(command):
    _, printed = command("--json")
    return [(each["level"], each["remedy"]) for each in json.loads(printed)["findings"] if each["check"] == "alerts"]


def test_alerts_are_told_of_only_where_they_are_installed(command, alerts):
    assert told_of_alerts(command) == []
    alerts()
    assert told_of_alerts(command) == [("ok", "")]


@pytest.mark.parametrize("what", ["another", "lacking"])
def test_alerts_of_an_older_version_are_to_be_installed_again(command, alerts, what):
    """Such as were installed before there was one for what waits, or when it listened for something else."""
    names = alerts()
    with get_client(sync_client=True) as client:
        (old,) = client.read_automations_by_name(names[0])
        client.delete_automation(old.id)
    if what == "another":
        Automation(name=names[0], trigger=old.trigger, actions=old.actions).create()
    ((level, remedy),) = told_of_alerts(command)
    assert (level, "alerts.py --url" in remedy) == ("warning", True)
    alerts()
    assert told_of_alerts(command) == [("ok", "")]
