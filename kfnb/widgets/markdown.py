"""A step's own Markdown, as elements of ours.

A kept parser (mistune, which nbconvert brings) reads it; each of its tokens becomes an element here, so that
what comes out is escaped like all else: raw HTML is shown as text, a link as its words and its address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kfnb.widgets import theme
from kfnb.widgets.blocks import Code
from kfnb.widgets.markup import Element, Node, el

Token = Mapping[str, Any]
DEEPEST = 20
LONGEST = 100_000
_CELL = f"padding:3px 20px 3px 0;border:0;border-bottom:1px solid {theme.LINE};text-align:left"
_CODE = f"font-family:{theme.MONO};background:{theme.SHADE};color:{theme.INK};padding:0 4px;border-radius:3px"
_QUOTE = f"margin:0 0 8px;padding:0 0 0 12px;border-left:3px solid {theme.LINE}"
_HEAD = "margin:4px 0 6px;line-height:1.3"


@dataclass(frozen=True)
class Markdown:
    """A page of Markdown."""

    text: str

    def to_html(self) -> Element:
        """The page; as it was written, where it cannot be read."""
        tokens = parse(self.text)
        if tokens is None:
            return Code(self.text).to_html()
        return el("div", *_nodes(tokens, 0), style="margin:0 0 10px;max-width:100ch;overflow-wrap:anywhere")

    def to_text(self) -> str:
        """The text as it was written: Markdown is made to be read so."""
        return Code(self.text).to_text()


def parse(text: str) -> list[Token] | None:
    """The tokens of a text; None without mistune 3, whose tokens these are, and of a text that is endless."""
    try:
        import mistune
    except ImportError:
        return None
    if len(text) > LONGEST or not mistune.__version__.startswith("3."):
        return None
    try:
        tokens = mistune.create_markdown(renderer="ast", plugins=["table", "strikethrough"])(text)
    except RecursionError:
        return None
    return list(tokens) if isinstance(tokens, list) else None


def _nodes(tokens: Iterable[Token], depth: int) -> list[Node]:
    return [node for token in tokens for node in _node(token, depth + 1)]


def _node(token: Token, depth: int) -> list[Node]:
    make = _MAKERS.get(token["type"])
    if make is not None:
        return [make(token, depth)]
    children = token.get("children")
    if children and depth < DEEPEST:
        return _nodes(children, depth)
    raw = token.get("raw", "")
    return [str(raw)] if raw else []


def _around(tag: str, style: str | None = None) -> Callable[[Token, int], Node]:
    def make(token: Token, depth: int) -> Node:
        inner = _nodes(token.get("children", ()), depth) if depth < DEEPEST else ["…"]
        return el(tag, *inner, style=style)

    return make


def _heading(token: Token, depth: int) -> Node:
    level = int(token["attrs"]["level"])
    inner = el(
        "strong", *_nodes(token.get("children", ()), depth), style=f"font-size:{max(13, 18 - level)}px"
    )
    return el("div", inner, role="heading", aria_level=min(6, level + 4), style=_HEAD)


def _list(token: Token, depth: int) -> Node:
    tag = "ol" if token["attrs"].get("ordered") else "ul"
    return _around(tag, "margin:0 0 8px;padding-left:24px")(token, depth)


def _link(token: Token, depth: int) -> Node:
    """The words, and the address beside them: nothing that a step wrote can be followed by a click."""
    words = _nodes(token.get("children", ()), depth)
    address = str(token["attrs"].get("url", ""))
    aside = el("span", f" ({address})", style=f"color:{theme.SOFT}") if words != [address] else None
    return el("span", *words, aside)


def _image(token: Token, depth: int) -> Node:
    return el(
        "span",
        "[picture",
        *([": "] if token.get("children") else []),
        *_nodes(token.get("children", ()), depth),
        "]",
    )


_MAKERS: dict[str, Callable[[Token, int], Node]] = {
    "paragraph": _around("div", "margin:0 0 8px"),
    "heading": _heading,
    "list": _list,
    "list_item": _around("li"),
    "block_quote": _around("div", _QUOTE),
    "block_code": lambda token, _: Code(str(token.get("raw", "")).rstrip("\n")).to_html(),
    "block_html": lambda token, _: Code(str(token.get("raw", "")).rstrip("\n")).to_html(),
    "thematic_break": lambda *_: el("div", style=f"border-top:1px solid {theme.LINE};margin:8px 0"),
    "codespan": lambda token, _: el("code", str(token.get("raw", "")), style=_CODE),
    "strong": _around("strong"),
    "emphasis": _around("em"),
    "strikethrough": _around("s"),
    "link": _link,
    "image": _image,
    "softbreak": lambda *_: " ",
    "linebreak": lambda *_: el("span", "\n", style="white-space:pre-line"),
    "table": _around("table", "border-collapse:collapse;margin:0 0 8px;border:0;font-size:13px"),
    "table_head": lambda token, depth: el("thead", _around("tr", "background:none")(token, depth)),
    "table_body": _around("tbody"),
    "table_row": _around("tr", "background:none"),
    "table_cell": lambda token, depth: _around("th" if token["attrs"].get("head") else "td", _CELL)(
        token, depth
    ),
}
