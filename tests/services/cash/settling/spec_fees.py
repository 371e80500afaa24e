"""What a shop pays and is paid: an auditor's reading of the rules, run against the pure model and against the ledger.

All columns are whole yen. Each row of FEES is a calendar year by itself, each row of DAYS one settlement after the other. A
negative fee is given back.
"""

FEES = """
# A small shop pays 2 % and no more than 12,000 yen a year
| last year | this year | fee   |
| 0         | 0         | 0     |
| 0         | 100       | 2     |
| 0         | 100000    | 2000  |
| 0         | 599999    | 11999 |
| 0         | 600000    | 12000 |
| 0         | 600050    | 12000 |
| 0         | 50000000  | 12000 |
| 5999999   | 5999999   | 12000 |

# A shop that took 6,000,000 yen or more in the year before pays 2 % of all
| last year | this year | fee    |
| 6000000   | 100000    | 2000   |
| 6000000   | 6000000   | 120000 |
| 90000000  | 1         | 0      |

# The fraction of a yen is dropped, once, from the fee of the year
| last year | this year | fee |
| 0         | 49        | 0   |
| 0         | 50        | 1   |
| 0         | 99        | 1   |
| 6000000   | 149       | 2   |

# What was given back beyond what was taken costs nothing, and is made up for by what is taken next
| last year | this year | fee |
| 0         | -1        | 0   |
| 0         | -500000   | 0   |
"""

DAYS = """
# A day, its fee and its payout
| day        | taken | refunded | brought | fee | payout | carried |
| 2026-04-01 | 10000 | 0        | 0       | 200 | 9800   | 0       |

# Three sales of 49 yen cost 2 yen however they are spread over days
| day        | taken | refunded | brought | fee | payout | carried |
| 2026-04-01 | 49    | 0        | 0       | 0   | 49     | 0       |
| 2026-04-02 | 49    | 0        | 0       | 1   | 48     | 0       |
| 2026-04-03 | 49    | 0        | 0       | 1   | 48     | 0       |

# A refund gives its fee back
| day        | taken | refunded | brought | fee  | payout | carried |
| 2026-04-01 | 10000 | 0        | 0       | 200  | 9800   | 0       |
| 2026-04-02 | 9000  | 4000     | 0       | 100  | 4900   | 0       |
| 2026-04-03 | 0     | 5000     | 0       | -100 | 0      | -4900   |

# A shop in the red is paid nothing until it has made up for it
| day        | taken | refunded | brought | fee  | payout | carried |
| 2026-04-01 | 10000 | 0        | 0       | 200  | 9800   | 0       |
| 2026-04-02 | 0     | 10000    | 0       | -200 | 0      | -9800   |
| 2026-04-03 | 5000  | 0        | -9800   | 100  | 0      | -4900   |
| 2026-04-04 | 6000  | 0        | -4900   | 120  | 980    | 0       |

# The cap of the year is reached; a refund that stays above it gives nothing back, one that goes below it does
| day        | taken  | refunded | brought | fee   | payout | carried |
| 2026-04-01 | 590000 | 0        | 0       | 11800 | 578200 | 0       |
| 2026-04-02 | 90000  | 0        | 0       | 200   | 89800  | 0       |
| 2026-04-03 | 5000   | 50000    | 0       | 0     | 0      | -45000  |
| 2026-04-04 | 0      | 45000    | -45000  | -200  | 0      | -89800  |

# On 1 January the year begins anew, and what was taken in the year before decides on the cap
| day        | taken   | refunded | brought | fee   | payout  | carried |
| 2026-12-30 | 5900000 | 0        | 0       | 12000 | 5888000 | 0       |
| 2026-12-31 | 100000  | 0        | 0       | 0     | 100000  | 0       |
| 2027-01-01 | 1000000 | 0        | 0       | 20000 | 980000  | 0       |
| 2028-01-01 | 1000000 | 0        | 0       | 12000 | 988000  | 0       |

# Refunds of last year's sales are no negative fee; this year's first sales make up for them
| day        | taken | refunded | brought | fee | payout | carried |
| 2026-12-31 | 10000 | 0        | 0       | 200 | 9800   | 0       |
| 2027-01-01 | 0     | 4000     | 0       | 0   | 0      | -4000   |
| 2027-01-02 | 5000  | 0        | -4000   | 20  | 980    | 0       |
"""
