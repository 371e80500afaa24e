"""Playing: each invoice a payment with its lines, each return a refund, in the order of the file; each once.

The rules of paying are those of everybody, but for the city's limits, which whole months in an hour would not keep. Money
stands in the wallet before it is paid. Ids follow from the file: what a replay before has played is known again.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from sanpo.ground.actors import Actor, System, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ledger import Transfer, trial_balance
from sanpo.people import NewOrganisation, NewResident, register_organisation, register_residents
from sanpo.services.cash.benefits.model import chained
from sanpo.services.cash.errors import ReplayIsNotForProduction, ReplayIsRunning
from sanpo.services.cash.flow import flow_purchases
from sanpo.services.cash.model import CHARGE, YEN_LEDGER, Shop, check_lines, number_of
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.paying import Order, pay_in, refund_in
from sanpo.services.cash.replay.model import Bought, GivenBack, Plan, Report, key_of
from sanpo.services.cash.replay.reading import digest_of, read_invoices
from sanpo.services.cash.replay.store import SQL
from sanpo.services.cash.riding import Chain, Work, book_all
from sanpo.services.cash.shops import ShopDraft, list_shops, register_shop
from sanpo.services.cash.store import SQL as CASH
from sanpo.services.cash.wallets import BANK_ACCOUNT, SERVICE, open_wallets, prepare

MOST_PAYMENTS, MOST_LINES = 400, 6_000
"""Of one transaction."""
_OPERATOR, _SIMULATOR = System("operator"), System("simulator")
Event = Bought | GivenBack


def replay(city: City, actor: Actor, path: Path, progress: Callable[[int], None] = lambda size: None) -> Report:
    """Plays the file; run again, it goes on where it stopped and pays nothing twice.

    Raises `NotPermitted`, `ReplayIsNotForProduction`, `ReplayIsRunning`, `FileHasNoInvoices`: what was played before stands.
    """
    require_officer(actor)
    if city.settings.mode == "production":
        raise ReplayIsNotForProduction
    source, report, began = digest_of(path), Report(), time.perf_counter()
    prepare(city)
    with _alone(city, source):
        players = _Players(city, source)
        plan = Plan(source, report)
        for events in _batches(plan, path, progress):
            report.played_before += _play(city, players, events)
        report.shops, report.residents = len(players.shops), len(players.subjects)
        report.seconds = round(time.perf_counter() - began, 1)
        report.lines_per_s = round(report.lines / max(report.seconds, 0.1))
        while rows := flow_purchases(city):
            report.lake_rows += rows
    sums = [each for each in trial_balance(city, _OPERATOR) if each.ledger == YEN_LEDGER]
    report.debits_yen = sum(each.debits_posted for each in sums)
    report.credits_yen = sum(each.credits_posted for each in sums)
    return report


@contextmanager
def _alone(city: City, source: str) -> Iterator[None]:
    with city.transaction(SERVICE) as tx:
        if not tx.get(SQL.alone, source=source).is_alone:
            raise ReplayIsRunning
        yield


def _batches(plan: Plan, path: Path, progress: Callable[[int], None]) -> Iterator[list[Event]]:
    batch: list[Event] = []
    lines = 0
    for sold in read_invoices(path, plan.report, progress):
        for event in plan.of_invoice(sold):
            batch.append(event)
            lines += len(event.lines) if isinstance(event, Bought) else 1
        if len(batch) >= MOST_PAYMENTS or lines >= MOST_LINES:
            yield batch
            batch, lines = [], 0
    if batch:
        yield batch


class _Players:
    """The shops and residents of a replay, registered as they come: a shop for each country, a resident for each customer."""

    def __init__(self, city: City, source: str) -> None:
        self._city, self._source = city, source
        with city.transaction(SERVICE) as tx:
            self.subjects: dict[str, int] = {
                row.customer: row.subject_no for row in tx.all(SQL.customers, source=source)
            }
        self._by_merchant = {each.merchant: each for each in list_shops(city)}
        self._organisation_id = ""
        self.shops: dict[str, Shop] = {}

    def meet(self, events: Sequence[Event]) -> None:
        """Everybody of these events is there when this returns."""
        for country in dict.fromkeys(each.country for each in events):
            if country not in self.shops:
                self.shops[country] = self._shop(country)
        customers = dict.fromkeys(each.customer for each in events if isinstance(each, Bought))
        new = [each for each in customers if each not in self.subjects]
        if not new:
            return
        people = [NewResident(f"Customer {each}", "カスタマー", "Replay", "replay", birth_year=1970) for each in new]
        made = register_residents(self._city, _SIMULATOR, people)
        numbers = [each.subject_no for each in made]
        with self._city.transaction(SERVICE) as tx:
            tx.execute(SQL.insert_customers, source=self._source, customers=new, subject_nos=numbers)
            open_wallets(tx, numbers)
        self.subjects.update(zip(new, numbers, strict=True))

    def _shop(self, country: str) -> Shop:
        digits = int.from_bytes(sha256(f"replay/{self._source}/{country}".encode()).digest()[:8]) % 10**12
        merchant = f"9{digits:012d}"
        found = self._by_merchant.get(merchant)
        if found is not None:
            return found
        if not self._organisation_id:
            owner = NewOrganisation("通信販売（再生）", "Online Retail (replayed)", "company", "replay@example.jp")
            self._organisation_id = register_organisation(self._city, _OPERATOR, owner).organisation_id
        name = "".join(each if each.isascii() and each.isprintable() else "?" for each in country)[:25]
        draft = ShopDraft(self._organisation_id, name, country[:25], "5964", country[:40], merchant)
        return register_shop(self._city, _OPERATOR, draft)


def _play(city: City, players: _Players, events: Sequence[Event]) -> int:
    """Plays these in one transaction; returns how many had been played before."""
    players.meet(events)
    works = [_paying(players, each) if isinstance(each, Bought) else _refunding(each) for each in events]
    outcomes = book_all(city, works)
    bad = next((each for each in outcomes if not each.is_good), None)
    if bad is not None:
        raise ValueError(f"a payment of the file is answered by {bad.value}")
    return outcomes.count(Outcome.EXISTS)


def _paying(players: _Players, event: Bought) -> Work:
    """The payment with the charge that it is paid from, as one chain."""
    subject_no = players.subjects[event.customer]
    check_lines(event.lines, event.yen)
    order = Order(
        event.payment_id, subject_no, players.shops[event.country], event.yen, "static", event.lines, is_limited=False
    )

    def work(tx: Transaction) -> Outcome | Chain:
        found = pay_in(tx, order)
        if isinstance(found, Outcome):
            return found
        charge_id = key_of("chg", event.payment_id)
        tx.execute(CASH.insert_charge, charge_id=charge_id, subject_no=subject_no, amount_yen=event.yen, at=tx.now)
        wallet = number_of("wallet", subject_no)
        charge = Transfer(number_of("charge", charge_id), BANK_ACCOUNT, wallet, event.yen, YEN_LEDGER, CHARGE)
        return chained([charge, *found])

    return work


def _refunding(event: GivenBack) -> Work:
    return lambda tx: refund_in(tx, _SIMULATOR, event.refund_id, event.payment_id, event.yen)
