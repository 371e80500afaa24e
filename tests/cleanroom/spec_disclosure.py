"""What leaves a table of cells: each case is the cells, the rule, and the rows that are told.

`people` is the number of subjects, each of one cell and with one row; `1-4 9` names them; `rows` and `values` tell how many
rows and values there are where it is another number; `largest` is the share of the largest subjects in the sum. Hidden
values are ‥, margins ∑.
"""

CASES = """
# Nothing is small: everything is told
minimum 5
| area | people | wh  |
| 中央 | 5      | 50  |
| 港   | 7      | 90  |
tells
| area | rows | people | sum_wh |
| 中央 | 5    | 5      | 50     |
| 港   | 7    | 7      | 90     |

# One small cell takes a second one with it: the total can be asked for, and the total without the others would be it
minimum 5
| area | people | wh   |
| 中央 | 40     | 4000 |
| 港   | 3      | 300  |
| 北   | 12     | 1200 |
| 山   | 50     | 5000 |
tells
| area | rows | people | sum_wh |
| 中央 | 40   | 40     | 4000   |
| 北   | ‥    | ‥      | ‥      |
| 山   | 50   | 50     | 5000   |
| 港   | ‥    | ‥      | ‥      |

# Of two cells nothing would be left, so the question is refused
minimum 5
| area | people | wh   |
| 中央 | 40     | 4000 |
| 港   | 3      | 300  |
refused cleanroom.disclosure_is_not_safe

# Two small cells hide each other; whoever knows the total knows their sum only
minimum 5
| area | people | wh   |
| 中央 | 40     | 4000 |
| 港   | 4      | 400  |
| 北   | 4      | 300  |
tells
| area | rows | people | sum_wh |
| 中央 | 40   | 40     | 4000   |
| 北   | ‥    | ‥      | ‥      |
| 港   | ‥    | ‥      | ‥      |

# All cells are small: refused in the words that also stand for no cell at all
minimum 5
| area | people | wh  |
| 港   | 3      | 300 |
| 北   | 2      | 200 |
refused cleanroom.too_few_subjects

# The smallest other cell is not always enough: 1 and 5 people are 6, so the small cell would be one of 1 to 5, which is
# narrower than the minimum. The next larger cell is withheld in its place
minimum 5
| area | people | wh   |
| 中央 | 40     | 4000 |
| 港   | 1      | 100  |
| 北   | 5      | 500  |
| 山   | 12     | 1200 |
tells
| area | rows | people | sum_wh |
| 中央 | 40   | 40     | 4000   |
| 北   | 5    | 5      | 500    |
| 山   | ‥    | ‥      | ‥      |
| 港   | ‥    | ‥      | ‥      |

# In two dimensions each row and each column of the table has a sum that can be asked for: a rectangle is withheld
minimum 5
| area | hour | people | wh |
| 中央 | 7    | 3      | 30 |
| 中央 | 8    | 12     | 99 |
| 中央 | 9    | 60     | 80 |
| 港   | 7    | 11     | 90 |
| 港   | 8    | 10     | 70 |
| 港   | 9    | 60     | 60 |
| 北   | 7    | 60     | 60 |
| 北   | 8    | 60     | 60 |
| 北   | 9    | 60     | 60 |
tells
| area | hour | rows | people | sum_wh |
| 中央 | 7    | ‥    | ‥      | ‥      |
| 中央 | 8    | ‥    | ‥      | ‥      |
| 中央 | 9    | 60   | 60     | 80     |
| 北   | 7    | 60   | 60     | 60     |
| 北   | 8    | 60   | 60     | 60     |
| 北   | 9    | 60   | 60     | 60     |
| 港   | 7    | ‥    | ‥      | ‥      |
| 港   | 8    | ‥    | ‥      | ‥      |
| 港   | 9    | 60   | 60     | 60     |

# With totals the margins are told, and no more is withheld: they were taken for known before
minimum 5, totals
| area | hour | people | wh |
| 中央 | 7    | 3      | 30 |
| 中央 | 8    | 12     | 99 |
| 港   | 7    | 11     | 90 |
| 港   | 8    | 10     | 70 |
| 北   | 7    | 60     | 60 |
| 北   | 8    | 60     | 60 |
tells
| area | hour | rows | people | sum_wh |
| 中央 | 7    | ‥    | ‥      | ‥      |
| 中央 | 8    | ‥    | ‥      | ‥      |
| 中央 | ∑    | 15   | 15     | 129    |
| 北   | 7    | 60   | 60     | 60     |
| 北   | 8    | 60   | 60     | 60     |
| 北   | ∑    | 120  | 120    | 120    |
| 港   | 7    | ‥    | ‥      | ‥      |
| 港   | 8    | ‥    | ‥      | ‥      |
| 港   | ∑    | 21   | 21     | 160    |
| ∑    | 7    | 74   | 74     | 180    |
| ∑    | 8    | 82   | 82     | 229    |
| ∑    | ∑    | 156  | 156    | 409    |

# A margin can be small itself. Then a second one goes with it, and the cells of that one tell nothing either
minimum 5, totals
| area | hour | people | wh |
| 中央 | 7    | 1      | 10 |
| 中央 | 8    | 2      | 20 |
| 港   | 7    | 11     | 90 |
| 港   | 8    | 10     | 70 |
| 北   | 7    | 60     | 60 |
| 北   | 8    | 60     | 60 |
tells
| area | hour | rows | people | sum_wh |
| 中央 | 7    | ‥    | ‥      | ‥      |
| 中央 | 8    | ‥    | ‥      | ‥      |
| 中央 | ∑    | ‥    | ‥      | ‥      |
| 北   | 7    | 60   | 60     | 60     |
| 北   | 8    | 60   | 60     | 60     |
| 北   | ∑    | 120  | 120    | 120    |
| 港   | 7    | ‥    | ‥      | ‥      |
| 港   | 8    | ‥    | ‥      | ‥      |
| 港   | ∑    | ‥    | ‥      | ‥      |
| ∑    | 7    | 72   | 72     | 160    |
| ∑    | 8    | 72   | 72     | 150    |
| ∑    | ∑    | 144  | 144    | 310    |

# Where few cells exist the sums alone can give a small one: 中央 has 103 people, all of hour 8 are in 中央, so 3 are left.
# No choice of further cells helps; refused
minimum 5
| area | hour | people | wh |
| 中央 | 7    | 3      | 30 |
| 中央 | 8    | 100    | 99 |
| 港   | 7    | 50     | 90 |
refused cleanroom.disclosure_is_not_safe

# Dominance: in 港 one subject holds 80 % of the sum. Sum and average are withheld there, and so that it cannot be
# subtracted in one more cell; the numbers of rows are told
minimum 5, dominance 1 70
| area | people | wh   | largest |
| 中央 | 40     | 4000 | 0.04    |
| 港   | 10     | 900  | 0.80    |
| 北   | 12     | 1200 | 0.20    |
tells
| area | rows | people | sum_wh | avg_wh |
| 中央 | 40   | 40     | 4000   | 100.0  |
| 北   | 12   | 12     | ‥      | ‥      |
| 港   | 10   | 10     | ‥      | ‥      |

# Dominance at the limit is none
minimum 5, dominance 1 80
| area | people | wh   | largest |
| 中央 | 40     | 4000 | 0.04    |
| 港   | 10     | 900  | 0.80    |
tells
| area | rows | people | sum_wh |
| 中央 | 40   | 40     | 4000   |
| 港   | 10   | 10     | 900    |

# A margin's largest are not known, only that they hold no more than its cells' on average: such totals are withheld
minimum 5, dominance 1 70, totals
| area | people | wh   | largest |
| 中央 | 40     | 4000 | 0.04    |
| 港   | 10     | 9000 | 0.95    |
| 北   | 40     | 9000 | 0.95    |
tells
| area | rows | people | sum_wh |
| 中央 | 40   | 40     | 4000   |
| 北   | 40   | 40     | ‥      |
| 港   | 10   | 10     | ‥      |
| ∑    | 90   | 90     | ‥      |

# Few may be behind a value: of 6 people's rows 3 have none, at worst of 3 people. Then it is as with a small cell
minimum 5
| area | people | values | wh   |
| 中央 | 40     | 40     | 4000 |
| 港   | 6      | 3      | 300  |
| 北   | 12     | 12     | 1200 |
tells
| area | rows | people | sum_wh |
| 中央 | 40   | 40     | 4000   |
| 北   | 12   | 12     | ‥      |
| 港   | 6    | 6      | ‥      |

# Counts can be wide where sums are not: 北 used next to nothing, so that 港 and 北 together are 港 to within 1 %. The sum
# of one more cell is withheld
minimum 5, protection 10
| area | people | wh   |
| 中央 | 40     | 4000 |
| 港   | 3      | 1000 |
| 北   | 8      | 10   |
| 山   | 50     | 5000 |
tells
| area | rows | people | sum_wh |
| 中央 | 40   | 40     | ‥      |
| 北   | ‥    | ‥      | ‥      |
| 山   | 50   | 50     | 5000   |
| 港   | ‥    | ‥      | ‥      |

# The same with a rule that asks for one percent
minimum 5, protection 1
| area | people | wh   |
| 中央 | 40     | 4000 |
| 港   | 3      | 1000 |
| 北   | 8      | 10   |
| 山   | 50     | 5000 |
tells
| area | rows | people | sum_wh |
| 中央 | 40   | 40     | 4000   |
| 北   | ‥    | ‥      | ‥      |
| 山   | 50   | 50     | 5000   |
| 港   | ‥    | ‥      | ‥      |

# Rounding: counts and sums to the nearest multiple, halves up; the average is the quotient of the two as told
minimum 5, rounding 10, totals
| area | people | wh    |
| 中央 | 44     | 4321  |
| 港   | 25     | 2509  |
tells
| area | rows | people | sum_wh | avg_wh |
| 中央 | 40   | 40     | 4320   | 108.0  |
| 港   | 30   | 30     | 2510   | 83.66666666666667 |
| ∑    | 70   | 70     | 6830   | 97.57142857142857 |

# People in several cells count once in a margin
minimum 5, totals
| hour | people | wh  |
| 7    | 1-8    | 80  |
| 8    | 3-10   | 90  |
tells
| hour | rows | people | sum_wh |
| 7    | 8    | 8      | 80     |
| 8    | 8    | 8      | 90     |
| ∑    | 16   | 10     | 170    |

# Rows must stay as uncertain as people: with 100 rows each, 4 rows more or less would not hide one person
minimum 5
| area | people | rows | wh    |
| 中央 | 40     | 4000 | 40000 |
| 港   | 3      | 300  | 3000  |
| 北   | 12     | 20   | 1200  |
| 山   | 14     | 1400 | 14000 |
tells
| area | rows | people | sum_wh |
| 中央 | 4000 | 40     | 40000  |
| 北   | 20   | 12     | 1200   |
| 山   | ‥    | ‥      | ‥      |
| 港   | ‥    | ‥      | ‥      |

# A missing value of a dimension is a cell like any other, and no margin
minimum 5, totals
| area | people | wh  |
| 中央 | 9      | 80  |
|      | 8      | 90  |
tells
| area | rows | people | sum_wh |
| 中央 | 9    | 9      | 80     |
|      | 8    | 8      | 90     |
| ∑    | 17   | 17     | 170    |
"""
