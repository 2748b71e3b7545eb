"""Lines over two axes: a small inline SVG with its legend below, and in text a row of bars for each line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kfnb.ui import theme
from kfnb.ui.markup import Element, Node, el
from kfnb.ui.sparkline import BARS
from kfnb.ui.words import cut, digits, one_line, width

LEFT, TOP, RIGHT, BOTTOM = 52, 10, 16, 40
# a longer line looks the same
MOST_POINTS = 200
MOST_BARS = 40
# pixels between two ticks, at least
TICK = 45
LABEL = 24

Point = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """An axis from ``low`` to ``high``, as long as ``length`` pixels."""

    name: str
    low: float
    high: float
    ticks: tuple[float, ...]
    length: float

    def pixels(self, value: float) -> float:
        """How far a value is from the axis' beginning."""
        return (value - self.low) / (self.high - self.low) * self.length


@dataclass(frozen=True)
class PlotLine:
    """A line: its points from left to right, and what the legend says of them beside its label.

    ``series`` tells whose it is, and ``kind`` which of them, by colour and by dashes. ``band`` is an area behind it:
    the lowest and the highest value at each place.
    """

    label: str
    points: Sequence[Point]
    summary: str
    series: int = 0
    kind: int = 0
    band: Sequence[tuple[float, float, float]] = ()

    @property
    def colour(self) -> str:
        """The colour of its series."""
        return theme.SERIES[self.series % len(theme.SERIES)]

    @property
    def style(self) -> str:
        """How the line is stroked."""
        colours, dashes = len(theme.SERIES), theme.DASHES
        dash = dashes[(self.series // colours + self.kind) % len(dashes)]
        dashed = f";stroke-dasharray:{dash}" if dash else ""
        return f"fill:none;stroke:{self.colour};stroke-width:2;stroke-linejoin:round{dashed}"


@dataclass(frozen=True)
class Plot:
    """Lines under a title. ``diagonal`` is drawn behind them; ``rest`` says what is not drawn."""

    title: str
    lines: Sequence[PlotLine]
    x: Axis
    y: Axis
    diagonal: bool = False
    rest: str = ""

    def to_html(self) -> Element:
        """The title, the drawing and the legend."""
        title = el("div", el("strong", self.title), style="margin:0 0 2px;overflow-wrap:anywhere")
        text = "; ".join(f"{line.label} {line.summary}".strip() for line in self.lines)
        lines = [part for line in self.lines for part in _drawn(line, self.x, self.y)]
        behind = [diagonal(self.x, self.y)] if self.diagonal else []
        drawing = canvas(f"{self.title}: {text}", self.x, self.y, *behind, *lines)
        return el("div", title, drawing, self._legend(), style="margin:0 0 14px")

    def _legend(self) -> Element:
        wide = LEFT + self.x.length
        style = f"display:flex;flex-wrap:wrap;gap:2px 16px;max-width:{wide:g}px;padding-left:{LEFT - 8}px"
        entries = [_entry(line, alone=len(self.lines) == 1) for line in self.lines]
        rest = [el("div", self.rest, style=f"color:{theme.SOFT}")] if self.rest else []
        return el("div", *entries, *rest, style=f"{style};box-sizing:border-box;font-size:12px")

    def to_text(self) -> str:
        """The title, and each line as bars, with what the legend says of it."""
        labels = [cut(one_line(line.label), LABEL) for line in self.lines]
        wide = max(map(width, labels), default=0)
        rows = [
            f"  {label}{' ' * (wide - width(label) + (2 if wide else 0))}{bars(line.points)}  {line.summary}"
            for label, line in zip(labels, self.lines, strict=True)
        ]
        return "\n".join([one_line(self.title), *rows, *([f"  {self.rest}"] if self.rest else [])])


def _drawn(line: PlotLine, x: Axis, y: Axis) -> Iterator[Element]:
    """A line before its band; a dot makes one visible that has one point alone."""
    if line.band:
        low = [(at, least) for at, least, _ in reversed(line.band)]
        high = [(at, most) for at, _, most in line.band]
        area = f"{path(high, x, y)} L{path(low, x, y)[1:]} Z"
        yield el("path", d=area, style=f"fill:{line.colour};fill-opacity:.18;stroke:none")
    yield el("path", d=path(line.points, x, y), style=line.style)
    if len(line.points) == 1:
        [(at, value)] = line.points
        left, top = LEFT + x.pixels(at), TOP + y.length - y.pixels(value)
        yield el("circle", cx=round(left, 1), cy=round(top, 1), r=3, style=f"fill:{line.colour}")


def _entry(line: PlotLine, *, alone: bool) -> Element:
    swatch = el(
        "svg",
        el("path", d="M1 5 H21", style=line.style),
        viewBox="0 0 22 10",
        width=22,
        height=10,
        aria_hidden="true",
        style="vertical-align:middle",
    )
    label = None if alone and not line.label else el("strong", f" {line.label} ", style="font-weight:600")
    return el("div", None if alone else swatch, label, el("span", line.summary, style=f"color:{theme.SOFT}"))


def axis(
    name: str, values: Sequence[float], length: float, *, margin: float = 0.0, whole: bool = False
) -> Axis:
    """An axis on which all ``values`` fit, with ``margin`` of its length at both ends.

    Where the values are ``whole`` numbers, the ticks are.
    """
    low, high = min(values), max(values)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        low, high = low - (abs(low) * 0.1 or 1.0), high + (abs(high) * 0.1 or 1.0)
    room = (high - low) * margin
    low, high = low - room, high + room
    ticks = round_ticks(low, high, max(2, round(length / TICK)), least=1.0 if whole else 0.0)
    return Axis(name, low, high, tuple(ticks), length)


def round_ticks(low: float, high: float, count: int, *, least: float = 0.0) -> Iterator[float]:
    """About ``count`` round numbers between ``low`` and ``high``, at least ``least`` apart."""
    rough = max(least, (high - low) / count)
    ten = 10.0 ** math.floor(math.log10(rough))
    step = next(ten * times for times in (1, 2, 5, 10) if ten * times >= rough * 0.999)
    for number in range(math.ceil(low / step), math.floor(high / step) + 1):
        yield number * step


def canvas(label: str, x: Axis, y: Axis, *drawn: Node) -> Element:
    """A drawing over two axes; ``label`` says it in words."""
    wide = LEFT + x.length + RIGHT
    return el(
        "svg",
        el("title", label),
        el("g", *_grid(x, y), style=f"stroke:{theme.LINE};stroke-width:1"),
        el("rect", x=LEFT, y=TOP, width=x.length, height=y.length, style=f"fill:none;stroke:{theme.LINE}"),
        *drawn,
        *_words(x, y),
        role="img",
        aria_label=one_line(label),
        viewBox=f"0 0 {wide:g} {TOP + y.length + BOTTOM:g}",
        width=wide,
        style=f"max-width:100%;height:auto;display:block;font-family:inherit;font-size:11px;fill:{theme.SOFT}",
    )


def path(points: Sequence[Point], x: Axis, y: Axis) -> str:
    """Points as an SVG path."""
    step = max(1, len(points) // MOST_POINTS)
    sampled = [*points[:-1:step], points[-1]]
    places = [f"{LEFT + x.pixels(at):.1f} {TOP + y.length - y.pixels(value):.1f}" for at, value in sampled]
    return "M" + " L".join(places if len(places) > 1 else places * 2)


def diagonal(x: Axis, y: Axis) -> Element:
    """The line from the left below to the right above."""
    line = f"M{LEFT} {TOP + y.length:g} L{LEFT + x.length:g} {TOP}"
    return el("path", d=line, style=f"stroke:{theme.ARROW};stroke-dasharray:4 4")


def _grid(x: Axis, y: Axis) -> Iterator[Node]:
    for tick in y.ticks:
        yield el("path", d=f"M{LEFT} {TOP + y.length - y.pixels(tick):.1f} h{x.length:g}")
    for tick in x.ticks:
        yield el("path", d=f"M{LEFT + x.pixels(tick):.1f} {TOP} v{y.length:g}")


def _words(x: Axis, y: Axis) -> Iterator[Node]:
    bottom = TOP + y.length
    for tick in x.ticks:
        yield el("text", digits(tick), x=round(LEFT + x.pixels(tick), 1), y=bottom + 14, text_anchor="middle")
    for tick in y.ticks:
        yield el("text", digits(tick), x=LEFT - 6, y=round(bottom - y.pixels(tick) + 4, 1), text_anchor="end")
    yield el("text", x.name, x=LEFT + x.length / 2, y=bottom + 32, text_anchor="middle")
    middle = TOP + y.length / 2
    yield el("text", y.name, text_anchor="middle", transform=f"translate(11 {middle:g}) rotate(-90)")


def bars(points: Sequence[Point]) -> str:
    """The values of points as a row of bars, from left to right."""
    values = [value for _, value in points]
    shares = [len(values) * number // MOST_BARS for number in range(MOST_BARS + 1)]
    if len(values) > MOST_BARS:
        values = [sum(values[a:b]) / (b - a) for a, b in pairwise(shares)]
    low, high = min(values), max(values)
    span = high - low or 1.0
    return "".join(BARS[round((value - low) / span * (len(BARS) - 1))] for value in values)
