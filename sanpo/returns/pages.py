"""The resident's page of uses: who used what, for which purpose, with how many others, and what came back."""

from typing import Any

from litestar import Request, Response, get

from sanpo.consent import dataset_text
from sanpo.ground.actors import Actor, Resident, require
from sanpo.ground.city import City
from sanpo.ground.problems import language_of
from sanpo.ground.web import render
from sanpo.returns.uses import list_uses

PAGE = 20


@get("/returns", sync_to_thread=True, include_in_schema=False)
def get_uses(request: Request[Any, Any, Any], city: City, actor: Actor, before: int | None = None) -> Response[str]:
    """Newest first, a page at a time."""
    resident = require(actor, Resident)
    uses = list_uses(city, resident, before=before, limit=PAGE)
    older = uses[-1].entry_no if len(uses) == PAGE else None
    vkey = city.keys.vkey(city.settings.journal_origin)
    lang = language_of(request)
    return render(
        request,
        "returns/uses.html",
        uses=uses,
        older=older,
        vkey=vkey,
        dataset_text=lambda name: dataset_text(city, name, lang),
    )


handlers: list[Any] = [get_uses]
