"""The formulas that the emulator knows, over HTTP and against an oracle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyairtable.formulas import quoted

from emulator.airtable.formula import FormulaSyntaxError, compile_formula

INVALID = "The formula for filtering records is invalid: Invalid formula. Please check your formula text."


class CellsOnly:
    """A row of a table whose field ids equal its names."""

    def __init__(self, **cells):
        self.cells = cells

    def record_id(self):
        return "rec" + "A" * 14

    def cell(self, field_id):
        return self.cells.get(field_id)

    def created(self):
        return None

    def modified(self, field_ids):
        return None

    def now(self):
        return None


def keeps(formula, **cells):
    return compile_formula(formula, {name: name for name in cells})(CellsOnly(**cells))


@pytest.mark.parametrize(
    ("formula", "kept"),
    [
        ("{status}='NEW'", ["Ada"]),
        ('{status}!="NEW"', ["Bob", "Cyd"]),
        ("{status}=BLANK()", ["Cyd"]),
        ("NOT({status})", ["Cyd"]),
        ("OR({name}='Ada',{name}='Cyd')", ["Ada", "Cyd"]),
        ("AND({source}='web',{status}='LOST')", ["Bob"]),
        ("XOR({source}='Fair',{status}='LOST')", ["Ada", "Bob"]),
        ("IF({status}='NEW',1,0)", ["Ada"]),
        ("FIND('b',LOWER({name}))", ["Bob"]),
        ("TRIM(' Ada ')={name}", ["Ada"]),
        ("LEN({name})>=3", ["Ada", "Bob", "Cyd"]),
        ("name='Ada'", ["Ada"]),
        ("CREATED_TIME()>'2026-01-01T00:00:15.000Z'", ["Cyd"]),
        ("IS_AFTER(CREATED_TIME(),'2026-01-01T00:00:10.000Z')", ["Cyd"]),
        ("IS_BEFORE({created},DATETIME_PARSE('2026-01-01T00:00:10.000Z'))", ["Ada"]),
        ("IS_SAME(CREATED_TIME(),'2026-01-01T00:00:10Z')", ["Bob"]),
        ("DATETIME_DIFF(CREATED_TIME(),DATETIME_PARSE('2026-01-01T00:00:00Z'),'seconds')=20", ["Cyd"]),
        ("{last_modified}=DATETIME_PARSE('2026-01-01T00:01:00.000Z')", ["Ada"]),
        ("IS_AFTER(LAST_MODIFIED_TIME({source}),'2026-01-01T00:00:30.000Z')", ["Ada"]),
        ("IS_AFTER(LAST_MODIFIED_TIME({status}),'2026-01-01T00:00:30.000Z')", []),
        ("FIND('2026-01-01',{created})", ["Ada", "Bob", "Cyd"]),
        ("TRUE()", ["Ada", "Bob", "Cyd"]),
        ("FALSE()", []),
        ("0", []),
        ("''", []),
        ("1/0", []),
        ("{name}>5", []),
        ("{name}&'!'='Bob!'", ["Bob"]),
        ("(1+2)*3-9=-0", ["Ada", "Bob", "Cyd"]),
    ],
)
def test_filter_over_http(emulator, airtable, formula, kept):
    """Ada is created at 0 s and edited at 60 s, Bob at 10 s, Cyd at 20 s."""
    ada = emulator.airtable.add_lead("Ada", status="NEW", source="fair")
    for name, status, source in (("Bob", "LOST", "web"), ("Cyd", None, None)):
        emulator.clock.advance(10)
        emulator.airtable.add_lead(name, status=status, source=source)
    emulator.clock.advance(40)
    emulator.airtable.edit(ada, source="Fair")
    answer = airtable(emulator)("GET", "Leads", params={"filterByFormula": formula})
    assert sorted(record["fields"]["name"] for record in answer.json()["records"]) == kept


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("{name", INVALID),
        ("AND(", INVALID),
        ("NOSUCH({name})", INVALID),
        ("{name}='a' {email}", INVALID),
        ("NOT()", INVALID),
        ("'open", INVALID),
        ("{Nope}=1", "The formula for filtering records is invalid: Unknown field names: nope"),
        (
            "AND({Nope},{Nada})",
            "The formula for filtering records is invalid: Unknown field names: nope, nada",
        ),
    ],
)
def test_bad_formula_word_for_word(emulator, airtable, formula, message):
    answer = airtable(emulator)("GET", "Leads", params={"filterByFormula": formula})
    assert (answer.status_code, answer.json()) == (
        422,
        {"error": {"type": "INVALID_FILTER_BY_FORMULA", "message": message}},
    )


def test_five_hundred_record_ids_by_post(emulator, airtable):
    leads = [emulator.airtable.add_lead(str(number)) for number in range(20)]
    terms = [f"RECORD_ID()='rec{number:014d}'" for number in range(489)] + [
        f"RECORD_ID()='{lead}'" for lead in leads[:10]
    ]
    body = {"filterByFormula": f"OR({','.join(terms)})"}
    answer = airtable(emulator)("POST", "Leads/listRecords", json=body)
    assert {record["id"] for record in answer.json()["records"]} == set(leads[:10])


def test_field_by_id_and_brace_in_name(emulator, airtable):
    emulator.airtable.add_lead("Ada", source="web")
    field = emulator.airtable.add_field("odd}name")
    emulator.airtable.edit(*emulator.airtable.records(), **{"odd}name": "x"})
    for formula in (f"{{{field}}}='x'", "{odd\\}name}='x'"):
        assert len(airtable(emulator)("GET", "Leads", params={"filterByFormula": formula}).json()["records"]) == 1


@pytest.mark.parametrize(("lag", "seen"), [(0, 1), (5, 0)])
def test_fresh_record_in_a_filtered_list_under_both_readings(make, airtable, lag, seen):
    emulator = make(airtable_formula_lag=lag)
    emulator.airtable.add_lead("Ada")
    call = airtable(emulator)
    assert len(call("GET", "Leads", params={"filterByFormula": "TRUE()"}).json()["records"]) == seen
    assert len(call("GET", "Leads").json()["records"]) == 1


@pytest.mark.parametrize(("subsecond", "kept"), [(False, 0), (True, 1)])
def test_milliseconds_in_formulas_under_both_readings(make, airtable, subsecond, kept):
    emulator = make(airtable_formula_subsecond=subsecond)
    emulator.clock.advance(0.5)
    emulator.airtable.add_lead("Ada")
    formula = "IS_AFTER(LAST_MODIFIED_TIME(),'2026-01-01T00:00:00.000Z')"
    assert len(airtable(emulator)("GET", "Leads", params={"filterByFormula": formula}).json()["records"]) == kept


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\t\x00")))
def test_any_text_survives_quoting(text):
    """What pyairtable quotes is read back as the same text."""
    assert keeps("{name}=" + quoted(text), name=text)


@given(st.integers(-999, 999), st.integers(-999, 999))
def test_comparisons_agree_with_python(left, right):
    for sign, oracle in (
        ("<", left < right),
        ("<=", left <= right),
        ("=", left == right),
        ("!=", left != right),
    ):
        assert keeps(f"{{a}}{sign}{right}", a=left) is oracle


truth = st.recursive(
    st.booleans().map(lambda value: (f"{str(value).upper()}()", value)),
    lambda inner: st.one_of(
        inner.map(lambda one: (f"NOT({one[0]})", not one[1])),
        st.lists(inner, min_size=1, max_size=4).map(
            lambda many: (f"AND({','.join(text for text, _ in many)})", all(value for _, value in many))
        ),
        st.lists(inner, min_size=1, max_size=4).map(
            lambda many: (f"OR( {' , '.join(text for text, _ in many)} )", any(value for _, value in many))
        ),
        st.tuples(inner, inner, inner).map(
            lambda t: (f"IF({t[0][0]}, {t[1][0]}, {t[2][0]})", t[1][1] if t[0][1] else t[2][1])
        ),
    ),
    max_leaves=12,
)


@given(truth)
def test_logic_agrees_with_python(case):
    formula, expected = case
    assert keeps(formula, name="") is expected


@given(st.text(alphabet="AND(){}'\"=<>!,\\ 1a", max_size=12))
def test_any_text_compiles_or_is_a_syntax_error(formula):
    """Nothing but FormulaSyntaxError may escape the compiler."""
    try:
        compile_formula(formula, {"a": "a"})
    except FormulaSyntaxError:
        return
