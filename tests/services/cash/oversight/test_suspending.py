"""A wallet that is stopped: nothing moves out of it or into it by its resident, who reads why; and it is opened again."""

import pytest

from sanpo.ground.actors import Anonymous
from sanpo.ground.errors import NotFound, NotPermitted, NotSignedIn
from sanpo.ground.ids import new_id
from sanpo.journal import list_entries
from sanpo.services.cash import paying, wallets
from sanpo.services.cash.errors import ReasonIsMissing, WalletIsNotSuspended
from sanpo.services.cash.model import rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.oversight.suspending import (
    list_notices,
    list_suspended,
    reopen_wallet,
    suspend_wallet,
)
from tests.services.cash.conftest import Town
from tests.world import OPERATOR


def stop(town: Town) -> None:
    suspend_wallet(town.city, OPERATOR, town.aya.resident_id, "カードの紛失")


def test_stopped_wallet_pays_and_charges_nothing_until_it_is_opened(town: Town) -> None:
    payment_id = new_id("pay")
    assert town.pay(town.aya, 100, payment_id=payment_id) is Outcome.DONE
    shown = paying.show_code(town.city, town.aya)
    stop(town)
    assert town.pay(town.aya, 100) is Outcome.WALLET_IS_SUSPENDED
    assert town.take(shown.code, 100) is Outcome.WALLET_IS_SUSPENDED
    assert town.charge(town.aya, 100) is Outcome.WALLET_IS_SUSPENDED
    assert town.pay(town.aya, 100, payment_id=payment_id) is Outcome.EXISTS
    assert town.yen(town.aya) == 9_900
    assert town.charge(town.ben, 100) is Outcome.DONE
    assert town.pay(town.ben, 100) is Outcome.DONE
    reopen_wallet(town.city, OPERATOR, town.aya.resident_id, "見つかった")
    assert town.take(shown.code, 100) is Outcome.DONE
    assert town.charge(town.aya, 100) is Outcome.DONE


def test_bank_is_not_asked_for_a_stopped_wallet(town: Town) -> None:
    class Counting:
        asked = 0

        def collect(self, charge_id: str, amount_yen: int) -> bool:
            self.asked += 1
            return True

    bank, charge_id = Counting(), new_id("chg")
    full = rules().wallet_limit_yen
    assert wallets.charge(town.city, town.aya, new_id("chg"), full, bank) is Outcome.ABOVE_WALLET_LIMIT
    assert bank.asked == 0
    assert wallets.charge(town.city, town.aya, charge_id, 100, bank) is Outcome.DONE
    stop(town)
    assert wallets.charge(town.city, town.aya, new_id("chg"), 100, bank) is Outcome.WALLET_IS_SUSPENDED
    assert bank.asked == 1
    assert wallets.charge(town.city, town.aya, charge_id, 100, bank) is Outcome.EXISTS


def test_refund_still_comes_to_a_stopped_wallet(town: Town) -> None:
    payment_id = new_id("pay")
    assert town.pay(town.aya, 100, payment_id=payment_id) is Outcome.DONE
    stop(town)
    assert paying.refund(town.city, town.till, new_id("rfd"), payment_id, 100) is Outcome.DONE
    assert town.yen(town.aya) == 10_000


def test_resident_is_told_and_the_journal_has_it_without_a_name(town: Town) -> None:
    stop(town)
    stop(town)
    [suspension] = list_suspended(town.city, OPERATOR)
    assert (suspension.subject_no, suspension.reason) == (town.aya.subject_no, "カードの紛失")
    reopen_wallet(town.city, OPERATOR, town.aya.resident_id, "見つかった")
    told = [(notice.kind, notice.reason) for notice in list_notices(town.city, town.aya)]
    assert told == [("reopened", "見つかった"), ("suspended", "カードの紛失")]
    assert list_notices(town.city, town.ben) == []
    entries = [entry for entry in list_entries(town.city) if entry.kind == "cash.suspension"]
    assert [entry.body["state"] for entry in entries] == ["reopened", "suspended"]
    assert "紛失" not in str(entries)
    assert list_suspended(town.city, OPERATOR) == []


def test_suspension_needs_an_officer_a_reason_and_a_resident(town: Town) -> None:
    for actor, error in ((town.till, NotPermitted), (town.aya, NotPermitted), (Anonymous(), NotSignedIn)):
        with pytest.raises(error):
            suspend_wallet(town.city, actor, town.aya.resident_id, "x")
        with pytest.raises(error):
            list_suspended(town.city, actor)
    with pytest.raises(ReasonIsMissing):
        suspend_wallet(town.city, OPERATOR, town.aya.resident_id, " ")
    for holder in ("res_none", new_id("alr")):
        with pytest.raises(NotFound):
            suspend_wallet(town.city, OPERATOR, holder, "x")
    with pytest.raises(WalletIsNotSuspended):
        reopen_wallet(town.city, OPERATOR, town.aya.resident_id, "x")
