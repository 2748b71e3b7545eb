"""A step's own HTML, in a sandboxed frame without scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kfnb.ui import theme
from kfnb.ui.markup import Element, el

# Scripts are stopped by the sandbox; this stops the page from telling a server that it was opened.
_HEAD = (
    '<!doctype html><meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'\">"
)

# Chromium connects to the server of a frame within before it heeds the policy, and that of one in one's srcdoc.
_FRAME = re.compile(r"<(?=i?frame\b)", re.IGNORECASE)
_LEFT_OUT = "[a page within this one is left out]<no-"
_LINE = re.compile(r"<(tr|p|li|h[1-6]|br|div|dt|dd|img)\b", re.IGNORECASE)
_DATA = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+")
_SCRIPT = re.compile(r"<script\b.*?</script>", re.IGNORECASE | re.DOTALL)
_PICTURE = re.compile(r"<img\b[^>]*\bheight=\"(\d+)\"", re.IGNORECASE)
_LOWEST, _HIGHEST, _LINE_HEIGHT, _CHARACTERS = 80, 420, 22, 120
_TALLEST = 640
"""How high a frame with pictures is at most, in pixels."""


def _height(page: str) -> int:
    """A guess: a frame without scripts cannot say how high its page is. A person can drag it."""
    page = _SCRIPT.sub("", _DATA.sub("", page))
    lines = max(len(_LINE.findall(page)), len(page) / _CHARACTERS)
    text = min(_HIGHEST, max(_LOWEST, round(40 + lines * _LINE_HEIGHT)))
    pictures = sum(int(height) for height in _PICTURE.findall(page))
    return min(_TALLEST, text + pictures) if pictures else text


@dataclass(frozen=True)
class Frame:
    """A foreign page: sandboxed, without scripts, loading nothing."""

    label: str
    page: str

    def to_html(self) -> Element:
        """The page in its frame."""
        style = (
            f"width:100%;height:{_height(self.page)}px;border:1px solid {theme.LINE};border-radius:6px;background:#fff;"
            "color-scheme:light;resize:vertical;overflow:auto;margin:0 0 12px"
        )
        page = _HEAD + _FRAME.sub(_LEFT_OUT, self.page)
        return el("iframe", sandbox="", srcdoc=page, title=self.label, loading="lazy", style=style)

    def to_text(self) -> str:
        """Only that there is a page: text cannot show it."""
        return f"(a page of {len(self.page):,} characters)"
