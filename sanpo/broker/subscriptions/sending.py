"""The sender: gives each endpoint its own few places, keeps the order of each subscription, and gives up only on record.

A notification is claimed, made as its owner may see it now, sent, and only then taken from the table. Whoever is killed in
between leaves a claim that ends by itself: the next sender sends it again under the same id.
"""

import threading
from collections import Counter, deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any

import structlog

from sanpo.broker.errors import SightIsContended
from sanpo.broker.sight import DUTY
from sanpo.broker.store import encode
from sanpo.broker.subscriptions.endpoints import is_mqtt, notifier_of, pairs_of
from sanpo.broker.subscriptions.following import follow
from sanpo.broker.subscriptions.making import make
from sanpo.broker.subscriptions.model import Subscription
from sanpo.broker.subscriptions.rendering import Message
from sanpo.broker.subscriptions.store import SQL, find_one
from sanpo.ground import mqtt
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError
from sanpo.ground.outbound import CallFailed, is_named, post
from sanpo.people import is_revoked

log = structlog.get_logger()
PLACES = 32
PLACES_OF_FAILING = 8
PLACES_OF_ENDPOINT = 4
MOST_IN_A_ROW = 50
MOST_QUEUED = 500
TIMEOUT_S = 5.0
CLAIM = timedelta(seconds=40)
MOST_ATTEMPTS = 8
MOST_WAIT_S = 300
OLDEST = timedelta(days=1)
FALLBACK_S = 2.0
"""After which the duty looks by itself: for what was committed by a process that was killed before it could tell."""


class Outcome(Enum):
    SENT = "sent"
    NOTHING = "nothing is due"
    FAILED = "failed"


@dataclass
class Sender:
    """The threads of one process that send. `queues` hold what is due by endpoint; `busy` are the subscriptions in them
    or in work; `failing` the endpoints that did not take their last notification."""

    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(PLACES, thread_name_prefix="notify"))
    lock: threading.Lock = field(default_factory=threading.Lock)
    queues: dict[str, deque[int]] = field(default_factory=dict)
    busy: set[int] = field(default_factory=set)
    runners: Counter[str] = field(default_factory=Counter)
    failing: set[str] = field(default_factory=set)

    def start(self, city: City) -> "list[Future[None]]":
        """Gives what is due to threads that are free for it; returns at once."""
        if len(self.busy) < MOST_QUEUED:
            with city.transaction(DUTY) as tx:
                heads = tx.all(SQL.heads, now=tx.now, limit=2 * MOST_QUEUED)
            with self.lock:
                for head in heads:
                    self._enter(head)
        with self.lock:
            endpoints = [
                each for each, queue in self.queues.items() for _ in range(min(len(queue), PLACES_OF_ENDPOINT))
            ]
            chosen = [each for each in endpoints if self._take_place(each)]
        return [self.pool.submit(self._run, city, each) for each in chosen]

    def _enter(self, head: Any) -> None:
        if head.subscription_no in self.busy:
            return
        self.busy.add(head.subscription_no)
        self.queues.setdefault(head.endpoint, deque()).append(head.subscription_no)
        if head.failures:
            self.failing.add(head.endpoint)

    def _take_place(self, endpoint: str) -> bool:
        is_failing = endpoint in self.failing
        if self.runners.total() >= PLACES or self.runners[endpoint] >= (1 if is_failing else PLACES_OF_ENDPOINT):
            return False
        if is_failing and sum(self.runners[each] for each in self.failing) >= PLACES_OF_FAILING:
            return False
        self.runners[endpoint] += 1
        return True

    def _run(self, city: City, endpoint: str) -> None:
        """Sends to one endpoint until its queue is empty, or it has failed: then with one thread, from the next turn on,
        which comes at once where something is left."""
        outcome = Outcome.NOTHING
        while outcome is not Outcome.FAILED and (subscription_no := self._next(endpoint)) is not None:
            outcome = self._send(city, endpoint, subscription_no)
        with self.lock:
            self.runners[endpoint] -= 1
            if not self.runners[endpoint]:
                del self.runners[endpoint]
                if not self.queues.get(endpoint):
                    self.queues.pop(endpoint, None)
            is_more = outcome is Outcome.SENT or any(self.queues.values())
        if is_more:
            with city.transaction(DUTY) as tx:
                tx.execute(SQL.ring)

    def _next(self, endpoint: str) -> int | None:
        with self.lock:
            queue = self.queues.get(endpoint)
            return queue.popleft() if queue else None

    def _send(self, city: City, endpoint: str, subscription_no: int) -> Outcome:
        outcome = Outcome.FAILED
        try:
            for _ in range(MOST_IN_A_ROW):
                outcome = send_next(city, subscription_no)
                if outcome is not Outcome.SENT:
                    break
                self.failing.discard(endpoint)
        except Exception as error:
            # The claim ends by itself, and then it is tried again.
            log.exception("notification_crashed", problem=type(error).__name__)
        finally:
            with self.lock:
                self.busy.discard(subscription_no)
                if outcome is Outcome.FAILED:
                    self.failing.add(endpoint)
        return outcome


def sender_of(city: City) -> Sender:
    """This process's sender for one city."""
    found: Sender = city.__dict__.setdefault("_broker_sender", Sender())
    return found


def notify(city: City) -> float:
    """The duty: changes become notifications, and what is due is given to the sender. Returns in how many seconds more is."""
    follow(city)
    sender_of(city).start(city)
    with city.transaction(DUTY) as tx:
        at = tx.get(SQL.next_due, now=tx.now).at
    return FALLBACK_S if at is None else (at - city.now()).total_seconds()


def notify_all(city: City) -> None:
    """As `notify`, until nothing is due any more; returns when it has been sent."""
    follow(city)
    while started := sender_of(city).start(city):
        wait(started)


def send_next(city: City, subscription_no: int) -> Outcome:
    """Sends the first waiting notification of a subscription, if it is due."""
    with city.transaction(DUTY) as tx:
        row = tx.one(SQL.claim, subscription_no=subscription_no, now=tx.now, until=tx.now + CLAIM)
        subscription = None if row is None else find_one(tx, subscription_no)
        client_id = None if subscription is None else subscription.owner.client_id
        is_over = client_id is not None and is_revoked(tx, client_id)
    if row is None or subscription is None:
        return Outcome.NOTHING
    if is_over or not subscription.is_on(city.now()):
        _finish(city, SQL.drop_notification, row)
        return Outcome.SENT
    used = set(row.used)
    try:
        message = make(city, subscription, row, used)
    except SightIsContended:
        _finish(city, SQL.unclaim, row, due_at=city.now() + timedelta(seconds=1))
        return Outcome.NOTHING
    except DomainError as error:
        problem: str | None = city.words.text("en", f"error.{error.code}", **error.fields)
    else:
        if message is None:
            _finish(city, SQL.drop_notification, row)
            return Outcome.SENT
        problem = _sent(city, subscription, message)
    if problem is None:
        _finish(city, SQL.delivered, row, now=city.now())
        return Outcome.SENT
    now = city.now()
    limits = {"most": MOST_ATTEMPTS, "oldest": now - OLDEST, "most_wait_s": MOST_WAIT_S}
    _finish(city, SQL.failed, row, now=now, error=problem, used=sorted(used), **limits)
    return Outcome.FAILED


def _finish(city: City, sql: str, row: Any, **values: Any) -> None:
    with city.transaction(DUTY) as tx:
        tx.execute(sql, notification_no=row.notification_no, **values)


def _sent(city: City, subscription: Subscription, message: Message) -> str | None:
    """Sends it; returns why it did not arrive, if it did not."""
    endpoint = subscription.endpoint
    hosts = [host.strip() for host in city.settings.broker_allow_hosts.split(",") if host.strip()]
    timeout_s = min(endpoint.get("timeout", TIMEOUT_S * 1000) / 1000, 2 * TIMEOUT_S)
    send = _publish if is_mqtt(endpoint["uri"]) else _post
    try:
        return send(endpoint, message, is_named(endpoint["uri"], hosts), timeout_s)
    except CallFailed as failure:
        return str(failure)


def _post(endpoint: Mapping[str, Any], message: Message, allow_private: bool, timeout_s: float) -> str | None:
    headers = {**pairs_of(endpoint.get("receiverInfo", ())), **message.headers}
    lower = {name.lower(): each for name, each in headers.items()}
    reply = post(
        message.uri or endpoint["uri"],
        message.body,
        lower,
        allow_private=allow_private,
        timeout_s=timeout_s,
        method=message.method,
    )
    return None if 200 <= reply.status < 300 else f"HTTP {reply.status}"


def _publish(endpoint: Mapping[str, Any], message: Message, allow_private: bool, timeout_s: float) -> None:
    """What would be headers is metadata beside the body (§7.2)."""
    metadata = encode({**pairs_of(endpoint.get("receiverInfo", ())), **message.headers})
    version, quality = notifier_of(endpoint)
    mqtt.publish(
        mqtt.read_address(endpoint["uri"]),
        message.body if message.is_bare else b'{"metadata":%b,"body":%b}' % (metadata, message.body),
        version=version,
        qos=int(quality),
        allow_private=allow_private,
        timeout_s=timeout_s,
    )
