"""What a guide tells people to write is written here from the guide's own text, and works."""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sanpo import app
from sanpo.cleanroom import parse_sql
from sanpo.consent.model import check_draft, read_draft
from sanpo.ground.actors import Resident, System
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import Settings
from sanpo.ground.html import open_templates
from sanpo.ground.words import load_words
from sanpo.lake import list_datasets

from .pages import blocks, documents, name_of, text_of

SERVICE = "docs/how-to/write-a-service.md"
LOANS = """subject_no,lent_at,kind
1,2026-03-02T01:00:00+00:00,novel
1,2026-03-03T01:00:00+00:00,science
2,2026-03-03T01:00:00+00:00,novel
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The guide's package as if it had been installed: its files, and its entry point where installers write it."""
    for path, body in re.findall(r"^`([\w./-]+)`\n\n```\w+\n(.*?)^```", text_of(SERVICE), re.MULTILINE | re.DOTALL):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(body, encoding="utf-8")
    info = tmp_path / "city_library-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: city-library\nVersion: 0.1.0\n")
    entry = re.search(r'entry-points\."(.+)"\]\n(.+) = "(.+)"', (tmp_path / "pyproject.toml").read_text())
    assert entry is not None
    (info / "entry_points.txt").write_text(f"[{entry[1]}]\n{entry[2]} = {entry[3]}\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "city_services"]:
        del sys.modules[name]


def test_service_of_the_guide_works(library: Path, settings: Settings, clock: FixedClock) -> None:
    (library / "loans.csv").write_text(LOANS)
    city = app.open_city(settings, clock=clock, pool=2)
    try:
        assert "library.loans" in [dataset.name for dataset in list_datasets(city)]
        actions = importlib.import_module("city_services.library.actions")
        for _ in range(2):
            assert actions.add_loans(city, System("operator"), library / "loans.csv") == 3
        borrowers = [Resident(f"res_{number}", number, f"res_{number}") for number in (1, 2, 3)]
        assert [actions.own_loans(city, borrower) for borrower in borrowers] == [2, 1, 0]
        assert city.words.text("ja", "library.loans", count=2) == "これまでに2冊借りました。"
    finally:
        city.db.close()


def test_doors_of_the_guides_service_open(library: Path) -> None:
    package = "city_services.library"
    assert package in app.packages()
    assert [command.name for command in door(package, "cli").cli.registered_commands] == ["add"]
    assert [list(handler.paths) for handler in door(package, "pages").handlers] == [["/library"]]
    assert open_templates(app.packages()).get_template("library/page.html").blocks.keys() == {"title", "content"}


def door(package: str, name: str) -> Any:
    found = app.room(package, name)
    assert found is not None
    return found


def test_draft_of_the_guide_can_be_published() -> None:
    (text,) = [block for block in blocks("docs/how-to/publish-an-agreement.md", "json") if '"gains"' in block]
    draft = read_draft(text)
    check_draft(draft, today=date(2026, 4, 1))
    assert json.loads(text)["rule"]["min_subjects"] == draft.rule.min_subjects


def test_questions_that_documents_show_are_in_the_subset() -> None:
    shown = [
        (name_of(file), question)
        for file in documents()
        for block in blocks(file, "console")
        for question in re.findall(r'"((?:SELECT|select) [^"]+)"', block)
    ]
    assert len(shown) >= 5
    for file, question in shown:
        assert parse_sql(question).measures, file


def test_words_on_pages_that_guides_name_are_there() -> None:
    words = load_words(app.packages()).catalogues["en"].values()
    guides = [file for file in documents() if file.parent.name in ("tutorials", "how-to")]
    named = [
        (name_of(file), label)
        for file in guides
        for label in re.findall(r"(?:[Pp]ress|[Oo]pens?|[Cc]hoose) \*([^*]+)\*", file.read_text(encoding="utf-8"))
    ]
    assert len(named) >= 12
    assert not [(file, label) for file, label in named if label not in words]
