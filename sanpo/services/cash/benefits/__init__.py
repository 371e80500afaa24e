"""Benefits: yen that residents hold beside their money, each lot until a moment and perhaps in some shops only.

Points, vouchers and what agreements pay for uses are lots alike. The ledger holds one account of benefits for each resident;
its balance is the sum of what is left of the resident's lots, after every commit.
"""
