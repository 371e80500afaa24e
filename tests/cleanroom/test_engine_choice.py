"""The setting names the engine; one that is not installed is said with what to install."""

from dataclasses import replace

import pytest

from sanpo.cleanroom.engines import duckdb_engine, engine_of, spark_client
from sanpo.cleanroom.errors import EngineIsNotInstalled
from sanpo.ground.config import Settings


def test_duckdb_is_the_engine_unless_the_setting_says_otherwise() -> None:
    assert engine_of(Settings()) is duckdb_engine


def test_engine_that_is_not_installed_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_client, "F", None)
    with pytest.raises(EngineIsNotInstalled) as refused:
        engine_of(replace(Settings(), engine="sc://127.0.0.1:15002"))
    assert "sanpo[spark]" in refused.value.fields["install"]
