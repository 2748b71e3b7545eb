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
_OTHER, _MISSING = "other", "missing"


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
    before, counts = _bins(reference), _bins(window)
    bins = [one for one, count in before.items() if count or counts.get(one)][:_MOST_BARS]
    if not bins or not sum(counts.values()):
        return None
    return Distributions(
        str(reference["name"]),
        tuple(one if isinstance(one, str) else f"from {digits(one, 3)}" for one in bins),
        _shares([before[one] for one in bins], reference),
        _shares([counts.get(one, 0) for one in bins], window),
    )


def _bins(profile: Mapping[str, Any]) -> dict[str | float, int]:
    """The counts of a column by value, or by the lower edges of its bins; then those of missing values."""
    found: dict[str | float, int] = {}
    if profile.get("top"):
        found.update((str(value), count) for value, count in profile["top"])
        found[_OTHER] = profile.get("other", 0)
    elif profile.get("counts"):
        counts = list(profile["counts"])
        counts[0] += profile.get("below", 0)
        counts[-1] += profile.get("above", 0)
        found.update(zip(map(float, profile["edges"]), counts, strict=False))
    if found and profile.get("nulls") is not None:
        found[_MISSING] = profile["nulls"]
    return found


def _shares(counts: Sequence[int], profile: Mapping[str, Any]) -> tuple[float, ...]:
    rows = profile["rows"] or 1
    return tuple(count / rows for count in counts)
