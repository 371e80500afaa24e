"""What becomes of each request: an auditor's reading of the ledger, run against the database and the plain model.

A case opens accounts, then sends batches; `after` gives what stands in the books: what is pending and what is posted, on the
debit (`-`) and the credit side (`+`). Accounts and transfers are named by letters and numbers; `top` is one more than the
largest id, `most` the largest amount. What a row leaves out of `ledger` and `code` is 1, and 0 where it posts or voids.
"""

# ruff: noqa: E501

CASES = """
# Money moves from one account to another, and adds up
accounts
| id | flags |
| A  |       |
| B  |       |
batch
| id | from | to | amount | outcome |
| t1 | A    | B  | 100    | created |
| t2 | B    | A  | 30     | created |
| t3 | A    | B  | 0      | created |
after
| id | -pending | -posted | +pending | +posted |
| A  | 0        | 100     | 0        | 30      |
| B  | 0        | 30      | 0        | 100     |

# The same request again moves nothing; another one under the same id is told apart by the first thing that differs
accounts
| id | flags |
| A  |       |
| B  |       |
| C  |       |
batch
| id | from | to | amount | user | outcome |
| t1 | A    | B  | 100    | 7    | created |
batch
| id | from | to | amount | user | flags   | pending | timeout | ledger | code | outcome                                |
| t1 | C    | A  | 99     | 8    | pending | t9      | 5       | 2      | 2    | exists_with_different_flags            |
| t1 | C    | A  | 99     | 8    |         | t9      | 5       | 2      | 2    | exists_with_different_pending_id       |
| t1 | C    | A  | 99     | 8    |         |         | 5       | 2      | 2    | exists_with_different_timeout          |
| t1 | C    | A  | 99     | 8    |         |         |         | 2      | 2    | exists_with_different_debit_account_id |
| t1 | A    | A  | 99     | 8    |         |         |         | 2      | 2    | exists_with_different_credit_account_id |
| t1 | A    | B  | 99     | 8    |         |         |         | 2      | 2    | exists_with_different_amount           |
| t1 | A    | B  | 100    | 8    |         |         |         | 2      | 2    | exists_with_different_user_data        |
| t1 | A    | B  | 100    | 7    |         |         |         | 2      | 2    | exists_with_different_ledger           |
| t1 | A    | B  | 100    | 7    |         |         |         | 1      | 2    | exists_with_different_code             |
| t1 | A    | B  | 100    | 7    |         |         |         | 1      | 1    | exists                                 |
after
| id | -pending | -posted | +pending | +posted |
| A  | 0        | 100     | 0        | 0       |
| B  | 0        | 0       | 0        | 100     |
| C  | 0        | 0       | 0        | 0       |

# A request that is wrong in every way, put right one thing after the other
accounts
| id | ledger | flags          |
| A  | 1      | debits_limited |
| B  | 1      |                |
| C  | 2      |                |
batch
| id  | from | to  | amount | user | flags           | pending | timeout | ledger | code | outcome                                        |
| 0   | 0    | 0   | -1     | top  | unknown closing_debit | t9 | -1     | 0      | 0    | reserved_flag                                  |
| 0   | 0    | 0   | -1     | top  | expired         | t9      | -1      | 0      | 0    | reserved_flag                                  |
| 0   | 0    | 0   | -1     | top  | closing_debit   | t9      | -1      | 0      | 0    | id_out_of_range                                |
| top | 0    | 0   | -1     | top  | closing_debit   | t9      | -1      | 0      | 0    | id_out_of_range                                |
| t1  | 0    | 0   | -1     | top  | closing_debit   | t9      | -1      | 0      | 0    | amount_out_of_range                            |
| t1  | 0    | 0   | over   | top  | closing_debit   | t9      | -1      | 0      | 0    | amount_out_of_range                            |
| t1  | 0    | 0   | 5      | top  | closing_debit   | t9      | -1      | 0      | 0    | timeout_out_of_range                           |
| t1  | 0    | 0   | 5      | top  | closing_debit   | t9      | 9       | 0      | 0    | user_data_out_of_range                         |
| t1  | 0    | 0   | 5      | -1   | closing_debit   | t9      | 9       | 0      | 0    | user_data_out_of_range                         |
| t1  | 0    | 0   | 5      |      | closing_debit   | t9      | 9       | 0      | 0    | debit_account_id_out_of_range                  |
| t1  | top  | 0   | 5      |      | closing_debit   | t9      | 9       | 0      | 0    | debit_account_id_out_of_range                  |
| t1  | A    | 0   | 5      |      | closing_debit   | t9      | 9       | 0      | 0    | credit_account_id_out_of_range                 |
| t1  | A    | top | 5      |      | closing_debit   | t9      | 9       | 0      | 0    | credit_account_id_out_of_range                 |
| t1  | A    | A   | 5      |      | closing_debit   | t9      | 9       | 0      | 0    | accounts_must_be_different                     |
| t1  | A    | C   | 5      |      | closing_debit   | t9      | 9       | 0      | 0    | pending_id_must_be_zero                        |
| t1  | A    | C   | 5      |      | closing_debit   |         | 9       | 0      | 0    | timeout_reserved_for_pending_transfer          |
| t1  | A    | C   | 5      |      | closing_debit   |         |         | 0      | 0    | closing_transfer_must_be_pending               |
| t1  | A    | C   | 5      |      |                 |         |         | 0      | 0    | ledger_out_of_range                            |
| t1  | A    | C   | 5      |      |                 |         |         | -1     | 0    | ledger_out_of_range                            |
| t1  | A    | C   | 5      |      |                 |         |         | 3      | 0    | code_out_of_range                              |
| t1  | A    | C   | 5      |      |                 |         |         | 3      | 1    | accounts_must_have_the_same_ledger             |
| t1  | A    | B   | 5      |      |                 |         |         | 3      | 1    | transfer_must_have_the_same_ledger_as_accounts |
| t1  | A    | B   | 5      |      |                 |         |         | 1      | 1    | exceeds_credits                                |
| t1  | A    | B   | 0      |      |                 |         |         | 1      | 1    | id_already_failed                              |
| t2  | A    | B   | 0      |      |                 |         |         | 1      | 1    | created                                        |

# What is not there
accounts
| id | flags |
| A  |       |
batch
| id | from | to | amount | outcome                  |
| t1 | X    | Y  | 5      | debit_account_not_found  |
| t2 | A    | Y  | 5      | credit_account_not_found |
batch
| id | pending | flags | outcome                    |
| t3 | t9      | post  | pending_transfer_not_found |
| t4 | t9      | void  | pending_transfer_not_found |

# An id that failed for what stood in the books stays failed, also when the books would allow it now
accounts
| id | flags          |
| A  | debits_limited |
| B  |                |
batch
| id | from | to | amount | outcome         |
| t1 | A    | B  | 5      | exceeds_credits |
| t2 | B    | A  | 5      | created         |
| t1 | A    | B  | 5      | id_already_failed |
batch
| id | from | to | amount | outcome           |
| t1 | A    | B  | 5      | id_already_failed |
| t3 | A    | B  | 5      | created           |
after
| id | -pending | -posted | +pending | +posted |
| A  | 0        | 5       | 0        | 5       |
| B  | 0        | 5       | 0        | 5       |

# The last yen is spent once: what is reserved cannot be spent either
accounts
| id | flags          |
| A  | debits_limited |
| B  |                |
batch
| id | from | to | amount | flags   | outcome         |
| t1 | B    | A  | 100    |         | created         |
| t2 | A    | B  | 60     | pending | created         |
| t3 | A    | B  | 41     |         | exceeds_credits |
| t4 | A    | B  | 41     | pending | exceeds_credits |
| t5 | A    | B  | 40     |         | created         |
| t6 | A    | B  | 1      |         | exceeds_credits |
after
| id | -pending | -posted | +pending | +posted |
| A  | 60       | 40      | 0        | 100     |
| B  | 0        | 100     | 60       | 40      |

# The other limit: nobody is given back more than they gave
accounts
| id | flags           |
| A  | credits_limited |
| B  |                 |
batch
| id | from | to | amount | flags   | outcome        |
| t1 | B    | A  | 1      |         | exceeds_debits |
| t2 | A    | B  | 10     |         | created        |
| t3 | B    | A  | 6      | pending | created        |
| t4 | B    | A  | 5      |         | exceeds_debits |
| t5 | B    | A  | 4      |         | created        |
after
| id | -pending | -posted | +pending | +posted |
| A  | 0        | 10      | 6        | 4       |
| B  | 6        | 4       | 0        | 10      |

# Both limits at once: the debit account is told first
accounts
| id | flags           |
| A  | debits_limited  |
| B  | credits_limited |
batch
| id | from | to | amount | outcome         |
| t1 | A    | B  | 1      | exceeds_credits |

# A pending transfer reserves; it is posted once
accounts
| id | flags |
| A  |       |
| B  |       |
batch
| id | from | to | amount | flags   | timeout | outcome |
| p1 | A    | B  | 100    | pending | 60      | created |
batch
| id | pending | amount | flags | outcome                         |
| t2 | p1      | most   | post  | created                         |
| t2 | p1      | most   | post  | exists                          |
| t2 | p1      | 100    | post  | exists                          |
| t2 | p1      | 99     | post  | exists_with_different_amount    |
| t3 | p1      | most   | post  | pending_transfer_already_posted |
| t4 | p1      |        | void  | pending_transfer_already_posted |
after
| id | -pending | -posted | +pending | +posted |
| A  | 0        | 100     | 0        | 0       |
| B  | 0        | 0       | 0        | 100     |

# A part is posted, the rest goes back
accounts
| id | flags |
| A  |       |
| B  |       |
batch
| id | from | to | amount | flags   | outcome |
| p1 | A    | B  | 100    | pending | created |
| t2 |      |    | 70     | post p1 | created |
| t2 |      |    | 70     | post p1 | exists  |
| t2 |      |    | most   | post p1 | exists_with_different_amount |
after
| id | -pending | -posted | +pending | +posted |
| A  | 0        | 70      | 0        | 0       |
| B  | 0        | 0       | 0        | 70      |

# A post of nothing releases all
accounts
| id | flags |
| A  |       |
| B  |       |
batch
| id | from | to | amount | flags   | outcome |
| p1 | A    | B  | 100    | pending | created |
| t2 |      |    | 0      | post p1 | created |
after
| id | -pending | -posted | +pending | +posted |
| A  | 0        | 0       | 0        | 0       |
| B  | 0        | 0       | 0        | 0       |

# A pending transfer is voided once
accounts
| id | flags |
| A  |       |
| B  |       |
batch
| id | from | to | amount | flags   | outcome |
| p1 | A    | B  | 100    | pending | created |
| t2 |      |    |        | void p1 | created |
| t2 |      |    |        | void p1 | exists  |
| t2 | A    | B  | 100    | void p1 | exists  |
| t2 |      |    | 99     | void p1 | exists_with_different_amount    |
| t3 |      |    |        | void p1 | pending_transfer_already_voided |
| t4 |      |    | most   | post p1 | pending_transfer_already_voided |
after
| id | -pending | -posted | +pending | +posted |
| A  | 0        | 0       | 0        | 0       |
| B  | 0        | 0       | 0        | 0       |

# A post or void that is wrong in every way, put right one thing after the other
accounts
| id | flags |
| A  |       |
| B  |       |
batch
| id | from | to | amount | flags   | outcome |
| p1 | A    | B  | 100    | pending | created |
| n1 | A    | B  | 1      |         | created |
batch
| id | from | to | amount | flags              | pending | timeout | ledger | code | outcome                                          |
| t1 | B    | A  | 200    | post void          | 0       | 9       | 2      | 2    | flags_are_mutually_exclusive                     |
| t1 | B    | A  | 200    | post pending       | 0       | 9       | 2      | 2    | flags_are_mutually_exclusive                     |
| t1 | B    | A  | 200    | void balancing_debit | 0     | 9       | 2      | 2    | flags_are_mutually_exclusive                     |
| t1 | B    | A  | 200    | post balancing_credit | 0    | 9       | 2      | 2    | flags_are_mutually_exclusive                     |
| t1 | B    | A  | 200    | void closing_debit | 0       | 9       | 2      | 2    | flags_are_mutually_exclusive                     |
| t1 | B    | A  | 200    | post closing_credit | 0      | 9       | 2      | 2    | flags_are_mutually_exclusive                     |
| t1 | B    | A  | 200    | post               | 0       | 9       | 2      | 2    | pending_id_out_of_range                          |
| t1 | B    | A  | 200    | post               | top     | 9       | 2      | 2    | pending_id_out_of_range                          |
| t1 | B    | A  | 200    | post               | t1      | 9       | 2      | 2    | pending_id_must_be_different                     |
| t1 | B    | A  | 200    | post               | n1      | 9       | 2      | 2    | timeout_reserved_for_pending_transfer            |
| t1 | B    | A  | 200    | post               | n1      |         | 2      | 2    | pending_transfer_not_pending                     |
| t1 | B    | A  | 200    | post               | p1      |         | 2      | 2    | pending_transfer_has_different_debit_account_id  |
| t1 | A    | A  | 200    | post               | p1      |         | 2      | 2    | pending_transfer_has_different_credit_account_id |
| t1 | A    | B  | 200    | post               | p1      |         | 2      | 2    | pending_transfer_has_different_ledger            |
| t1 | A    | B  | 200    | post               | p1      |         | 1      | 2    | pending_transfer_has_different_code              |
| t1 | A    | B  | 200    | post               | p1      |         | 1      | 1    | exceeds_pending_transfer_amount                  |
| t1 | A    | B  | 200    | void               | p1      |         | 1      | 1    | exceeds_pending_transfer_amount                  |
| t1 | A    | B  | 99     | void               | p1      |         | 1      | 1    | pending_transfer_has_different_amount            |
| t1 | A    | B  | 99     | post               | p1      |         | 1      | 1    | created                                          |

# What is pending lapses on its own, to the second; who comes late gets nothing
accounts
| id | flags |
| A  |       |
| B  |       |
batch
| id | from | to | amount | flags   | timeout | outcome |
| p1 | A    | B  | 100    | pending | 60      | created |
| p2 | A    | B  | 7      | pending | 61      | created |
| p3 | A    | B  | 1      | pending |         | created |
wait 60
batch
| id | amount | flags   | outcome                  |
| t1 | most   | post p1 | pending_transfer_expired |
| t2 |        | void p1 | pending_transfer_expired |
| t3 | most   | post p2 | created                  |
expire
batch
| id | amount | flags   | outcome                  |
| t4 | most   | post p1 | pending_transfer_expired |
after
| id | -pending | -posted | +pending | +posted |
| A  | 1        | 7       | 0        | 0       |
| B  | 0        | 0       | 1        | 7       |

# Linked requests succeed or fail together, and later ones see nothing of a chain that failed
accounts
| id | flags          |
| A  | debits_limited |
| B  |                |
| C  |                |
batch
| id | from | to | amount | flags  | outcome             |
| t1 | B    | A  | 10     |        | created             |
| t2 | A    | B  | 4      | linked | linked_event_failed |
| t3 | A    | C  | 4      | linked | linked_event_failed |
| t4 | A    | C  | 4      | linked | exceeds_credits     |
| t5 | B    | C  | 1      |        | linked_event_failed |
| t2 | A    | B  | 4      | linked | created             |
| t3 | A    | C  | 4      | linked | created             |
| t6 | A    | C  | 2      |        | created             |
| t4 | A    | C  | 0      |        | id_already_failed   |
after
| id | -pending | -posted | +pending | +posted |
| A  | 0        | 10      | 0        | 10      |
| B  | 0        | 10      | 0        | 4       |
| C  | 0        | 0       | 0        | 6       |

# A chain that was made before exists as a whole; with anything else in it, it fails
accounts
| id | flags |
| A  |       |
| B  |       |
batch
| id | from | to | amount | flags  | outcome             |
| t1 | A    | B  | 1      | linked | created             |
| t2 | A    | B  | 2      |        | created             |
batch
| id | from | to | amount | flags  | outcome             |
| t1 | A    | B  | 1      | linked | exists              |
| t2 | A    | B  | 2      |        | exists              |
| t1 | A    | B  | 1      | linked | exists              |
| t3 | A    | B  | 2      |        | linked_event_failed |
| t1 | A    | B  | 1      | linked | exists              |
| t2 | A    | B  | 3      |        | linked_event_failed |
| t4 | A    | B  | 1      | linked | linked_event_failed |
| t2 | A    | B  | 2      |        | exists              |
after
| id | -pending | -posted | +pending | +posted |
| A  | 0        | 3       | 0        | 0       |
| B  | 0        | 0       | 0        | 3       |

# A chain that does not end fails
accounts
| id | flags |
| A  |       |
| B  |       |
batch
| id | from | to | amount | flags  | outcome             |
| t1 | A    | B  | 1      |        | created             |
| t2 | A    | B  | 2      | linked | linked_event_failed |
| t1 | A    | B  | 1      |        | exists              |
| t3 | A    | B  | 3      | linked | linked_event_failed |
| t4 | A    | B  | 4      | linked | linked_event_chain_open |
batch
| id | from | to | amount | flags  | outcome                 |
| t5 | A    | A  | 1      | linked | accounts_must_be_different |
| t6 | A    | B  | 1      | linked | linked_event_failed     |
| t7 | A    | B  | 1      | linked | linked_event_chain_open |
after
| id | -pending | -posted | +pending | +posted |
| A  | 0        | 1       | 0        | 0       |
| B  | 0        | 0       | 0        | 1       |

# A chain that failed gives back what it had posted, voided and closed
accounts
| id | flags |
| A  |       |
| B  |       |
batch
| id | from | to | amount | flags                        | outcome             |
| p1 | A    | B  | 10     | pending                      | created             |
| p2 | A    | B  | 20     | pending                      | created             |
| t3 |      |    | 5      | linked post p1               | linked_event_failed |
| t4 |      |    |        | linked void p2               | linked_event_failed |
| t5 | A    | B  | 0      | linked pending closing_debit | linked_event_failed |
| t6 | A    | B  | 1      |                              | debit_account_already_closed |
| t7 |      |    | 5      | post p1                      | created             |
| t8 |      |    |        | void p2                      | created             |
| t9 | A    | B  | 1      |                              | created             |
after
| id | -pending | -posted | +pending | +posted |
| A  | 0        | 6       | 0        | 0       |
| B  | 0        | 0       | 0        | 6       |

# A balancing transfer takes as much as is there, up to its amount
accounts
| id | flags           |
| A  | debits_limited  |
| B  |                 |
| C  | credits_limited |
batch
| id | from | to | amount | flags                            | outcome |
| t1 | B    | A  | 100    |                                  | created |
| t2 | A    | B  | 10     | pending                          | created |
| t3 | A    | B  | 30     | balancing_debit                  | created |
| t4 | A    | B  | most   | balancing_debit                  | created |
| t4 | A    | B  | 60     | balancing_debit                  | exists  |
| t4 | A    | B  | 59     | balancing_debit                  | exists_with_different_amount |
| t5 | A    | B  | 5      | balancing_debit                  | created |
| t6 | C    | B  | 7      |                                  | created |
| t7 | B    | C  | most   | balancing_credit                 | created |
| t8 | B    | C  | most   | balancing_debit balancing_credit | created |
after
| id | -pending | -posted | +pending | +posted |
| A  | 10       | 90      | 0        | 100     |
| B  | 0        | 107     | 10       | 97      |
| C  | 0        | 7       | 0        | 7       |

# A closed account takes part in nothing but the voiding of what is pending; voiding the closing opens it again
accounts
| id | flags |
| A  |       |
| B  |       |
| C  |       |
batch
| id | from | to | amount | flags                  | outcome                       |
| p1 | A    | B  | 10     | pending                | created                       |
| p2 | B    | A  | 20     | pending                | created                       |
| x1 | A    | C  | 0      | pending closing_debit  | created                       |
| t1 | A    | B  | 1      |                        | debit_account_already_closed  |
| t2 | B    | A  | 1      |                        | credit_account_already_closed |
| t3 |      |    | most   | post p1                | debit_account_already_closed  |
| t4 |      |    | most   | post p2                | credit_account_already_closed |
| t5 |      |    |        | void p2                | created                       |
| t6 |      |    | most   | post x1                | debit_account_already_closed  |
| t7 |      |    |        | void x1                | created                       |
| t8 | A    | B  | 1      |                        | created                       |
| x2 | C    | A  | 0      | pending closing_credit | created                       |
| t9 | A    | B  | 1      |                        | debit_account_already_closed  |
after
| id | -pending | -posted | +pending | +posted |
| A  | 10       | 1       | 0        | 0       |
| B  | 0        | 0       | 10       | 1       |
| C  | 0        | 0       | 0        | 0       |

# A closing that lapses opens the account again
accounts
| id | flags |
| A  |       |
| B  |       |
batch
| id | from | to | amount | flags                 | timeout | outcome |
| x1 | A    | B  | 0      | pending closing_debit | 60      | created |
wait 60
batch
| id | from | to | amount | outcome                      |
| t1 | A    | B  | 1      | debit_account_already_closed |
expire
batch
| id | from | to | amount | outcome |
| t2 | A    | B  | 1      | created |

# No sum passes the largest amount
accounts
| id | flags |
| A  |       |
| B  |       |
| C  |       |
| D  |       |
batch
| id | from | to | amount | flags   | outcome                   |
| t1 | A    | B  | most   | pending | created                   |
| t2 | A    | C  | 1      | pending | overflows_debits_pending  |
| t3 | C    | B  | 1      | pending | overflows_credits_pending |
| t4 | A    | C  | 1      |         | overflows_debits          |
| t5 | C    | B  | 1      |         | overflows_credits         |
| t6 | C    | D  | most   |         | created                   |
| t7 | C    | A  | 1      |         | overflows_debits_posted   |
| t8 | A    | D  | 0      |         | created                   |
| t9 | B    | D  | 1      |         | overflows_credits_posted  |
after
| id | -pending             | -posted              | +pending             | +posted              |
| A  | 9223372036854775807  | 0                    | 0                    | 0                    |
| B  | 0                    | 0                    | 9223372036854775807  | 0                    |
| C  | 0                    | 9223372036854775807  | 0                    | 0                    |
| D  | 0                    | 0                    | 0                    | 9223372036854775807  |
"""

ACCOUNTS = """
# Accounts are opened once, in a ledger that is there, and told apart by the first thing that differs
| id  | ledger | code | user | flags                          | outcome                         |
| A   | 1      | 1    | 5    | history                        | created                         |
| A   | 2      | 2    | 6    | debits_limited                 | exists_with_different_flags     |
| A   | 2      | 2    | 6    | history                        | exists_with_different_user_data |
| A   | 2      | 2    | 5    | history                        | exists_with_different_ledger    |
| A   | 1      | 2    | 5    | history                        | exists_with_different_code      |
| A   | 1      | 1    | 5    | history                        | exists                          |
| B   | 9      | 1    |      |                                | ledger_not_found                |
| B   | 1      | 1    |      |                                | created                         |

# A request that is wrong in every way, put right one thing after the other
| id  | ledger | code | user | flags                          | outcome                         |
| 0   | 0      | 0    | top  | closed debits_limited credits_limited | reserved_flag            |
| 0   | 0      | 0    | top  | debits_limited credits_limited | id_out_of_range                 |
| top | 0      | 0    | top  | debits_limited credits_limited | id_out_of_range                 |
| A   | 0      | 0    | top  | debits_limited credits_limited | user_data_out_of_range          |
| A   | 0      | 0    |      | debits_limited credits_limited | flags_are_mutually_exclusive    |
| A   | 0      | 0    |      | debits_limited                 | ledger_out_of_range             |
| A   | 1      | 0    |      | debits_limited                 | code_out_of_range               |
| A   | 1      | 70000 |     | debits_limited                 | code_out_of_range               |
| A   | 1      | 1    |      | debits_limited                 | created                         |

# Linked accounts are opened together or not at all
| id  | ledger | code | user | flags                          | outcome                         |
| A   | 1      | 1    |      | linked                         | linked_event_failed             |
| B   | 0      | 1    |      | linked                         | ledger_out_of_range             |
| C   | 1      | 1    |      |                                | linked_event_failed             |
| A   | 1      | 1    |      |                                | created                         |
| B   | 1      | 1    |      | linked                         | linked_event_failed             |
| C   | 1      | 1    |      | linked                         | linked_event_chain_open         |
"""
