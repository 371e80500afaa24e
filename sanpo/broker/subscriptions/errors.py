"""What can go wrong with subscriptions."""

from typing import NoReturn

from sanpo.broker.errors import BrokerError
from sanpo.ground.errors import Kind


class SubscriptionIsInvalid(BrokerError):
    """The data is no Subscription (§5.2.12). Fields: where, problem."""

    code = "broker.subscription_is_invalid"
    kind = Kind.INVALID


def fail(where: str, problem: str) -> NoReturn:
    raise SubscriptionIsInvalid(where=where, problem=problem)


class SubscriptionExists(BrokerError):
    """There is a subscription of this id already (§5.8.1.4). Field: subscription_id."""

    code = "broker.subscription_exists"
    kind = Kind.CONFLICT


class SubscriptionNotFound(BrokerError):
    """No subscription of this id is there, or it is another's. Field: subscription_id."""

    code = "broker.subscription_not_found"
    kind = Kind.NOT_FOUND


class SubscriptionIsNotStreamed(BrokerError):
    """Notifications of this subscription are sent, not fetched as events. Fields: subscription_id, uri."""

    code = "broker.subscription_is_not_streamed"
    kind = Kind.INVALID


class TooManyStreams(BrokerError):
    """One owner has too many streams of events open. Field: limit."""

    code = "broker.too_many_streams"
    kind = Kind.TOO_MANY
