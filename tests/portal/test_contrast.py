"""Contrast of the shipped stylesheet, computed by WCAG 2.2 (relative luminance, contrast ratio)."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.portal.reading import HOUSE

DIST = HOUSE / "portal/static/dist"
ON_WHITE = ("text", "text-muted", "link", "link-visited", "primary", "bad", "good", "care", "info", "plain")
TEXT = [
    *((name, "surface") for name in ON_WHITE),
    *((name, f"{name}-soft") for name in ("good", "care", "bad", "info", "plain", "giver", "city", "organisation")),
    *((name, ground) for name in ("text", "text-muted", "link") for ground in ("surface-soft", "surface-quiet")),
    *(("text", f"{name}-soft") for name in ("good", "care", "bad", "info", "giver", "city", "organisation")),
    *(("text-muted", f"{name}-soft") for name in ("giver", "city", "organisation")),
    ("text-on-primary", "primary"), ("text-on-primary", "primary-strong"), ("text-on-primary", "bad"),
]  # fmt: skip
SHAPES = [
    *((f"chart-{number}", "surface") for number in range(1, 5)),
    ("line-strong", "surface"), ("focus-line", "surface"), ("focus-line", "focus-glow"),
    ("chart-ramp-5", "chart-ramp-1"),
]  # fmt: skip


@pytest.fixture(scope="module")
def tokens() -> dict[str, str]:
    """Name → colour as #rrggbb, from the built stylesheet."""
    manifest = DIST / "manifest.json"
    if not manifest.is_file():
        pytest.skip("the front-end bundle is not built: run tools/bundle.py")
    css = Path(DIST / json.loads(manifest.read_text())["app.css"]).read_text(encoding="utf-8")
    # The first value counts: a media query may give another later.
    raw: dict[str, str] = {}
    for name, value in re.findall(r"--([a-z0-9-]+):([^;}]+)", css):
        raw.setdefault(name, value.strip())
    return {name: resolve(raw, value) for name, value in raw.items()}


def resolve(raw: dict[str, str], value: str) -> str:
    while reference := re.fullmatch(r"var\(--([a-z0-9-]+)\)", value):
        value = raw[reference[1]]
    if short := re.fullmatch(r"#([0-9a-f])([0-9a-f])([0-9a-f])", value):
        return "#" + "".join(digit * 2 for digit in short.groups())
    return value


def luminance(colour: str) -> float:
    """WCAG 2.2 relative luminance, 0 black to 1 white."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_has_contrast_of_at_least_4_5(tokens: dict[str, str], text: str, ground: str) -> None:
    assert contrast(tokens[text], tokens[ground]) >= 4.5


@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_shape_has_contrast_of_at_least_3(tokens: dict[str, str], shape: str, ground: str) -> None:
    assert contrast(tokens[shape], tokens[ground]) >= 3


def test_heat_map_ramp_darkens_step_by_step(tokens: dict[str, str]) -> None:
    ramp = [luminance(tokens[f"chart-ramp-{step}"]) for step in range(1, 6)]
    assert ramp == sorted(ramp, reverse=True)
    assert all(light / dark > 1.4 for light, dark in pairwise(ramp))
