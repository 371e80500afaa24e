"""What answers are: the data, the grants, and what each question gets. Both engines must give exactly this."""
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

WEATHER = """
| area | hour_local       | temperature_c | rain_mm | kind  |
| 中央 | 2026-01-05 07:00 | 2.5           | 0       | clear |
| 中央 | 2026-01-10 23:00 | -1.5          | 0       | clear |
| 港   | 2026-01-05 07:00 | 4.0           | 1       | rain  |
| 港   | 2026-01-05 08:00 | 5.0           |         | rain  |
| 港   | 2026-01-11 00:00 | 3.0           | 2       | snow  |
|      | 2026-01-05 07:00 | 9.0           | 5       | storm |
"""

RIDES = """
| subject_no | boarded_local    | fare_yen | stop |
| 1          | 2026-01-05 08:10 | 200      | 駅   |
| 1          | 2026-01-06 08:10 | 300      | 駅   |
| 2          | 2026-01-05 09:00 | 250      | 港前 |
| 4          | 2026-01-05 07:50 |          | 港前 |
| 5          | 2026-01-05 07:55 | 100      | 駅   |
| 5          |                  | 400      |      |
| 9          | 2026-01-05 08:00 | 9000     | 駅   |
"""

PASSES = """
| subject_no | kind  | price_yen | bought_on  | area_from |
| 1          | month | 9000      | 2025-12-28 | 港        |
| 2          | year  | 80000     | 2025-04-01 | 中央      |
| 4          | month | 9000      | 2026-01-04 |           |
| 9          | year  | 80000     | 2025-04-01 | 中央      |
"""

ADMITTED = (1, 2, 3, 4, 5, 6, 7, 8)
"""Subject 9 has not granted: its row counts nowhere. Subject 7 has a home but no reading, subject 8 no home."""

CASES = """
# All granted rows
select count(*), count(distinct subject_no), sum(energy_wh) from energy.readings
| rows | subjects | sum_energy_wh | people |
| 11   | 7        | 2400          | 7      |

# A home's attribute as a dimension: subjects without a home do not count. One reading of 港 has no value; at worst it
# is one resident's only one, so that two are behind the average, and it is withheld. With it goes the other, from which
# and from the average of all it could be worked out
select area, count(*), avg(energy_wh) from energy.readings group by area
minimum 3
| area | rows | avg_energy_wh | people |
| 中央 | 5    | ‥             | 3      |
| 港   | 5    | ‥             | 3      |

# The same without the rows that have no value
select area, count(*), avg(energy_wh) from energy.readings where energy_wh is not null group by area
minimum 3
| area | rows | avg_energy_wh | people |
| 中央 | 5    | 158.0         | 3      |
| 港   | 4    | 277.5         | 3      |

# Too few subjects in a cell (one whose home says nothing about solar): everything but its key is withheld, and so is
# another cell, so that nobody subtracts. Which of them is small is not told
select solar, sum(energy_wh), max(energy_wh) from energy.readings group by solar
minimum 2
| solar | sum_energy_wh | max_energy_wh | people |
| False | ‥             | ‥             | <2     |
| True  | 1140          | 900           | 2      |
|       | ‥             | ‥             | <2     |

# A small cell that could be worked out whatever else is withheld: refused
select note, sum(energy_wh) from energy.readings group by note
minimum 4
refused cleanroom.disclosure_is_not_safe

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

# Order by a measure: withheld values come last either way
select solar, sum(energy_wh) as wh from energy.readings group by solar order by wh desc
minimum 2
| solar | wh   | people |
| True  | 1140 | 2      |
| False | ‥    | <2     |
|       | ‥    | <2     |

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

# Bands: the number of edges that are not above the value; a missing value has no band
select band(energy_wh, 100, 200) as band, count(*) from energy.readings group by all
minimum 1
| band | rows | people |
| 0    | 4    | 3      |
| 1    | 2    | 1      |
| 2    | 4    | 4      |
|      | 1    | 1      |

# Variance (of a sample) and correlation
select variance(occupants), correlation(energy_wh, occupants) as fit from energy.readings where weekday(start_at) = 1 and area = '中央'
minimum 1
| variance_occupants | fit         | people |
| 0.333333333        | 0.862840305 | 3      |

# One value has no variance, and what does not vary has no correlation
select variance(energy_wh), correlation(energy_wh, occupants) as fit from energy.readings where energy_wh = 300
minimum 1
| variance_energy_wh | fit | people |
|                    |     | 1      |

# Open data is joined by keys: the weather of each reading's area and local hour. Area is a home's attribute; readings
# whose hour has no weather do not count
select w.kind, count(*), avg(w.temperature_c) from energy.readings join open.weather as w using (area, hour) group by w.kind
minimum 1
| w_kind | rows | avg_w_temperature_c | people |
| clear  | 5    | 1.7                 | 3      |
| rain   | 3    | 4.333333333         | 3      |
| snow   | 1    | 3.0                 | 1      |

# A name that only one dataset has needs no alias; an alias of the question's own dataset is dropped
select count(*), max(rain_mm) from energy.readings as r join open.weather as w using (area, hour) where r.energy_wh < 100
minimum 1
| rows | max_rain_mm | people |
| 3    | 1           | 3      |

# Several rows for a key are put together first: rides of each resident. Who has none does not count, nor does who has
# not granted
select b.rides, count(*) from energy.readings join (select subject, count(*) as rides from bus.rides group by subject) as b using (subject) group by b.rides
minimum 1
| b_rides | rows | people |
| 1       | 4    | 2      |
| 2       | 3    | 2      |

# What is put together can be filtered and measured, once for each row that it is joined to
select count(*), sum(b.fares), max(b.dearest) from energy.readings join (select subject, sum(fare_yen) as fares, max(fare_yen) as dearest from bus.rides group by subject) as b using (subject) where b.fares is not null
minimum 1
| rows | sum_b_fares | max_b_dearest | people |
| 5    | 2000.0      | 400           | 3      |

# Put together by resident and day: a ride without a time has no day
select count(*), sum(b.rides) from energy.readings join (select subject, day, count(*) as rides from bus.rides group by subject, day) as b using (subject, day)
minimum 1
| rows | sum_b_rides | people |
| 5    | 5           | 4      |

# Datasets about people are joined by their people; here each has one row at most. Bands of a joined number
select passes.kind, band(price_yen, 10000) as price, count(*) from energy.readings join bus.passes using (subject) group by all
minimum 1
| passes_kind | price | rows | people |
| month       | 0     | 4    | 2      |
| year        | 1     | 2    | 1      |

# Several joins, and a filter over them
select count(*), avg(b.rides) from energy.readings join open.weather as w using (area, hour) join (select subject, count(*) as rides from bus.rides group by subject) as b using (subject) where w.temperature_c < 4.5 and b.rides > 1
minimum 1
| rows | avg_b_rides | people |
| 2    | 2.0         | 1      |

# Totals: a row for every choice of dimensions that are left out, marked ∑
select area, note, count(*) from energy.readings where note = 'a' group by cube (area, note)
minimum 2
| area | note | rows | people |
| 中央 | a    | 4    | 3      |
| 中央 | ∑    | 4    | 3      |
| 港   | a    | 2    | 2      |
| 港   | ∑    | 2    | 2      |
| ∑    | a    | 6    | 5      |
| ∑    | ∑    | 6    | 5      |
"""
