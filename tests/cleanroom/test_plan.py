"""What the lake may leave unread for a question's time filter, and what the gate is asked to admit."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.plan import datasets_used, time_span
from tests.cleanroom.tables import rows_of
from tests.cleanroom.worlds import SCOPE

TOKYO = ZoneInfo("Asia/Tokyo")
SLACK = timedelta(days=2)

SPANS = """
| condition                                                            | from             | until            |
| start_at >= '2026-01-05'                                             | 2026-01-05 00:00 |                  |
| start_at < '2026-02-01 12:00'                                        |                  | 2026-02-01 12:00 |
| start_at between '2026-01-05' and '2026-01-06'                       | 2026-01-05 00:00 | 2026-01-06 00:00 |
| start_at = '2026-01-05'                                              | 2026-01-05 00:00 | 2026-01-05 00:00 |
| date(start_at) = '2026-01-05' and energy_wh > 5                      | 2026-01-05 00:00 | 2026-01-05 00:00 |
| start_at > '2026-01-01' and start_at > '2026-02-01' and area = '港'  | 2026-02-01 00:00 |                  |
| start_at > '2026-01-01' or area = '港'                               |                  |                  |
| not (start_at > '2026-01-01')                                        |                  |                  |
| start_at != '2026-01-01'                                             |                  |                  |
| hour(start_at) = 7                                                   |                  |                  |
| date_trunc('month', start_at) = '2026-01-01'                         |                  |                  |
| moved_in >= '2026-01-01'                                             |                  |                  |
| start_at >= '0001-01-01' and start_at <= '9999-12-31'                |                  |                  |
"""


@pytest.mark.parametrize("row", rows_of(SPANS), ids=lambda row: row["condition"])
def test_time_span_holds_every_row_that_can_pass(row: dict[str, str]) -> None:
    question = parse_sql(f"select count(*) from energy.readings where {row['condition']}")
    since, until = time_span(question, SCOPE, TOKYO)
    assert since == (local(row["from"]) - SLACK if row["from"] else None)
    assert until == (local(row["until"]) + SLACK if row["until"] else None)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO).astimezone(UTC)


@pytest.mark.parametrize(
    ("sql", "used"),
    [
        ("select count(*) from energy.readings", {"energy.readings": set()}),
        ("select sum(energy_wh) from energy.readings where note = 'x'", {"energy.readings": {"energy_wh", "note"}}),
        (
            "select area, hour(start_at), avg(occupants) from energy.readings group by all",
            {"energy.readings": {"start_at"}, "energy.homes": {"area", "occupants"}},
        ),
    ],
)
def test_gate_is_asked_for_every_dataset_with_the_columns_touched(sql: str, used: dict[str, set[str]]) -> None:
    assert datasets_used(parse_sql(sql), SCOPE) == used
