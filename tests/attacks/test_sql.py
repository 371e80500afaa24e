"""SQL outside the subset over HTTP: each statement a clear refusal, at once, that runs nothing and shows nothing."""

import time
from functools import reduce
from typing import Any

import pytest

from tests.attacks.siege import SQL, Siege

QUESTIONS = "/api/cleanroom/questions"
COUNT = "select count(*) from energy.readings"
MOST_CPU_S = 1.0

STATEMENTS = {
    "two_statements": f"{COUNT}; drop table consent.grants",
    "the_same_twice": f"{COUNT};{COUNT}",
    "insert": "insert into energy.readings values (1)",
    "update": "update energy.readings set energy_wh = 0",
    "delete": "delete from energy.readings",
    "drop": "drop table energy.readings",
    "create": "create table x as select * from energy.readings",
    "explain": f"explain analyze {COUNT}",
    "star": "select * from energy.readings",
    "own_table_function": "select count(*) from read_csv('/etc/passwd')",
    "parquet": "select count(*) from read_parquet('/etc/passwd')",
    "text_file": "select count(*) from read_text('/etc/passwd')",
    "blob_file": "select read_blob('/etc/passwd')",
    "glob": "select count(*) from glob('/**')",
    "file_as_table": "select count(*) from '/etc/passwd'",
    "quoted_file": 'select count(*) from "energy"."../../etc/passwd"',
    "environment": "select count(*) from energy.readings where getenv('HOME') = '/root'",
    "copy_out": f"copy ({COUNT}) to '/tmp/stolen.csv'",
    "copy_in": "copy energy.readings from '/etc/passwd'",
    "attach": "attach '/tmp/x.db' as x",
    "pragma": "pragma database_list",
    "set": "set enable_external_access = true",
    "reset": "reset all",
    "call": "call duckdb_settings()",
    "install": "install httpfs",
    "load": "load httpfs",
    "use": "use consent",
    "export": "export database '/tmp/x'",
    "vacuum": "vacuum",
    "subquery_as_table": f"select count(*) from ({COUNT})",
    "subquery_in_filter": f"{COUNT} where energy_wh = (select max(energy_wh) from energy.readings)",
    "subquery_in_list": f"{COUNT} where energy_wh in (select energy_wh from energy.readings)",
    "exists": f"{COUNT} where exists (select 1)",
    "with": f"with x as ({COUNT}) select * from x",
    "recursive": "with recursive x as (select 1 union all select 1 from x) select count(*) from x",
    "union": f"{COUNT} union all {COUNT}",
    "except": f"{COUNT} except {COUNT}",
    "join": "select count(*) from energy.readings join energy.homes using (subject_no)",
    "lateral": "select count(*) from energy.readings, lateral (select 1)",
    "cross_join": "select count(*) from energy.readings, energy.homes",
    "window": "select sum(energy_wh) over (partition by subject_no) from energy.readings",
    "filter_clause": "select sum(energy_wh) filter (where subject_no = 1) from energy.readings",
    "having": f"{COUNT} having count(*) > 1",
    "qualify": f"{COUNT} qualify 1",
    "sample": f"{COUNT} using sample 1 rows",
    "list": "select list(energy_wh) from energy.readings",
    "string_agg": "select string_agg(area, ',') from energy.homes",
    "any_value": "select any_value(energy_wh) from energy.readings",
    "arithmetic": "select sum(energy_wh * 1000000) from energy.readings",
    "case": "select sum(case when subject_no = 1 then energy_wh end) from energy.readings",
    "nested_call": "select sum(hash(subject_no)) from energy.readings",
    "information_schema": "select count(*) from information_schema.tables",
    "catalogue": "select count(*) from pg_catalog.pg_class",
    "duckdb_tables": "select count(*) from duckdb_tables()",
    "setting": "select current_setting('sanpo.duty')",
    "sleep": "select pg_sleep(10)",
    "admitted_set": "select count(*) from admitted",
    "three_parts": "select count(*) from memory.energy.readings",
    "history": f"{COUNT} at (version => 0)",
    "offset": f"{COUNT} offset 1",
    "for_update": f"{COUNT} for update",
    "parameter": f"{COUNT} where energy_wh = $p0",
    "escape": f"{COUNT} where area = 'x' escape '\\'",
    "regex": f"{COUNT} where area ~ '(a+)+$'",
    "like": f"{COUNT} where area like '%'",
    "quote_left_open": f"{COUNT} where area = 'x",
    "comment_left_open": f"{COUNT} /* where",
    "semicolon_in_comment": "/* x */ drop table x",
    "full_width_letters": "ｓｅｌｅｃｔ count(*) from energy.readings",
    "cyrillic_letter": "ѕelect count(*) from energy.readings",
    "zero_width_space": "select\u200bcount(*) from energy.readings",
    "right_to_left": "\u202eselect count(*) from energy.readings",
    "full_width_quote": f"{COUNT} where area = ＇x＇",
    "dotted_capital": "SELECT COUNT(*) FROM ENERGY.READİNGS",
    "foreign_digits": f"{COUNT} limit \u0665",
    "nul": f"{COUNT}\x00; drop table x",
    "byte_order_mark": f"\ufeff{COUNT}",
    "nothing": "",
    "blank": " \n\t",
    "word": "hello",
    "markup": "<script>alert(1)</script>",
    "template": "{{ config }} ${7*7} %(password)s %s",
    "nested_10000": f"{COUNT} where {'(' * 10_000}energy_wh = 1{')' * 10_000}",
    "nested_9000": "select " + "(" * 9_000 + "1" + ")" * 9_000,
    "not_3800_times": f"{COUNT} where {'not ' * 3_800}energy_wh = 1",
    "minus_3800_times": f"{COUNT} where energy_wh = {'- ' * 3_800}1",
    "case_800_deep": "select " + "case when " * 800 + "1" + " then 1 end" * 800 + " from energy.readings",
    "subqueries_39_deep": "select * from (" * 39 + COUNT + ")" * 39,
    "unions_300": " union ".join([COUNT] * 300),
    "900_conditions": f"{COUNT} where " + " and ".join(["energy_wh = 1"] * 900),
    "number_of_5000_digits": f"{COUNT} where energy_wh = {'9' * 5_000}",
    "one_megabyte": COUNT + " " * 1_000_000,
    "one_megabyte_text": f"{COUNT} where area = '{'x' * 1_000_000}'",
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_outside_the_subset_is_refused(siege: Siege, name: str) -> None:
    http = siege.program()
    began = time.process_time()
    answer = http.post(QUESTIONS, json={"sql": STATEMENTS[name]})
    assert time.process_time() - began < MOST_CPU_S
    body = siege.refused(answer, 400, 403, 404)
    assert len(body) < 4_000, "a refusal shows where it is, not all that was sent"
    assert answer.json()["detail"]


def test_refused_statements_leave_no_use_and_the_desk_shows_them_as_text(siege: Siege) -> None:
    before = uses(siege)
    browser = siege.browser(siege.analyst.staff_id)
    for sql in (STATEMENTS["markup"], STATEMENTS["template"], STATEMENTS["parquet"], STATEMENTS["nul"]):
        page = browser.post("/cleanroom", data={"agreement": siege.agreement.agreement_id, "sql": sql})
        assert page.status_code == 400
        assert "<script>alert" not in page.text
        assert "root:x:0" not in page.text
        siege.program().post(QUESTIONS, json={"sql": sql})
    assert uses(siege) == before
    assert siege.program().post(QUESTIONS, json={"sql": SQL}).status_code == 200
    assert uses(siege) == before + 1


def test_comment_is_not_carried_anywhere(siege: Siege) -> None:
    answer = siege.program().post(QUESTIONS, json={"sql": f"{COUNT} -- ignore all rules\n/* ; drop */"})
    assert answer.status_code == 200
    assert answer.json()["question"] == COUNT


IS_NULL: dict[str, Any] = {"op": "is_null", "term": {"column": "energy_wh"}}
MODELS: dict[str, Any] = {
    "sql_in_the_dataset": {"dataset": "energy.readings; drop", "measures": [{"function": "count"}]},
    "file_as_dataset": {"dataset": "/etc/passwd", "measures": [{"function": "count"}]},
    "line_break_after_a_name": {"dataset": "energy.readings\n", "measures": [{"function": "count"}]},
    "sql_in_a_column": {"dataset": "energy.readings", "measures": [{"function": "sum", "column": 'x" from y --'}]},
    "sql_in_a_function": {"dataset": "energy.readings", "measures": [{"function": "list", "column": "energy_wh"}]},
    "sql_in_a_name": {"dataset": "energy.readings", "measures": [{"function": "count", "as": "x, (select 1)"}]},
    "unknown_field": {"dataset": "energy.readings", "measures": [{"function": "count"}], "having": "1=1"},
    "nul": {"dataset": "energy.readings", "measures": [{"function": "count"}], "limit": "\x00"},
    "no_measure": {"dataset": "energy.readings", "measures": []},
    "many_measures": {
        "dataset": "energy.readings",
        "measures": [{"function": "count", "as": f"c{n}"} for n in range(99)],
    },
    "not_200_deep": {
        "dataset": "energy.readings",
        "measures": [{"function": "count"}],
        "filter": reduce(lambda part, _: {"op": "not", "part": part}, range(200), IS_NULL),
    },
    "a_list": [1],
    "a_text": "x",
}


@pytest.mark.parametrize("name", MODELS)
def test_model_outside_its_form_is_refused(siege: Siege, name: str) -> None:
    good = {"dataset": "energy.readings", "measures": [{"function": "count"}]}
    http = siege.program()
    assert http.post(QUESTIONS, json={"question": good}).status_code == 200
    siege.refused(http.post(QUESTIONS, json={"question": MODELS[name]}), 400)
    siege.refused(http.post(QUESTIONS, json={"question": good, "sql": COUNT}), 400)


def uses(siege: Siege) -> int:
    """How many uses are in the public journal."""
    entries = siege.stranger().get("/api/journal/entries", params={"limit": 200}).json()["entries"]
    return sum(entry["kind"] == "use" for entry in entries)
