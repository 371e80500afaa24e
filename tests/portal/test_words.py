"""The portal's word catalogues: complete in both languages, used, and with the same fields."""

import json
import re
from string import Formatter

from sanpo.consent.states import State
from tests.portal.reading import HOUSE

PORTAL = HOUSE / "portal"
CATALOGUES = {lang: json.loads((PORTAL / f"words/{lang}.json").read_text(encoding="utf-8")) for lang in ("ja", "en")}
SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for path in HOUSE.rglob("*") if path.suffix in (".html", ".py") and path.is_file()
)
# Keys that a template puts together from a beginning and a name.
BUILT = re.findall(r'"(portal\.[a-z_.]*[._])" ~', SOURCES)


def fields_of(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_catalogues_have_the_same_keys_and_fields() -> None:
    japanese, english = CATALOGUES["ja"], CATALOGUES["en"]
    assert japanese.keys() == english.keys()
    assert [key for key in japanese if fields_of(japanese[key]) != fields_of(english[key])] == []


def test_no_text_is_empty_and_no_english_text_is_japanese() -> None:
    assert [key for texts in CATALOGUES.values() for key, text in texts.items() if not text.strip()] == []
    kana = re.compile("[぀-ヿ]")
    assert [key for key, text in CATALOGUES["en"].items() if kana.search(text)] == []


def test_every_key_is_used() -> None:
    used = set(re.findall(r'["\'](portal\.[a-z0-9_.]+)["\']', SOURCES))
    links = {f"{key}.text" for key in used if key.startswith("portal.nav.")}
    unused = [
        key for key in CATALOGUES["ja"] if key not in used | links and not any(key.startswith(start) for start in BUILT)
    ]
    assert unused == []


def test_every_used_key_has_words() -> None:
    used = set(re.findall(r't\(\s*["\'](portal\.[a-z0-9_.]+)["\']\s*[,)]', SOURCES))
    assert used
    assert used - CATALOGUES["ja"].keys() == set()


def test_every_state_of_a_grant_has_a_word() -> None:
    assert {f"portal.state.{state.value}" for state in State} <= CATALOGUES["ja"].keys()
