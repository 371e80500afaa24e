"""The register of shops: who is paid in the town's cash, and since when somebody is not."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError, NotFound
from sanpo.ground.ids import IdIsMalformed
from sanpo.ground.problems import language_of
from sanpo.ground.web import render
from sanpo.services.cash import view
from sanpo.services.cash.errors import ShopIsInvalid
from sanpo.services.cash.shops import ShopDraft, get_shop, list_shops, register_shop, set_shop_state

Web = Request[Any, Any, Any]
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
FIELDS = ("organisation_id", "local_name", "name", "category", "district", "merchant")
DONE = frozenset({"registered", "suspended", "open"})


@get("/cash/shops", sync_to_thread=True, include_in_schema=False)
def get_shops(request: Web, city: City, actor: Actor) -> Response[str]:
    """All shops, and the form for a new one."""
    require_officer(actor)
    return _register_page(request, city, {})


@post("/cash/shops", sync_to_thread=True, include_in_schema=False)
def post_shop(request: Web, city: City, actor: Actor, data: Form) -> Response[str] | Redirect:
    """Registers a shop; what cannot be is said above the form, which keeps what was written."""
    given: dict[str, Any] = {name: data.get(name, "").strip() for name in FIELDS}
    try:
        shop = register_shop(city, actor, ShopDraft(**given))
    except (ShopIsInvalid, NotFound, IdIsMalformed) as error:
        return _register_page(request, city, given, problem=_told(request, city, error))
    return Redirect(f"/cash/shops/{shop.shop_id}?done=registered", status_code=303)


@get("/cash/shops/{shop_id:str}", sync_to_thread=True, include_in_schema=False)
def get_shop_page(request: Web, city: City, actor: Actor, shop_id: str, done: str = "") -> Response[str]:
    """A shop as it is registered, and what an officer can do about it."""
    require_officer(actor)
    return _shop_page(request, city, shop_id, done=done if done in DONE else "")


@post("/cash/shops/{shop_id:str}", sync_to_thread=True, include_in_schema=False)
def post_shop_state(request: Web, city: City, actor: Actor, shop_id: str, data: Form) -> Response[str] | Redirect:
    """Suspends the shop with a reason, or opens it again."""
    state = data.get("state", "")
    try:
        set_shop_state(city, actor, shop_id, state, data.get("reason", ""))
    except ShopIsInvalid:
        return _shop_page(request, city, shop_id, problem="cash.shop.reason_missing")
    return Redirect(f"/cash/shops/{shop_id}?done={state}", status_code=303)


def _register_page(request: Web, city: City, given: dict[str, str], *, problem: str = "") -> Response[str]:
    return render(
        request,
        "cash/shops.html",
        status=422 if problem else 200,
        shops=list_shops(city),
        given={name: given.get(name, "") for name in FIELDS},
        problem=problem,
    )


def _shop_page(request: Web, city: City, shop_id: str, *, done: str = "", problem: str = "") -> Response[str]:
    shop = get_shop(city, shop_id)
    return render(
        request,
        "cash/shop.html",
        status=422 if problem else 200,
        shop=shop,
        merchant=view.grouped(shop.merchant),
        done=done,
        problem=problem,
    )


def _told(request: Web, city: City, error: DomainError) -> str:
    """Which field, in words; what is wrong with it is in its help."""
    field = "organisation_id" if not isinstance(error, ShopIsInvalid) else str(error.fields["field"])
    lang = language_of(request)
    return city.words.text(lang, "cash.shop.field_is_wrong", field=city.words.text(lang, f"cash.shop.{field}"))


handlers: list[Any] = [get_shops, post_shop, get_shop_page, post_shop_state]
