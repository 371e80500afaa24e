"""Funds of organisations: money paid in for benefits. What their campaigns and agreements give comes from here alone."""

from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError, NotPermitted
from sanpo.ground.ids import check_id
from sanpo.ledger import Outcome as Posted
from sanpo.ledger import create_accounts_in, get_account, post_in
from sanpo.people import get_organisation
from sanpo.services.cash.benefits.campaigns import check_made, may_see_money_of
from sanpo.services.cash.benefits.errors import DepositIsAnother, FundsDoNotSuffice
from sanpo.services.cash.benefits.model import DEPOSIT, FUNDER, funder_account, limited_account, move
from sanpo.services.cash.model import check_amount, number_of
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.wallets import BANK_ACCOUNT, SERVICE, booked


def deposit(city: City, actor: Actor, deposit_id: str, organisation_id: str, amount_yen: int) -> int:
    """Books what an organisation has paid in at the city's bank, once for a `deposit_id`. Returns its funds.

    Raises `AmountIsInvalid`, `NotFound` for the organisation, `DepositIsAnother` where the id is that of another deposit.
    """
    check_id("dep", deposit_id)
    return _book(city, actor, organisation_id, deposit_id, amount_yen)


def withdraw(city: City, actor: Actor, withdrawal_id: str, organisation_id: str, amount_yen: int) -> int:
    """Books what an organisation was paid back of its funds; raises as `deposit`, and `FundsDoNotSuffice`."""
    check_id("wdr", withdrawal_id)
    return _book(city, actor, organisation_id, withdrawal_id, amount_yen, goes_out=True)


def _book(
    city: City, actor: Actor, organisation_id: str, number: str, amount_yen: int, *, goes_out: bool = False
) -> int:
    require_officer(actor)
    check_amount(amount_yen)

    def work(tx: Transaction) -> Outcome:
        organisation_no = get_organisation(tx, organisation_id).organisation_no
        funds = funder_account(organisation_no)
        create_accounts_in(tx, [limited_account(funds, FUNDER, organisation_no)])
        sides = (funds, BANK_ACCOUNT) if goes_out else (BANK_ACCOUNT, funds)
        [posted] = post_in(tx, [move(number_of("deposit", number), *sides, amount_yen, DEPOSIT)])
        if posted is Posted.EXCEEDS_CREDITS:
            raise FundsDoNotSuffice(needed_yen=amount_yen)
        if posted.value.startswith("exists_with"):
            raise DepositIsAnother(deposit_id=number)
        check_made([posted])
        return Outcome.DONE

    booked(city, work)
    return funds_yen(city, actor, organisation_id)


def funds_yen(city: City, actor: Actor, organisation_id: str) -> int:
    """What is left of an organisation's funds, for an officer and for itself. Raises `NotFound`, `NotPermitted`."""
    with city.transaction(SERVICE) as tx:
        organisation = get_organisation(tx, organisation_id)
    if not may_see_money_of(actor, organisation.organisation_no):
        raise NotPermitted(needed="officer")
    try:
        sums = get_account(city, SERVICE, funder_account(organisation.organisation_no)).balance
    except DomainError:
        return 0
    return sums.credits_posted - sums.debits_posted - sums.debits_pending
