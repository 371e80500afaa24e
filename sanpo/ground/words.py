"""Strings in Japanese and English: one flat catalogue per district and language, looked up by key."""

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from string import Formatter
from typing import Any

LANGUAGES = ("ja", "en")


class Words:
    """All catalogues of the house. A missing key shows itself as the key, and the completeness test finds it first."""

    def __init__(self, catalogues: Mapping[str, Mapping[str, str]]) -> None:
        self.catalogues = catalogues

    def text(self, lang: str, key: str, /, **fields: Any) -> str:
        """The string in `lang` (Japanese where a language is unknown), its `{field}` places filled from `fields`."""
        template = self.catalogues.get(lang, self.catalogues["ja"]).get(key)
        if template is None:
            return key
        return _Lenient().vformat(template, (), fields)

    def has(self, lang: str, key: str) -> bool:
        return key in self.catalogues[lang]


class _Lenient(Formatter):
    """Fills what is given; a field that is not stays visible. Attribute and index access are not followed."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        return kwargs.get(field_name, "{" + field_name + "}"), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        try:
            return str(super().format_field(value, format_spec))
        except (ValueError, TypeError):
            return str(value)


def load_words(packages: Iterable[str]) -> Words:
    """Reads `words/<lang>.json` of each package; a key given twice raises `ValueError`."""
    catalogues: dict[str, dict[str, str]] = {lang: {} for lang in LANGUAGES}
    for package in packages:
        folder = files(package).joinpath("words")
        for lang in LANGUAGES:
            file = folder.joinpath(f"{lang}.json")
            if not file.is_file():
                continue
            found = json.loads(file.read_text(encoding="utf-8"))
            twice = catalogues[lang].keys() & found.keys()
            if twice:
                raise ValueError(f"{package}/words/{lang}.json repeats {sorted(twice)}")
            catalogues[lang].update(found)
    return Words(catalogues)
