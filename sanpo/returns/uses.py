"""A resident's uses with their returns: the journal's entries, the agreements' words and the accruals put together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sanpo.consent import PublishedAgreement, list_offers
from sanpo.ground.actors import Actor, Resident, require
from sanpo.ground.city import City
from sanpo.journal import Entry, list_uses_of
from sanpo.returns.actions import Accrual, of_uses


@dataclass(frozen=True)
class Use:
    """One use of a dataset under an agreement, as the resident sees it. `others` is how many other people were in it."""

    entry: Entry
    agreement: PublishedAgreement
    returns: list[Accrual]

    @property
    def entry_no(self) -> int:
        return self.entry.entry_no

    @property
    def entry_id(self) -> str:
        return self.entry.entry_id

    @property
    def at(self) -> datetime:
        return self.entry.appended_at

    @property
    def agreement_id(self) -> str:
        return self.agreement.agreement_id

    @property
    def included(self) -> bool:
        return bool(self.entry.included)

    @property
    def provable(self) -> bool:
        return self.entry.leaf_index is not None

    @property
    def dataset(self) -> str:
        """The dataset whose rows were read; attributes joined to them are not named here."""
        return str(self.entry.body["dataset"])

    @property
    def by_city(self) -> bool:
        """True where the city asked at its own machine, under the organisation's agreement."""
        return bool(self.entry.body.get("asked_by") == "operator")

    @property
    def question(self) -> str:
        return str(self.entry.body["question"])

    @property
    def others(self) -> int:
        return int(self.entry.body["subjects"]) - int(self.included)

    def who(self, lang: str) -> str:
        return self.agreement.document.recipient.name.in_language(lang)

    def why(self, lang: str) -> str:
        return self.agreement.draft.purpose.text.in_language(lang)

    def return_facts(self, lang: str, t: Callable[..., str]) -> list[tuple[str, str]]:
        """Side and amount, in words."""
        return [
            (t(f"returns.side.{accrual.side}"), _amount(accrual, lang, t, self.included)) for accrual in self.returns
        ]


def list_uses(city: City, actor: Actor, *, before: int | None = None, limit: int = 20) -> list[Use]:
    """The uses under every agreement that the resident ever decided on, newest first, also those that left them out."""
    resident = require(actor, Resident)
    known = {offer.agreement.agreement_no: offer.agreement for offer in list_offers(city, resident)}
    entries = list_uses_of(city, resident, before=before, limit=limit, include_out=True, agreement_nos=sorted(known))
    returns = of_uses(city, resident, [entry.entry_no for entry in entries])
    return [
        Use(entry, known[entry.agreement_no], returns.get(entry.entry_no, []))
        for entry in entries
        if entry.agreement_no is not None
    ]


def _amount(accrual: Accrual, lang: str, t: Callable[..., str], included: bool) -> str:
    if accrual.quantity is None:
        return t("returns.to_come")
    if accrual.paid_in and included:
        return t("returns.your_pay", quantity=accrual.quantity, unit=accrual.unit(lang), share=accrual.share)
    if accrual.share is not None and included:
        return t("returns.your_share", quantity=accrual.quantity, unit=accrual.unit(lang), share=accrual.share)
    return t("returns.quantity", quantity=accrual.quantity, unit=accrual.unit(lang))
