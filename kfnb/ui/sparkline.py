"""A row of small bars for a table's cell: inline SVG, and in text a character for each bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kfnb.ui import theme
from kfnb.ui.markup import Element, el

BARS = "▁▂▃▄▅▆▇█"
_STEP, _BAR, _HEIGHT = 9, 8, 18
_LEAST = 1.0
"""Pixels of the lowest bar that is not zero."""


def sparkline(shares: Sequence[float], label: str) -> Element:
    """Bars from left to right; ``shares`` are their heights from 0 to 1, and ``label`` says them to a screen reader."""
    wide = len(shares) * _STEP
    base = el("path", d=f"M0 {_HEIGHT}.5 H{wide}", style=f"stroke:{theme.LINE}")
    return el(
        "svg",
        base,
        *_bars(shares),
        role="img",
        aria_label=label,
        viewBox=f"0 0 {wide} {_HEIGHT + 1}",
        width=wide,
        height=_HEIGHT + 1,
        style=f"display:block;fill:{theme.BLUE}",
    )


def _bars(shares: Sequence[float]) -> Iterator[Element]:
    for place, share in enumerate(shares):
        if share > 0:
            tall = max(_LEAST, share * _HEIGHT)
            yield el("rect", x=place * _STEP, y=round(_HEIGHT - tall, 1), width=_BAR, height=round(tall, 1))


def text_sparkline(shares: Sequence[float]) -> str:
    """The same as characters; a dot where there is nothing."""
    steps = len(BARS) - 1
    return "".join(BARS[round(share * steps)] if share > 0 else "\N{MIDDLE DOT}" for share in shares)
