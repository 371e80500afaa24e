"""Which questions are refused, by which rule, and what would pass."""
# ruff: noqa: E501 (tables)

from sanpo.consent import AnalysisRule
from sanpo.consent.model import Clamp

RULE = AnalysisRule(
    dimensions=("area", "start_at", "note", "moved_in"),
    measures=("energy_wh", "volts", "fare_yen"),
    functions=("count", "sum", "avg", "quantile", "max", "variance"),
    join_keys=("subject", "area", "hour"),
    clamps=(Clamp("volts", 90, 110), Clamp("fare_yen", 100, 500)),
)

REFUSALS = """
| question                                                                    | refused by              | and says                     |
| select wattage, count(*) from energy.readings group by all                  | ColumnIsUnknown         | area, energy_wh              |
| select start_local, count(*) from energy.readings group by all              | ColumnIsUnknown         | start_at                     |
| select subject_no, count(*) from energy.readings group by all               | ColumnIdentifiesPeople  | area                         |
| select count(*) from energy.readings where subject_no = 7                   | ColumnIdentifiesPeople  | area                         |
| select sum(meter_no) from energy.readings                                   | ColumnIdentifiesPeople  | energy_wh                    |
| select count(*) from energy.readings where meter_no in (1, 2)               | ColumnIdentifiesPeople  | energy_wh                    |
| select start_at, count(*) from energy.readings group by all                 | TimeNeedsBucket         | hour, half_hour              |
| select hour(area), count(*) from energy.readings group by all               | TypeDoesNotFit          | no bucket                    |
| select hour(moved_in), count(*) from energy.readings group by all           | TypeDoesNotFit          | date, weekday                |
| select sum(area) from energy.readings                                       | TypeDoesNotFit          | energy_wh                    |
| select count(*) from energy.readings where area = 5                         | TypeDoesNotFit          | 'text'                       |
| select count(*) from energy.readings where energy_wh > 'much'               | TypeDoesNotFit          | 5                            |
| select count(*) from energy.readings where energy_wh > 0.5                  | TypeDoesNotFit          | 5                            |
| select count(*) from energy.readings where energy_wh = true                 | TypeDoesNotFit          | 5                            |
| select count(*) from energy.readings where solar > false                    | TypeDoesNotFit          | =, !=                        |
| select count(*) from energy.readings where solar between false and true     | TypeDoesNotFit          | =, !=                        |
| select count(*) from energy.readings where start_at > 'tomorrow'            | TypeDoesNotFit          | 2026-01-31 12:00             |
| select count(*) from energy.readings where start_at > '2026-01-31T00:00Z'   | TypeDoesNotFit          | 2026-01-31 12:00             |
| select count(*) from energy.readings where moved_in = '2025-02-30'          | TypeDoesNotFit          | 2026-01-31                   |
| select count(*) from energy.readings where hour(start_at) = '7'             | TypeDoesNotFit          | 5                            |
| select occupants, count(*) from energy.readings group by all                | DimensionIsNotInRule    | area, start_at               |
| select energy_wh, count(*) from energy.readings group by all                | DimensionIsNotInRule    | area, start_at               |
| select sum(total_wh) from energy.readings                                   | MeasureIsNotInRule      | energy_wh, volts             |
| select min(energy_wh) from energy.readings                                  | FunctionIsNotInRule     | count, sum, avg, quantile    |
| select correlation(energy_wh, volts) from energy.readings                   | FunctionIsNotInRule     | variance                     |
| select max(energy_wh) from energy.readings                                  | BoundsAreMissing        | energy_wh                    |
| select quantile(energy_wh, 0) from energy.readings                          | QuantileIsExtreme       | 0.05                         |
| select quantile(energy_wh, 0.99) from energy.readings                       | BoundsAreMissing        | energy_wh                    |
| select band(area, 1, 2), count(*) from energy.readings group by all         | TypeDoesNotFit          | energy_wh                    |
| select correlation(energy_wh, note) from energy.readings                    | TypeDoesNotFit          | energy_wh                    |
| select count(*) from energy.readings join open.weather using (area, month)  | KeyIsUnknown            | area, hour, day              |
| select count(*) from energy.readings join (select subject, stop, count(*) as n from bus.rides group by subject, stop) as b using (subject, stop) | KeyHasNoMatch | mesh |
| select count(*) from energy.readings join bus.passes using (subject) join open.weather using (area, hour) | JoinIsAmbiguous | area, passes.area_from |
| select count(*) from energy.readings join open.weather using (area)         | JoinMultipliesRows      | area, hour                   |
| select count(*) from energy.readings join bus.rides using (subject)         | JoinMultipliesRows      | —                            |
| select count(*) from energy.readings join (select hour, count(*) as n from bus.rides group by hour) as b using (hour) | JoinNeedsSubject | subject |
| select sum(b.n) from energy.readings join (select subject, sum(card_no) as n from bus.rides group by subject) as b using (subject) | ColumnIdentifiesPeople | fare_yen |
| select sum(b.n) from energy.readings join (select subject, sum(stop) as n from bus.rides group by subject) as b using (subject) | TypeDoesNotFit | fare_yen |
| select sum(b.n) from energy.readings join (select subject, sum(line) as n from bus.rides group by subject) as b using (subject) | ColumnIsUnknown | fare_yen |
| select count(*) from energy.readings join (select subject, count(*) as n from bus.rides group by subject) as b using (subject) where stop = 'x' | ColumnIsUnknown | b.n |
| select w.wind, count(*) from energy.readings join open.weather as w using (area, hour) group by all | ColumnIsUnknown | w.temperature_c |
| select count(*) from energy.readings join bus.passes using (subject) where passes.subject_no = 3 | ColumnIsUnknown | passes.kind |
| select kind, count(*) from energy.readings join open.weather as w using (area, hour) join bus.passes using (subject) group by all | ColumnIsAmbiguous | w.kind, passes.kind |
| select count(*) from energy.readings join (select day, avg(rain_mm) as mm from open.weather group by day) as w using (day) | JoinIsNotInRule | subject, area, hour |
| select passes.kind, count(*) from energy.readings join bus.passes using (subject) group by all | DimensionIsNotInRule | area, start_at |
| select band(b.yen, 500), count(*) from energy.readings join (select subject, sum(fare_yen) as yen from bus.rides group by subject) as b using (subject) group by all | DimensionIsNotInRule | area, start_at |
| select avg(price_yen) from energy.readings join bus.passes using (subject)  | MeasureIsNotInRule      | energy_wh, volts             |
"""

PASSING = """
| question                                                                                    |
| select area, hour(start_at), count(*), count(distinct subject_no) from energy.readings group by all |
| select date_trunc('week', moved_in), avg(energy_wh) from energy.readings group by all       |
| select count(*) from energy.readings where energy_wh > 5 and total_wh < 7 and solar = true  |
| select count(*) from energy.readings where volts > 99 and start_at >= '2026-01-31 12:00'    |
| select quantile(energy_wh, 0.05), quantile(volts, 0.95) from energy.readings                |
| select max(volts), quantile(volts, 0.99), variance(energy_wh) from energy.readings          |
| select w.kind, band(w.temperature_c, 0, 10), max(w.rain_mm) from energy.readings join open.weather as w using (area, hour) group by all |
| select b.rides, max(b.yen) from energy.readings join (select subject, count(*) as rides, sum(fare_yen) as yen from bus.rides group by subject) as b using (subject) group by all |
| select date(moved_in), weekday(moved_in), count(*) from energy.readings where moved_in in ('2024-02-29') group by all |
"""
