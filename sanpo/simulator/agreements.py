"""The agreements of the demo's three organisations, as they would write them."""

from datetime import date, timedelta
from typing import Any

import msgspec

from sanpo.consent import Draft


def _text(ja: str, en: str) -> dict[str, str]:
    return {"ja": ja, "en": en}


def _gain(text: dict[str, str], name: str, unit: dict[str, str], basis: str, per: int = 1) -> dict[str, Any]:
    return {"text": text, "metric": {"name": name, "unit": unit, "basis": basis, "per": per}}


def _draft(today: date, **parts: Any) -> Draft:
    term = {"first_day": today.isoformat(), "last_day": (today + timedelta(days=730)).isoformat(), "grant_days": 365}
    return msgspec.convert({"term": term, **parts}, Draft)


def research(today: date) -> Draft:
    """The university's: load by area and hour."""
    return _draft(
        today,
        title=_text("冬の朝夕の電力ピークを減らす研究", "Research on lowering winter power peaks"),
        purpose={
            "text": _text(
                "地区ごと・時間ごとの電気の使われ方を調べ、ピークを下げる方法を研究します。",
                "We study how electricity is used by area and hour, to find ways of lowering the peaks.",
            ),
            "dpv": ["AcademicResearch", "CombatClimateChange"],
        },
        datasets=[
            {"name": "energy.readings", "columns": ["start_at", "energy_wh"]},
            {"name": "energy.homes", "columns": ["area", "dwelling_type", "heating_type"]},
        ],
        retention_days=1095,
        on_withdrawal={
            "effect": "aggregates_stay",
            "text": _text(
                "次の集計から外れます。すでに作られた統計の数字（10人以上の合計）は残ります。",
                "You are left out of every later figure. Statistics already made (of 10 or more people) stay.",
            ),
        },
        rule={
            "dimensions": ["area", "dwelling_type", "heating_type", "start_at"],
            "measures": ["energy_wh"],
            "functions": ["count", "sum", "avg", "quantile"],
            "min_subjects": 10,
        },
        gains={
            "giver": _gain(
                _text("使われるたびに地域ポイントがたまります。", "Each use earns you points."),
                "points",
                _text("ポイント", "points"),
                "subject",
                2,
            ),
            "city": _gain(
                _text(
                    "省エネ計画に使える集計が市にも届きます。", "The city gets the same figures for its energy plan."
                ),
                "answers",
                _text("件の集計", "sets of figures"),
                "answer",
            ),
            "organisation": _gain(
                _text("研究に使える実測の数字が得られます。", "The university gets measured figures for its research."),
                "cells",
                _text("個の数字", "figures"),
                "cell",
            ),
        },
    )


def tariff_design(today: date) -> Draft:
    """The energy company's: a night tariff designed from use by hour."""
    return _draft(
        today,
        title=_text("夜間割引プランの設計", "Design of a night-time tariff"),
        purpose={
            "text": _text(
                "時間帯ごとの使われ方を集計し、家計が下がる新しい料金を設計します。",
                "We total use by time of day and design a tariff that lowers household bills.",
            ),
            "dpv": ["ImproveExistingProductsAndServices", "OptimisationForConsumer"],
        },
        datasets=[
            {"name": "energy.readings", "columns": ["start_at", "energy_wh"]},
            {"name": "energy.homes", "columns": ["dwelling_type", "heating_type"]},
        ],
        retention_days=365,
        on_withdrawal={
            "effect": "results_deleted",
            "text": _text(
                "次の集計から外れ、あなたを含む過去の集計は30日以内に消されます。",
                "You are left out from then on, and results that include you are deleted within 30 days.",
            ),
        },
        rule={
            "dimensions": ["dwelling_type", "heating_type", "start_at"],
            "measures": ["energy_wh"],
            "functions": ["count", "sum", "avg"],
            "min_subjects": 10,
        },
        gains={
            "giver": _gain(
                _text(
                    "新しい料金でいくら下がるか、会社が報告します。", "The company reports what the tariff saves you."
                ),
                "saved_yen",
                _text("円の節約", "yen saved"),
                "reported",
            ),
            "city": _gain(
                _text("夜への移行で地域のピークが下がります。", "Use that moves to the night lowers the city's peak."),
                "answers",
                _text("件の集計", "sets of figures"),
                "answer",
            ),
            "organisation": _gain(
                _text("料金設計に使える数字が得られます。", "The company gets figures to design the tariff."),
                "cells",
                _text("個の数字", "figures"),
                "cell",
            ),
        },
    )
