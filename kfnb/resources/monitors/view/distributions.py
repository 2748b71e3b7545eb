"""A column's distribution in the baseline and in the newest window, one on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kfnb.ui import theme
from kfnb.ui.markup import Element, el
from kfnb.ui.sparkline import text_sparkline
from kfnb.ui.words import cut, digits, one_line

_WIDE, _HIGH = 240.0, 56.0
_MOST_BARS = 21
_LABEL = 24


@dataclass(frozen=True)
class Distributions:
    """The shares of the baseline and of a window in the same bins, whose names are for a screen reader."""

    name: str
    bins: tuple[str, ...]
    before: tuple[float, ...]
    now: tuple[float, ...]

    def to_html(self) -> Element:
        """Two outlines on the same ground: the baseline filled, the window as a line."""
        top = max((*self.before, *self.now), default=0.0) or 1.0
        step = _WIDE / max(1, len(self.bins))
        parts = []
        for place, (old, new) in enumerate(zip(self.before, self.now, strict=True)):
            for share, style, inset in (
                (old, f"fill:{theme.SERIES[0]};fill-opacity:.28", 1.0),
                (new, f"fill:none;stroke:{theme.SERIES[1]};stroke-width:1.5", 2.5),
            ):
                tall = share / top * _HIGH
                parts.append(
                    el(
                        "rect",
                        x=round(place * step + inset, 1),
                        y=round(_HIGH - tall, 1),
                        width=round(max(1.0, step - 2 * inset), 1),
                        height=round(tall, 1),
                        style=style,
                    )
                )
        drawing = el(
            "svg",
            el("title", self._words),
            el("path", d=f"M0 {_HIGH}.5 H{_WIDE}", style=f"stroke:{theme.LINE}"),
            *parts,
            role="img",
            aria_label=self._words,
            viewBox=f"0 -2 {_WIDE} {_HIGH + 4}",
            width=_WIDE,
            height=_HIGH + 4,
            style="display:block;max-width:100%",
        )
        ends = f"{self.bins[0]} … {self.bins[-1]}" if self.bins else ""
        return el(
            "div",
            el("strong", self.name, style="overflow-wrap:anywhere"),
            drawing,
            el(
                "div",
                ends,
                style=f"color:{theme.SOFT};font-size:12px;overflow-wrap:anywhere;max-width:{_WIDE}px",
            ),
            style="margin:0 0 12px",
        )

    @property
    def _words(self) -> str:
        pairs = zip(self.bins, self.before, self.now, strict=True)
        return f"{self.name}: " + "; ".join(
            f"{name} {digits(100 * old, 2)} % before, {digits(100 * new, 2)} % now"
            for name, old, new in pairs
        )

    def to_text(self) -> str:
        """Two rows of bars."""
        top = max((*self.before, *self.now), default=0.0) or 1.0
        rows = [text_sparkline([share / top for share in some]) for some in (self.before, self.now)]
        return f"{cut(one_line(self.name), _LABEL)}\n  before  {rows[0]}\n  now     {rows[1]}"


def distributions(reference: Mapping[str, Any], window: Mapping[str, Any]) -> Distributions | None:
    """The distributions of a column of two profiles; None where they have no bins in common."""
    before, now = _bins(reference), _bins(window)
    counts = dict(now)
    names = [name for name, count in before if count or counts.get(name)][:_MOST_BARS]
    if not names or not sum(counts.values()):
        return None
    return Distributions(
        str(reference["name"]),
        tuple(names),
        _shares([dict(before)[name] for name in names], reference),
        _shares([counts.get(name, 0) for name in names], window),
    )


def _bins(profile: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The bins of a column with their counts: of few values those, else of quantiles; then missing ones."""
    missing = [("missing", profile["nulls"])] if profile.get("nulls") is not None else []
    if profile.get("top"):
        beyond = [("other", profile.get("other", 0))]
        return [*((str(value), count) for value, count in profile["top"]), *beyond, *missing]
    edges = profile.get("edges", ())
    counts = list(profile.get("counts", ()))
    if not counts:
        return []
    counts[0] += profile.get("below", 0)
    counts[-1] += profile.get("above", 0)
    return [*((f"from {digits(low, 3)}", count) for low, count in zip(edges, counts, strict=False)), *missing]


def _shares(counts: Sequence[int], profile: Mapping[str, Any]) -> tuple[float, ...]:
    rows = profile["rows"] or 1
    return tuple(count / rows for count in counts)
