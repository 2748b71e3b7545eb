"""A ROC curve as a small inline SVG."""

from __future__ import annotations

from kfnb.widgets import theme
from kfnb.widgets.classification import Roc
from kfnb.widgets.markup import Element, Node, el

SIDE = 180
LEFT, TOP = 40, 10
# a longer curve looks the same
MOST_POINTS = 200


def draw_roc(roc: Roc) -> Element:
    """The curve over the diagonal, its area written in the corner."""
    label = f"ROC curve, area under the curve {roc.area:.3f}"
    frame = f"fill:none;stroke:{theme.LINE}"
    path = _path(roc)
    return el(
        "svg",
        el("title", label),
        el("g", *_grid(), style=f"stroke:{theme.LINE};stroke-width:1"),
        el("rect", x=LEFT, y=TOP, width=SIDE, height=SIDE, style=frame),
        el(
            "path",
            d=f"M{LEFT} {TOP + SIDE} L{LEFT + SIDE} {TOP}",
            style="stroke:#8c95a1;stroke-dasharray:4 4",
        ),
        el("path", d=f"{path} L{LEFT + SIDE} {TOP + SIDE} Z", style=f"fill:{theme.BLUE};fill-opacity:.1"),
        el("path", d=path, style=f"fill:none;stroke:{theme.BLUE};stroke-width:2;stroke-linejoin:round"),
        *_words(roc),
        role="img",
        aria_label=label,
        viewBox=f"0 0 {LEFT + SIDE + 16} {TOP + SIDE + 40}",
        width=LEFT + SIDE + 16,
        style=f"max-width:100%;height:auto;display:block;font-family:inherit;font-size:11px;fill:{theme.SOFT}",
    )


def _path(roc: Roc) -> str:
    step = max(1, len(roc.points) // MOST_POINTS)
    kept = [*roc.points[:-1:step], roc.points[-1]]
    places = (f"{LEFT + rate * SIDE:.1f} {TOP + (1 - recall) * SIDE:.1f}" for rate, recall in kept)
    return "M" + " L".join(places)


def _grid() -> list[Node]:
    half = SIDE // 2
    across = el("path", d=f"M{LEFT} {TOP + half} H{LEFT + SIDE}")
    return [across, el("path", d=f"M{LEFT + half} {TOP} V{TOP + SIDE}")]


def _words(roc: Roc) -> list[Node]:
    bottom, right, half = TOP + SIDE, LEFT + SIDE, SIDE // 2
    ticks: list[Node] = []
    for share, name in ((0, "0"), (half, "0.5"), (SIDE, "1")):
        ticks.append(el("text", name, x=LEFT + share, y=bottom + 14, text_anchor="middle"))
        ticks.append(el("text", name, x=LEFT - 6, y=bottom - share + 4, text_anchor="end"))
    middle = TOP + half
    return [
        *ticks,
        el("text", "false positive rate", x=LEFT + half, y=bottom + 32, text_anchor="middle"),
        el("text", "recall", text_anchor="middle", transform=f"translate(11 {middle}) rotate(-90)"),
        el(
            "text",
            f"AUC {roc.area:.3f}",
            x=right - 10,
            y=bottom - 12,
            text_anchor="end",
            font_size=13,
            font_weight=600,
            style=f"fill:{theme.INK}",
        ),
    ]
