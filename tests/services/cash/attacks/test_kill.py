"""Killed between posting and answer: who asks again is paid once, whichever side of the commit death was."""

import multiprocessing
import signal
from multiprocessing.connection import Connection

import pytest

from sanpo import app
from sanpo.ground.actors import Resident
from sanpo.ground.config import Settings
from sanpo.ground.ids import new_id
from sanpo.services.cash import paying, shops
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.wallets import prepare
from tests.crash.worker import Points
from tests.services.cash.conftest import Town

ALIVE = 10**9
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.crash.worker"])


def pay_until(settings: Settings, say: Connection, who: Resident, order: tuple[str, str], moment: int) -> None:
    """Pays ¥100 in a process of its own, dead at the given moment; says how many moments there were."""
    city = app.open_city(settings, pool=1)
    prepare(city)
    points = Points(moment)
    paying.pay(city, who, *order, 100)
    say.send(ALIVE - points.left)


def run(town: Town, payment_id: str, moment: int = ALIVE) -> int | None:
    """How many moments the payment had; None where it died."""
    ours, theirs = _processes.Pipe(duplex=False)
    order = payment_id, shops.printable_code(town.cafe)
    child = _processes.Process(target=pay_until, args=(town.city.settings, theirs, town.aya, order, moment))
    child.start()
    theirs.close()
    child.join(60)
    if child.exitcode == -signal.SIGKILL:
        return None
    assert child.exitcode == 0
    moments: int = ours.recv()
    return moments


def killed(town: Town, moment: int) -> Outcome:
    """What a payment that died at the moment becomes when it is asked for again; either way it is paid once."""
    before, payment_id = town.till_yen, new_id("pay")
    assert run(town, payment_id, moment) is None
    again = town.pay(town.aya, 100, payment_id=payment_id)
    assert town.till_yen == before + 100
    return again


def test_payment_killed_after_posting_or_after_its_commit_is_paid_once_when_asked_again(town: Town) -> None:
    """From the last moment backwards, over the commit: all is written, but not yet committed."""
    moments = run(town, new_id("pay"))
    assert moments
    told = [killed(town, moments)]
    while told[-1] is Outcome.EXISTS:
        told.append(killed(town, moments - len(told)))
    assert told[0] is Outcome.EXISTS
    assert told[-1] is Outcome.DONE


@pytest.mark.long
def test_payment_killed_at_any_of_its_moments_is_paid_once_when_asked_again(town: Town) -> None:
    moments = run(town, new_id("pay"))
    assert moments
    told = [killed(town, moment) for moment in range(1, moments + 1)]
    assert sorted(told, key=[Outcome.DONE, Outcome.EXISTS].index) == told
    assert set(told) == {Outcome.DONE, Outcome.EXISTS}
