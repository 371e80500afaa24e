"""Figures of cash as pages show them, in the reader's words. Pure.

A chart is a dict {title, unit, x, series, summary}; the portal draws it and fills the table that stands beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from sanpo.services.cash.model import Line
from sanpo.services.cash.records.model import Receipt, ShopDay, Spending

Translate = Callable[..., str]
Chart = dict[str, Any]
CATEGORIES = ("food", "drink", "meal", "daily", "clothes", "health", "books", "home", "service", "other")
"""What a till offers to name its goods by; a till that speaks to the API may use others."""


def money(t: Translate, yen: int) -> str:
    """`1,200円`, `¥1,200`."""
    return t("cash.yen", n=f"{yen:,}")


def category_name(t: Translate, category: str) -> str:
    """The category in words, or as the till wrote it."""
    key = f"cash.category.{category}"
    return category if t(key) == key else t(key)


def grouped(digits: str) -> str:
    """Digits by fours, so that they can be read out and typed."""
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def joined(t: Translate, shop_ids: Sequence[str], names: Mapping[str, str], most: int = 4) -> str:
    """The shops' names, of many the first and how many more there are."""
    shown = t("cash.benefits.comma").join(names[shop_id] for shop_id in shop_ids[:most])
    left = len(shop_ids) - most
    return t("cash.benefits.more", shops=shown, n=left) if left > 0 else shown


def rate(permille: int) -> str:
    """`10 %`, `7.8 %`."""
    return f"{permille / 10:g} %"


def spending_chart(t: Translate, spending: Spending) -> Chart:
    """What was spent, by category, the most first."""
    names = [category_name(t, category) for category, _ in spending.by_category]
    data = [yen for _, yen in spending.by_category]
    told = [(name, yen) for (key, yen), name in zip(spending.by_category, names, strict=True) if key != "unknown"]
    most, yen = told[0] if told else ("", 0)
    key = "cash.spending.summary" if told else "cash.spending.total"
    summary = t(key, total=money(t, spending.total_yen), most=most, yen=money(t, yen))
    return _chart(t("cash.spending.title"), t, names, data, summary)


def hours_chart(t: Translate, day: ShopDay, zone: tzinfo) -> Chart:
    """What a shop took, by the hour, from the first hour with a sale to the last."""
    hours = day.by_hour(zone)
    busy = [hour for hour, yen in enumerate(hours) if yen]
    span = range(busy[0], busy[-1] + 1)
    most = max(span, key=lambda hour: hours[hour])
    summary = t("cash.day.hours.summary", hour=most, yen=money(t, hours[most]))
    labels = [t("cash.day.hour", hour=hour) for hour in span]
    return _chart(t("cash.day.hours.title"), t, labels, [hours[hour] for hour in span], summary)


def line_rows(t: Translate, lines: list[Line]) -> list[list[str]]:
    """What was bought: item, how many, price, rate, what it comes to."""
    return [
        [
            line.item,
            f"{line.quantity:,}",
            money(t, line.unit_price_yen),
            rate(line.tax_permille),
            money(t, line.quantity * line.unit_price_yen),
        ]
        for line in lines
    ]


def receipt_text(t: Translate, receipt: Receipt, *, city_name: str, paid_at: str, refunds: list[str]) -> str:
    """A receipt as plain text, for a file or a printer. Times come in the reader's words."""
    paid = receipt.payment
    parts = [f"{t('cash.receipt.title')}  {city_name}", "", paid.shop_name, paid_at, paid.payment_id, ""]
    if receipt.registration:
        parts.insert(3, f"{t('cash.receipt.registration')}  {receipt.registration}")
    for line in receipt.lines:
        total = money(t, line.quantity * line.unit_price_yen)
        price = money(t, line.unit_price_yen)
        parts.append(f"{line.item}  {price} × {line.quantity}  {total}  ({rate(line.tax_permille)})")
    if receipt.lines:
        parts.append("")
    parts.append(f"{t('cash.receipt.total')}  {money(t, paid.amount_yen)}")
    if receipt.benefits_yen:
        parts.append(f"  {t('cash.receipt.by_benefits')}  {money(t, receipt.benefits_yen)}")
    for tax in receipt.taxes:
        shown = t("cash.receipt.tax_of", rate=rate(tax.permille), yen=money(t, tax.amount_yen))
        parts.append(f"  {shown}  {money(t, tax.tax_yen)}")
    parts += refunds
    return "\n".join(parts) + "\n"


def _chart(title: str, t: Translate, x: list[str], data: list[int], summary: str) -> Chart:
    unit = t("cash.unit.yen")
    return {"title": title, "unit": unit, "x": x, "series": [{"name": title, "data": data}], "summary": summary}
