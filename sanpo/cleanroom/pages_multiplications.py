"""The multiplication's page: what does a second dataset add to a prediction? A form, and the result in plain words."""

from typing import Any

from litestar import Response, get, post

from sanpo.cleanroom.builder.forms import changed
from sanpo.cleanroom.builder.multiplication import (
    PART_ROWS,
    MultiplicationSheet,
    make_multiplication,
    read_multiplication_form,
)
from sanpo.cleanroom.builder.multiplication_view import first_sheet, show_multiplication
from sanpo.cleanroom.builder.view import finder
from sanpo.cleanroom.multiplications import multiply
from sanpo.cleanroom.pages_builder import Form, Web, agreements_of
from sanpo.ground.actors import Actor, Staff, require
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError
from sanpo.ground.web import render
from sanpo.lake import list_datasets


@get("/cleanroom/multiplications", sync_to_thread=True, include_in_schema=False)
def get_multiplications(request: Web, city: City, actor: Actor) -> Response[str]:
    """The form, with the example of the guide where its data is there."""
    staff = require(actor, Staff)
    return _page(request, city, staff, first_sheet(list_datasets(city)))


@post("/cleanroom/multiplications", sync_to_thread=True, status_code=200, include_in_schema=False)
def post_multiplications(request: Web, city: City, actor: Actor, data: Form) -> Response[str]:
    """The form again, with a row more or less; or what came out of it, or why nothing did."""
    staff = require(actor, Staff)
    sheet = read_multiplication_form(data)
    if "measure" not in data:
        sheet, focus = changed(sheet, data, PART_ROWS)
        return _page(request, city, staff, sheet, focus=focus)
    ready = make_multiplication(sheet, finder(list_datasets(city)))
    if ready.asked is None:
        return _page(request, city, staff, sheet, status=400, ready=ready)
    try:
        bought = multiply(city, staff, ready.asked)
    except DomainError as refusal:
        return _page(request, city, staff, sheet, status=refusal.surface.status, refusal=refusal)
    return _page(request, city, staff, sheet, bought=bought)


def _page(
    request: Web, city: City, staff: Staff, sheet: MultiplicationSheet, *, status: int = 200, **more: Any
) -> Response[str]:
    datasets = list_datasets(city)
    view = show_multiplication(sheet, datasets, agreements_of(city, staff), finder(datasets), **more)
    return render(request, "cleanroom/multiplications.html", status=status, view=view)


handlers: list[Any] = [get_multiplications, post_multiplications]
