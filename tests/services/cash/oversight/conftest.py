"""The market of settlements, whose wallets are overseen."""

from tests.services.cash.settling.conftest import market, run

__all__ = ["market", "run"]
