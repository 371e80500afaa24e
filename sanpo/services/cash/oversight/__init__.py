"""Oversight: what the law asks of who issues a prepaid instrument that is used in the shops of others (資金決済法の
第三者型前払式支払手段).

Invariants
* A wallet is stopped by an officer with a reason that its resident reads; what is in it stays theirs.
* What is not used for long is listed and told, and never taken.
* An alert says what was counted. Whose wallet it was is seen by an officer who says why, and that look is in the journal.
* What was reported of a base day stands, and is in the journal.

Tables: `cash.suspensions`, `cash.refusals`, `cash.notices`, `cash.alerts`, `cash.unused_balances`.
"""
