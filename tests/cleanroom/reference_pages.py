"""Writes the clean room's reference pages from the code and the specification: `python -m tests.cleanroom.reference_pages`.

A test compares them with what is in the repository, so that they stay true.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from sanpo.cleanroom import errors, model
from sanpo.cleanroom.dialect import SHAPE
from sanpo.cleanroom.model import question_json
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.parse_terms import AGGREGATES
from sanpo.cleanroom.plan import HIGHEST_QUANTILE, LOWEST_QUANTILE, MOST_CELLS
from sanpo.cleanroom.printer import print_sql
from tests.cleanroom import spec_answers, spec_rules
from tests.cleanroom.tables import rows_of, to_markdown
from tests.cleanroom.test_spec import Case, cases
from tests.cleanroom.test_spec_disclosure import Case as DisclosureCase
from tests.cleanroom.test_spec_disclosure import cases as disclosure_cases

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (
    "select area, hour(start_at) as hour, count(*), avg(energy_wh) as mean_wh from energy.readings"
    " where start_at >= '2026-01-01' and dwelling_type in ('detached', 'apartment')"
    " group by area, hour(start_at) order by mean_wh desc limit 20"
)
JOINED = (
    "select band(w.temperature_c, 0, 10, 20) as degrees, b.rides, count(*), avg(r.energy_wh) as mean_wh"
    " from energy.readings as r join open.weather as w using (area, hour)"
    " join (select subject, count(*) as rides from bus.rides group by subject) as b using (subject)"
    " group by cube (degrees, b.rides)"
)
BUCKETS = {
    "hour": "0–23",
    "half_hour": "0–47, the half hour of the day",
    "date": "the day",
    "weekday": "1 (Monday) – 7 (ISO 8601)",
    "week": "1–53 (ISO 8601)",
    "month": "1–12",
    "date_trunc": "the beginning of the hour, day, week (Monday), month, quarter or year",
}
FUNCTIONS = {
    "count": ("`count(*)`", "rows"),
    "subjects": (f"`count(distinct {model.SUBJECT})`", "distinct residents"),
    "sum": ("`sum(column)`", "exact for whole numbers"),
    "avg": ("`avg(column)`", "the sum divided by the number of values"),
    "min": (
        "`min(column)`",
        "needs an agreement that allows it and sets its ends: values further out are told as the end, since a minimum is"
        " one person's value",
    ),
    "max": ("`max(column)`", "the same"),
    "quantile": (
        "`quantile(column, 0.5)`, `quantile_cont`, `percentile_cont`, `median(column)`",
        f"interpolates between neighbours; below {LOWEST_QUANTILE} and above {HIGHEST_QUANTILE} it needs what `min` or"
        " `max` needs",
    ),
    "variance": ("`variance(column)`", "of a sample (n − 1); missing for fewer than two values"),
    "correlation": (
        "`correlation(column, other)`, `corr`",
        "Pearson's, over rows that have both; missing where one of them does not vary",
    ),
}


def questions_page() -> str:
    """docs/reference/questions.md."""
    assert set(BUCKETS) == set(get_args(model.Bucket))
    assert set(FUNCTIONS) == set(get_args(model.Function))
    assert set(AGGREGATES) < set(FUNCTIONS)
    question = parse_sql(EXAMPLE)
    return "\n\n".join(
        [
            "# Questions to the clean room",
            "*Made by `python -m tests.cleanroom.reference_pages`; a test keeps it true.*",
            "A question names one dataset, joins others to its rows, splits them by dimensions, keeps those that pass a"
            " filter and measures each cell. It is asked under an agreement, at `POST /api/cleanroom/questions`, with"
            " `sanpo ask`, or on the page `/cleanroom`. Columns of a resident's attributes (for `energy.readings`:"
            " `energy.homes`) are used by their plain names; then only residents who have attributes"
            " count. `GET /api/cleanroom/datasets` lists every dataset and column."
            " What an agreement allows is in its analysis rule.",
            "## As SQL",
            f"```sql\n{EXAMPLE}\n```",
            f"`{SHAPE}`, and nothing else. Whatever is outside is refused with its line, column"
            " and a form that would pass; no text of a question reaches an engine.",
            to_markdown(
                ["part", "what it takes"],
                [
                    [
                        "`select`",
                        "columns, time buckets, bands and measures, each with `as name` if wanted; at least one measure",
                    ],
                    ["`join`", "`dataset [as alias] using (key, …)`: see [joins](#joins)"],
                    [
                        "`where`",
                        "`=` `!=` `<` `<=` `>` `>=` `between` `in` `is null` of a column, bucket or band with literals,"
                        " joined by `and` `or` `not` and parentheses",
                    ],
                    [
                        "`group by`",
                        "exactly the columns, buckets and bands of `select`: as written, by name, by place, or `all`;"
                        " `cube (…)` of them for [totals](#totals)",
                    ],
                    ["`order by`", "names of the answer; missing and suppressed values come last, up or down"],
                    ["`limit`", "1–10000"],
                    ["literals", "`5` `-0.5` `'text'` `true` `date '2026-01-31'` `timestamp '2026-01-31 12:00'`"],
                ],
            ),
            "Names are in small letters unless quoted. Times are the city's local time, in buckets and literals alike; a zone"
            " in a literal is refused. A missing value is neither equal nor unequal to anything, as in SQL.",
            "### Time buckets",
            to_markdown(["bucket", "value"], [[f"`{name}`", text] for name, text in BUCKETS.items()]),
            "### Bands",
            "`band(column, 10, 20, 30)` tells between which edges a number lies: 0 below 10, 1 from 10 on, 2 from 20 on, 3"
            f" from 30 on; a missing value has no band. The edges ascend; there are 1 to {model.MOST_EDGES}.",
            *_shown("Bands:"),
            "### Measures",
            to_markdown(
                ["in JSON", "in SQL", "gives"], [[f"`{n}`", sql, text] for n, (sql, text) in FUNCTIONS.items()]
            ),
            "### Joins",
            *_joins(),
            "### Totals",
            "`group by cube (…)` of all dimensions (`totals` in JSON) adds the margins: a row for every choice of dimensions"
            " that are left out. Such a row names them in `totals`; in this table they are ∑. Other choices (`rollup`,"
            " `grouping sets`) are refused.",
            *_shown("Totals:"),
            "## As JSON",
            "The same question. Every field is in the OpenAPI document under `Question`.",
            f"```json\n{json.dumps(question_json(question), ensure_ascii=False, indent=2)}\n```",
            "With joins, a band and totals:",
            f"```sql\n{JOINED}\n```",
            f"```json\n{json.dumps(question_json(parse_sql(JOINED)), ensure_ascii=False, indent=2)}\n```",
            "`release` (differential privacy) can be asked for in JSON only.",
            "## Bounds",
            to_markdown(
                ["what", "at most"],
                [
                    [
                        "joins, dimensions, measures, order",
                        ", ".join(f"{most} {part}" for part, (_, most) in model.BOUNDS.items()),
                    ],
                    ["literals in a filter", str(model.MOST_LITERALS)],
                    ["edges of a band", str(model.MOST_EDGES)],
                    ["conditions nested in each other", str(model.DEEPEST)],
                    ["size of a question as JSON", f"{model.LARGEST} bytes"],
                    ["cells of an answer", str(MOST_CELLS)],
                    ["time and memory", "settings `question_timeout_ms`, `question_memory_mb`"],
                ],
            ),
            "## What leaves",
            "A cell with fewer distinct residents than the minimum (the larger of the agreement's and the city's) tells"
            " nothing but its key: its values are null and named in `suppressed`, its `subjects` are null. So are cells from"
            " which, together with totals that are told or could be asked for, it could be worked out; the answer does not"
            " say which are which. A measure that is missing in some rows is told only if enough residents must be behind it"
            " even where each missing value is a resident's only row; `where column is not null` makes that plain. Sums and"
            " averages are withheld by the same means where the agreement limits how much of them few residents may hold."
            " [Case by case](rules/disclosure.md). If nothing is left the question is refused, in the same words whether few"
            " were found or none. Order and limit act on what is released.",
            "The journal's entry of the use names exactly the residents of the released rows, and `subjects` of the answer"
            " counts them. A question of an organisation that found too few leaves an entry of kind `refusal`, about nobody.",
            "## The canonical form",
            "The journal keeps each question in one spelling and its SHA-256:",
            f"```sql\n{print_sql(question)}\n```",
            "## Refusals",
            to_markdown(["code", "kind", "when"], _errors()),
            "",
        ]
    )


def _joins() -> list[str]:
    """What joins are, with tried ones."""
    return [
        "A dataset declares keys by which it can be joined: `subject`, `area`, `hour`, `day` and the like. `using` names"
        " them; each is matched with a key of the same kind on the side of the rows: their own column, an attribute's, or"
        " one of what was joined before. A time is cut to the key's unit on the local clock. Each row gets one row at most"
        " of what is joined, so that no row is ever multiplied; rows without a match, or whose key is missing, do not"
        " count. There is no `on`, no outer or cross join, no subquery but the one below.",
        "A column of a joined dataset is called `alias.column` (without an alias: the last part of the dataset's name), or"
        " by its plain name where nothing else has it. The question's own columns may carry its own alias.",
        "**By the keys that make it unique.** Open data needs nobody's consent, but the agreement must allow the key.",
        *_shown("Open data is joined by keys"),
        "**Put together first**, where it has several rows for a key: in parentheses, by exactly the keys of the join, with"
        " `count(*)`, `sum`, `avg`, `min` or `max` of a column.",
        *_shown("Several rows for a key are put together"),
        "A dataset about people can be joined by its people only (`subject` among the keys), and shows nothing of people who"
        " have not agreed. Columns of it, and what is put together from them, are used within the same analysis rule.",
    ]


def _shown(beginning: str) -> list[str]:
    """The specification's case whose title begins so, with its answer, which the tests get from both engines."""
    (case,) = [case for case in cases() if case.title.startswith(beginning)]
    said = f"On [the specification's data](rules/cleanroom.md), with a minimum of {case.minimum}:"
    return [f"```sql\n{case.sql}\n```", said, to_markdown(case.names, case.rows)]


def rules_page() -> str:
    """docs/reference/rules/cleanroom.md."""
    return "\n\n".join(
        [
            "# The clean room's rules, case by case",
            "*Made by `python -m tests.cleanroom.reference_pages` from the tables that the tests run on both engines.*",
            "## The data",
            "Homes:",
            _markdown(spec_answers.HOMES),
            "Readings:",
            _markdown(spec_answers.READINGS),
            "Weather (open, unique by area and hour):",
            _markdown(spec_answers.WEATHER),
            "Rides of buses:",
            _markdown(spec_answers.RIDES),
            "Passes for buses (one of each resident):",
            _markdown(spec_answers.PASSES),
            f"Granted: {', '.join(map(str, spec_answers.ADMITTED))}. Subject 9 has not granted; 7 has a home but no reading,"
            " 8 a reading but no home. `people` is the number of distinct residents in a cell, ‥ a withheld value.",
            "## Questions and answers",
            *map(_case_text, cases()),
            "## Refusals",
            f"Under a rule with dimensions {_listed('dimensions')}, measures {_listed('measures')}, functions"
            f" {_listed('functions')}, keys of joins {_listed('join_keys')}, and ends of {_clamps()}:",
            _markdown(spec_rules.REFUSALS, {"question"}),
            "These pass:",
            _markdown(spec_rules.PASSING, {"question"}),
            "",
        ]
    )


def disclosure_page() -> str:
    """docs/reference/rules/disclosure.md."""
    return "\n\n".join(
        [
            "# What leaves a table, case by case",
            "*Made by `python -m tests.cleanroom.reference_pages` from the tables that the tests run.*",
            "Each case is a table of cells as it is, the rule, and the rows that are told. `people` is the number of distinct"
            " residents, of other ones in each cell unless they are named (`1-8`); there is a row for each unless `rows` says"
            " otherwise; `values` tells how many rows have a value, `largest` which share of the sum the largest residents"
            " hold. ‥ is a withheld value, ∑ a total over the dimension.",
            "What makes a cell safe: whoever knows all that is told, every total that could be asked for, and which cells"
            " there are, finds for a withheld number of people an interval at least as wide as the minimum, for a number of"
            " rows one as wide as that many people's rows, and for a sum one that reaches at least the protection (in"
            " percent) below and above it.",
            *map(_disclosure_case, disclosure_cases()),
            "",
        ]
    )


def _disclosure_case(case: DisclosureCase) -> str:
    def table(rows: list[dict[str, str]]) -> str:
        return to_markdown(list(rows[0]), [list(row.values()) for row in rows])

    came = f"Refused: `{case.refused}`" if case.refused else f"Told:\n\n{table(case.told)}"
    return f"## {case.title}\n\n{case.rule.capitalize()}.\n\n{table(case.cells)}\n\n{came}"


PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/questions.md": questions_page,
    "docs/reference/rules/cleanroom.md": rules_page,
    "docs/reference/rules/disclosure.md": disclosure_page,
}


def _case_text(case: Case) -> str:
    came = f"Refused: `{case.refused}`" if case.refused else to_markdown(case.names, case.rows)
    return f"### {case.title}\n\n```sql\n{case.sql}\n```\n\nMinimum {case.minimum}.\n\n{came}"


def _errors() -> list[list[str]]:
    found = [each for each in vars(errors).values() if isinstance(each, type) and each.__module__ == errors.__name__]
    return [[f"`{e.code}`", e.kind.value, " ".join((e.__doc__ or "").split("Field")[0].split())] for e in found]


def _listed(part: str) -> str:
    return ", ".join(f"`{name}`" for name in getattr(spec_rules.RULE, part))


def _clamps() -> str:
    clamps = spec_rules.RULE.clamps or ()
    return ", ".join(f"`{clamp.column}` ({clamp.low} to {clamp.high})" for clamp in clamps)


def _markdown(table: str, code: Any = ()) -> str:
    rows = rows_of(table)
    cells = [[f"`{value}`" if name in code else value for name, value in row.items()] for row in rows]
    return to_markdown(list(rows[0]), cells)


if __name__ == "__main__":
    for path, make in PAGES.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(make(), encoding="utf-8")
