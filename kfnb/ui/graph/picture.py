"""A scene as inline SVG: cards, groups around them, arrows from left to right."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from kfnb.ui import theme
from kfnb.ui.graph.layout import HEADER, Box, Place, Route, arrange
from kfnb.ui.graph.scene import Item, Scene
from kfnb.ui.markup import Element, Node, el
from kfnb.ui.states import StateStyle
from kfnb.ui.words import TIMES, cut, one_line, width

TITLE_CHARACTERS = 28
CAPTION_CHARACTERS = 34
# pixels a character takes on average, in the widest of the fonts that interfaces use: DejaVu Sans
TITLE_ADVANCE = 8.3
CAPTION_ADVANCE = 6.5
STACK_STEP = 4.0
MARGIN = 2.0
# the smallest scale at which words can be read
SMALLEST = 0.9


def draw(scene: Scene) -> Element:
    """The picture of a scene."""
    numbers = {item.id: str(number) for number, item in enumerate(scene.items)}
    boxes = [_box(item, numbers) for item in scene.items]
    links = [link for link in scene.links if link.source in numbers and link.target in numbers]
    layout = arrange(boxes, [(numbers[link.source], numbers[link.target]) for link in links])
    labels: dict[tuple[str, str], list[str]] = defaultdict(list)
    for link in links:
        labels[numbers[link.source], numbers[link.target]].append(link.label)
    placed = [(item, layout.places[numbers[item.id]]) for item in scene.items]
    wide, tall = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    return el(
        "svg",
        el("title", scene.label),
        el("g", *(_group(item, place) for item, place in placed if item.group)),
        _arrows(layout.routes, labels),
        el("g", *(_card(item, place) for item, place in placed if not item.group), font_size=13),
        role="img",
        aria_label=one_line(scene.label),
        viewBox=f"{-MARGIN:g} {-MARGIN:g} {wide:g} {tall:g}",
        width=wide,
        style=f"{fitted(wide)};display:block;font-family:inherit;fill:{theme.INK}",
    )


def fitted(wide: float) -> str:
    """The style of a picture that gives way to a narrow page, as far as its words can be read; then it scrolls."""
    return f"width:100%;max-width:{wide:g}px;min-width:{wide * SMALLEST:g}px;height:auto"


@dataclass(frozen=True)
class _Words:
    """An item's words as they fit, and the pixels they take."""

    title: str
    caption: str

    @property
    def wide(self) -> float:
        return max(width(self.title) * TITLE_ADVANCE, width(self.caption) * CAPTION_ADVANCE)


def _fitted(item: Item) -> _Words:
    title = one_line(item.title)
    if item.group and item.count > 1:
        title = f"{cut(title, TITLE_CHARACTERS)} {TIMES} {item.count}"
    longest = 2 * TITLE_CHARACTERS if item.group else TITLE_CHARACTERS
    return _Words(cut(title, longest), cut(one_line(item.caption), CAPTION_CHARACTERS))


def _box(item: Item, numbers: dict[str, str]) -> Box:
    words = _fitted(item)
    parent = numbers.get(item.parent, "")
    icon = 24.0 if item.state_style else 0.0
    if item.group:
        both = width(words.title) * TITLE_ADVANCE + width(words.caption) * CAPTION_ADVANCE
        return Box(numbers[item.id], both + icon + 36, HEADER + 8, parent)
    stack = _stacked(item) * STACK_STEP
    badge = 30 if _stacked(item) else 0
    wide = max(96.0, words.wide + icon + badge + 28)
    return Box(numbers[item.id], wide + stack, (46.0 if words.caption else 34.0) + stack, parent)


def _stacked(item: Item) -> int:
    """How many cards show under the first."""
    return min(item.count - 1, 2)


def _group(item: Item, place: Place) -> Element:
    words = _fitted(item)
    left = place.x + 12
    children: list[Node] = [
        el("title", item.hint or item.title),
        el("rect", x=place.x, y=place.y, width=place.width, height=place.height, rx=10, style=_GROUP_STYLE),
    ]
    if item.state_style:
        children.append(_sign(item.state_style, left, place.y + 7))
        left += 22
    title = el("tspan", words.title, font_weight=600)
    caption = (
        el("tspan", f" {words.caption}", style=f"fill:{theme.SOFT}", font_size=11, dx=4)
        if words.caption
        else None
    )
    children.append(el("text", title, caption, x=left, y=place.y + 19, font_size=12))
    return el("g", *children)


_GROUP_STYLE = f"fill:rgba(128,136,150,.07);stroke:{theme.GREY};stroke-dasharray:5 4"


def _card(item: Item, place: Place) -> Element:
    words, under = _fitted(item), _stacked(item)
    wide, tall = place.width - under * STACK_STEP, place.height - under * STACK_STEP
    sheets = [
        el(
            "rect",
            x=place.x + step * STACK_STEP,
            y=place.y + step * STACK_STEP,
            width=wide,
            height=tall,
            rx=8,
        )
        for step in range(under, -1, -1)
    ]
    left = place.x + 12
    children: list[Node] = [el("title", item.hint or item.title), el("g", *sheets, style=_card_style(item))]
    if item.state_style:
        children.append(_sign(item.state_style, left - 1, place.y + tall / 2 - 8))
        left += 24
    base = place.y + (19.5 if words.caption else tall / 2 + 4.5)
    ink = f"fill:{theme.SOFT}" if item.faint else None
    children.append(el("text", words.title, x=left, y=base, font_weight=600, style=ink))
    if words.caption:
        children.append(
            el("text", words.caption, x=left, y=base + 16, font_size=11, style=f"fill:{theme.SOFT}")
        )
    if under:
        children.append(_counter(item.count, place.x + wide - 10, place.y + 19.5))
    return el("g", *children)


def _card_style(item: Item) -> str:
    line = item.state_style.colour if item.state_style else theme.LINE
    dashes = ";stroke-dasharray:4 3" if item.faint else ""
    return f"fill:{theme.PAPER};stroke:{line};stroke-width:1.25{dashes}"


def _counter(count: int, right: float, base: float) -> Element:
    return el(
        "text",
        f"{TIMES}{count}",
        x=right,
        y=base,
        font_size=11,
        font_weight=600,
        text_anchor="end",
        style=f"fill:{theme.SOFT}",
    )


def _sign(style: StateStyle, x: float, y: float) -> Element:
    """A state's icon: a disc or a ring with its sign."""
    ring = f"fill:{style.colour if style.solid else 'none'};stroke:{style.colour};stroke-width:1.6"
    sign = f"fill:none;stroke:{'#fff' if style.solid else style.colour};stroke-width:1.8;stroke-linecap:round"
    return el(
        "g",
        el("circle", cx=8, cy=8, r=7.2, style=ring),
        el("path", d=style.sign, style=sign) if style.sign else None,
        transform=f"translate({x:g} {y:g})",
    )


def _arrows(routes: tuple[Route, ...], labels: dict[tuple[str, str], list[str]]) -> Element:
    arrows = (_arrow(route, [label for edge in route.carries for label in labels[edge]]) for route in routes)
    return el("g", *arrows, style=f"fill:none;stroke:{theme.ARROW};stroke-width:1.5;stroke-linejoin:round")


def _arrow(route: Route, labels: list[str]) -> Element:
    (x, y), *rest = route.points
    path = [f"M{x:g} {y:g}"]
    for index, (to_x, to_y) in enumerate(rest):
        middle = (x + to_x) / 2
        level = index % 2 == 0
        path.append(f"H{to_x:g}" if level else f"C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}")
        x, y = to_x, to_y
    path.append(f"M{x - 5:g} {y - 4:g} L{x - 0.5:g} {y:g} L{x - 5:g} {y + 4:g}")
    text = ", ".join(dict.fromkeys(filter(None, labels)))
    return el("path", el("title", text) if text else None, d=" ".join(path))
