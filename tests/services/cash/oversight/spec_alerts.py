"""What officers are alerted to, as an auditor reads it: each row is one resident's day, and what the rule counts of it.

`events` are minutes since the first one and yen: `0:190000` is 190,000 yen at once. Without `times` there is no alert.
"""

# ruff: noqa: E501

CASES = """
# Three payments just below what may be paid at once, within 72 hours
| rule                 | events                              | times | yen    |
| payments_below_limit | 0:190000 60:190000 120:190000       | 3     | 570000 |
| payments_below_limit | 0:180000 60:200000 4320:190000      | 3     | 570000 |
| payments_below_limit | 0:190000 60:190000                  |       |        |
| payments_below_limit | 0:190000 60:190000 4321:190000      |       |        |
| payments_below_limit | 0:190000 60:179999 120:190000       |       |        |
| payments_below_limit | 0:190000 9:500 60:190000 120:190000 | 3     | 570000 |

# Three charges just below what a wallet may hold
| rule                | events                        | times | yen    |
| charges_below_limit | 0:300000 60:270000 120:290000 | 3     | 860000 |
| charges_below_limit | 0:300000 60:269999 120:290000 |       |        |

# Ten small charges within an hour; the longest run is told
| rule               | events                                                                                      | times | yen   |
| many_small_charges | 0:1000 1:1000 2:1000 3:1000 4:1000 5:1000 6:1000 7:1000 8:1000                              |       |       |
| many_small_charges | 0:1000 1:1000 2:1000 3:1000 4:1000 5:1000 6:1000 7:1000 8:1000 60:10000                     | 10    | 19000 |
| many_small_charges | 0:1000 1:1000 2:1000 3:1000 4:1000 5:1000 6:1000 7:1000 8:1000 61:1000                      |       |       |
| many_small_charges | 0:1000 1:1000 2:1000 3:1000 4:1000 5:1000 6:1000 7:1000 8:1000 9:10001                      |       |       |
| many_small_charges | 0:9 61:1000 62:1 63:1 64:1 65:1 66:1 67:1 68:1 69:1 70:1 71:1                               | 11    | 1010  |
"""
