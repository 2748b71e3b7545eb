"""The colours of trials by how good they are: from grey to blue, readable on light and on dark paper."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shade:
    """A colour, how much is seen through it, and how thick lines in it are."""

    colour: str
    opacity: float
    width: float


# the worst class first
RAMP = (
    Shade("#9aa3b2", 0.35, 1.0),
    Shade("#8b9bc0", 0.45, 1.0),
    Shade("#7394dd", 0.55, 1.1),
    Shade("#4f8aef", 0.7, 1.3),
    Shade("#2f81f7", 0.95, 1.6),
)
