"""A device gets ready: money is reserved once, within limits, and set free when nothing can be redeemed any more."""

import pytest

from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import NotFound, NotPermitted
from sanpo.services.cash.model import number_of, rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.oversight.suspending import suspend_wallet
from sanpo.services.cash.slips import enrolling
from tests.ledger.books import balance_of, check_sums
from tests.services.cash.conftest import Town
from tests.services.cash.slips.conftest import cash_in
from tests.services.cash.slips.device import Device
from tests.world import OPERATOR


def test_reserve_stays_in_the_wallet_and_cannot_be_spent(town: Town, device: Device) -> None:
    assert town.yen(town.aya) == 7_000
    assert balance_of(town.city, number_of("wallet", town.aya.subject_no)).debits_pending == 3_000
    assert town.pay(town.aya, 7_001) is Outcome.NOT_ENOUGH_MONEY
    assert town.pay(town.aya, 7_000) is Outcome.DONE
    check_sums(town.city)


def test_key_sent_again_reserves_nothing_and_another_is_told_apart(town: Town, device: Device) -> None:
    assert device.prepare() is Outcome.EXISTS
    assert device.prepare(2_000) is Outcome.EXISTS_WITH_ANOTHER_AMOUNT
    assert Device(town, town.ben, device.algorithm, device.key_id).prepare() is Outcome.EXISTS_WITH_ANOTHER_AMOUNT
    assert town.yen(town.aya) == 7_000


def test_reserve_is_limited_over_all_devices_and_by_what_there_is(town: Town) -> None:
    town.charge(town.aya, 50_000)
    most = rules().slip_reserve_yen
    assert Device(town, town.aya).prepare(most + 1) is Outcome.ABOVE_SLIP_RESERVE
    assert Device(town, town.aya).prepare(most - 1) is Outcome.DONE
    assert Device(town, town.aya).prepare(2) is Outcome.ABOVE_SLIP_RESERVE
    assert Device(town, town.aya).prepare(1) is Outcome.DONE
    assert Device(town, town.ben).prepare(1) is Outcome.NOT_ENOUGH_MONEY
    assert enrolling.list_keys(town.city, town.ben) == []


def test_wallet_that_is_stopped_reserves_nothing_and_its_slips_are_still_paid(town: Town, device: Device) -> None:
    suspend_wallet(town.city, OPERATOR, town.aya.resident_id, "確認中")
    assert Device(town, town.aya).prepare() is Outcome.WALLET_IS_SUSPENDED
    assert cash_in(town, device.sign(400)) is Outcome.DONE


def test_wallet_holds_no_more_for_what_is_reserved(town: Town, device: Device) -> None:
    room = rules().wallet_limit_yen - 10_000
    assert town.charge(town.aya, room + 1) is Outcome.ABOVE_WALLET_LIMIT
    assert town.charge(town.aya, room) is Outcome.DONE


def test_what_is_left_is_free_when_nothing_can_be_redeemed_any_more(
    town: Town, device: Device, clock: FixedClock
) -> None:
    assert cash_in(town, device.sign(400)) is Outcome.DONE
    days = rules().slip_days + rules().slip_grace_days
    clock.advance(days=days, seconds=-1)
    assert (enrolling.end_keys(town.city), town.yen(town.aya)) == (0, 7_000)
    clock.advance(seconds=1)
    assert (enrolling.end_keys(town.city), town.yen(town.aya)) == (1, 9_600)
    assert (enrolling.end_keys(town.city), device.kept.state) == (0, "ended")
    assert cash_in(town, device.sign(100, at=device.kept.valid_from)) is Outcome.SLIP_IS_OVER
    check_sums(town.city)


def test_key_is_seen_and_reported_lost_by_its_resident_and_officers_alone(town: Town, device: Device) -> None:
    with pytest.raises(NotFound):
        enrolling.get_key(town.city, town.ben, device.key_id)
    with pytest.raises(NotFound):
        enrolling.report_loss(town.city, town.ben, device.key_id)
    with pytest.raises(NotPermitted):
        enrolling.report_loss(town.city, town.till, device.key_id)
    assert enrolling.list_suspended(town.city) == []
    enrolling.report_loss(town.city, town.world.officer, device.key_id)
    enrolling.report_loss(town.city, town.aya, device.key_id)
    assert enrolling.list_suspended(town.city) == [device.key_id]
    with pytest.raises(NotPermitted):
        enrolling.prepare_slips(town.city, town.till, "slk", algorithm="ed25519", public_key=b"", reserve_yen=1)
