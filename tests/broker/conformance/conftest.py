"""The receivers of notifications, and the other sources, are those of the tests of their own."""

from tests.broker.registrations.conftest import here, source
from tests.broker.subscriptions.conftest import open_city, receiver, receivers

__all__ = ["here", "open_city", "receiver", "receivers", "source"]
