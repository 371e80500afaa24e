"""The shop's pages, made for a phone: the till, the day, refunds, the code that hangs on the wall."""
