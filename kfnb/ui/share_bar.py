"""Shares of a whole as a bar of parts side by side, with each part's name and percent in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kfnb.ui import theme
from kfnb.ui.markup import Element, Node, el
from kfnb.ui.words import digits, one_line, width

_WIDE, _HIGH = 320, 14
_LEAST = 3.0
"""Pixels of the smallest part: one percent has to be seen."""
_GAP = 1.0
_CHARACTERS = 40
_GLYPHS = "█▒░▓"


@dataclass(frozen=True)
class BarShare:
    """A part: its name, its percent of the whole, and which series' colour it has."""

    name: str
    percent: float
    series: int = 0

    @property
    def colour(self) -> str:
        """The colour of its series."""
        return theme.SERIES[self.series % len(theme.SERIES)]

    @property
    def words(self) -> str:
        """``churn@7 1 %``."""
        return f"{one_line(self.name)} {digits(self.percent, 3)} %"


@dataclass(frozen=True)
class ShareBar:
    """The ``shares`` of a whole, after a ``label`` that says of what."""

    label: str
    shares: Sequence[BarShare]

    def to_html(self) -> Element:
        """The label, the bar, and a legend."""
        style = "display:flex;flex-wrap:wrap;align-items:center;gap:2px 12px;margin:0 0 4px"
        label = el("span", f"{self.label} ", style=f"color:{theme.SOFT};min-width:72px")
        return el("div", label, self._bar(), *self._legend(), style=style)

    def _bar(self) -> Element:
        return el(
            "svg",
            *self._parts(),
            role="img",
            aria_label=f"{self.label}: {self._words}",
            viewBox=f"0 0 {_WIDE} {_HIGH}",
            width=_WIDE,
            height=_HIGH,
            style=f"max-width:100%;height:auto;background:{theme.SHADE};border-radius:3px",
        )

    def _parts(self) -> Iterator[Element]:
        shown = [one for one in self.shares if one.percent > 0]
        sizes = [max(_LEAST, one.percent / 100 * _WIDE) for one in shown]
        excess = max(0.0, sum(sizes) + _GAP * (len(sizes) - 1) - _WIDE)
        if sizes:
            sizes[sizes.index(max(sizes))] -= excess
        at = 0.0
        for one, size in zip(shown, sizes, strict=True):
            place = {"x": round(at, 1), "y": 0, "width": round(size, 1), "height": _HIGH}
            yield el("rect", **place, style=f"fill:{one.colour}")
            at += size + _GAP

    def _legend(self) -> Iterator[Node]:
        for one in self.shares:
            dot = el("span", "■", style=f"color:{one.colour}", aria_hidden="true")
            yield el("span", dot, f" {one.words} ", style="overflow-wrap:anywhere")

    @property
    def _words(self) -> str:
        return ", ".join(one.words for one in self.shares)

    def to_text(self) -> str:
        """The label, the bar in characters, and the words."""
        counts = [round(one.percent / 100 * _CHARACTERS) or (one.percent > 0) for one in self.shares]
        if counts and sum(counts) > _CHARACTERS:
            counts[counts.index(max(counts))] -= sum(counts) - _CHARACTERS
        pairs = enumerate(counts)
        bar = "".join(_GLYPHS[index % len(_GLYPHS)] * count for index, count in pairs)
        space = " " * max(1, _LABEL - width(self.label))
        return f"{one_line(self.label)}{space}{bar}  {self._words}"


_LABEL = 12
"""Columns of a label in text, so that bars below each other begin alike."""
