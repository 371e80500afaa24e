"""What cash brings to the returns of a use: it pays them."""

from sanpo.services.cash.benefits.payouts import pay_out

pay = pay_out
