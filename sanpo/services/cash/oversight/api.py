"""Doors for officers: limits, alerts, stopped wallets, unused balances, wallets at rest; and a resident's notices."""

from datetime import date, datetime
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import language_of, problem_responses
from sanpo.services.cash.oversight import alerts, dormant, limits, suspending, unused
from sanpo.services.cash.oversight.model import Rule

PATH = "/api/cash/oversight"
TAGS = ["cash"]
_OFFICER = problem_responses(401, 403)
_ONE = problem_responses(401, 403, 404, 409)
_Day = Annotated[date, QueryParameter(description="A day on the city's clock; both ends are in the period.")]
_AlertId = Annotated[str, PathParameter(description="An alert, `alr_…`.", max_length=64)]
_BaseDay = Annotated[date, PathParameter(description="31 March or 30 September.")]


class NoticeOut(Struct):
    """`kind`: suspended, reopened or dormant; `message` in the language asked for."""

    kind: str
    message: str
    at: datetime


class LookBody(Struct):
    """Why the officer looks; the resident reads it in the journal."""

    purpose: alerts.Purpose


class WalletBody(Struct):
    """`holder`: `res_…`, the register's reference, or an alert `alr_…`. The resident reads `reason`."""

    holder: str
    reason: str


@get("/api/cash/me/notices", sync_to_thread=True, tags=TAGS, responses=_OFFICER)
def get_notices(request: Request[Any, Any, Any], city: City, actor: Actor) -> list[NoticeOut]:
    """What the city has told the resident about their own wallet, the newest first."""
    lang = language_of(request)
    return [
        NoticeOut(each.kind, city.words.text(lang, f"cash.notice.{each.kind}", reason=each.reason), each.at)
        for each in suspending.list_notices(city, actor)
    ]


@get(f"{PATH}/limits", sync_to_thread=True, tags=TAGS, responses=_OFFICER)
def get_limits(city: City, actor: Actor, since: _Day, until: _Day) -> limits.LimitsReport:
    """What was refused at the limits, and how many residents came near them."""
    return limits.report_limits(city, actor, since, until)


@get(f"{PATH}/alerts", sync_to_thread=True, tags=TAGS, responses=_OFFICER)
def get_alerts(city: City, actor: Actor, since: _Day, until: _Day) -> list[alerts.Alert]:
    """What the rules have found, and not in whose wallet."""
    return alerts.list_alerts(city, actor, since, until)


@get(f"{PATH}/alert-rules", sync_to_thread=True, tags=TAGS, responses=_OFFICER)
def get_alert_rules(actor: Actor) -> list[Rule]:
    """What is counted, in words and in numbers."""
    return alerts.list_rules(actor)


@post(f"{PATH}/alerts/{{alert_id:str}}/looks", sync_to_thread=True, tags=TAGS, responses=_ONE)
def post_look(city: City, actor: Actor, alert_id: _AlertId, data: LookBody) -> alerts.Look:
    """Whose wallet an alert is about. The look is in the journal, where the resident finds it."""
    return alerts.look_at_alert(city, actor, alert_id, data.purpose)


@get(f"{PATH}/suspensions", sync_to_thread=True, tags=TAGS, responses=_OFFICER)
def get_suspensions(city: City, actor: Actor) -> list[suspending.Suspension]:
    """The wallets that are stopped."""
    return suspending.list_suspended(city, actor)


@post(f"{PATH}/suspensions", sync_to_thread=True, status_code=204, tags=TAGS, responses=_ONE)
def post_suspension(city: City, actor: Actor, data: WalletBody) -> None:
    """Stops a wallet; its resident is told why."""
    suspending.suspend_wallet(city, actor, data.holder, data.reason)


@post(f"{PATH}/reopenings", sync_to_thread=True, status_code=204, tags=TAGS, responses=_ONE)
def post_reopening(city: City, actor: Actor, data: WalletBody) -> None:
    """Opens a wallet again; its resident is told why."""
    suspending.reopen_wallet(city, actor, data.holder, data.reason)


@get(f"{PATH}/unused-balances", sync_to_thread=True, tags=TAGS, responses=_OFFICER)
def get_unused_balances(city: City, actor: Actor) -> list[unused.UnusedBalance]:
    """The reported unused balances with the deposits due, the newest first."""
    return unused.list_unused(city, actor)


@get(f"{PATH}/unused-balances/csv", sync_to_thread=True, tags=TAGS, media_type="text/csv", responses=_OFFICER)
def get_unused_balances_csv(city: City, actor: Actor) -> Response[bytes]:
    """As `unused-balances`, as a table."""
    headers = {"content-disposition": 'attachment; filename="unused-balances.csv"', "cache-control": "no-store"}
    return Response(unused.unused_csv(unused.list_unused(city, actor)), media_type="text/csv", headers=headers)


@post(f"{PATH}/unused-balances/{{base_day:date}}", sync_to_thread=True, status_code=200, tags=TAGS, responses=_ONE)
def post_unused_balance(city: City, actor: Actor, base_day: _BaseDay) -> unused.UnusedBalance:
    """Makes the report of a base day, once; it goes into the journal."""
    return unused.report_unused(city, actor, base_day)


@get(f"{PATH}/dormant", sync_to_thread=True, tags=TAGS, responses=_OFFICER)
def get_dormant(city: City, actor: Actor) -> list[dormant.Dormant]:
    """Wallets with money in which nothing has moved for long."""
    return dormant.list_dormant(city, actor)


handlers: list[Any] = [
    get_notices,
    get_limits,
    get_alerts,
    get_alert_rules,
    post_look,
    get_suspensions,
    post_suspension,
    post_reopening,
    get_unused_balances,
    get_unused_balances_csv,
    post_unused_balance,
    get_dormant,
]
