"""Documents fail when they are untrue: generated pages, links, names of commands, settings, errors, tests and files."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from sanpo import app
from sanpo.ground.config import Settings

from .pages import ROOT, blocks, codes, documents, files, inline_code, name_of, reference, text_of

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
OTHER_VARIABLES = {"SANPO_CONFIG", "SANPO_REQUIRE_BROWSER", "SANPO_LONG", "SANPO_TEST_HOME", "SANPO_ENGINE"}


@pytest.mark.parametrize("name", ["settings", "errors", "commands", "api", "agreement-states", "ngsi-ld"])
def test_generated_page_is_current(name: str) -> None:
    assert text_of(f"docs/reference/{name}.md") == reference().PAGES[name](), "run: make docs"


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    plain = re.sub(r"[`*\[\]]|\([^)]*\)", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@cache
def anchors(file: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)}


@pytest.mark.parametrize("file", documents(), ids=name_of)
def test_links_resolve(file: Path) -> None:
    broken = []
    for link in LINK.findall(text_of(file)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        inside = target.is_relative_to(ROOT) and target.exists()
        if not inside or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_every_page_is_linked_from_the_index() -> None:
    indexes = [ROOT / "docs/README.md", ROOT / "docs/decisions/README.md"]
    linked = {
        (index.parent / link.split("#")[0]).resolve() for index in indexes for link in LINK.findall(text_of(index))
    }
    pages = [file for file in documents() if file.is_relative_to(ROOT / "docs") and file not in indexes]
    assert not [name_of(page) for page in pages if page not in linked]


def test_every_setting_command_and_error_is_documented() -> None:
    settings, commands, errors = (text_of(f"docs/reference/{name}.md") for name in ("settings", "commands", "errors"))
    missing = [name for name in Settings.__dataclass_fields__ if f"`SANPO_{name.upper()}`" not in settings]
    missing += [words for words in reference().commands() if f"\n## sanpo {words}\n" not in commands]
    missing += [error.code for error in reference().errors() if f"| `{error.code}` |" not in errors]
    assert not missing


def test_settings_that_documents_name_exist() -> None:
    known = {f"SANPO_{name.upper()}" for name in Settings.__dataclass_fields__} | OTHER_VARIABLES
    named = {(name_of(file), name) for file in documents() for name in re.findall(r"\bSANPO_[A-Z_]+\b", text_of(file))}
    assert not {(file, name) for file, name in named if name not in known}


def test_errors_that_documents_name_exist() -> None:
    known = {error.code for error in reference().errors()}
    districts = {code.split(".")[0] for code in known}
    named = {
        (name_of(file), code)
        for file in documents()
        for code in inline_code(file)
        if re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+){2,}", code) and code.split(".")[0] in districts
    }
    assert len(named) > 20
    assert not {(file, code) for file, code in named if code not in known}


def test_commands_that_documents_show_exist() -> None:
    commands = reference().commands()
    groups = {words.split(" ")[0] for words in commands if " " in words}
    wrong, seen = [], 0
    for file, code in codes():
        for match in re.finditer(r"(?<![\w./-])(?:\.venv/bin/)?sanpo ((?:[a-z]+(?:-[a-z]+)* ?)+)", code):
            words = match[1].split()
            name = " ".join(words[:2]) if words[0] in groups else words[0]
            name = " ".join(words[:3]) if " ".join(words[:3]) in commands else name
            if name in groups and len(words) == 1:
                continue
            seen += 1
            if name not in commands:
                wrong.append(f"{file}: sanpo {match[1]}")
                continue
            options = {option for each in commands[name].params for option in (*each.opts, *each.secondary_opts)}
            used = re.findall(r"(?<=\s)--[a-z-]+", re.split(r"[|;]|&&|\$\(", code[match.end() :])[0])
            wrong += [f"{file}: sanpo {name} {option}" for option in used if option not in options]
    assert seen > 40
    assert not [each for each in wrong if "sanpo library" not in each]  # the service that a guide builds


def test_make_targets_that_documents_name_exist() -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", text_of("Makefile"), re.MULTILINE))
    named = {
        (file, target)
        for file, code in codes()
        for target in re.findall(r"(?:^|\$ |&& )make ([a-z][a-z0-9-]*)\b", code)
    }
    assert named
    assert not {(file, target) for file, target in named if target not in targets}


def test_requests_that_documents_show_exist() -> None:
    shapes = [re.sub(r"{[^}]+}", "[^/ ]+", where.split(" ")[1]) for _, where, _, _ in reference().operations()]
    named = {
        (file, path)
        for file, code in codes()
        for path in re.findall(r"/api/[\w/.{}$-]+", code)
        if not path.startswith("/api/<") and not path.endswith("/")
    }
    assert len(named) > 10
    unknown = {(f, p) for f, p in named if not any(re.fullmatch(s, re.sub(r"{[^}]+}|\$\w+", "x", p)) for s in shapes)}
    assert not unknown


def test_tests_that_documents_name_are_in_the_file_they_link_to() -> None:
    named = [
        (file, *found)
        for file in documents()
        for found in re.findall(r"\[`(test_\w+)`\]\(([\w./]+\.py)\)", text_of(file))
    ]
    assert len(named) > 8
    assert not [(name_of(f), test) for f, test, path in named if f"def {test}(" not in (f.parent / path).read_text()]


READMES = ("README.md", "README.ja.md")


@pytest.mark.parametrize("readme", READMES)
def test_readme_is_short(readme: str) -> None:
    assert text_of(readme).count("\n") <= 120


def session_of(readme: str) -> list[str]:
    """The commands of the session, without comments."""
    block = next(block for block in blocks(readme, "console") if block.startswith("$ "))
    return re.findall(r"^\$ (.*?)(?:    #.*)?$", block, re.MULTILINE)


def test_both_readmes_show_the_same() -> None:
    english, japanese = map(text_of, READMES)
    links = [{link for link in LINK.findall(text) if "README" not in link} for text in (english, japanese)]
    assert links[0] ^ links[1] == {"docs/city.svg", "docs/city.ja.svg"}
    sessions = list(map(session_of, READMES))
    assert len(sessions[0]) >= 10
    assert sessions[0][1:] == sessions[1][1:]  # the first line also chooses the language
    figures = [re.findall(r"[\d.,]+", " ".join(measured_in(text))) for text in (english, japanese)]
    assert figures[0] == figures[1]


def measured_in(readme: str) -> list[str]:
    """The last column of the table of measured figures."""
    rows = re.split(r"\| (?:measured|測った値) \|\n\|---\|---\|\n", readme)[1].split("\n\n")[0].splitlines()
    assert len(rows) >= 5
    return [row.split("|")[2] for row in rows]


def test_architecture_names_every_district() -> None:
    picture = text_of("ARCHITECTURE.md").split("```")[1]
    folders = [f.name for f in (ROOT / "sanpo").iterdir() if f.is_dir() and f.name != "__pycache__"]
    folders += [f.parent.name for f in (ROOT / "sanpo/services").glob("*/manifest.toml")]
    assert len(folders) >= 11
    assert not [name for name in folders if not re.search(rf"(?:│|:) +{name}\b", picture)]


def test_architecture_names_every_duty_and_how_often_it_runs() -> None:
    text = " ".join(text_of("ARCHITECTURE.md").split())
    units = ((3600, "hour"), (60, "min"), (1, "s"))
    for duty in app.create_registry().duties:
        size, unit = next((size, unit) for size, unit in units if duty.every_s >= size or size == 1)
        count = duty.every_s / size
        often = f"every {unit}" if count == 1 else f"every {count:g} {unit}"
        assert f"{duty.name} {often}" in text


def test_architecture_walks_name_functions_that_exist() -> None:
    steps = re.findall(r"`([\w/]+\.py)` `(\w+)`", text_of("ARCHITECTURE.md"))
    assert len(steps) > 15
    missing = []
    for path, function in steps:
        tree = ast.parse(text_of(f"sanpo/{path}"))
        if not any(isinstance(node, ast.FunctionDef) and node.name == function for node in tree.body):
            missing.append(f"{path} {function}")
    assert not missing


def test_files_that_documents_name_exist() -> None:
    named = {
        (name_of(file), code)
        for file in documents()
        for code in inline_code(file)
        if re.fullmatch(r"(sanpo|tests|docs|tools|benchmarks|frontend|requirements)/[\w./-]*", code)
    }
    assert len(named) > 15
    assert not {(file, path) for file, path in named if not (ROOT / path).exists() and ".." not in path}


def test_glossary_lists_every_prefix_of_identifiers() -> None:
    sources = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "sanpo").rglob("*.py"))
    used = set(re.findall(r'(?:new_id\(|check_id\(|ID_PREFIX = )"([a-z]{3})"', sources))
    used |= set(re.findall(r'return "([a-z]{3})_"', sources))
    listed = re.findall(r"^\| `([a-z]{3})_` \|", text_of("GLOSSARY.md"), re.MULTILINE)
    assert listed == sorted(used)


def test_dependencies_page_lists_every_direct_library() -> None:
    import json

    wanted = set()
    for file in (ROOT / "requirements").glob("*.in"):
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        wanted |= {re.split(r"[\[<>=~! ]", line)[0] for line in lines if line and line[0] not in "#-"}
    package = json.loads(text_of("frontend/package.json"))
    wanted |= package["dependencies"].keys() | package["devDependencies"].keys()
    listed = set(re.findall(r"^\| ([\w@/.-]+) \|", text_of("docs/decisions/dependencies.md"), re.MULTILINE))
    assert listed - {"library", "package", "---"} == wanted


def test_licence_is_the_same_everywhere() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in text_of("LICENSE")[:200]
    assert "Apache-2.0" in text_of("README.md")


def test_no_file_names_a_machine_or_a_registry() -> None:
    """Written in pieces, so that this file does not name them either."""
    hosts = ("pypi" + r"\.org", "python" + "hosted", "registry" + r"\.npmjs", "npmjs" + r"\.org")
    folders = ("/wo" + "rk/", "/ro" + "ot/", r"/home/[a-z]+/", r"/Users/[A-Za-z]+/")
    pattern = re.compile("|".join((*hosts, *folders)))
    found = []
    for file in files():
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{name_of(file)}: {match[0]}" for match in pattern.finditer(text)]
    assert not found
