"""ngsildclient, a client of NGSI-LD by Orange, works with the broker without a change."""

from collections.abc import Callable

import pytest


@pytest.mark.long
def test_ngsildclient_creates_updates_queries_and_deletes(walk: Callable[[str], str]) -> None:
    assert walk("walk_ngsildclient.py").splitlines()[-1] == "done: entities, queries, types, batches, deletion"
