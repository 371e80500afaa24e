"""What can go wrong where benefits are given."""

from sanpo.ground.errors import DomainError, Kind


class CampaignIsInvalid(DomainError):
    """What was given of a campaign cannot be. Fields: field, problem."""

    code = "cash.campaign_is_invalid"
    kind = Kind.INVALID


class CampaignIsNotOpen(DomainError):
    """It is not open, or today is none of its days. Fields: state, first_day, last_day."""

    code = "cash.campaign_is_not_open"
    kind = Kind.CONFLICT


class CampaignIsNotToBeClaimed(DomainError):
    """The city gives this campaign's benefits; nobody claims them."""

    code = "cash.campaign_is_not_to_be_claimed"
    kind = Kind.CONFLICT


class BudgetIsSpent(DomainError):
    """The campaign's budget does not suffice. Fields: needed_yen, left_yen."""

    code = "cash.budget_is_spent"
    kind = Kind.CONFLICT


class FundsDoNotSuffice(DomainError):
    """An organisation has paid in less than is needed. Field: needed_yen."""

    code = "cash.funds_do_not_suffice"
    kind = Kind.CONFLICT


class DepositIsAnother(DomainError):
    """A deposit of this id was booked with another amount or for another organisation. Field: deposit_id."""

    code = "cash.deposit_is_another"
    kind = Kind.CONFLICT


class ReturnIsNotFunded(DomainError):
    """The agreement pays residents for uses, and its organisation's funds would not do for all of them. Field: needed_yen."""

    code = "cash.return_is_not_funded"
    kind = Kind.CONFLICT
