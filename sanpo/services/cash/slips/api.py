"""Doors for slips: a device gets ready, a till redeems, an officer sees who signed twice."""

import base64
import binascii
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from litestar import Request, Response, get, post
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import problem_responses
from sanpo.services.cash.answering import BOOKS, Booked, answer
from sanpo.services.cash.model import Line
from sanpo.services.cash.slips import enrolling, redeeming
from sanpo.services.cash.slips.errors import SlipKeyIsInvalid

PATH = "/api/cash"
TAGS = ["cash"]
_ShopId = Annotated[str, PathParameter(description="A shop, `shp_…`.", max_length=64)]
_KeyId = Annotated[str, PathParameter(description="A key, `slk_…`.", max_length=64)]
_Before = Annotated[str, QueryParameter(description="Only those older than this one.", max_length=64)]
_Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="Offences at most.")]


class KeyBody(Struct):
    """`key_id` (`slk_…`) is chosen by the device. `public_key` in base64: 32 bytes, or (es256) a compressed point."""

    key_id: str
    algorithm: Literal["ed25519", "es256"]
    public_key: str
    reserve_yen: int


class KeyOut(Struct):
    """`certificate` in base64: its body and the city's signature, as slips carry them. `left_yen` is not redeemed yet."""

    key_id: str
    algorithm: str
    certificate: str
    reserve_yen: int
    left_yen: int
    limit_yen: int
    valid_from: datetime
    valid_until: datetime
    redeem_until: datetime
    state: str
    cause: str | None


class SlipBody(Struct):
    """`slip` as scanned; `lines` come to its amount, or there are none."""

    slip: str
    lines: list[Line] = []


class OffenceOut(Struct):
    """`message` and `signature` (base64) are what was refused; the `first_…` what was paid under the number before."""

    offence_id: str
    kind: str
    key_id: str
    slip_no: int
    subject_no: int
    shop_id: str
    amount_yen: int
    message: str
    signature: str
    found_at: datetime
    certificate: str
    first_message: str | None
    first_signature: str | None


class SuspendedOut(Struct):
    """Keys whose slips a till should not take any more."""

    key_ids: list[str]


@post(f"{PATH}/me/slip-keys", sync_to_thread=True, status_code=200, tags=TAGS, responses=BOOKS)
def post_key(request: Request[Any, Any, Any], city: City, actor: Actor, data: KeyBody) -> Response[Booked]:
    """Certifies the key of a device, and reserves money for the slips that it will sign."""
    try:
        public_key = base64.b64decode(data.public_key, validate=True)
    except (binascii.Error, ValueError):
        raise SlipKeyIsInvalid(field="public_key", problem="is no base64") from None
    key: dict[str, Any] = {"algorithm": data.algorithm, "public_key": public_key, "reserve_yen": data.reserve_yen}
    return answer(request, enrolling.prepare_slips(city, actor, data.key_id, **key))


@get(f"{PATH}/me/slip-keys", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403))
def get_keys(city: City, actor: Actor) -> list[KeyOut]:
    """The resident's own keys with their certificates, the newest first."""
    return [KeyOut(**_texts(key)) for key in enrolling.list_keys(city, actor)]


@post(
    f"{PATH}/slip-keys/{{key_id:str}}/loss", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404)
)
def post_loss(city: City, actor: Actor, key_id: _KeyId) -> None:
    """Suspends a key whose device was lost, for its resident or an officer: no slip of it is paid from now on."""
    enrolling.report_loss(city, actor, key_id)


@get(f"{PATH}/slip-keys/suspended", sync_to_thread=True, tags=TAGS, responses=problem_responses())
def get_suspended(city: City) -> SuspendedOut:
    """The suspended keys, for everybody: tills carry the list along."""
    return SuspendedOut(enrolling.list_suspended(city))


@post(f"{PATH}/shops/{{shop_id:str}}/slips", sync_to_thread=True, status_code=200, tags=TAGS, responses=BOOKS)
def post_slip(
    request: Request[Any, Any, Any], city: City, actor: Actor, shop_id: _ShopId, data: SlipBody
) -> Response[Booked]:
    """Redeems a slip; sent again, it pays nothing."""
    return answer(request, redeeming.redeem(city, actor, shop_id, data.slip, data.lines))


@get(f"{PATH}/slip-offences", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403))
def get_offences(city: City, actor: Actor, before: _Before = "off_~", limit: _Limit = 100) -> list[OffenceOut]:
    """What was signed twice or above the reserve, and by whose key, the newest first; for officers."""
    return [OffenceOut(**_texts(each)) for each in redeeming.list_offences(city, actor, before=before, limit=limit)]


def _texts(found: enrolling.SlipKey | redeeming.Offence) -> dict[str, Any]:
    values = asdict(found).items()
    return {name: base64.b64encode(each).decode() if isinstance(each, bytes) else each for name, each in values}


handlers: list[Any] = [post_key, get_keys, post_loss, get_suspended, post_slip, get_offences]
