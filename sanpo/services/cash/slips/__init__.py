"""Slips: payments that a device signs while there is no network, and a shop redeems later.

What a shop can rest on: the city's certificate of the key says, offline, that money is reserved, how much one slip may be,
and until when. A number that was signed twice, or more than the reserve, is found when it is redeemed and traced to the
key; the proof is what was signed. The form of a slip is in docs/reference/slips.md, exact enough for another till.
"""
