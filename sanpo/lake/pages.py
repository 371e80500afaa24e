"""The lake's pages: what the city holds at all, for everybody; and a resident's erasure of what it holds of them."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from sanpo.ground.actors import Actor, Resident, require
from sanpo.ground.city import City
from sanpo.ground.errors import InputIsInvalid
from sanpo.ground.problems import language_of
from sanpo.ground.web import render
from sanpo.lake.actions import count_own_rows
from sanpo.lake.catalogue import list_datasets
from sanpo.lake.licences import licence_title, licence_url
from sanpo.lake.model import kind_of
from sanpo.lake.upkeep import ask_erasure, list_erasures

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
PATH = "/lake/erasures"


@get(PATH, sync_to_thread=True, include_in_schema=False)
def get_erasures_page(request: Request[Any, Any, Any], city: City, actor: Actor, done: str = "") -> Response[str]:
    """One's own rows by dataset, the way to have them erased, and earlier erasures."""
    resident = require(actor, Resident)
    lang = language_of(request)
    held = count_own_rows(city, resident)
    return render(
        request,
        "lake/erasures.html",
        held=[(dataset.text.get(lang, dataset.name), rows) for dataset, rows in held.items()],
        names={dataset.name: dataset.text.get(lang, dataset.name) for dataset in held},
        erasures=list_erasures(city, resident),
        hours=city.settings.lake_removal_hours,
        asked=done == "asked",
    )


@post(PATH, sync_to_thread=True, include_in_schema=False)
def post_erasures_page(city: City, actor: Actor, data: Form) -> Redirect:
    """Asks for the erasure, once the box says that it is meant."""
    if data.get("sure") != "1":
        raise InputIsInvalid(where="sure", problem="tick the box to say that you mean it")
    ask_erasure(city, actor)
    return Redirect(f"{PATH}?done=asked", status_code=303, headers={"Cache-Control": "no-store"})


@get("/lake/datasets", sync_to_thread=True, include_in_schema=False)
def get_datasets_page(request: Request[Any, Any, Any], city: City) -> Response[str]:
    """Every dataset of the city, about people or not, with its columns; open data with publisher and licence."""
    lang = language_of(request)
    return render(
        request,
        "lake/datasets.html",
        groups=[
            (kind, [dataset for dataset in list_datasets(city) if kind_of(dataset) == kind])
            for kind in ("personal", "open", "public")
        ],
        words=lambda text, name: text.get(lang, name),
        licence_title=licence_title,
        licence_url=licence_url,
    )


handlers: list[Any] = [get_erasures_page, post_erasures_page, get_datasets_page]
