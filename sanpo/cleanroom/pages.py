"""The analyst's page: choose an agreement, ask in SQL or by the builder's form, read the answer or why there is none.
Works without script."""

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Response, get, post
from msgspec import structs

from sanpo.cleanroom import actions, catalogue, pages_builder, pages_multiplications
from sanpo.cleanroom.answer import Answer
from sanpo.cleanroom.catalogue import AskableColumn
from sanpo.cleanroom.model import Private
from sanpo.cleanroom.pages_builder import Form, Web, agreements_of, read_built, read_release, show_builder
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.printer import print_sql
from sanpo.consent import PublishedAgreement
from sanpo.ground.actors import Actor, Staff, require
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError
from sanpo.ground.web import render


@dataclass(frozen=True)
class Desk:
    """What an analyst can ask under one agreement. `ways` tells for each column what the rule lets it be used for."""

    agreement: PublishedAgreement
    example: str
    columns: list[tuple[AskableColumn, list[str]]]


@dataclass(frozen=True)
class Asked:
    """What stands in the field: SQL, and the release with differential privacy that SQL has no word for."""

    sql: str
    release: Private | None = None

    @property
    def release_json(self) -> str:
        return "" if self.release is None else msgspec.json.encode(self.release).decode()


@get("/cleanroom", sync_to_thread=True, include_in_schema=False)
def get_desk(request: Web, city: City, actor: Actor, agreement: str = "") -> Response[str]:
    """The empty desk, with an example that the chosen agreement allows."""
    return _page(request, city, require(actor, Staff), agreement)


@post("/cleanroom", sync_to_thread=True, include_in_schema=False)
def post_question(request: Web, city: City, actor: Actor, data: Form) -> Response[str]:
    """Asks what was written here or put together at the builder. A refusal is shown where the question was written, with
    the status that programs get; a form that lacks something comes back to be filled in."""
    staff, agreement_id, asked = require(actor, Staff), data.get("agreement", ""), Asked(data.get("sql", ""))
    try:
        if "dataset" in data:
            sheet, built = read_built(city, data)
            if built is None:
                return show_builder(request, city, staff, sheet, status=400, is_early=True)
            question, asked = built, Asked(print_sql(built), built.release)
        else:
            asked = Asked(asked.sql, read_release(data.get("release", "")))
            question = structs.replace(parse_sql(asked.sql), release=asked.release)
        answer = actions.ask(city, staff, agreement_id, question)
    except DomainError as refusal:
        return _page(request, city, staff, agreement_id, asked=asked, refusal=refusal)
    return _page(request, city, staff, agreement_id, asked=asked, answer=answer)


def _page(
    request: Web,
    city: City,
    staff: Staff,
    agreement_id: str,
    *,
    asked: Asked | None = None,
    answer: Answer | None = None,
    refusal: DomainError | None = None,
) -> Response[str]:
    agreements = agreements_of(city, staff)
    chosen = next((each for each in agreements if each.agreement_id == agreement_id), None)
    desk = _desk(city, chosen or agreements[0]) if agreements else None
    return render(
        request,
        "cleanroom/desk.html",
        status=200 if refusal is None else refusal.surface.status,
        agreements=agreements,
        desk=desk,
        asked=asked or Asked(desk.example if desk else ""),
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


handlers: list[Any] = [get_desk, post_question, *pages_builder.handlers, *pages_multiplications.handlers]
