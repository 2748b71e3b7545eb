"""Long texts, shortened for messages."""

from __future__ import annotations

from collections.abc import Sequence


def shorten(text: str, most: int, mark: str = "...") -> str:
    """``text``, or its first ``most`` characters and a mark that the rest was left out."""
    return text if len(text) <= most else f"{text[:most]}{mark}"


def some(names: Sequence[str], most: int = 5) -> str:
    """The first names of a list, and how many more there are: ``a, b and 3 more``."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
