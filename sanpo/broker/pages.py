"""Pages of the living picture: what there is, entities of a type, one entity. Whoever looks sees what is in their sight."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from markupsafe import Markup

from sanpo.broker import picture
from sanpo.broker.contexts.context import CORE
from sanpo.broker.discovery import count_types
from sanpo.broker.language.errors import QueryIsMalformed, QueryIsTooComplex
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import language_of
from sanpo.ground.web import render

Web = Request[Any, Any, Any]


@get("/broker", sync_to_thread=True, include_in_schema=False)
def get_types_page(request: Web, city: City, actor: Actor) -> Response[str]:
    """Which types of things there are, and how many of each."""
    counts = count_types(picture.reader_of(city, actor))
    return render(request, "broker/types.html", types=[(iri, picture.name_of(iri), n) for iri, n in counts.items()])


@get("/broker/entities", sync_to_thread=True, include_in_schema=False)
def get_entities_page(request: Web, city: City, actor: Actor, type: str, q: str = "", offset: int = 0) -> Response[str]:
    """The entities of one type on a map and as a table; `q` is NGSI-LD's query language."""
    place, start, problem = picture.reader_of(city, actor), max(0, min(offset, 1_000_000)), ""
    try:
        sheet = picture.sheet_of(place, CORE.expand(type), q, start)
    except (QueryIsMalformed, QueryIsTooComplex) as error:
        problem = city.words.text(language_of(request), f"error.{error.code}", **error.fields)
        sheet = picture.sheet_of(place, CORE.expand(type), "", 0)

    def page_at(at: int) -> str:
        return f"/broker/entities?{urlencode({'type': type, 'q': q, 'offset': at})}"

    link = Markup('<a href="/broker/entity?{}">{}</a>')
    return render(
        request,
        "broker/entities.html",
        name=picture.name_of(CORE.expand(type)),
        type=type,
        q=q,
        problem=problem,
        sheet=sheet,
        features=_features(sheet.map.points) if sheet.map else None,
        width=picture.MAP_WIDTH,
        rows=[[link.format(urlencode({"id": row.entity_id}), row.name), *row.values] for row in sheet.rows],
        newer=page_at(max(0, start - picture.ON_A_PAGE)) if start else None,
        older=page_at(start + picture.ON_A_PAGE) if start + picture.ON_A_PAGE < sheet.count else None,
    )


@get("/broker/entity", sync_to_thread=True, include_in_schema=False)
def get_entity_page(request: Web, city: City, actor: Actor, id: str) -> Response[str]:
    """One entity, and the courses of its numbers."""
    doc, shown, courses = picture.entity_of(picture.reader_of(city, actor), id)
    zone = city.settings.zone
    return render(
        request,
        "broker/entity.html",
        name=picture.label_of(doc),
        entity_id=doc["id"],
        type=picture.name_of(doc["type"][0]),
        type_iri=doc["type"][0],
        rows=[[each.name, each.value, _local(each.at, zone)] for each in shown],
        charts=[
            {
                "title": course.name,
                "unit": course.unit,
                "x": [_local(each, zone) for each in course.times],
                "series": [{"name": course.name, "data": list(course.numbers)}],
                "summary": "",
            }
            for course in courses
        ],
    )


def _features(points: Sequence[picture.Point]) -> dict[str, Any]:
    """The points as GeoJSON (RFC 7946), each with its name and the way to its page, for the map that moves."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": point.position},
            "properties": {"name": point.name, "href": f"/broker/entity?{urlencode({'id': point.entity_id})}"},
        }
        for point in points
    ]
    return {"type": "FeatureCollection", "features": features}


def _local(moment: str, zone: Any) -> str:
    return datetime.fromisoformat(moment).astimezone(zone).strftime("%Y-%m-%d %H:%M") if moment else ""


handlers: list[Any] = [get_types_page, get_entities_page, get_entity_page]
