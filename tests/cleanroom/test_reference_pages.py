"""The reference pages say what the code does."""

import pytest

from tests.cleanroom.reference_pages import PAGES, ROOT


@pytest.mark.parametrize("path", PAGES)
def test_reference_page_is_what_the_code_says(path: str) -> None:
    written = (ROOT / path).read_text(encoding="utf-8")
    assert written == PAGES[path](), "run: python -m tests.cleanroom.reference_pages"
