"""The pages as HTML. ``content`` is what the views have drawn; all else is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from kfnb.ui.markup import Element, el
from kfnb.web.section import PageSection

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">{title}
<link rel="icon" href="data:,"><link rel="stylesheet" href="/static/ui.css">
<script type="module" src="/static/ui.js"></script></head>
<body data-mark="{mark}">{header}<main data-refresh="{refresh}">{aside}<section>{content}</section></main></body></html>
"""
REFRESH = 5
"""Seconds after which a page that is not live is fetched again."""


def page(
    title: str,
    content: str,
    sections: Sequence[PageSection],
    *,
    current: PageSection | None = None,
    references: Sequence[str] | None = None,
    mark: str = "",
    where: str = "",
) -> str:
    """A whole page. ``references`` are of the things in a list, ``where`` is what the head says of home and backend.

    ``mark`` is that of the pictures that are live; a page without one is fetched again from time to time.
    """
    links = [_link(one.title, f"/{one.path}", current=one == current) for one in sections]
    where_ = el("span", where, class_="where")
    header = el("header", _link("kfnb", "/", current=current is None), el("nav", *links), where_)
    aside = "" if current is None or references is None else _list(current, references)
    return _PAGE.format(
        title=el("title", f"{title} · kfnb"),
        mark=mark,
        header=header,
        refresh="" if mark else REFRESH,
        aside=aside,
        content=content,
    )


def problem(message: str) -> str:
    """What went wrong, as the content of a page."""
    return str(el("p", message, class_="problem", role="alert"))


def _list(section: PageSection, references: Sequence[str]) -> Element:
    links = [el("li", _link(one, f"/{section.path}/{quote(one, safe='')}")) for one in references]
    return el("aside", el("h2", section.title), el("ul", *links) if links else el("p", "none yet"))


def _link(text: str, address: str, *, current: bool = False) -> Element:
    return el("a", text, href=address, aria_current="page" if current else None)
