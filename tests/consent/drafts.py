"""Drafts for tests: a valid one, and ways to change it."""

from datetime import date
from typing import Any

import msgspec

from sanpo.consent import Draft


def draft_data(**changes: Any) -> dict[str, Any]:
    """The JSON of a valid draft; `changes` replace top-level parts."""

    def gain(text: str, metric: str, basis: str, per: int = 1) -> dict[str, Any]:
        unit = {"ja": "件", "en": "times"}
        return {
            "text": {"ja": text, "en": text},
            "metric": {"name": metric, "unit": unit, "basis": basis, "per": per},
        }

    data: dict[str, Any] = {
        "title": {"ja": "地域の電力の使われ方", "en": "How the district uses power"},
        "purpose": {"text": {"ja": "ピークを減らす研究", "en": "Research to lower peaks"}, "dpv": ["AcademicResearch"]},
        "datasets": [
            {"name": "energy.readings", "columns": ["start_at", "energy_wh"]},
            {"name": "energy.homes", "columns": ["area", "dwelling_type"]},
        ],
        "term": {"first_day": date(2026, 3, 1), "last_day": date(2027, 2, 28), "grant_days": 180},
        "retention_days": 90,
        "on_withdrawal": {
            "effect": "aggregates_stay",
            "text": {"ja": "統計は残ります", "en": "Statistics stay"},
        },
        "rule": {
            "dimensions": ["area", "dwelling_type", "start_at"],
            "measures": ["energy_wh"],
            "functions": ["count", "sum", "avg", "quantile"],
            "min_subjects": 10,
        },
        "gains": {
            "giver": gain("あなたの地域との比較", "points", "subject", 2),
            "city": gain("計画の資料", "answers_for_city", "answer"),
            "organisation": gain("研究の数字", "released_cells", "cell"),
        },
    }
    return {**data, **changes}


def draft(**changes: Any) -> Draft:
    return msgspec.convert(draft_data(**changes), Draft, strict=False)
