"""Purchases in the lake: every line once, wherever a move was cut off, and none that was to be erased."""

from typing import Any

import pytest

from sanpo.ground.actors import Resident
from sanpo.ground.ids import new_id
from sanpo.lake import read_subject
from sanpo.lake.upkeep import ask_erasure, carry_out
from sanpo.services.cash import flow, paying
from sanpo.services.cash.flow import PURCHASES, flow_purchases
from sanpo.services.cash.model import Line
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.requests.asking import ask, list_requests
from tests.services.cash.conftest import Town


def bought(town: Town, who: Resident) -> list[tuple[Any, ...]]:
    names = ("category", "quantity", "amount_yen", "tax_permille", "district")
    rows = read_subject(town.city, who, PURCHASES).to_pylist()
    return sorted(tuple(row[name] for name in names) for row in rows)


def test_lines_payments_without_lines_and_refunds_come_to_the_lake_once(town: Town) -> None:
    lines = [Line("ラテ", "drink", 2, 450, 100), Line("餅", "food", 1, 300, 80)]
    bill, payment_id = str(paying.make_bill(town.city, town.till, town.cafe.shop_id, 1_200, lines)), new_id("pay")
    assert town.pay(town.aya, None, bill, payment_id) is Outcome.DONE
    assert town.pay(town.aya, 500) is Outcome.DONE
    assert flow_purchases(town.city) == 3
    assert paying.refund(town.city, town.till, new_id("rfd"), payment_id, 300) is Outcome.DONE
    assert [flow_purchases(town.city) for _ in range(2)] == [1, 0]
    assert bought(town, town.aya) == [
        ("drink", 2, 900, 100, "七日町"),
        ("food", 1, 300, 80, "七日町"),
        ("refund", 0, -300, 0, "七日町"),
        ("unknown", 0, 500, 0, "七日町"),
    ]
    [moment] = set(read_subject(town.city, town.aya, PURCHASES)["bought_at"].to_pylist())
    assert moment.replace(tzinfo=None) == town.city.now().replace(tzinfo=None)
    assert bought(town, town.ben) == []


@pytest.mark.parametrize("landed", [False, True])
def test_move_that_was_cut_off_is_ended_without_a_row_twice(
    town: Town, monkeypatch: pytest.MonkeyPatch, landed: bool
) -> None:
    def cut_off(*given: Any, **more: Any) -> None:
        if landed:
            append(*given, **more)
        raise ConnectionError

    append = flow.append
    assert town.pay(town.aya, 500) is Outcome.DONE
    monkeypatch.setattr(flow, "append", cut_off)
    with pytest.raises(ConnectionError):
        flow_purchases(town.city)
    monkeypatch.undo()
    assert town.pay(town.aya, 600) is Outcome.DONE
    assert len(bought(town, town.aya)) == landed
    assert [flow_purchases(town.city) for _ in range(3)] == [1, 1, 0]
    assert [row[2] for row in bought(town, town.aya)] == [500, 600]


def test_erased_purchases_do_not_come_to_the_lake_again(town: Town) -> None:
    assert town.charge(town.ben, 1_000) is Outcome.DONE
    assert town.pay(town.aya, 500) is Outcome.DONE
    flow_purchases(town.city)
    for who in (town.aya, town.ben):
        assert town.pay(who, 600) is Outcome.DONE
    ask_erasure(town.city, town.aya)
    carry_out(town.city)
    assert flow_purchases(town.city) == 1
    assert (bought(town, town.aya), len(bought(town, town.ben))) == ([], 1)
    assert town.pay(town.aya, 700) is Outcome.DONE
    assert flow_purchases(town.city) == 1
    assert [row[2] for row in bought(town, town.aya)] == [700]


def test_erasure_takes_what_was_written_in_requests(town: Town) -> None:
    for who in (town.aya, town.ben):
        assert ask(town.city, who, new_id("req"), [500], "お誕生日") is Outcome.DONE
    ask_erasure(town.city, town.aya)
    carry_out(town.city)
    notes = [list_requests(town.city, who)[0].note for who in (town.aya, town.ben)]
    assert notes == ["", "お誕生日"]
