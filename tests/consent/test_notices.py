"""Recipients are told by a signed webhook; what they answer, or that they do not, is kept for the resident to see."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sanpo.app import create_registry
from sanpo.consent import Decision, decide
from sanpo.consent.actions import GrantChangedMeanwhile, list_history
from sanpo.consent.notices import RecipientDidNotAnswer, list_notices, tell_recipient
from sanpo.consent.store import SQL
from sanpo.ground.jobs import run_worker
from sanpo.people import NewOrganisation, pseudonym, register_organisation
from tests.world import OPERATOR, World


class Receiver(BaseHTTPRequestHandler):
    status: ClassVar[int] = 200
    answer: ClassVar[bytes] = b'{"acknowledged": true}'
    calls: ClassVar[list[tuple[dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        Receiver.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(Receiver.status)
        self.end_headers()
        self.wfile.write(Receiver.answer)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.status, Receiver.answer, Receiver.calls = 200, b'{"acknowledged": true}', []
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


def withdrawn(world: World, url: str) -> tuple[Any, Any, str]:
    """An organisation that hears at `url`, a resident who gave and withdrew, and the notice's id."""
    new = NewOrganisation("研究所", "Institute", "university", "a@example.jp", url)
    organisation = register_organisation(world.city, OPERATOR, new)
    agreement = world.agreement(organisation)
    (resident,) = world.residents(1)
    world.give(agreement, [resident])
    decide(world.city, resident, agreement.agreement_id, Decision.WITHDRAW)
    (notice,) = list_notices(world.city, world.client(organisation))
    return organisation, resident, notice["notice_id"]


def test_recipient_is_told_by_the_worker_and_its_acknowledgement_is_shown(world: World, receiver: str) -> None:
    organisation, resident, notice_id = withdrawn(world, receiver)
    run_worker(world.city, create_registry(), once=True)
    ((headers, body),) = Receiver.calls
    told = json.loads(body)
    assert (told["notice_id"], told["state"]) == (notice_id, "withdrawn")
    assert told["subject"] == pseudonym(world.city, organisation.organisation_no, resident.subject_no)
    (latest, _) = list_history(world.city, resident)
    assert latest.delivered_at is not None
    assert latest.acknowledged_at is not None
    signed = f"{notice_id}.{headers['webhook-timestamp']}.".encode() + body
    key = Ed25519PublicKey.from_public_bytes(world.city.keys.public_bytes)
    key.verify(base64.b64decode(headers["webhook-signature"].removeprefix("v1a,")), signed)


@pytest.mark.parametrize("answer", [b"", b"thanks", b"[]", b'{"acknowledged": "yes"}'])
def test_delivery_without_acknowledgement_is_shown_as_such(world: World, receiver: str, answer: bytes) -> None:
    Receiver.answer = answer
    _, resident, notice_id = withdrawn(world, receiver)
    tell_recipient(world.city, {"notice_id": notice_id})
    (latest, _) = list_history(world.city, resident)
    assert latest.delivered_at is not None
    assert latest.acknowledged_at is None


def test_failure_is_kept_and_tried_again(world: World, receiver: str) -> None:
    Receiver.status = 500
    _, resident, notice_id = withdrawn(world, receiver)
    for attempt in (1, 2):
        with pytest.raises(RecipientDidNotAnswer):
            tell_recipient(world.city, {"notice_id": notice_id})
        (latest, _) = list_history(world.city, resident)
        assert (latest.attempts, latest.last_error, latest.delivered_at) == (attempt, "HTTP 500", None)
    Receiver.status = 204
    tell_recipient(world.city, {"notice_id": notice_id})
    assert list_history(world.city, resident)[0].delivered_at is not None
    told = len(Receiver.calls)
    tell_recipient(world.city, {"notice_id": notice_id})
    assert len(Receiver.calls) == told, "a notice that arrived is not sent again"


def test_two_decisions_at_once_leave_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state that the second one read is no longer there when it writes."""
    agreement = world.agreement()
    (resident,) = world.residents(1)
    stale = SQL.grant.replace("g.state as grant_state", "null::text as grant_state")
    world.give(agreement, [resident])
    monkeypatch.setitem(SQL._blocks, "grant", stale)
    with pytest.raises(GrantChangedMeanwhile):
        decide(world.city, resident, agreement.agreement_id, Decision.GIVE)
    assert len(list_history(world.city, resident)) == 1
