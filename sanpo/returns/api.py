"""Returns over HTTP: totals of an agreement for everybody, reports from its recipient."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from litestar import get, post
from litestar.params import Parameter
from msgspec import Meta

from sanpo.consent import find_agreement
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.errors import NotFound
from sanpo.ground.problems import problem_responses
from sanpo.returns import actions


@dataclass(frozen=True)
class ReportBody:
    side: Literal["giver", "city", "organisation"]
    quantity: Annotated[int, Meta(ge=0, le=2**53)]
    note: Annotated[str, Meta(max_length=1000)] = ""


@get("/api/returns/agreements/{agreement_id:str}", sync_to_thread=True, responses=problem_responses(401, 403, 404))
def get_totals(
    city: City, actor: Actor, agreement_id: Annotated[str, Parameter(description="agr_…")]
) -> list[dict[str, Any]]:
    """What the uses under this agreement gave back so far, per side: measured and reported."""
    agreement = find_agreement(city, actor, agreement_id)
    if agreement is None:
        raise NotFound(what="agreement")
    return actions.list_totals(city, actor, agreement.agreement_no)


@post(
    "/api/returns/agreements/{agreement_id:str}/reports",
    sync_to_thread=True,
    responses=problem_responses(401, 403, 404),
)
def post_report(city: City, actor: Actor, agreement_id: str, data: ReportBody) -> dict[str, str]:
    """The recipient reports a gain that only it can know."""
    report_id = actions.report_return(city, actor, agreement_id, side=data.side, quantity=data.quantity, note=data.note)
    return {"report_id": report_id}


handlers: list[Any] = [get_totals, post_report]
