"""Made-up data for the page that shows every component: long words, empty values and all states. Pure."""

from datetime import UTC, datetime
from math import exp, sin
from typing import Any

STATES = ("given", "renewed", "requested", "deferred", "refused", "withdrawn", "revoked", "expired", "invalidated")
OTHER_STATES = (
    "proposed", "approved", "rejected", "closed", "answered", "not_answered",
    "acknowledged", "unacknowledged", "included", "not_included",
)  # fmt: skip
HALF_HOURS = [f"{half // 2:02d}:{half % 2 * 30:02d}" for half in range(48)]


def samples(lang: str) -> dict[str, Any]:
    """Everything the page shows, in the reader's language."""
    ja = lang == "ja"
    return {
        "states": STATES,
        "other_states": OTHER_STATES,
        "gains": _gains(ja),
        "uses": _uses(ja),
        "facts": _facts(ja),
        "table": _table(ja),
        "curve": _curve(ja),
        "heatmap": _heatmap(ja),
        "bars": _bars(ja),
        "places": _places(ja),
        "organisation_name": "みらい電力株式会社" if ja else "Mirai Power Co.",
    }


def _gains(ja: bool) -> dict[str, dict[str, str]]:
    if ja:
        return {
            "giver": {"text": "使い方の診断が毎月届きます。", "value": "3", "unit": "通", "metric": "届いた診断書"},
            "city": {
                "text": "停電に備える計画に、結果が使われます。",
                "value": "12",
                "unit": "件",
                "metric": "まちが受け取った集計",
            },
            "organisation": {"text": "電気の仕入れの見込みがよくなります。", "metric": "まだ測られていません"},
        }
    return {
        "giver": {
            "text": "You get a monthly report on your use.",
            "value": "3",
            "unit": "reports",
            "metric": "reports received",
        },
        "city": {
            "text": "Results serve the plan for power cuts.",
            "value": "12",
            "unit": "tables",
            "metric": "tables received",
        },
        "organisation": {"text": "It forecasts its purchases better.", "metric": "not measured yet"},
    }


def _uses(ja: bool) -> list[dict[str, Any]]:
    first, second = datetime(2026, 4, 3, 5, 12, tzinfo=UTC), datetime(2026, 3, 30, 0, 40, tzinfo=UTC)
    if ja:
        return [
            {
                "at": first, "who": "三方大学 都市工学研究室", "text": "地区ごとの夕方の電気の使い方を調べました。",
                "chip": "included", "facts": ["あなたを含む 1,204 人の集計", "30分ごとの使用量"],
                "links": [("証明をダウンロード", "#"), ("契約を見る", "#")],
            },
            {
                "at": second, "who": "みらい電力株式会社", "text": "来月の電気の仕入れを見込みました。",
                "chip": "not_included", "facts": ["同意の前の利用"], "past": True,
            },
        ]  # fmt: skip
    return [
        {
            "at": first, "who": "Sanpo University, Urban Engineering", "text": "It studied evening use by district.",
            "chip": "included", "facts": ["you and 1,203 others, together", "half-hourly use"],
            "links": [("Download the proof", "#"), ("See the agreement", "#")],
        },
        {
            "at": second, "who": "Mirai Power Co.", "text": "It forecast next month's purchases.",
            "chip": "not_included", "facts": ["before you agreed"], "past": True,
        },
    ]  # fmt: skip


def _facts(ja: bool) -> list[tuple[str, str]]:
    if ja:
        return [
            ("使う相手", "三方大学 都市工学研究室"),
            ("使うデータ", "電気の使用量(30分ごと)、住まいの地区"),
            ("期間", "2026年4月1日から1年間"),
            ("やめたとき", "次の集計からあなたの分は入りません。"),
        ]
    return [
        ("Who uses it", "Sanpo University, Urban Engineering"),
        ("Which data", "Half-hourly electricity use, district of the home"),
        ("How long", "One year from 1 April 2026"),
        ("When you stop", "The next table no longer counts you."),
    ]


def _table(ja: bool) -> dict[str, Any]:
    districts = ("中央", "みなと", "やまて") if ja else ("Central", "Harbour", "Hillside")
    headers = ["地区", "人数", "平均(kWh)"] if ja else ["District", "People", "Mean (kWh)"]
    values = (("1,204", "8.42"), ("866", "9.10"), ("–", "–"))
    return {"headers": headers, "rows": [[d, *v] for d, v in zip(districts, values, strict=True)]}


def _load(half: int, day: int) -> float:
    hour = half / 2
    morning, evening = exp(-((hour - 7.5) ** 2) / 2), exp(-((hour - 19.5) ** 2) / 5)
    return round(0.12 + 0.3 * morning + 0.62 * evening + 0.05 * sin(half * 1.7 + day * 2.3), 2)


def _curve(ja: bool) -> dict[str, Any]:
    mine: list[float | None] = [_load(half, 0) for half in range(48)]
    mine[26] = None
    others = [round(_load(half + 1, 3) * 0.85 + 0.04, 2) for half in range(48)]
    return {
        "title": "1日の電気の使い方" if ja else "Electricity through the day",
        "unit": "kWh",
        "x": HALF_HOURS,
        "series": [
            {"name": "あなたの家" if ja else "Your home", "data": mine},
            {"name": "似た10軒以上の平均" if ja else "Mean of 10 or more similar homes", "data": others},
        ],
        "summary": "夕方の7時半ごろが最も多い日でした。"
        if ja
        else "The most was used at about half past seven in the evening.",
    }


def _heatmap(ja: bool) -> dict[str, Any]:
    days = "月火水木金土日" if ja else ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    return {
        "title": "1週間の電気の使い方" if ja else "Electricity through the week",
        "unit": "kWh",
        "x": HALF_HOURS,
        "series": [{"name": name, "data": [_load(half, day) for half in range(48)]} for day, name in enumerate(days)],
        "summary": "色が濃いほど多く使っています。" if ja else "Darker means more.",
    }


def _bars(ja: bool) -> dict[str, Any]:
    return {
        "title": "月ごとの電気代" if ja else "Cost by month",
        "unit": "円" if ja else "yen",
        "x": ["1月", "2月", "3月", "4月"] if ja else ["Jan", "Feb", "Mar", "Apr"],
        "series": [
            {"name": "去年" if ja else "Last year", "data": [9820, 9410, 7230, 5980]},
            {"name": "今年" if ja else "This year", "data": [9140, 8890, 7010, None]},
        ],
    }


def _places(ja: bool) -> dict[str, Any]:
    """GeoJSON: the outline of a city, a place that has a page, and one that has none."""
    outline = [[139.90, 37.47], [139.95, 37.46], [139.98, 37.50], [139.94, 37.53], [139.90, 37.52], [139.90, 37.47]]
    hall = {"name": "市役所" if ja else "City Hall", "text": "8:30–17:15", "href": "/"}
    shapes: list[tuple[str, Any, dict[str, str]]] = [
        ("Polygon", [outline], {}),
        ("Point", [139.930, 37.495], hall),
        ("Point", [139.952, 37.506], {"name": "東図書館" if ja else "East Library"}),
    ]
    features = [
        {"type": "Feature", "geometry": {"type": kind, "coordinates": at}, "properties": told}
        for kind, at, told in shapes
    ]
    return {"type": "FeatureCollection", "features": features}
