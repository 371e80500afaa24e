"""Settling: each shop is paid what it took, the same day, less the city's fee.

Invariants
* A shop has one settlement a day; it, its transfers and the word of it commit together or not at all.
* What a shop was brought forward, took, gave back, paid in fees and was paid adds up to what is carried over, which is the
  balance of its account in the ledger.
* A payout is in one order to the bank at most, to the account that the shop had then.
* An invoice stands as it was issued, and is the sum of its month's settlements.
* A shop is never paid more than it has. What it owes is carried over to its next settlement.

Tables: `cash.settlements`, `cash.settled_days`, `cash.invoices`, `cash.payees`,
`cash.payment_orders`, `cash.ordered_payouts`.
"""
