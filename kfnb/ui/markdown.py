"""A step's own Markdown, as elements of ``kfnb.ui``.

A kept parser (mistune, which nbconvert brings) makes HTML of it, and ``sanitize`` elements of that: so HTML in
Markdown is shown as it is in a notebook's cell, but for what acts or loads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kfnb.ui.blocks import CodeBlock
from kfnb.ui.markup import Element, el
from kfnb.ui.sanitize import sanitized

LONGEST = 100_000
_DATA = re.compile(r"data:image/[\w.+-]+;base64,[A-Za-z0-9+/=]{100,}")
_SAME = re.compile(r"kfnb-picture-(\d+)")


@dataclass(frozen=True)
class Markdown:
    """A page of Markdown."""

    text: str

    def to_html(self) -> Element:
        """The page; as it was written, where it cannot be read."""
        html = parse(self.text)
        if html is None:
            return CodeBlock(_without_data(self.text)).to_html()
        return el("div", *sanitized(html), style="margin:0 0 10px;max-width:100ch;overflow-wrap:anywhere")

    def to_text(self) -> str:
        """The text as it was written, but for pictures: Markdown is made to be read so."""
        return CodeBlock(_without_data(self.text)).to_text()


def parse(text: str) -> str | None:
    """The HTML of a text; None without mistune 3, and of a text that is endless. What it holds is not safe yet."""
    try:
        import mistune
    except ImportError:
        return None
    pictures = _DATA.findall(text)
    count = iter(range(len(pictures)))
    bare = _DATA.sub(
        lambda _: f"kfnb-picture-{next(count)}", text
    )  # they are long, and the parser reads each letter
    if len(bare) > LONGEST or not mistune.__version__.startswith("3."):
        return None
    try:
        html = str(mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])(bare))
    except RecursionError:
        return None
    return _SAME.sub(lambda found: _at(pictures, int(found[1]), found[0]), html)


def _at(pictures: list[str], number: int, otherwise: str) -> str:
    return pictures[number] if number < len(pictures) else otherwise


def _without_data(text: str) -> str:
    return _DATA.sub("…", text)
