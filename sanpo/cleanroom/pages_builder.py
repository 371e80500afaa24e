"""The builder's page: a question put together by choosing, with what would become of it beside. Works without script:
every button sends the form, which comes back with the preview."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from msgspec import structs

from sanpo.cleanroom.builder.forms import changed
from sanpo.cleanroom.builder.opening import open_sheet
from sanpo.cleanroom.builder.sheet import ROWS, Sheet, read_sheet
from sanpo.cleanroom.builder.view import build_sheet, finder, open_view
from sanpo.cleanroom.catalogue import example_under
from sanpo.cleanroom.errors import QuestionIsMalformed
from sanpo.cleanroom.model import Private, Question, question_json, read_question
from sanpo.cleanroom.parse import parse_sql
from sanpo.consent import PublishedAgreement, list_agreements
from sanpo.ground.actors import Actor, Staff, require
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError, NotFound
from sanpo.ground.web import render
from sanpo.lake import list_datasets

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Web = Request[Any, Any, Any]


@get("/cleanroom/builder", sync_to_thread=True, include_in_schema=False)
def get_builder(request: Web, city: City, actor: Actor, agreement: str = "") -> Response[str]:
    """The builder with an example that the chosen agreement allows."""
    staff = require(actor, Staff)
    agreements = agreements_of(city, staff)
    if not agreements:
        return render(request, "cleanroom/builder.html", agreements=[], view=None)
    chosen = next((each for each in agreements if each.agreement_id == agreement), agreements[0])
    return show_builder(request, city, staff, _example(city, chosen))


@post("/cleanroom/builder", sync_to_thread=True, status_code=200, include_in_schema=False)
def post_builder(request: Web, city: City, actor: Actor, data: Form) -> Response[str]:
    """The form again: checked, with a row more or less, begun anew, or filled in from SQL that was written at the desk."""
    staff = require(actor, Staff)
    if "sql" in data:
        return _from_sql(request, city, staff, data)
    sheet = read_sheet(data)
    if "example" in data:
        return show_builder(request, city, staff, _example(city, _agreement(city, staff, sheet.agreement)))
    sheet, focus = changed(sheet, data, ROWS)
    return show_builder(request, city, staff, sheet, focus=focus)


def read_built(city: City, data: Mapping[str, str]) -> tuple[Sheet, Question | None]:
    """The form, and the question that it asks; None where a row lacks something. Raises `QuestionIsMalformed`."""
    sheet = read_sheet(data)
    built = build_sheet(sheet, finder(list_datasets(city)))
    return sheet, None if built.gaps else read_question(question_json(built.question))


def read_release(text: str) -> Private | None:
    """The release with differential privacy that a page keeps as JSON beside its SQL, which has no word for it.

    Raises `QuestionIsMalformed`.
    """
    try:
        return msgspec.json.decode(text, type=Private) if text else None
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, UnicodeError) as error:
        raise QuestionIsMalformed(where="$.release", problem=str(error)) from None


def show_builder(
    request: Web,
    city: City,
    staff: Staff,
    sheet: Sheet,
    *,
    status: int = 200,
    focus: str = "",
    refusal: DomainError | None = None,
    needs_sql: bool = False,
    is_early: bool = False,
) -> Response[str]:
    """The page for this form; `focus` is the control where the reader goes on. `is_early`: it was to be asked already."""
    agreement = _agreement(city, staff, sheet.agreement)
    return render(
        request,
        "cleanroom/builder.html",
        status=status,
        agreements=agreements_of(city, staff),
        view=open_view(city, staff, agreement, sheet, focus),
        refusal=refusal,
        needs_sql=needs_sql,
        is_early=is_early,
    )


def agreements_of(city: City, staff: Staff) -> list[PublishedAgreement]:
    """Those under which this organisation can ask."""
    return list_agreements(city, staff, state="approved", organisation_no=staff.organisation_no)


def _agreement(city: City, staff: Staff, agreement_id: str) -> PublishedAgreement:
    for each in agreements_of(city, staff):
        if each.agreement_id == agreement_id:
            return each
    raise NotFound(what="agreement")


def _example(city: City, agreement: PublishedAgreement) -> Sheet:
    find = finder(list_datasets(city))
    sheet = open_sheet(example_under(city, agreement), agreement.agreement_id, find)
    return sheet or Sheet(agreement=agreement.agreement_id, dataset=agreement.draft.datasets[0].name)


def _from_sql(request: Web, city: City, staff: Staff, data: Mapping[str, str]) -> Response[str]:
    """The form for the SQL; where there is none, the example and why."""
    agreement = _agreement(city, staff, data.get("agreement", ""))
    example = _example(city, agreement)
    try:
        question = structs.replace(parse_sql(data["sql"]), release=read_release(data.get("release", "")))
        sheet = open_sheet(question, agreement.agreement_id, finder(list_datasets(city)))
    except DomainError as refusal:
        return show_builder(request, city, staff, example, status=refusal.surface.status, refusal=refusal)
    if sheet is None:
        return show_builder(request, city, staff, example, status=422, needs_sql=True)
    return show_builder(request, city, staff, sheet)


handlers: list[Any] = [get_builder, post_builder]
