"""Doors for requests: a resident asks, or splits a payment; who holds a code pays or declines."""

from datetime import datetime
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.params import PathParameter
from msgspec import Struct

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import problem_responses
from sanpo.services.cash.answering import BOOKS, Booked, answer
from sanpo.services.cash.requests import answering, asking
from sanpo.services.cash.requests.model import Asked, Given

PATH = "/api/cash"
CODE = f"{PATH}/requests/{{code:str}}"
TAGS = ["cash"]
_RequestId = Annotated[str, PathParameter(description="A request, `req_…`.", max_length=64)]
_Code = Annotated[str, PathParameter(description="The code that was handed over.", max_length=64)]
Web = Request[Any, Any, Any]


class RequestBody(Struct):
    """`request_id` (`req_…`) is chosen by who asks. One amount for each who is asked."""

    request_id: str
    amounts_yen: list[int]
    note: str = ""


class SplitBody(Struct):
    """`people` share the payment, the resident among them."""

    request_id: str
    payment_id: str
    people: int
    note: str = ""


class ShareOut(Struct):
    """`code` is for who is asked; `state` is open, over, paid, declined or withdrawn."""

    share_no: int
    amount_yen: int
    state: str
    code: str
    answered_at: datetime | None


class RequestOut(Struct):
    request_id: str
    note: str
    asked_at: datetime
    expires_at: datetime
    shares: list[ShareOut]


@post(f"{PATH}/me/requests", sync_to_thread=True, status_code=200, tags=TAGS, responses=BOOKS)
def post_request(request: Web, city: City, actor: Actor, data: RequestBody) -> Response[Booked]:
    """Asks others for money, by codes to be handed over."""
    return answer(request, asking.ask(city, actor, data.request_id, data.amounts_yen, data.note))


@post(f"{PATH}/me/splits", sync_to_thread=True, status_code=200, tags=TAGS, responses=BOOKS)
def post_split(request: Web, city: City, actor: Actor, data: SplitBody) -> Response[Booked]:
    """Asks the others for their parts of a payment; a rest that cannot be divided stays with who paid."""
    return answer(request, asking.split(city, actor, data.request_id, data.payment_id, data.people, data.note))


@get(f"{PATH}/me/requests", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403))
def get_requests(city: City, actor: Actor) -> list[RequestOut]:
    """The resident's own requests, the newest first, with the codes to hand over."""
    return [
        RequestOut(
            one.request_id,
            one.note,
            one.asked_at,
            one.expires_at,
            [ShareOut(each.share_no, each.amount_yen, each.state, each.code, each.answered_at) for each in one.shares],
        )
        for one in asking.list_requests(city, actor)
    ]


@get(f"{PATH}/me/given", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403))
def get_given(city: City, actor: Actor) -> list[Given]:
    """What the resident paid to others who had asked, the newest first."""
    return asking.list_given(city, actor)


@post(
    f"{PATH}/me/requests/{{request_id:str}}/withdrawal",
    sync_to_thread=True,
    status_code=200,
    tags=TAGS,
    responses=BOOKS,
)
def post_withdrawal(request: Web, city: City, actor: Actor, request_id: _RequestId) -> Response[Booked]:
    """Takes back what nobody has answered yet."""
    return answer(request, asking.withdraw(city, actor, request_id))


@get(CODE, sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404))
def get_asked(city: City, actor: Actor, code: _Code) -> Asked:
    """What the holder of a code is asked for."""
    return answering.look(city, actor, code)


@post(f"{CODE}/payment", sync_to_thread=True, status_code=200, tags=TAGS, responses=BOOKS)
def post_share(request: Web, city: City, actor: Actor, code: _Code) -> Response[Booked]:
    """Pays what was asked for; sent again, it pays nothing."""
    return answer(request, answering.accept(city, actor, code))


@post(f"{CODE}/refusal", sync_to_thread=True, status_code=200, tags=TAGS, responses=BOOKS)
def post_refusal(request: Web, city: City, actor: Actor, code: _Code) -> Response[Booked]:
    """Says no, for good."""
    return answer(request, answering.decline(city, actor, code))


handlers: list[Any] = [
    post_request,
    post_split,
    get_requests,
    get_given,
    post_withdrawal,
    get_asked,
    post_share,
    post_refusal,
]
