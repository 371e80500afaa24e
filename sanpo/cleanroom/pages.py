"""The analyst's page: choose an agreement, ask in SQL, read the answer or why there is none. Works without script."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from sanpo.cleanroom import actions, catalogue
from sanpo.cleanroom.answer import Answer
from sanpo.cleanroom.catalogue import AskableColumn
from sanpo.cleanroom.printer import print_sql
from sanpo.consent import PublishedAgreement, list_agreements
from sanpo.ground.actors import Actor, Staff, require
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError
from sanpo.ground.web import render

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Web = Request[Any, Any, Any]


@dataclass(frozen=True)
class Desk:
    """What an analyst can ask under one agreement. `ways` tells for each column what the rule lets it be used for."""

    agreement: PublishedAgreement
    example: str
    columns: list[tuple[AskableColumn, list[str]]]


@get("/cleanroom", sync_to_thread=True, include_in_schema=False)
def get_desk(request: Web, city: City, actor: Actor, agreement: str = "") -> Response[str]:
    """The empty desk, with an example that the chosen agreement allows."""
    return _page(request, city, require(actor, Staff), agreement)


@post("/cleanroom", sync_to_thread=True, include_in_schema=False)
def post_question(request: Web, city: City, actor: Actor, data: Form) -> Response[str]:
    """Asks. A refusal is shown where the question was written, with the status that programs get."""
    staff, agreement_id, sql = require(actor, Staff), data.get("agreement", ""), data.get("sql", "")
    try:
        answer = actions.ask(city, staff, agreement_id, sql)
    except DomainError as refusal:
        return _page(request, city, staff, agreement_id, sql=sql, refusal=refusal)
    return _page(request, city, staff, agreement_id, sql=sql, answer=answer)


def _page(
    request: Web,
    city: City,
    staff: Staff,
    agreement_id: str,
    *,
    sql: str | None = None,
    answer: Answer | None = None,
    refusal: DomainError | None = None,
) -> Response[str]:
    agreements = list_agreements(city, staff, state="approved", organisation_no=staff.organisation_no)
    chosen = next((each for each in agreements if each.agreement_id == agreement_id), None)
    desk = _desk(city, chosen or agreements[0]) if agreements else None
    return render(
        request,
        "cleanroom/desk.html",
        status=200 if refusal is None else refusal.surface.status,
        agreements=agreements,
        desk=desk,
        sql=desk.example if desk and sql is None else sql,
        answer=answer,
        refusal=refusal,
    )


def _desk(city: City, agreement: PublishedAgreement) -> Desk:
    rule = agreement.rule
    places = (("dimension", rule.dimensions), ("measure", rule.measures))
    columns = [
        (column, [way for way, names in places if column.name in names] + ["filter"])
        for column in catalogue.columns_under(city, agreement)
    ]
    return Desk(agreement, print_sql(catalogue.example_under(city, agreement)), columns)


handlers: list[Any] = [get_desk, post_question]
