"""ESPI's LocalTimeParameters: a zone's offset and its daylight-saving rules as bit fields (NAESB ESPI DstRuleType)."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_DISABLED = 0xFFFFFFFF
_LAST_OPERATOR = 7


@dataclass(frozen=True)
class LocalTime:
    """Offsets in seconds; the rules are None where the zone has no daylight-saving time."""

    tz_offset_s: int
    dst_offset_s: int
    dst_start_rule: int | None
    dst_end_rule: int | None

    def offset_at(self, start_s: int) -> int:
        """The offset from UTC at this instant (seconds from 1970)."""
        if self.dst_start_rule is None or self.dst_end_rule is None:
            return self.tz_offset_s
        standard = datetime.fromtimestamp(start_s + self.tz_offset_s, UTC).replace(tzinfo=None)
        begin = rule_moment(self.dst_start_rule, standard.year)
        # The end is given on the clock of daylight-saving time.
        end = rule_moment(self.dst_end_rule, standard.year) - timedelta(seconds=self.dst_offset_s)
        inside = begin <= standard < end if begin < end else not end <= standard < begin
        return self.tz_offset_s + self.dst_offset_s * inside


def local_time_of(fields: Mapping[str, str | None], prefix: str) -> LocalTime:
    """Reads the element's children. Raises `ValueError` for a number or rule that is none."""
    offset, dst = (int(fields.get(prefix + name) or "0") for name in ("tzOffset", "dstOffset"))
    rules = [int(fields.get(prefix + name) or "FFFFFFFF", 16) for name in ("dstStartRule", "dstEndRule")]
    if max(abs(offset), abs(dst)) > 86_400:
        raise ValueError(f"an offset of {offset} or {dst} seconds")
    if _DISABLED in rules or dst == 0:
        return LocalTime(offset, 0, None, None)
    for rule in rules:
        rule_moment(rule, 2000)
    return LocalTime(offset, dst, *rules)


@lru_cache(maxsize=1024)
def rule_moment(rule: int, year: int) -> datetime:
    """When the rule strikes in this year, on the wall clock before the change. Raises `ValueError`.

    Bits, from the lowest: 12 seconds, 5 hours, 3 day of the week (Monday is 1), 5 day of the month, 3 operator,
    4 month. Operator 0: the day of the month; 1: the day of the week on or after it; 2 to 6: the first to fifth such
    day of the week; 7: the last.
    """
    seconds, hours = rule & 0xFFF, rule >> 12 & 0x1F
    weekday, day = (rule >> 17 & 0x7) - 1, rule >> 20 & 0x1F
    operator, month = rule >> 25 & 0x7, rule >> 28 & 0xF
    if operator == 0:
        return datetime(year, month, day) + timedelta(hours=hours, seconds=seconds)  # noqa: DTZ001
    if weekday < 0:
        raise ValueError(f"daylight-saving rule {rule:08X} names no day of the week")
    length = calendar.monthrange(year, month)[1]
    first = day if operator == 1 else length - 6 if operator == _LAST_OPERATOR else 1 + 7 * (operator - 2)
    found = datetime(year, month, 1) + timedelta(days=first - 1)  # noqa: DTZ001
    found += timedelta(days=(weekday - found.weekday()) % 7)
    return found + timedelta(hours=hours, seconds=seconds)
