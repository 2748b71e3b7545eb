"""The area that dots and lines of a chart are drawn in, and how many of them are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from kfnb.resources.studies.view.scale import Scale
from kfnb.ui import theme
from kfnb.ui.markup import Element, Node, el
from kfnb.ui.words import cut, one_line

Place = tuple[float, float]

MOST_DOTS = 1200
"""Dots of one kind in one chart: where there are more, those that lie on each other are drawn once."""

TOP, RIGHT, BOTTOM = 10, 26, 34
_CHARACTER = 6.2
_NARROWEST, _WIDEST = 30, 92


@dataclass(frozen=True)
class Field:
    """Two scales over an area of ``wide`` by ``tall`` pixels, and what they are called."""

    x: Scale
    y: Scale
    x_name: str
    y_name: str
    wide: float = 420
    tall: float = 180

    @cached_property
    def left(self) -> float:
        """The room for the words at the left."""
        longest = max((len(words) for _, words in self.y.ticks), default=0)
        return 12 + min(_WIDEST, max(_NARROWEST, longest * _CHARACTER)) + (14 if self.y_name else 0)

    def at(self, x: float, y: float) -> Place:
        """Where in the drawing two places on the scales meet."""
        return self.left + x * self.wide, TOP + (1 - y) * self.tall

    def draw(self, label: str, *drawn: Node | None) -> Element:
        """The drawing; ``label`` says it in words."""
        whole_wide, whole_tall = self.left + self.wide + RIGHT, TOP + self.tall + BOTTOM
        return el(
            "svg",
            el("title", label),
            el("path", d="".join(self._grid()), style=f"stroke:{theme.LINE};stroke-opacity:.55;fill:none"),
            *drawn,
            *self._words(),
            role="img",
            aria_label=one_line(label),
            viewBox=f"0 0 {whole_wide:g} {whole_tall:g}",
            style=f"width:100%;max-width:{whole_wide:g}px;height:auto;display:block;font-family:inherit;"
            f"font-size:11px;fill:{theme.SOFT}",
        )

    def _grid(self) -> Iterator[str]:
        for place, _ in self.y.ticks:
            x, y = self.at(0, place)
            yield f"M{short(x)} {short(y)}h{self.wide:g}"
        x, y = self.at(0, 0)
        yield f"M{short(x)} {short(y)}h{self.wide:g}"

    def _words(self) -> Iterator[Node]:
        bottom = TOP + self.tall
        for place, words in self.y.ticks:
            x, y = self.at(0, place)
            yield el("text", words, x=round(x - 6, 1), y=round(y + 4, 1), text_anchor="end")
        for place, words in _apart(self.x.ticks, self.wide):
            x, _ = self.at(place, 0)
            yield el("text", words, x=round(x, 1), y=bottom + 15, text_anchor="middle")
        scale = " (log scale)" if self.x.log else ""
        middle = round(self.left + self.wide / 2, 1)
        yield el("text", self.x_name + scale, x=middle, y=bottom + 30, text_anchor="middle")
        if self.y_name:
            name = cut(one_line(self.y_name), 28) + (" (log scale)" if self.y.log else "")
            turned = f"translate(11 {TOP + self.tall / 2:g}) rotate(-90)"
            yield el("text", name, text_anchor="middle", transform=turned)


def _apart(ticks: Sequence[tuple[float, str]], wide: float) -> Iterator[tuple[float, str]]:
    """Those ticks whose words do not run into each other."""
    end = -1e9
    for place, words in ticks:
        half = len(words) * _CHARACTER / 2 + 4
        if place * wide - half >= end:
            yield place, words
            end = place * wide + half


def short(pixels: float) -> str:
    """A place in as few characters as it takes."""
    return f"{round(pixels, 1):g}"


def dots(places: Iterable[Place], colour: str, *, size: float = 5.5) -> Element | None:
    """Round dots, as one element."""
    drawn = "".join(f"M{short(x)} {short(y)}h0" for x, y in places)
    style = f"fill:none;stroke:{colour};stroke-width:{size};stroke-linecap:round"
    return el("path", d=drawn, style=style) if drawn else None


def marks(places: Iterable[Place], shape: str, colour: str) -> Element | None:
    """Signs of one shape (an SVG path from the middle on), as one element."""
    drawn = "".join(f"M{short(x)} {short(y)}{shape}" for x, y in places)
    style = f"fill:none;stroke:{colour};stroke-width:1.4;stroke-linejoin:round"
    return el("path", d=drawn, style=style) if drawn else None


CROSS = "m-3-3l6 6m0-6l-6 6"
DIAMOND = "m0-3.4l3.4 3.4-3.4 3.4-3.4-3.4z"
RING = "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0"


def apart(places: Sequence[Place], most: int = MOST_DOTS) -> list[Place]:
    """At most ``most`` of the points: one of those on or near each other."""
    cell = 2.0
    remaining = list(places)
    while len(remaining) > most:
        remaining = list({(x // cell, y // cell): (x, y) for x, y in remaining}.values())
        cell *= 1.5
    return remaining


@dataclass(frozen=True)
class Key:
    """One entry of a chart's legend: a sign in its colour, and what it stands for."""

    sign: str
    colour: str
    words: str


def legend(keys: Sequence[Key], note: str = "") -> Element | None:
    """The entries in a line that wraps, and a note after them."""
    entries = [
        el("span", el("span", key.sign, style=f"color:{key.colour};font-weight:700"), f" {key.words} ")
        for key in keys
    ]
    if not (entries or note):
        return None
    last = el("span", note) if note else None
    style = f"display:flex;flex-wrap:wrap;gap:2px 14px;font-size:12px;color:{theme.SOFT};margin:2px 0 0 12px"
    return el("div", *entries, last, style=style)


def figure(title: str, about: str, *inside: Node | None) -> Element:
    """A chart under its title; ``about`` is quiet, beside it."""
    quiet = el("span", f" {about}", style=f"color:{theme.SOFT};font-size:12px") if about else None
    head = el("div", el("strong", title), quiet, role="heading", aria_level=4, style="margin:0 0 4px")
    return el("div", head, *inside, style="margin:0 0 16px;min-width:0")
