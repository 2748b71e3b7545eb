"""HTML that a step wrote, rebuilt of allowed elements: its meaning is kept, what acts or loads is dropped.

Only tags and attributes that are named here come through, each with our own style; the text of all others stays, but
for that of scripts and the like. A picture is shown where it is in the text itself, since to load one would tell a
server that the run was looked at; a link is its words and its address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from kfnb.ui import theme
from kfnb.ui.markup import Element, Node, el

DEEPEST = 20
_CELL = f"padding:3px 20px 3px 0;border:0;border-bottom:1px solid {theme.LINE};text-align:left"
_CODE = f"font-family:{theme.MONO};background:{theme.SHADE};color:{theme.INK};padding:0 4px;border-radius:3px"
_QUOTE = f"margin:0 0 8px;padding:0 0 0 12px;border-left:3px solid {theme.LINE}"
_TABLE = "border-collapse:collapse;margin:0 0 8px;border:0;font-size:13px"
_HEAD = "margin:4px 0 6px;line-height:1.3"
_PRE = (
    f"margin:0 0 8px;padding:8px 10px;background:{theme.SHADE};color:{theme.INK};border-radius:6px;"
    f"font:12px/1.5 {theme.MONO};overflow:auto;max-height:360px;white-space:pre"
)

_STYLES: Mapping[str, str] = {
    "p": "margin:0 0 8px",
    "div": "",
    "span": "",
    "ol": "margin:0 0 8px;padding-left:24px",
    "ul": "margin:0 0 8px;padding-left:24px",
    "blockquote": _QUOTE,
    "pre": _PRE,
    "code": _CODE,
    "table": _TABLE,
    "tr": "background:none",
    "th": _CELL,
    "td": _CELL,
    "figure": "margin:0 0 8px",
    "figcaption": f"color:{theme.SOFT};margin:0 0 4px",
    "summary": "cursor:pointer",
    **dict.fromkeys(
        (
            "li", "strong", "b", "em", "i", "u", "s", "del", "ins", "mark", "small", "sub", "sup", "kbd", "samp",
            "var", "abbr", "q", "cite", "dl", "dt", "dd", "thead", "tbody", "tfoot", "caption", "details", "center",
        ),
        "",
    ),
}  # fmt: skip
"""The tags that there may be, each with its style."""

_OF_TAGS = ("table", "thead", "tbody", "tfoot", "tr", "ul", "ol", "dl")
_CALLED = {"p": "div", "blockquote": "div", "center": "div", "b": "strong", "i": "em", "del": "s"}
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_EMPTY = (
    "img",
    "br",
    "hr",
    "input",
    "col",
    "wbr",
    "area",
    "base",
    "embed",
    "link",
    "meta",
    "param",
    "source",
    "track",
)
_HIDDEN = ("script", "style", "svg", "math", "iframe", "object", "template", "noscript", "title", "head", "textarea",
           "select", "audio", "video", "canvas", "form")  # fmt: skip
"""Tags of which not even the text is shown."""

_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]+")
_NUMBER = re.compile(r"\d{1,4}%?")
_STYLE = re.compile(
    r"(color|background-color|font-weight|font-style|text-align|text-decoration)\s*:\s*([\w#%., -]{1,40})"
)


@dataclass
class _Open:
    tag: str
    attributes: dict[str, str | None]
    children: list[Node] = field(default_factory=list)


def sanitized(html: str) -> list[Node]:
    """The nodes that a piece of HTML means."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.done()


class _Reader(HTMLParser):
    """Builds elements as tags open and close."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open = [_Open("", {})]
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens; one that has no end is made at once."""
        if self._hidden or tag in _HIDDEN:
            self._hidden += [tag] if tag in _HIDDEN else []
        elif tag in _EMPTY:
            self._add(_alone(tag, dict(attrs)))
        else:
            self._open.append(_Open(tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """``<tag/>``: in HTML the slash means nothing, but for tags that have no end anyway."""
        if tag not in _HIDDEN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """A tag closes, with all that was left open in it."""
        if self._hidden:
            if tag in self._hidden:
                del self._hidden[self._hidden.index(tag) :]
        elif any(one.tag == tag for one in self._open[1:]):
            while self._close() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Text."""
        if not self._hidden:
            self._add([data])

    def done(self) -> list[Node]:
        """All nodes, with what was left open closed."""
        while len(self._open) > 1:
            self._close()
        return self._open[0].children

    def _add(self, nodes: list[Node]) -> None:
        self._open[-1].children += nodes

    def _close(self) -> str:
        one = self._open.pop()
        made = _made(one)
        # elements nested too deep become siblings: browsers and this module's own writer go only so deep
        self._add([made] if isinstance(made, Element) and len(self._open) <= DEEPEST else one.children)
        return one.tag


def _alone(tag: str, attributes: dict[str, str | None]) -> list[Node]:
    if tag == "img":
        return [_picture(attributes)]
    if tag == "br":
        return [el("span", "\n", style="white-space:pre-line")]
    return [el("div", style=f"border-top:1px solid {theme.LINE};margin:8px 0")] if tag == "hr" else []


def _made(one: _Open) -> Element | None:
    """The element that an open tag becomes; None for a tag whose content stands alone."""
    if one.tag in _HEADINGS:
        return _heading(one)
    if one.tag == "a":
        return _link(one)
    if one.tag not in _STYLES:
        return None
    if one.tag in _OF_TAGS:  # what stands between is layout of the source
        one.children = [child for child in one.children if not isinstance(child, str) or child.strip()]
    if one.tag == "pre":  # what is code in it is not marked once more
        one.children = [part for child in one.children for part in _bare(child)]
    style = ";".join(filter(None, (_STYLES[one.tag], *_own_style(one.attributes))))
    keyboard = 0 if one.tag == "pre" else None
    spans = {name: _number(one.attributes.get(name)) for name in ("colspan", "rowspan")}
    open_ = "" if one.tag == "details" and "open" in one.attributes else None
    tag = _CALLED.get(one.tag, one.tag)
    return el(tag, *one.children, style=style or None, tabindex=keyboard, open=open_, **spans)


def _bare(node: Node) -> tuple[Node, ...]:
    return node.children if isinstance(node, Element) and node.tag == "code" else (node,)


def _own_style(attributes: Mapping[str, str | None]) -> list[str]:
    """Colours and the like of a tag's own style; nothing that loads, covers or moves."""
    found = [_STYLE.fullmatch(part.strip()) for part in (attributes.get("style") or "").split(";")]
    own = [f"{match[1]}:{match[2].strip()}" for match in found if match]
    align = attributes.get("align") or ""
    return [*own, f"text-align:{align}"] if align in ("left", "right", "center") else own


def _number(value: str | None) -> str | None:
    return value if value and _NUMBER.fullmatch(value) else None


def _heading(one: _Open) -> Element:
    level = int(one.tag[1])
    inner = el("strong", *one.children, style=f"font-size:{max(13, 18 - level)}px")
    return el("div", inner, role="heading", aria_level=min(6, level + 4), style=_HEAD)


def _link(one: _Open) -> Element:
    """The words, and the address beside them: nothing that a step wrote can be followed by a click."""
    address = one.attributes.get("href") or ""
    distinct = address and "".join(child for child in one.children if isinstance(child, str)) != address
    return el(
        "span", *one.children, el("span", f" ({address})", style=f"color:{theme.SOFT}") if distinct else None
    )


def _picture(attributes: Mapping[str, str | None]) -> Element:
    source, alt = attributes.get("src") or "", attributes.get("alt") or ""
    if _PICTURE.fullmatch(source):
        return el(
            "img",
            src=source,
            alt=alt,
            width=_number(attributes.get("width")),
            height=_number(attributes.get("height")),
            style="max-width:100%;height:auto",
        )
    return el("span", f"[picture{': ' if alt else ''}{alt}]")
