"""Agreements that pay: taken from the asker's funds with the answer, or no answer; given to each resident once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from sanpo.cleanroom import Answer, ask
from sanpo.consent import PublishedAgreement
from sanpo.ground.actors import Client, Resident
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.ids import new_id
from sanpo.journal import list_entries
from sanpo.people import SecretProof, create_client, issue_token
from sanpo.returns import list_totals, list_uses
from sanpo.services.cash.benefits import payouts
from sanpo.services.cash.benefits.errors import ReturnIsNotFunded
from sanpo.services.cash.benefits.expiring import expire_lots
from sanpo.services.cash.benefits.funds import deposit, funds_yen
from sanpo.services.cash.benefits.giving import claim
from sanpo.services.cash.benefits.holdings import benefits_of
from sanpo.services.cash.benefits.model import PAYOUTS_ACCOUNT
from sanpo.services.cash.benefits.payouts import distribute, paid_by_agreements
from sanpo.services.cash.wallets import SERVICE
from tests.cleanroom.cities import BY_AREA, fill_lake
from tests.consent.drafts import draft_data
from tests.journeys.town import sign_in
from tests.services.cash.benefits.conftest import Giving
from tests.world import OPERATOR

CENTRE = "select count(*), sum(energy_wh) from energy.readings where area = '中央'"


@dataclass(frozen=True)
class Asking:
    """Forty metered homes, thirty of which grant an agreement that pays two yen for each use."""

    giving: Giving
    people: list[Resident]
    agreement: PublishedAgreement
    asker: Client

    @property
    def city(self) -> City:
        return self.giving.city

    def fund(self, yen: int) -> None:
        deposit(self.city, OPERATOR, new_id("dep"), self.asker.organisation_id, yen)

    def ask(self, sql: str = BY_AREA) -> Answer:
        return ask(self.city, self.asker, None, sql)

    @property
    def funds(self) -> int:
        return funds_yen(self.city, OPERATOR, self.asker.organisation_id)

    @property
    def waiting(self) -> int:
        return self.giving.yen(PAYOUTS_ACCOUNT)

    def held(self) -> list[int]:
        return [benefits_of(self.city, who).total_yen for who in self.people]


@pytest.fixture
def asking(giving: Giving) -> Asking:
    world = giving.town.world
    people = world.residents(40)
    fill_lake(giving.city, people)
    gains = draft_data()["gains"]
    gains["giver"]["metric"]["paid_in"] = "points"
    agreement = world.agreement(gains=gains)
    world.give(agreement, people[:30])
    return Asking(giving, people, agreement, world.client(world.university, agreement))


def test_answer_takes_what_it_pays_from_the_askers_funds_and_each_resident_gets_it_once(asking: Asking) -> None:
    asking.fund(100)
    answer = asking.ask()
    assert (answer.subjects, answer.returns[0].quantity, answer.returns[0].paid_in) == (30, 60, "points")
    [use] = [entry for entry in list_entries(asking.city, limit=200) if entry.kind == "use"]
    assert use.body["paid_yen_each"] == 2
    assert (asking.funds, asking.waiting, sum(asking.held())) == (40, 60, 0)
    assert [distribute(asking.city) for _ in range(2)] == [30, 0]
    assert (asking.held(), asking.waiting) == ([2] * 30 + [0] * 10, 0)
    asking.giving.check_books()


def test_payments_of_one_month_are_one_lot_that_can_be_spent(asking: Asking) -> None:
    asking.fund(1_000)
    for _ in range(3):
        asking.ask()
    assert distribute(asking.city) == 90
    [lot] = benefits_of(asking.city, asking.people[0]).lots
    assert (lot.left_yen, lot.agreement_id, lot.name("en")) == (
        6,
        asking.agreement.agreement_id,
        "How the district uses power",
    )
    assert lot.expires_at.astimezone(asking.city.settings.zone).isoformat() == "2027-05-01T00:00:00+09:00"
    asking.giving.pay(asking.people[0], 5)
    assert asking.held()[:2] == [1, 6]


@pytest.mark.parametrize(("funds", "sql"), [(0, BY_AREA), (59, BY_AREA), (59, CENTRE)])
def test_answer_that_is_not_funded_for_all_who_agreed_is_refused_and_nothing_is_posted(
    asking: Asking, funds: int, sql: str
) -> None:
    if funds:
        asking.fund(funds)
    with pytest.raises(ReturnIsNotFunded) as error:
        asking.ask(sql)
    assert error.value.fields == {"needed_yen": 60}  # also where the question is about fifteen of them
    assert (asking.funds, asking.waiting, distribute(asking.city)) == (funds, 0, 0)
    assert [entry for entry in list_entries(asking.city, limit=200) if entry.kind == "use"] == []
    assert list_totals(asking.city, OPERATOR, asking.agreement.agreement_no) == []
    asking.fund(60)
    assert asking.ask(sql).subjects in (15, 30)


def test_refusal_over_http_says_how_much_is_needed(asking: Asking, client: Any) -> None:
    made = create_client(asking.city, OPERATOR, asking.asker.organisation_id, name="lab")
    proof = SecretProof(made.client_id, made.secret)
    token = issue_token(asking.city, proof, scope=f"agreement:{asking.agreement.agreement_id}").token
    headers = {"authorization": f"Bearer {token}", "accept-language": "en"}
    answer = client().post("/api/cleanroom/questions", json={"sql": BY_AREA}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "cash.return_is_not_funded")
    assert "at least 60 yen" in answer.json()["detail"]


def test_answer_pays_only_those_who_are_in_it(asking: Asking) -> None:
    asking.fund(60)
    assert asking.ask(CENTRE).subjects == 15
    assert (asking.funds, distribute(asking.city)) == (30, 15)
    assert asking.held() == [2, 0] * 15 + [0] * 10


def test_distribution_that_was_cut_off_goes_on_where_it_was(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    asking.fund(60)
    asking.ask()
    monkeypatch.setattr(payouts, "AT_ONCE", 7)
    calls, real = [0], payouts.create_accounts_in

    def sometimes(*args: Any) -> Any:
        calls[0] += 1
        if calls[0] == 3:
            raise RuntimeError("power")
        return real(*args)

    monkeypatch.setattr(payouts, "create_accounts_in", sometimes)
    with pytest.raises(RuntimeError):
        distribute(asking.city)
    assert (sum(asking.held()), asking.waiting) == (28, 32)
    assert distribute(asking.city) == 16
    assert asking.held() == [2] * 30 + [0] * 10


def test_distributions_at_once_pay_once(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    asking.fund(240)
    for _ in range(4):
        asking.ask()
    monkeypatch.setattr(payouts, "AT_ONCE", 11)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: distribute(asking.city), range(4)))
    assert (asking.held(), asking.waiting) == ([8] * 30 + [0] * 10, 0)
    asking.giving.check_books()


def test_what_a_resident_does_not_spend_goes_back_to_the_asker(asking: Asking, clock: FixedClock) -> None:
    asking.fund(60)
    asking.ask()
    distribute(asking.city)
    clock.advance(days=396)
    assert (expire_lots(asking.city), asking.funds) == (30, 60)
    assert paid_by_agreements(asking.city, asking.people[0])[0].paid_yen == 2


def test_resident_sees_what_each_agreement_has_paid(asking: Asking, client: Any) -> None:
    asking.fund(120)
    for _ in range(2):
        asking.ask()
    distribute(asking.city)
    first, last = asking.people[0], asking.people[39]
    http = sign_in(asking.city, client, first.resident_id)
    [paid] = http.get("/api/cash/me/returns").json()
    assert (paid["agreement_id"], paid["paid_yen"]) == (asking.agreement.agreement_id, 4)
    assert paid_by_agreements(asking.city, last) == []
    words = asking.city.words
    [newest, _] = list_uses(asking.city, first)
    facts = newest.return_facts("en", lambda key, **more: words.text("en", key, **more))
    assert facts[0][1].endswith("(paid to you in points: 2 yen)")
    assert (
        "2 yen in points paid to each person"
        in http.get(f"/consent/agreements/{asking.agreement.agreement_id}", headers={"accept-language": "en"}).text
    )


def test_whom_a_use_paid_is_forgotten_when_all_have_their_part(asking: Asking) -> None:
    def kept() -> list[int]:
        with asking.city.transaction(SERVICE) as tx:
            return [int(row.size) for row in tx.all("select length(subjects) as size from cash.payouts")]

    asking.fund(60)
    asking.ask()
    assert kept()[0] > 0
    distribute(asking.city)
    assert kept() == [0]


def test_page_shows_what_was_paid_and_lets_a_resident_leave_a_campaign(asking: Asking, client: Any) -> None:
    asking.fund(60)
    asking.ask()
    distribute(asking.city)
    first = asking.people[0]
    campaign = asking.giving.open(amount_yen=0, rate_permille=100, cap_yen=100, by_claim=True)
    claim(asking.city, first, campaign.campaign_id)
    http = sign_in(asking.city, client, first.resident_id)
    page = http.get("/cash/paid").text
    assert "地域の電力の使われ方" in page
    assert "2円" in page
    assert "春の給付" in page
    left = http.post(f"/cash/campaigns/{campaign.campaign_id}/leave")
    assert "参加をやめました" in left.text
    assert "春の給付" not in left.text
    assert 'href="/cash/paid"' in http.get("/cash").text
    other = sign_in(asking.city, client, asking.people[39].resident_id)
    other.get("/language/en")
    assert "Nothing so far" in other.get("/cash/paid").text
    assert client().get("/cash/paid", follow_redirects=False).status_code in (302, 303, 401)
