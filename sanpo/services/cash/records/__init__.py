"""What was paid, told again: receipts, a resident's spending, a shop's day, a bill on its way. Reads; changes nothing."""
