"""The sender: gives each endpoint its own few places, keeps the order of each subscription, and gives up only on record.

A notification is claimed, made as its owner may see it now, sent, and only then taken from the table. Whoever is killed in
between leaves a claim that ends by itself: the next sender sends it again under the same id.
"""

import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
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
from sanpo.broker.subscriptions.following import follow, subscriptions_of
from sanpo.broker.subscriptions.making import make
from sanpo.broker.subscriptions.model import Subscription
from sanpo.broker.subscriptions.rendering import Message
from sanpo.broker.subscriptions.store import SQL
from sanpo.ground import mqtt
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError
from sanpo.ground.outbound import CallFailed, is_named, post
from sanpo.ground.rounds import Rounds
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
    or in work, `again` those of which more came due meanwhile; `failing` the endpoints that did not take their last
    notification."""

    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(PLACES, thread_name_prefix="notify"))
    lock: threading.Lock = field(default_factory=threading.Lock)
    queues: dict[str, deque[int]] = field(default_factory=dict)
    busy: set[int] = field(default_factory=set)
    again: set[int] = field(default_factory=set)
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
            self.again.add(head.subscription_no)
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
        while (subscription_no := self._next(endpoint, outcome)) is not None:
            outcome = self._send(city, endpoint, subscription_no)
        with self.lock:
            is_left = any(self.queues.values())
        if is_left:
            with city.transaction(DUTY) as tx:
                tx.execute(SQL.ring)

    def _next(self, endpoint: str, outcome: Outcome) -> int | None:
        """The next subscription for this thread; None ends it, in the moment in which there is none."""
        with self.lock:
            queue = self.queues.get(endpoint)
            if queue and outcome is not Outcome.FAILED:
                return queue.popleft()
            self.runners[endpoint] -= 1
            if not self.runners[endpoint]:
                del self.runners[endpoint]
                if not queue:
                    self.queues.pop(endpoint, None)
            return None

    def _send(self, city: City, endpoint: str, subscription_no: int) -> Outcome:
        outcome = Outcome.FAILED
        with self.lock:
            self.again.discard(subscription_no)
        try:
            outcome = self._send_some(city, endpoint, subscription_no)
        except Exception as error:
            # The claim ends by itself, and then it is tried again.
            log.exception("notification_crashed", problem=type(error).__name__)
        finally:
            with self.lock:
                if outcome is Outcome.FAILED:
                    self.failing.add(endpoint)
                if outcome is Outcome.SENT or (outcome is Outcome.NOTHING and subscription_no in self.again):
                    self.queues.setdefault(endpoint, deque()).append(subscription_no)  # behind those of others
                else:
                    self.busy.discard(subscription_no)
                    self.again.discard(subscription_no)
        return outcome

    def _send_some(self, city: City, endpoint: str, subscription_no: int) -> Outcome:
        """What is due of one subscription, in order, but only so many at a time."""
        outcome, delivered = Outcome.SENT, None
        for _ in range(MOST_IN_A_ROW):
            outcome, delivered = send_next(city, subscription_no, delivered)
            if outcome is not Outcome.SENT:
                break
            self.failing.discard(endpoint)
        if delivered is not None:
            _take_turn(city, _Turn(subscription_no, delivered, is_last=True))
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


@dataclass(frozen=True)
class _Turn:
    """What a thread wants of the table: that this was delivered, and the next of a subscription."""

    subscription_no: int
    delivered: int | None
    is_last: bool = False


@dataclass(frozen=True)
class _Claimed:
    row: Any
    subscription: Subscription
    is_over: bool


def send_next(city: City, subscription_no: int, delivered: int | None = None) -> tuple[Outcome, int | None]:
    """Sends the first waiting notification of a subscription, if it is due.

    `delivered` is one that has arrived before, and is now taken from the table. Returns what became of this one, and its
    number where it has arrived: to be told at the next call, so that both are one transaction.
    """
    claimed = _take_turn(city, _Turn(subscription_no, delivered))
    if claimed is None:
        return Outcome.NOTHING, None
    row, subscription = claimed.row, claimed.subscription
    if claimed.is_over or not subscription.is_on(city.now()):
        _finish(city, SQL.drop_notification, row)
        return Outcome.SENT, None
    used = set(row.used)
    try:
        message = make(city, subscription, row, used)
    except SightIsContended:
        _finish(city, SQL.unclaim, row, due_at=city.now() + timedelta(seconds=1))
        return Outcome.NOTHING, None
    except DomainError as error:
        problem: str | None = city.words.text("en", f"error.{error.code}", **error.fields)
    else:
        if message is None:
            _finish(city, SQL.drop_notification, row)
            return Outcome.SENT, None
        problem = _sent(city, subscription, message)
    if problem is None:
        return Outcome.SENT, int(row.notification_no)
    now = city.now()
    limits = {"most": MOST_ATTEMPTS, "oldest": now - OLDEST, "most_wait_s": MOST_WAIT_S}
    _finish(city, SQL.failed, row, now=now, error=problem, used=sorted(used), **limits)
    return Outcome.FAILED, None


def _take_turn(city: City, turn: _Turn) -> _Claimed | None:
    """Turns ride together: as many threads as send, so many would else commit."""
    rounds: Rounds[_Turn, _Claimed | None] = city.__dict__.setdefault("_broker_turns", Rounds(PLACES))

    def work(turns: Sequence[_Turn]) -> list[_Claimed | None]:
        with city.transaction(DUTY) as tx:
            tx.execute(SQL.no_wait)
            delivered = [each.delivered for each in turns if each.delivered is not None]
            if delivered:
                tx.execute(SQL.delivered, numbers=delivered, now=tx.now)
            wanted = [each.subscription_no for each in turns if not each.is_last]
            rows = tx.all(SQL.claim, numbers=wanted, now=tx.now, until=tx.now + CLAIM) if wanted else []
            found = {row.subscription_no: row for row in rows}
            known = subscriptions_of(tx, list(found))
            return [_claimed(tx, found.get(each.subscription_no), known) for each in turns]

    return rounds.ask("", turn, work)


def _claimed(tx: Transaction, row: Any, known: Mapping[int, Subscription]) -> _Claimed | None:
    subscription = None if row is None else known.get(row.subscription_no)
    if subscription is None:
        return None
    client_id = subscription.owner.client_id
    is_over = not row.is_active or (client_id is not None and is_revoked(tx, client_id))
    return _Claimed(row, subscription, is_over)


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
