"""A file of invoices played through shops and residents: every line is accounted for, and money is paid once."""

import gzip
from dataclasses import replace as changed
from pathlib import Path

import pytest

from sanpo.ground.actors import Anonymous, Resident
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError
from sanpo.lake import read_subject
from sanpo.ledger import trial_balance
from sanpo.services.cash import shops, wallets
from sanpo.services.cash.errors import FileHasNoInvoices, ReplayIsNotForProduction, ReplayIsRunning
from sanpo.services.cash.flow import PURCHASES
from sanpo.services.cash.model import Shop
from sanpo.services.cash.replay import playing
from sanpo.services.cash.replay.model import Reason, Report, yen_of
from sanpo.services.cash.replay.playing import replay
from tests.chance import LONG
from tests.world import OPERATOR

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
# Of each line: what becomes of it. Prices are pounds; 185 yen are one.
LINES = """
1,100,LAMP,2,2010-12-01 08:26:00,1.00,7.0,United Kingdom        bought
1,101,"VASE, BLUE",1,2010-12-01 08:26:00,2.55,7.0,United Kingdom   bought
2,POST,POSTAGE,1,2010-12-01 08:30:00,10.00,8.0,France          bought
3,100,LAMP,1,2010-12-01 09:00:00,1.00,,United Kingdom           bought
4,100,LAMP,x,2010-12-01 09:00:00,1.00,7.0,United Kingdom        unreadable
5,100,?,5,2010-12-01 09:00:00,0.00,7.0,United Kingdom           no_price
A6,B,Adjust bad debt,1,2010-12-01 09:00:00,11062.06,,United Kingdom  adjustment
7,100,damaged,-5,2010-12-01 09:00:00,1.00,,United Kingdom       written_off
8,100,LAMP,999999999,2010-12-01 09:00:00,1.00,7.0,United Kingdom  too_many
C9,100,LAMP,-1,2010-12-01 10:00:00,1.00,7.0,United Kingdom      returned
C10,100,LAMP,-1,2010-12-01 10:00:00,1.00,9.0,Spain              return_of_nothing
C11,100,LAMP,-9,2010-12-01 10:00:00,10.00,8.0,France            returned
12,100,LAMP,1,2010-12-01 11:00:00,1.00,8.0,France               bought
"""
ROWS = [line.rsplit(None, 1) for line in LINES.strip().splitlines()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "invoices.csv.gz"
    path.write_bytes(gzip.compress((HEAD + "".join(f"{row.rstrip()}\n" for row, _ in ROWS)).encode()))
    return path


def balances(city: City) -> tuple[int, int, dict[str, int]]:
    """Debits, credits, and what each shop has."""
    sums = trial_balance(city, OPERATOR)
    kept = {shop.name: till(city, shop) for shop in shops.list_shops(city)}
    return sum(each.debits_posted for each in sums), sum(each.credits_posted for each in sums), kept


def till(city: City, shop: Shop) -> int:
    found = wallets.get_account_in
    with city.transaction(wallets.SERVICE) as tx:
        sums = found(tx, wallets.number_of("shop", shop.shop_no)).balance
    return sums.credits_posted - sums.debits_posted


def of_file(report: Report) -> dict[str, int]:
    return {"bought": report.bought_lines, "returned": report.returned_lines, **report.refused}


def test_every_line_is_played_or_refused_for_its_reason(city: City, file: Path) -> None:
    report = replay(city, OPERATOR, file)
    expected: dict[str, int] = {}
    for _, outcome in ROWS:
        expected[outcome] = expected.get(outcome, 0) + 1
    assert of_file(report) == expected
    assert set(expected) >= {reason.value for reason in Reason}
    assert report.lines == len(ROWS) == sum(of_file(report).values())
    assert report.examples["unreadable"] == [6]  # as an editor counts them, the head being the first


def test_money_is_what_the_lines_come_to_and_the_books_balance(city: City, file: Path) -> None:
    report = replay(city, OPERATOR, file)
    assert report.paid_yen == 2 * 185 + 472 + 1850 + 185 + 185
    assert report.refunded_yen == 185 + 1850
    assert report.unmatched_yen == 9 * 1850 - 1850
    debits, credits, kept = balances(city)
    assert debits == credits == report.debits_yen == report.credits_yen
    assert kept == {"United Kingdom": 2 * 185 + 472 + 185 - 185, "France": 185}


def test_lines_of_a_replay_come_to_the_lake(city: City, file: Path) -> None:
    report = replay(city, OPERATOR, file)
    assert report.lake_rows == 5 + 2
    with city.transaction(wallets.SERVICE) as tx:
        found = tx.all(playing.SQL.customers, source=playing.digest_of(file))
    subject_no = {row.customer: row.subject_no for row in found}["7"]
    rows = read_subject(city, Resident("res_7", subject_no, "res_7"), PURCHASES).to_pylist()
    assert sorted(row["amount_yen"] for row in rows) == [-185, 370, 472]


def test_replay_that_is_run_again_pays_nothing(city: City, file: Path) -> None:
    first = replay(city, OPERATOR, file)
    before = balances(city)
    again = replay(city, OPERATOR, file)
    assert balances(city) == before
    assert (again.played_before, again.lake_rows) == (first.payments + first.refunds, 0)
    assert of_file(again) == of_file(first)


def test_replay_that_was_cut_off_goes_on(city: City, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "MOST_PAYMENTS", 1)
    play, played = playing._play, []

    def cut(*given: object) -> int:
        played.append(play(*given))  # type: ignore[arg-type]
        if len(played) == 3:
            raise KeyboardInterrupt
        return played[-1]

    with monkeypatch.context() as patch:
        patch.setattr(playing, "_play", cut)
        with pytest.raises(KeyboardInterrupt):
            replay(city, OPERATOR, file)
    report = replay(city, OPERATOR, file)
    assert report.played_before == 3
    debits, credits, kept = balances(city)
    assert (debits, kept) == (credits, {"United Kingdom": 2 * 185 + 472 + 185 - 185, "France": 185})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a,b\n1,2\n", "has no column InvoiceNo"),
        (gzip.compress(HEAD.encode(), mtime=0)[:-9], "Compressed file ended"),
        (HEAD.encode() + b'1,100,"LAMP', "unexpected end"),
        (b"", "has no column"),
    ],
    ids=["other columns", "cut off", "open quotes", "empty"],
)
def test_what_is_no_such_file_is_told(city: City, tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(FileHasNoInvoices) as told:
        replay(city, OPERATOR, path)
    assert problem in told.value.fields["problem"]


def test_file_that_is_not_there_is_told(city: City, tmp_path: Path) -> None:
    with pytest.raises(FileHasNoInvoices, match="none"):
        replay(city, OPERATOR, tmp_path / "none.csv")


def test_replay_is_refused_in_production_and_to_others(city: City, file: Path) -> None:
    production = changed(city, settings=changed(city.settings, mode="production"))
    with pytest.raises(ReplayIsNotForProduction):
        replay(production, OPERATOR, file)
    for actor in (Anonymous(), Resident("res_7", 7, "res_7")):
        with pytest.raises(DomainError):
            replay(city, actor, file)
    assert shops.list_shops(city) == []


def test_file_is_played_by_one_process_at_a_time(city: City, file: Path) -> None:
    with playing._alone(city, playing.digest_of(file)), pytest.raises(ReplayIsRunning):
        replay(city, OPERATOR, file)


@pytest.mark.parametrize(
    ("price", "yen"), [("1", 185), ("2.55", 472), ("0.001", 0), ("0.003", 1), ("-1.5", -278), (".5", 93)]
)
def test_price_is_whole_yen_half_up(price: str, yen: int) -> None:
    assert yen_of(price) == yen


@pytest.mark.parametrize("price", ["", "x", "1,5", "1e3", "nan", "١"])
def test_price_that_is_none_is_no_price(price: str) -> None:
    with pytest.raises(ValueError):  # what it says of itself differs
        yen_of(price)


@pytest.mark.long
@pytest.mark.skipif(LONG == 1, reason="a minute: make test-long LONG=4")
def test_real_invoices_are_all_accounted_for(city: City, shared: Path) -> None:
    report = replay(city, OPERATOR, shared / "payment" / "online_retail.csv.gz")
    assert report.lines == 541_909 == sum(of_file(report).values())
    assert report.debits_yen == report.credits_yen
    assert report.lake_rows == report.bought_lines + report.refunds
    assert sum(balances(city)[2].values()) == report.paid_yen - report.refunded_yen
