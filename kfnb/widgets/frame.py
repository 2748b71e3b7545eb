"""A step's own HTML, in a frame that can do nothing but be looked at."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.widgets import theme
from kfnb.widgets.markup import Element, el

# Scripts are stopped by the sandbox; this stops the page from telling a server that it was opened.
_HEAD = (
    '<!doctype html><meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'\">"
)


@dataclass(frozen=True)
class Frame:
    """A foreign page: sandboxed, without scripts, loading nothing."""

    label: str
    page: str

    def to_html(self) -> Element:
        """The page in its frame."""
        style = (
            f"width:100%;height:320px;border:1px solid {theme.LINE};border-radius:6px;background:#fff;"
            "color-scheme:light;resize:vertical;overflow:auto;margin:0 0 12px"
        )
        return el(
            "iframe", sandbox="", srcdoc=_HEAD + self.page, title=self.label, loading="lazy", style=style
        )

    def to_text(self) -> str:
        """Only that there is a page: text cannot show it."""
        return f"(a page of {len(self.page):,} characters)"
