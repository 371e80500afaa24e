"""How an outcome is told to programs: in a body, by a status, in words."""

from typing import Any

from litestar import Request, Response
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct

from sanpo.ground.problems import Problem, language_of, problem_responses
from sanpo.services.cash.outcomes import Outcome

STATUSES = {
    Outcome.DONE: 200,
    Outcome.EXISTS: 200,
    Outcome.EXISTS_WITH_ANOTHER_AMOUNT: 409,
    Outcome.SHOP_NOT_FOUND: 422,
    Outcome.SHOP_IS_SUSPENDED: 409,
    Outcome.WALLET_IS_SUSPENDED: 409,
    Outcome.BILL_NOT_FOUND: 422,
    Outcome.BILL_IS_PAID: 409,
    Outcome.BILL_IS_OVER: 409,
    Outcome.CODE_NOT_FOUND: 422,
    Outcome.CODE_IS_USED: 409,
    Outcome.CODE_IS_OVER: 409,
    Outcome.PAYMENT_NOT_FOUND: 422,
    Outcome.SLIP_IS_FORGED: 422,
    Outcome.SLIP_IS_FOR_ANOTHER_SHOP: 422,
    Outcome.SLIP_KEY_IS_UNKNOWN: 422,
    Outcome.SLIP_IS_SPENT_TWICE: 409,
    Outcome.SLIP_IS_ABOVE_ITS_LIMIT: 422,
    Outcome.SLIP_IS_OVER: 409,
    Outcome.SLIP_KEY_IS_SUSPENDED: 409,
    Outcome.SLIP_IS_ABOVE_RESERVE: 409,
    Outcome.ABOVE_SLIP_RESERVE: 422,
    Outcome.REQUEST_NOT_FOUND: 422,
    Outcome.REQUEST_IS_OWN: 422,
    Outcome.REQUEST_IS_ANSWERED: 409,
    Outcome.REQUEST_IS_WITHDRAWN: 409,
    Outcome.REQUEST_IS_OVER: 409,
    Outcome.REQUEST_CANNOT_BE_RECEIVED: 409,
    Outcome.ABOVE_PAYMENT_LIMIT: 422,
    Outcome.ABOVE_DAY_LIMIT: 422,
    Outcome.ABOVE_MONTH_LIMIT: 422,
    Outcome.ABOVE_WALLET_LIMIT: 422,
    Outcome.MORE_THAN_WAS_PAID: 422,
    Outcome.NOT_ENOUGH_MONEY: 409,
}
"""409 where the present state is in the way, 422 where what was asked for cannot be."""


class Booked(Struct):
    """It is done: now, or before (`exists`). `message` says so to people, in the language asked for."""

    outcome: Outcome
    message: str


class Refused(Problem, kw_only=True):
    """Nothing moved. A problem (RFC 9457) with the outcome as its extension (§3.2)."""

    outcome: Outcome


_REFUSALS = {
    409: ResponseSpec(Refused, media_type="application/problem+json", description="Refused by the present state."),
    422: ResponseSpec(Refused, media_type="application/problem+json", description="Refused: this cannot be done."),
}
BOOKS = {**problem_responses(401, 403, 404), **_REFUSALS}


def answer(request: Request[Any, Any, Any], outcome: Outcome) -> Response[Booked]:
    """The outcome as it is told to who asked."""
    words, lang = request.app.state.city.words, language_of(request)
    code = f"cash.outcome.{outcome.value}"
    message, status = words.text(lang, code), STATUSES[outcome]
    if outcome.is_good:
        return Response(Booked(outcome, message), status_code=status)
    title = words.text(lang, "ground.error.title")
    refused = Refused(f"/problems/{code}", title, status, message, code, outcome=outcome)
    told: Response[Any] = Response(refused, status_code=status, media_type="application/problem+json")
    return told
