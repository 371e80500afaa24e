"""Codes as pictures that a page can hold: SVG without style or script, so that the content policy lets it be."""

import segno
from markupsafe import Markup


def draw_code(payload: str) -> Markup:
    """The QR code (ISO/IEC 18004, level M, in UTF-8) as an inline `<svg>` with its quiet zone of four modules (§6.3.8)."""
    drawn: str = segno.make(payload, error="m", micro=False, encoding="utf-8").svg_inline(border=4, omitsize=True)
    return Markup(drawn)  # noqa: S704  # segno writes paths only; the payload is drawn, not printed
