"""What answers are: homes, readings, grants, and what each question gets. Both engines must give exactly this."""
# ruff: noqa: E501 (tables)

HOMES = """
| subject_no | area | occupants | solar | moved_in   |
| 1          | 中央 | 2         | true  | 2020-04-01 |
| 2          | 中央 | 3         | false | 2021-04-01 |
| 3          | 中央 | 3         | false | 2021-10-15 |
| 4          | 港   | 1         |       | 2022-01-01 |
| 5          | 港   | 4         | true  |            |
| 6          | 港   | 2         | false | 2024-02-29 |
| 7          |      | 5         | true  | 2025-01-01 |
"""

READINGS = """
| subject_no | start_local      | energy_wh | note |
| 1          | 2026-01-05 07:00 | 100       | a    |
| 1          | 2026-01-05 07:30 | 140       | a    |
| 2          | 2026-01-05 07:15 | 200       | a    |
| 2          | 2026-01-10 23:45 | 50        | b    |
| 3          | 2026-01-05 07:00 | 300       | a    |
| 4          | 2026-01-05 07:00 | 80        | a    |
| 4          | 2026-01-11 00:00 |           | b    |
| 5          | 2026-01-05 08:00 | 900       | a    |
| 6          | 2026-01-05 07:00 | 60        | b    |
| 6          | 2026-02-01 07:00 | 70        | b    |
| 8          | 2026-01-05 07:00 | 500       | a    |
| 9          | 2026-01-05 07:00 | 999999    | a    |
"""

ADMITTED = (1, 2, 3, 4, 5, 6, 7, 8)
"""Subject 9 has not granted: its row counts nowhere. Subject 7 has a home but no reading, subject 8 no home."""

CASES = """
# All granted rows
select count(*), count(distinct subject_no), sum(energy_wh) from energy.readings
| rows | subjects | sum_energy_wh | people |
| 11   | 7        | 2400          | 7      |

# A home's attribute as a dimension: subjects without a home do not count. One reading of 港 has no value; at worst it
# is one resident's only one, so that two are behind the average, and it is withheld
select area, count(*), avg(energy_wh) from energy.readings group by area
minimum 3
| area | rows | avg_energy_wh | people |
| 中央 | 5    | 158.0         | 3      |
| 港   | 5    | ‥             | 3      |

# The same without the rows that have no value
select area, count(*), avg(energy_wh) from energy.readings where energy_wh is not null group by area
minimum 3
| area | rows | avg_energy_wh | people |
| 中央 | 5    | 158.0         | 3      |
| 港   | 4    | 277.5         | 3      |

# Too few subjects in a cell: everything but its key is withheld
select note, sum(energy_wh), max(energy_wh) from energy.readings group by note
minimum 4
| note | sum_energy_wh | max_energy_wh | people |
| a    | 2220          | 900           | 6      |
| b    | ‥             | ‥             | <4     |

# Too few subjects in every cell: refused
select note, area, count(*) from energy.readings group by note, area
minimum 4
refused cleanroom.too_few_subjects

# Nobody at all: refused in the same words
select count(*) from energy.readings where area = '山'
minimum 4
refused cleanroom.too_few_subjects

# Hour and half hour of the local day; a question without grouping has one cell
select half_hour(start_at) as half, count(*) from energy.readings where hour(start_at) = 7 group by half order by half
minimum 1
| half | rows | people |
| 14   | 7    | 6      |
| 15   | 1    | 1      |

# Weekday (Monday is 1) and ISO week
select weekday(start_at), week(start_at), count(*) from energy.readings group by all
minimum 1
| weekday | week | rows | people |
| 1       | 2    | 8    | 7      |
| 6       | 2    | 1    | 1      |
| 7       | 2    | 1    | 1      |
| 7       | 5    | 1    | 1      |

# Beginnings of units
select date_trunc('month', start_at), count(*) from energy.readings group by all
minimum 1
| month               | rows | people |
| 2026-01-01 00:00:00 | 10   | 7      |
| 2026-02-01 00:00:00 | 1    | 1      |

# A day of the calendar, compared with a date
select date(start_at), count(*) from energy.readings where date(start_at) between '2026-01-10' and '2026-01-11' group by all
minimum 1
| date       | rows | people |
| 2026-01-10 | 1    | 1      |
| 2026-01-11 | 1    | 1      |

# Local time as a bound
select count(*) from energy.readings where start_at >= '2026-01-05 07:30' and start_at < '2026-01-06'
minimum 1
| rows | people |
| 2    | 2      |

# Quantiles interpolate between neighbours
select quantile(energy_wh, 0.5) as half, quantile(energy_wh, 0.25) as quarter from energy.readings where energy_wh < 900 and energy_wh is not null
| half | quarter | people |
| 100.0 | 70.0   | 6      |

# A missing value is neither equal nor unequal
select count(*) from energy.readings where solar = true or solar != true
minimum 1
| rows | people |
| 8    | 5      |

# not(…) of what is open stays open
select count(*) from energy.readings where not (solar = true)
minimum 1
| rows | people |
| 5    | 3      |

# Null is a value of a dimension, and comes last
select solar, count(*) from energy.readings group by solar
minimum 1
| solar | rows | people |
| False | 5    | 3      |
| True  | 3    | 2      |
|       | 2    | 1      |

# Order by a measure: a withheld value comes last either way
select note, sum(energy_wh) as wh from energy.readings group by note order by wh
minimum 4
| note | wh   | people |
| a    | 2220 | 6      |
| b    | ‥    | <4     |

# Limit cuts the released answer
select hour(start_at), count(*) from energy.readings group by all order by "rows" desc limit 1
minimum 1
| hour | rows | people |
| 7    | 8    | 6      |

# The attributes' dataset can be asked by itself
select occupants, count(*) from energy.homes where moved_in < '2025-01-01' group by occupants
minimum 1
| occupants | rows | people |
| 1         | 1    | 1      |
| 2         | 2    | 2      |
| 3         | 2    | 2      |
"""
