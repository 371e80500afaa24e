"""A town whose shops are settled: what is taken and given back in whole yen, on days that the test chooses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.ids import new_id
from sanpo.ledger import get_account
from sanpo.services.cash import cli, paying
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.oversight import cli as oversight_cli
from sanpo.services.cash.settling import cli as settling_cli
from sanpo.services.cash.settling import settling
from sanpo.services.cash.settling.model import Settlement
from tests.services.cash.conftest import Town
from tests.world import OPERATOR

ZONE = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True)
class Market:
    town: Town
    clock: FixedClock

    def at(self, day: str, hour: int = 12) -> None:
        """The clock goes to this hour of the day, forwards only."""
        moment = datetime.combine(date.fromisoformat(day), time(hour), ZONE)
        assert moment >= self.clock.now()
        self.clock.advance(seconds=(moment - self.clock.now()) // timedelta(seconds=1))

    def sell(self, yen: int) -> str:
        """A payment of the first resident at the café; its id."""
        payment_id = new_id("pay")
        assert self.town.pay(self.town.aya, yen, payment_id=payment_id) is Outcome.DONE
        return payment_id

    def give_back(self, payment_id: str, yen: int) -> None:
        assert paying.refund(self.town.city, self.town.till, new_id("rfd"), payment_id, yen) is Outcome.DONE

    def settle(self) -> list[Settlement]:
        return settling.settle(self.town.city, OPERATOR)

    def yen_of(self, account_id: int) -> int:
        sums = get_account(self.town.city, OPERATOR, account_id).balance
        return sums.credits_posted - sums.debits_posted


@pytest.fixture
def run(town: Town, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command of `sanpo cash` in the town."""

    @contextmanager
    def opened() -> Iterator[City]:
        yield town.city

    for module in (settling_cli, oversight_cli):
        monkeypatch.setattr(module, "open_city", opened)
    return lambda *words: CliRunner().invoke(cli.cli, list(words))


@pytest.fixture
def market(town: Town, clock: FixedClock) -> Market:
    return Market(town, clock)
