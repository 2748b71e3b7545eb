"""HTML and SVG elements, which escape all that they hold.

Every piece of HTML that kfnb shows is made of ``Element``: text and attributes are data, and are escaped
where they are written out. There is no way to put raw markup in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

from kfnb.ui.words import clean

Node: TypeAlias = "Element | str"

# a line break after these keeps words apart where a viewer drops the tags and keeps their text
_BROKEN_AFTER = frozenset(
    {"div", "tr", "table", "pre", "details", "summary", "svg", "g", "text", "title", "ul", "li"}
)


@dataclass(frozen=True)
class Element:
    """A tag with its attributes and children; ``str()`` writes it as HTML."""

    tag: str
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple[Node, ...] = ()

    def __str__(self) -> str:
        return "".join(self.pieces())

    def pieces(self) -> Iterator[str]:
        """The HTML, bit by bit."""
        yield f"<{self.tag}"
        for name, value in self.attributes:
            yield f' {name}="{escape(clean(value))}"'
        yield ">"
        if self.tag == "img":
            return  # it has no end
        for child in self.children:
            if isinstance(child, Element):
                yield from child.pieces()
            else:
                yield escape(clean(child))
        yield f"</{self.tag}>"
        if self.tag in _BROKEN_AFTER:
            yield "\n"


def el(tag: str, *children: Node | None, **attributes: str | float | None) -> Element:
    """An element; ``None`` in children and attributes is left out, ``aria_label`` means ``aria-label``."""
    written = (
        (name.rstrip("_").replace("_", "-"), value if isinstance(value, str) else f"{value:g}")
        for name, value in attributes.items()
        if value is not None
    )
    return Element(tag, tuple(written), tuple(child for child in children if child is not None))
