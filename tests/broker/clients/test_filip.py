"""FiLiP (RWTH Aachen), a client of Orion, works with the broker's NGSIv2 without a change."""

from collections.abc import Callable

import pytest


@pytest.mark.long
def test_filip_creates_updates_queries_subscribes_and_deletes(walk: Callable[[str], str]) -> None:
    assert (
        walk("walk_filip.py").splitlines()[-1] == "done: entities, attributes, queries, types, batches, subscriptions"
    )
