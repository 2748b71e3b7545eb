"""What a display is made of. Each block renders as HTML and as text, from one description.

Inline styles only, and nothing that needs them to be understood: GitHub keeps the tags and drops the rest.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from kfnb.ui import theme
from kfnb.ui.markup import Element, el
from kfnb.ui.mount_point import Home
from kfnb.ui.states import StateStyle
from kfnb.ui.words import clean, one_line

TEXT_WIDTH = 100


class Block(Protocol):
    """A part of a display."""

    def to_html(self) -> Element:
        """This block as an element."""
        ...

    def to_text(self) -> str:
        """This block as lines of text; empty where text has nothing to show."""
        ...


@dataclass(frozen=True)
class Title:
    """A display's first line: what is shown, its state, and small print under it."""

    text: str
    state_style: StateStyle | None = None
    aside: str = ""
    facts: tuple[str, ...] = ()

    def to_html(self) -> Element:
        """The first line and the small print under it."""
        head = el(
            "div",
            *self._badge(),
            el("strong", self.text, style="font-size:16px;overflow-wrap:anywhere"),
            el("span", f" {self.aside}", style=f"color:{theme.SOFT}") if self.aside else None,
            role="heading",
            aria_level=3,
            style="display:flex;flex-wrap:wrap;align-items:center;gap:10px",
        )
        facts = " · ".join(self._facts())
        small = el("div", facts, style=f"color:{theme.SOFT};margin-top:3px;overflow-wrap:anywhere")
        return el("div", head, small if facts else None, style="margin:0 0 12px")

    def _badge(self) -> tuple[Element | str, ...]:
        if self.state_style is None:
            return ()
        colour = self.state_style.colour
        return (
            el(
                "span",
                el("span", self.state_style.icon, style=f"color:{colour};font-weight:700"),
                f" {self.state_style.word}",
                style=f"border:1px solid {colour};border-radius:999px;padding:1px 10px;white-space:nowrap",
            ),
            " ",
        )

    def to_text(self) -> str:
        """The same as one or two lines."""
        state = f"{self.state_style.icon} {self.state_style.word}" if self.state_style else ""
        head = " · ".join(part for part in (state, one_line(self.text), self.aside) if part)
        return "\n".join(filled(line) for line in (head, " · ".join(self._facts())) if line)

    def _facts(self) -> list[str]:
        return [one_line(fact) for fact in self.facts if fact]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str

    def to_html(self) -> Element:
        """A paragraph."""
        return el("div", self.text, style="margin:0 0 10px;overflow-wrap:anywhere;max-width:100ch")

    def to_text(self) -> str:
        """The text, filled to 100 columns."""
        return filled(self.text)


@dataclass(frozen=True)
class Items:
    """A list of short texts."""

    items: tuple[str, ...]

    def to_html(self) -> Element:
        """A bulleted list."""
        style = "margin:1px 0;overflow-wrap:anywhere"
        return el(
            "ul", *(el("li", item, style=style) for item in self.items), style="margin:0;padding-left:20px"
        )

    def to_text(self) -> str:
        """A line for each item."""
        return "\n".join(f"- {one_line(item)}" for item in self.items)


@dataclass(frozen=True)
class CodeBlock:
    """Text as it was written, line by line. A ``value`` is one among others: it is less high, and its lines wrap."""

    text: str
    value: bool = False

    def to_html(self) -> Element:
        """Preformatted text, which a keyboard can scroll."""
        shape = "max-height:360px;white-space:pre"
        if self.value:
            shape = "max-height:180px;white-space:pre-wrap;overflow-wrap:anywhere"
        style = (
            f"margin:0;padding:8px 10px;background:{theme.SHADE};color:{theme.INK};border-radius:6px;"
            f"font:12px/1.5 {theme.MONO};overflow:auto;{shape}"
        )
        return el("pre", self.text, tabindex=0, style=style)

    def to_text(self) -> str:
        """The text, indented."""
        return textwrap.indent(clean(self.text).rstrip("\n"), "    ")


def headed(blocks: Iterable[Block], heading: str, facts: str = "", *, level: int = 4, style: str) -> Element:
    """Blocks under a heading, which the quiet ``facts`` follow on its line."""
    words = el("span", facts, style=f"color:{theme.SOFT}") if facts else None
    line = el("div", el("strong", heading), words, role="heading", aria_level=level, style=style)
    return el("div", line, *(block.to_html() for block in blocks), style="margin:0 0 16px")


@dataclass(frozen=True)
class Section:
    """Blocks under a small heading."""

    heading: str
    blocks: Sequence[Block]

    def to_html(self) -> Element:
        """The heading and the blocks."""
        return headed(self.blocks, self.heading, style="margin:0 0 6px;overflow-wrap:anywhere")

    def to_text(self) -> str:
        """The heading and the blocks."""
        return "\n".join([one_line(self.heading), *texts(self.blocks)])


@dataclass(frozen=True)
class Marked:
    """Blocks about an artifact of a task, marked for a page that can download it: ``side`` is inputs or outputs."""

    side: str
    name: str
    blocks: Sequence[Block]

    def to_html(self) -> Element:
        """The blocks in an element that bears the mark."""
        inside = (block.to_html() for block in self.blocks)
        return el("div", *inside, data_kfnb_artifact=f"{self.side}/{self.name}")

    def to_text(self) -> str:
        """The blocks."""
        return "\n".join(texts(self.blocks))


@dataclass(frozen=True)
class Folded:
    """Blocks that HTML shows when asked; ``quiet`` for what few will want to see.

    Text does not fold: it has all of it or, where that is given, ``text_form`` instead.
    """

    heading: str
    blocks: Sequence[Block]
    quiet: bool = False
    text_form: str = ""

    def to_html(self) -> Element:
        """The blocks, behind their heading."""
        heading = el("span", self.heading) if self.quiet else el("strong", self.heading)
        style = f"cursor:pointer;margin:0 0 6px;color:{theme.SOFT if self.quiet else theme.INK}"
        summary = el("summary", heading, style=style)
        return el("details", summary, *(block.to_html() for block in self.blocks), style="margin:0 0 16px")

    def to_text(self) -> str:
        """All of it, or the text instead of it."""
        return filled(self.text_form) or "\n".join([one_line(self.heading), *texts(self.blocks)])


@dataclass(frozen=True)
class Row:
    """Blocks side by side where there is room; under each other in text."""

    blocks: Sequence[Block]

    def to_html(self) -> Element:
        """The blocks in a row that wraps."""
        style = "display:flex;flex-wrap:wrap;gap:0 40px;align-items:flex-start;margin:0"
        # what is wider than the page scrolls by itself
        return el(
            "div", *(el("div", block.to_html(), style="max-width:100%") for block in self.blocks), style=style
        )

    def to_text(self) -> str:
        """The blocks under each other."""
        return "\n\n".join(texts(self.blocks))


@dataclass(frozen=True)
class Alert:
    """What went wrong: a headline, and blocks that explain it."""

    state_style: StateStyle
    headline: str
    blocks: Sequence[Block]

    def to_html(self) -> Element:
        """A panel in the state's colour."""
        colour = self.state_style.colour
        headline = el(
            "div",
            el("span", f"{self.state_style.icon} ", style=f"color:{colour}", aria_hidden="true"),
            el("strong", self.headline),
            style="margin:0 0 6px;overflow-wrap:anywhere",
        )
        style = (
            f"border-left:4px solid {colour};background:{colour}14;border-radius:0 6px 6px 0;"
            "padding:10px 14px;margin:0 0 14px"
        )
        return el("div", headline, *(block.to_html() for block in self.blocks), role="alert", style=style)

    def to_text(self) -> str:
        """The headline and the blocks."""
        return "\n".join([filled(f"{self.state_style.icon} {self.headline}"), *texts(self.blocks)])


@dataclass(frozen=True)
class Picture:
    """A drawing and what text says in its place."""

    drawing: Element
    text: str = ""

    def to_html(self) -> Element:
        """The drawing, which scrolls if it is wide."""
        return el("div", self.drawing, style="overflow-x:auto;margin:0 0 14px;padding:2px 0")

    def to_text(self) -> str:
        """The text instead of the drawing."""
        return one_line(self.text)


def filled(text: str) -> str:
    """One paragraph, its lines at most 100 columns long where its words are not longer."""
    return textwrap.fill(one_line(text), TEXT_WIDTH, break_on_hyphens=False, break_long_words=False)


def texts(blocks: Iterable[Block]) -> list[str]:
    """The blocks' texts, without empty ones."""
    return [text for text in (block.to_text() for block in blocks) if text]


def notes_section(notes: Sequence[str]) -> Iterator[Block]:
    """What the user should know of a thing; nothing where there is nothing to know."""
    if notes:
        yield Section("Notes", [Items(tuple(notes))])


def bundle(label: str, blocks: Sequence[Block], home: Home | None = None) -> dict[str, str]:
    """The blocks as a mimebundle; ``label`` names the whole for a screen reader, ``home`` marks it for a page."""
    children = (block.to_html() for block in blocks)
    mark = home.attributes if home else {}
    html = el("div", *children, role="region", aria_label=one_line(label), style=theme.ROOT, **mark)
    return {"text/plain": clean("\n\n".join(texts(blocks))), "text/html": str(html)}
