"""Long texts, shortened for messages."""

from __future__ import annotations


def shorten(text: str, most: int, mark: str = "...") -> str:
    """``text``, or its first ``most`` characters and a mark that the rest was left out."""
    return text if len(text) <= most else f"{text[:most]}{mark}"
