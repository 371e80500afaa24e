"""Which questions are refused, by which rule, and what would pass."""
# ruff: noqa: E501 (tables)

RULE = {
    "dimensions": ("area", "start_at", "note", "moved_in"),
    "measures": ("energy_wh", "volts"),
    "functions": ("count", "sum", "avg", "quantile"),
}

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
| select max(energy_wh) from energy.readings                                  | FunctionIsNotInRule     | count, sum, avg, quantile    |
| select quantile(energy_wh, 0) from energy.readings                          | QuantileIsExtreme       | 0.05                         |
| select quantile(energy_wh, 0.99) from energy.readings                       | QuantileIsExtreme       | 0.95                         |
"""

PASSING = """
| question                                                                                    |
| select area, hour(start_at), count(*), count(distinct subject_no) from energy.readings group by all |
| select date_trunc('week', moved_in), avg(energy_wh) from energy.readings group by all       |
| select count(*) from energy.readings where energy_wh > 5 and total_wh < 7 and solar = true  |
| select count(*) from energy.readings where volts > 99 and start_at >= '2026-01-31 12:00'    |
| select quantile(energy_wh, 0.05), quantile(volts, 0.95) from energy.readings                |
| select date(moved_in), weekday(moved_in), count(*) from energy.readings where moved_in in ('2024-02-29') group by all |
"""
