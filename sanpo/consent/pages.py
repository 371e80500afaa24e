"""Pages of consent: what is asked and decided (residents), what waits for review (officers), publishing (analysts)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from sanpo.consent import actions, publication
from sanpo.consent.datasets import dataset_text, hands_over_values
from sanpo.consent.model import PublishedAgreement, read_draft
from sanpo.consent.states import Decision, State
from sanpo.ground.actors import Actor, Resident, Staff, require, require_officer
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError, NotFound
from sanpo.ground.ids import check_id
from sanpo.ground.problems import language_of
from sanpo.ground.web import render

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Web = Request[Any, Any, Any]


@dataclass(frozen=True)
class Card:
    """One agreement on a page: its text, and the reader's own state where the reader is a resident."""

    agreement: PublishedAgreement
    state: State | None
    since_at: Any = None
    expires_at: Any = None
    granted: int = 0


@get("/consent", sync_to_thread=True, include_in_schema=False)
def get_consents(request: Web, city: City, actor: Actor) -> Response[str]:
    """The resident's list: what is asked for, what was agreed to, what has ended."""
    resident = require(actor, Resident)
    offers = actions.list_offers(city, resident)
    return render(
        request,
        "consent/offers.html",
        waiting=[o for o in offers if o.state in (State.REQUESTED, State.DEFERRED) and o.agreement.state == "approved"],
        valid=[o for o in offers if o.state.counts],
        ended=[o for o in offers if not o.state.counts and o.state not in (State.REQUESTED, State.DEFERRED)],
    )


@get("/consent/agreements/{agreement_id:str}", sync_to_thread=True, include_in_schema=False)
def get_agreement_page(
    request: Web, city: City, actor: Actor, agreement_id: str, done: str | None = None
) -> Response[str]:
    """One agreement in plain words, with the buttons that the reader may press."""
    card = _card(city, actor, agreement_id)
    history = []
    if isinstance(actor, Resident):
        history = actions.list_history(city, actor, agreement_no=card.agreement.agreement_no, limit=20)
    text = _texts(request, city)
    return render(
        request,
        "consent/agreement.html",
        card=card,
        history=history,
        done=done,
        dataset_text=text,
        hands_over=partial(hands_over_values, city),
    )


@post("/consent/agreements/{agreement_id:str}", sync_to_thread=True, include_in_schema=False)
def post_agreement_page(request: Web, city: City, actor: Actor, agreement_id: str, data: Form) -> Redirect:
    """The tap on a button."""
    decision = _decision(data.get("decision", ""))
    outcome = actions.decide(
        city, actor, agreement_id, decision, sha256=data.get("sha256"), language=language_of(request)
    )
    return Redirect(f"/consent/agreements/{agreement_id}?done={outcome.state.value}", status_code=303)


@get("/consent/receipts/{event_id:str}", sync_to_thread=True, include_in_schema=False)
def get_receipt_page(request: Web, city: City, actor: Actor, event_id: str) -> Response[str]:
    """The receipt for people; the signed files are linked."""
    receipt = actions.get_record(city, actor, event_id)
    form = city.words.text(language_of(request), "portal.format.moment")

    def moment_of(text: str | None) -> str:
        return "" if text is None else datetime.fromisoformat(text).astimezone(city.settings.zone).strftime(form)

    return render(
        request,
        "consent/receipt.html",
        receipt=receipt,
        record=receipt["record"],
        event_id=event_id,
        moment_of=moment_of,
    )


@get("/consent/review", sync_to_thread=True, include_in_schema=False)
def get_review(request: Web, city: City, actor: Actor) -> Response[str]:
    """What waits for the officer, and what is in force."""
    officer = require_officer(actor)
    agreements = publication.list_agreements(city, officer)
    cards = [Card(a, None, granted=publication.count_granted(city, a.agreement_no)) for a in agreements]
    return render(
        request,
        "consent/review.html",
        proposed=[c for c in cards if c.agreement.state == "proposed"],
        approved=[c for c in cards if c.agreement.state == "approved"],
        past=[c for c in cards if c.agreement.state in ("rejected", "closed")],
        dataset_text=_texts(request, city),
        hands_over=partial(hands_over_values, city),
    )


@post("/consent/review/{agreement_id:str}", sync_to_thread=True, include_in_schema=False)
def post_review(city: City, actor: Actor, agreement_id: str, data: Form) -> Redirect:
    """The officer approves, rejects or closes."""
    verdict, note = data.get("verdict"), data.get("note", "")
    if verdict == "approve":
        publication.approve_agreement(city, actor, agreement_id, note=note)
    elif verdict == "reject":
        publication.reject_agreement(city, actor, agreement_id, note=note)
    elif verdict == "close":
        publication.close_agreement(city, actor, agreement_id, note=note)
    else:
        raise NotFound(what="verdict")
    return Redirect("/consent/review", status_code=303)


@get("/consent/organisation", sync_to_thread=True, include_in_schema=False)
def get_organisation_page(request: Web, city: City, actor: Actor) -> Response[str]:
    """The organisation's own agreements and the way to publish another."""
    staff = require(actor, Staff)
    return _organisation_page(request, city, staff, text="", problem=None)


@post("/consent/organisation", sync_to_thread=True, include_in_schema=False)
def post_organisation_page(request: Web, city: City, actor: Actor, data: Form) -> Response[str] | Redirect:
    """Publishes the draft in the form. What is wrong is shown beside the text, which is kept."""
    staff = require(actor, Staff)
    text = data.get("draft", "")
    try:
        published = publication.publish_agreement(city, staff, read_draft(text))
    except DomainError as error:
        return _organisation_page(request, city, staff, text=text, problem=error)
    return Redirect(f"/consent/agreements/{published.agreement_id}", status_code=303)


def _organisation_page(
    request: Web, city: City, staff: Staff, *, text: str, problem: DomainError | None
) -> Response[str]:
    own = publication.list_agreements(city, staff, organisation_no=staff.organisation_no)
    cards = [Card(a, None, granted=publication.count_granted(city, a.agreement_no)) for a in own]
    if not text and own:
        text = msgspec.json.format(msgspec.json.encode(own[0].draft), indent=2).decode()
    return render(
        request,
        "consent/organisation.html",
        status=200 if problem is None else problem.surface.status,
        cards=cards,
        draft=text,
        problem=problem,
    )


def _texts(request: Web, city: City) -> Callable[..., str]:
    """What a dataset, or one of its columns, is called in the reader's language."""
    lang = language_of(request)

    def text(name: str, column: str | None = None) -> str:
        return dataset_text(city, name, lang, column)

    return text


def _card(city: City, actor: Actor, agreement_id: str) -> Card:
    if isinstance(actor, Resident):
        offer = actions.get_offer(city, actor, agreement_id)
        granted = publication.count_granted(city, offer.agreement.agreement_no)
        return Card(offer.agreement, offer.state, offer.since_at, offer.expires_at, granted)
    check_id("agr", agreement_id)
    found = publication.find_agreement(city, actor, agreement_id)
    if found is None:
        raise NotFound(what="agreement")
    return Card(found, None, granted=publication.count_granted(city, found.agreement_no))


def _decision(text: str) -> Decision:
    try:
        return Decision(text)
    except ValueError:
        raise NotFound(what="decision") from None


handlers: list[Any] = [
    get_consents,
    get_agreement_page,
    post_agreement_page,
    get_receipt_page,
    get_review,
    post_review,
    get_organisation_page,
    post_organisation_page,
]
