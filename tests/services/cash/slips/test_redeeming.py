"""Slips are redeemed once; each attack on them has an outcome, moves nothing, and leaves its evidence."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import NotPermitted
from sanpo.ground.ids import id_of
from sanpo.services.cash import paying, shops, wallets
from sanpo.services.cash.errors import LinesDoNotAddUp
from sanpo.services.cash.model import Line, Shop, number_of, rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.slips import enrolling
from sanpo.services.cash.slips.model import Order, Till, check, parse, verifier, verify
from sanpo.services.cash.slips.redeeming import list_offences, redeem
from tests.ledger.books import check_sums
from tests.services.cash.attacks.conftest import at_once
from tests.services.cash.conftest import Town
from tests.services.cash.slips.conftest import cash_in
from tests.services.cash.slips.device import HOUR, Device, certificate_of, changed
from tests.world import OPERATOR


def offline(town: Town, text: str) -> Outcome:
    till = Till(town.city.keys.public_bytes, town.cafe.merchant, town.city.now(), timedelta(minutes=90))
    return check(parse(text), till)


def test_slip_that_was_checked_offline_is_paid_once_when_redeemed(town: Town, device: Device) -> None:
    text = device.sign(800)
    assert offline(town, text) is Outcome.DONE
    assert cash_in(town, text) is Outcome.DONE
    assert cash_in(town, text) is Outcome.EXISTS
    assert (town.yen(town.aya), town.till_yen, device.kept.left_yen) == (7_000, 800, 2_200)
    [paid] = wallets.list_payments(town.city, town.aya)
    assert (paid.way, paid.amount_yen) == ("slip", 800)
    check_sums(town.city)


def test_slips_use_up_the_reserve_to_the_last_yen_in_any_order(town: Town, device: Device) -> None:
    texts = [device.sign(1_000) for _ in range(3)]
    assert [cash_in(town, text) for text in reversed(texts)] == [Outcome.DONE] * 3
    assert (town.yen(town.aya), town.till_yen, device.kept.left_yen) == (7_000, 3_000, 0)
    second = wallets.list_payments(town.city, town.aya)[1].payment_id
    assert paying.refund(town.city, town.till, "rfd_" + "0" * 26, second, 1_000) is Outcome.DONE
    assert town.yen(town.aya) == 8_000
    check_sums(town.city)


def test_slip_is_paid_where_its_signer_took_an_id_that_follows_from_it(town: Town, device: Device) -> None:
    text = device.sign(800)
    taken = id_of("pay", number_of("slip", f"{device.key_id}/1"))
    assert town.pay(town.aya, 1, payment_id=taken) is Outcome.DONE
    assert cash_in(town, text) is Outcome.DONE
    assert town.till_yen == 801


def test_slip_with_lines_is_a_purchase_with_lines(town: Town, device: Device) -> None:
    text = device.sign(700)
    with pytest.raises(LinesDoNotAddUp):
        redeem(town.city, town.till, town.cafe.shop_id, text, [Line("茶", "drink", 1, 600)])
    assert redeem(town.city, town.till, town.cafe.shop_id, text, [Line("茶", "drink", 1, 700)]) is Outcome.DONE


def test_forged_slip_is_refused_and_moves_nothing(town: Town, device: Device) -> None:
    text, thief = device.sign(100), Device(town, town.ben, device.algorithm)
    order = Order(9, town.cafe.merchant, 100, device.now)
    thief.key_id = device.key_id
    forged = replace(parse(text), order=order, signature=thief.sign_order(order))
    own = replace(forged, certificate=replace(certificate_of(device), public_key=thief.public_key))
    tampered = [changed(text, amount_yen=1_000), changed(text, slip_no=2), changed(text, merchant="0" * 13)]
    tampered += [changed(text, issued_at=device.now + HOUR), str(forged), str(own)]
    for each in tampered:
        assert offline(town, each) is Outcome.SLIP_IS_FORGED
        assert cash_in(town, each) is Outcome.SLIP_IS_FORGED
    assert (town.till_yen, device.kept.state, list_offences(town.city, OPERATOR)) == (0, "active", [])


def test_slip_is_replayed_by_another_shop_in_vain(town: Town, device: Device, books: Shop) -> None:
    text = device.sign(100)
    assert redeem(town.city, town.other, books.shop_id, text) is Outcome.SLIP_IS_FOR_ANOTHER_SHOP
    assert cash_in(town, text) is Outcome.DONE
    assert redeem(town.city, town.other, books.shop_id, text) is Outcome.SLIP_IS_FOR_ANOTHER_SHOP
    with pytest.raises(NotPermitted):
        redeem(town.city, town.other, town.cafe.shop_id, text)
    assert town.till_yen == 100


def test_number_signed_twice_is_traced_to_its_signer_with_evidence(town: Town, device: Device, books: Shop) -> None:
    first, second = device.sign(300, slip_no=5), device.sign(300, slip_no=5, merchant=books.merchant)
    earlier = device.sign(200, slip_no=4)
    assert cash_in(town, first) is Outcome.DONE
    for _ in range(2):
        assert redeem(town.city, town.other, books.shop_id, second) is Outcome.SLIP_IS_SPENT_TWICE
    assert (device.kept.state, device.kept.cause) == ("suspended", "spent_twice")
    assert enrolling.list_suspended(town.city) == [device.key_id]
    [found] = list_offences(town.city, OPERATOR)
    assert (found.kind, found.subject_no, found.slip_no) == ("spent_twice", town.aya.subject_no, 5)
    assert found.shop_id == books.shop_id
    key = verifier(device.algorithm, device.public_key)
    assert found.first_message != found.message
    assert found.first_signature
    assert found.first_message
    assert verify(key, bytes(found.signature), bytes(found.message))
    assert verify(key, bytes(found.first_signature), bytes(found.first_message))
    assert cash_in(town, earlier) is Outcome.DONE  # the café took it in good faith, before
    assert town.till_yen == 500
    check_sums(town.city)


def test_slip_signed_after_its_key_was_suspended_is_not_paid(town: Town, device: Device, clock: FixedClock) -> None:
    assert cash_in(town, device.sign(300, slip_no=1)) is Outcome.DONE
    assert cash_in(town, device.sign(301, slip_no=1)) is Outcome.SLIP_IS_SPENT_TWICE
    clock.advance(seconds=1)
    assert cash_in(town, device.sign(100, slip_no=2)) is Outcome.SLIP_KEY_IS_SUSPENDED


def test_more_than_the_reserve_is_traced_to_its_signer(town: Town, device: Device) -> None:
    texts = [device.sign(2_000) for _ in range(2)]
    assert [offline(town, text) for text in texts] == [Outcome.DONE] * 2
    assert [cash_in(town, text) for text in texts] == [Outcome.DONE, Outcome.SLIP_IS_ABOVE_RESERVE]
    [found] = list_offences(town.city, OPERATOR)
    assert (found.kind, found.amount_yen, found.first_message) == ("above_reserve", 2_000, None)
    assert (device.kept.cause, town.till_yen, town.yen(town.aya)) == ("above_reserve", 2_000, 7_000)


def test_slip_of_a_lost_device_is_not_paid_even_when_dated_back(town: Town, device: Device) -> None:
    text, thief = device.sign(100), device.sign(100, at=device.now - HOUR / 2)
    enrolling.report_loss(town.city, town.aya, device.key_id)
    for each in (text, thief):
        assert cash_in(town, each) is Outcome.SLIP_KEY_IS_SUSPENDED
    assert town.till_yen == 0


def test_slip_is_refused_out_of_its_time(town: Town, device: Device, clock: FixedClock) -> None:
    early, late = device.sign(100, at=device.now - 2 * HOUR), device.sign(100, at=device.now + 2 * HOUR)
    for text in (early, late):
        assert offline(town, text) is cash_in(town, text) is Outcome.SLIP_IS_OVER
    good = device.sign(100)
    clock.advance(days=rules().slip_days, hours=2)
    assert cash_in(town, device.sign(100)) is Outcome.SLIP_IS_OVER
    assert cash_in(town, good) is Outcome.DONE
    kept = device.sign(100, at=device.kept.valid_until)
    clock.advance(days=rules().slip_grace_days)
    assert cash_in(town, kept) is Outcome.SLIP_IS_OVER


@pytest.mark.parametrize("off", [-HOUR, HOUR])
def test_device_whose_clock_is_an_hour_off_is_paid(town: Town, device: Device, off: timedelta) -> None:
    text = device.sign(100, at=device.now + off)
    assert offline(town, text) is cash_in(town, text) is Outcome.DONE


def test_slip_above_its_limit_or_of_nothing_is_refused(town: Town) -> None:
    town.charge(town.aya, 50_000)
    device, limit = Device(town, town.aya), rules().slip_limit_yen
    assert device.prepare(limit * 2) is Outcome.DONE
    for yen in (0, limit + 1, 2**32 - 1):
        text = device.sign(yen)
        assert offline(town, text) is cash_in(town, text) is Outcome.SLIP_IS_ABOVE_ITS_LIMIT
    assert cash_in(town, device.sign(limit)) is Outcome.DONE


def test_well_certified_key_that_is_not_known_is_told(town: Town, device: Device) -> None:
    gone = Device(town, town.aya, device.algorithm)
    certificate = replace(certificate_of(device), key_id=gone.key_id, public_key=gone.public_key)
    order = Order(1, town.cafe.merchant, 100, device.now)
    slip = replace(parse(device.sign(100)), certificate=certificate, order=order, signature=gone.sign_order(order))
    slip = replace(slip, city_signature=town.city.keys.sign(certificate.message))
    assert cash_in(town, str(slip)) is Outcome.SLIP_KEY_IS_UNKNOWN


def test_suspended_shop_redeems_nothing_until_it_is_open_again(town: Town, device: Device) -> None:
    text = device.sign(100)
    shops.set_shop_state(town.city, OPERATOR, town.cafe.shop_id, "suspended", "確認中")
    assert cash_in(town, text) is Outcome.SHOP_IS_SUSPENDED
    shops.set_shop_state(town.city, OPERATOR, town.cafe.shop_id, "open", "")
    assert cash_in(town, text) is Outcome.DONE


def test_one_number_redeemed_by_many_at_once_is_paid_once(town: Town) -> None:
    device = Device(town, town.aya)
    assert device.prepare() is Outcome.DONE
    for number in range(1, 9):
        same = device.sign(10, slip_no=number)
        assert Counter(at_once([partial(cash_in, town, same)] * 4)) == {Outcome.DONE: 1, Outcome.EXISTS: 3}
    texts = [device.sign(10 + place, slip_no=9) for place in range(4)]
    told = Counter(at_once([partial(cash_in, town, text) for text in texts]))
    assert told == {Outcome.DONE: 1, Outcome.SLIP_IS_SPENT_TWICE: 3}
    assert len(list_offences(town.city, OPERATOR)) == 3
    check_sums(town.city)


def test_offences_are_for_officers(town: Town) -> None:
    for who in (town.aya, town.till):
        with pytest.raises(NotPermitted):
            list_offences(town.city, who)
