"""The shape of the code as a test: what reviewers would otherwise have to remember. Ratchets only go down."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from sanpo import app
from sanpo.ground.errors import all_errors

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "sanpo"
DISTRICTS = ("people", "journal", "consent", "ledger", "lake", "returns", "cleanroom", "broker", "portal", "simulator")
MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 70
LONG_FUNCTIONS_NOW = 12  # functions of more than 40 lines; lower it when one goes
SYSTEM_CLOCK = {"ground/clock.py", "ground/ids.py"}


@cache
def sources() -> list[tuple[str, ast.Module, str]]:
    """(path below sanpo/, syntax tree, text) of every module."""
    found = []
    for file in sorted(HOUSE.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        found.append((file.relative_to(HOUSE).as_posix(), ast.parse(text), text))
    return found


def district_of(path: str) -> str:
    parts = path.split("/")
    return f"services.{parts[1]}" if parts[0] == "services" and len(parts) > 2 else parts[0]


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_files_are_short() -> None:
    long = {path: text.count("\n") for path, _, text in sources() if text.count("\n") > MAX_FILE_LINES}
    assert not long, f"over {MAX_FILE_LINES} lines; split by noun: {long}"


def test_functions_are_short() -> None:
    lengths = {
        f"{path}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, tree, _ in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert not {name: n for name, n in lengths.items() if n > MAX_FUNCTION_LINES}
    long = {name: n for name, n in lengths.items() if n > 40}
    assert len(long) <= LONG_FUNCTIONS_NOW, long


def test_districts_import_each_other_by_the_shop_window_only() -> None:
    wrong = []
    for path, tree, _ in sources():
        if path in ("app.py", "__main__.py", "serving.py"):
            continue
        for module in imports(tree):
            parts = module.split(".")
            if parts[0] != "sanpo" or len(parts) < 3 or parts[1] == "ground":
                continue
            other = ".".join(parts[1:3]) if parts[1] == "services" else parts[1]
            inside = len(parts) > (3 if parts[1] == "services" else 2)
            if inside and other != district_of(path):
                wrong.append(f"{path} imports {module}")
    assert not wrong, wrong


def test_services_do_not_import_each_other() -> None:
    wrong = [
        f"{path} imports {module}"
        for path, tree, _ in sources()
        for module in imports(tree)
        if path.startswith("services/")
        and module.startswith("sanpo.services.")
        and module.split(".")[2] != path.split("/")[1]
    ]
    assert not wrong, wrong


def test_store_is_imported_by_its_own_district_only_and_never_by_a_door() -> None:
    doors = ("api.py", "pages.py", "cli.py", "jobs.py")
    wrong = [
        f"{path} imports {module}"
        for path, tree, _ in sources()
        for module in imports(tree)
        if module.endswith(".store") and (path.endswith(doors) or district_of(path) not in module)
    ]
    assert not wrong, wrong


def test_only_the_gate_makes_an_admission() -> None:
    wrong = [
        f"{path}:{node.lineno}"
        for path, tree, _ in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Admission"
        and path != "consent/gate.py"
    ]
    assert not wrong, wrong


def test_only_the_gate_opens_rows_by_admission() -> None:
    wrong = [path for path, _, text in sources() if ".admit(agreement_no=" in text and path != "consent/gate.py"]
    assert not wrong, wrong


def test_statements_are_never_built_from_values() -> None:
    """SQL comes from queries.sql. Only migrations, which run as the owner, and the engines' own planner compose text."""
    allowed = {"ground/migrate.py", "ground/db.py", "app.py", "ground/embedded.py"}
    wrong = [
        f"{path}:{node.lineno}"
        for path, tree, _ in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("execute", "one", "all", "start", "execute_many")
        and node.args
        and isinstance(node.args[0], ast.JoinedStr)
        and path not in allowed
        and not path.startswith("cleanroom/engines/")
        and not path.startswith("lake/")
    ]
    assert not wrong, wrong


def test_only_the_clock_reads_the_clock() -> None:
    pattern = re.compile(r"datetime\.now\(|time\.time\(|time\.time_ns\(|date\.today\(|utcnow\(")
    wrong = [path for path, _, text in sources() if pattern.search(text) and path not in SYSTEM_CLOCK]
    assert not wrong, wrong


def test_folders_are_named_by_nouns_of_the_city() -> None:
    banned = {"common", "core", "utils", "util", "helpers", "lib", "manager", "base", "misc"}
    wrong = [str(folder) for folder in HOUSE.rglob("*") if folder.stem in banned and "static" not in folder.parts]
    assert not wrong, wrong


def test_modules_say_why_they_exist() -> None:
    missing = [path for path, tree, text in sources() if text.strip() and not ast.get_docstring(tree)]
    assert not missing, missing


def test_shop_windows_are_small() -> None:
    for path, tree, _ in sources():
        if path.count("/") == 1 and path.endswith("__init__.py"):
            names = [
                len(node.value.elts)
                for node in tree.body
                if isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and node.targets[0].id == "__all__"
                and isinstance(node.value, ast.List)
            ]
            assert not names or names[0] <= 20, f"{path} shows {names[0]} names"


def words_files() -> list[tuple[Path, Path]]:
    return [(file, file.with_name("en.json")) for file in sorted(HOUSE.rglob("words/ja.json"))]


@pytest.mark.parametrize(("ja", "en"), words_files(), ids=lambda file: file.parent.parent.name)
def test_words_are_complete_in_both_languages(ja: Path, en: Path) -> None:
    japanese = json.loads(ja.read_text(encoding="utf-8"))
    english = json.loads(en.read_text(encoding="utf-8"))
    assert japanese.keys() == english.keys()
    for key in japanese:
        assert japanese[key].strip(), f"{key} is empty"
        assert english[key].strip(), f"{key} is empty"
        assert places(japanese[key]) == places(english[key]), f"{key} has other places in the other language"


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def load_everything() -> None:
    from importlib import import_module

    for path, _, _ in sources():
        if path != "__main__.py":
            import_module("sanpo." + path[:-3].replace("/", ".").removesuffix(".__init__"))


def test_every_error_has_words_and_a_test() -> None:
    load_everything()
    keys: set[str] = set()
    for ja, _ in words_files():
        keys |= json.loads(ja.read_text(encoding="utf-8")).keys()
    tests = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("*.py"))
    without_words = [error.code for error in all_errors() if f"error.{error.code}" not in keys]
    assert not without_words
    without_test = [e.code for e in all_errors() if e.code not in tests and e.__name__ not in tests]
    assert not without_test


def test_districts_are_in_the_order_of_the_house() -> None:
    contract = (ROOT / ".importlinter").read_text(encoding="utf-8")
    layers = [line.strip() for line in contract.split("\nlayers =")[1].splitlines() if line.strip()]
    order = [name for layer in reversed(layers) for name in layer.split(" | ")]
    assert [d for d in app.DISTRICTS if d in order] == sorted(app.DISTRICTS, key=order.index)


def test_lock_names_no_index_or_host() -> None:
    for file in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in file.read_text(encoding="utf-8"), file.name
