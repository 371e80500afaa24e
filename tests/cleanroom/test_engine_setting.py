"""Which engine answers is a setting; what it stands on may be missing, and then says what to install."""

import subprocess
import sys
from pathlib import Path

import pytest

from sanpo.cleanroom.engines import duckdb_engine, engine_of
from sanpo.ground.config import SettingIsInvalid, Settings, load_settings

ADDRESSES = ["sc://127.0.0.1:50051", "sc://spark.example.jp:15002/;use_ssl=true", "sc://[::1]:15002"]
ENGINES = Path(duckdb_engine.__file__).parent


def test_duckdb_answers_unless_the_setting_says_otherwise() -> None:
    assert Settings().engine == "duckdb"
    assert engine_of(Settings()) is duckdb_engine


@pytest.mark.parametrize("address", ADDRESSES)
def test_engine_may_be_a_spark_connect_server(address: str) -> None:
    assert load_settings({"engine": address})[0].engine == address


@pytest.mark.parametrize(
    "given", ["", "spark", "sc://", "sc://host", "sc://host:1/;token=secret", "http://host:1", "sc://a:1 "]
)
def test_engine_is_refused_when_it_is_no_address(given: str) -> None:
    with pytest.raises(SettingIsInvalid) as refused:
        load_settings({"engine": given})
    assert refused.value.fields["setting"] == "engine"


@pytest.mark.long
@pytest.mark.parametrize("package", ["pyspark", "grpc"])
def test_engine_that_is_not_installed_says_what_to_install(package: str) -> None:
    """In a process of its own, to which the package is not there, whether or not it is here."""
    said = in_a_process_without(
        package,
        "from sanpo.cleanroom.engines import engine_of",
        "from sanpo.cleanroom.errors import EngineIsNotInstalled",
        "from sanpo.ground.config import Settings",
        "engine_of(Settings())",
        "try:",
        "    engine_of(Settings(engine='sc://127.0.0.1:1'))",
        "except EngineIsNotInstalled as error:",
        "    print(error.code, error.fields['install'])",
    )
    assert said == "cleanroom.engine_is_not_installed pip install 'sanpo[spark]'"


def test_city_with_duckdb_loads_nothing_of_spark() -> None:
    said = in_a_process_without(
        "nothing",
        "from sanpo.cleanroom.engines import spark_engine",
        "from sanpo import app",
        "app.create_registry()",
        "print([name for name in ('pyspark', 'grpc') if name in sys.modules])",
    )
    assert said == "[]"


def in_a_process_without(package: str, *lines: str) -> str:
    """What the lines print where this package cannot be found."""
    code = "\n".join(["import sys", f"sys.modules[{package!r}] = None", *lines])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_engine_of_the_cluster_puts_no_text_together() -> None:
    """Nothing in it takes an expression or a statement as text; what remains are values, and names of our own."""
    banned = [".sql(", ".expr(", "selectExpr", "F.expr", ".filter(f", ".where(f", "createOrReplaceTempView"]
    for file in ENGINES.glob("spark_*.py"):
        source = file.read_text(encoding="utf-8")
        assert not [text for text in banned if text in source], file.name
