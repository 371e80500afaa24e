"""The residents' front door: the shell of every page, the design system, the front page and the static assets.

Invariants: pages are readable without script; no inline script or style (the content security policy forbids them);
every sentence comes from the word catalogues in Japanese and English; no number is shown that was not measured.
Tables: none.
"""

from sanpo.portal.navigation import Link, open_navigation

__all__ = ["Link", "open_navigation"]
