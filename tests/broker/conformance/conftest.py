"""The receivers of notifications are those of the subscriptions' own tests."""

from tests.broker.subscriptions.conftest import open_city, receiver, receivers

__all__ = ["open_city", "receiver", "receivers"]
