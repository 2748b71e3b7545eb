"""The colours of trials by how good they are: from grey to blue, each at least 3:1 on light and on dark paper."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shade:
    """A colour, and how thick lines in it are."""

    colour: str
    width: float


# the worst class first
RAMP = (
    Shade("#848c98", 0.9),
    Shade("#7c8aa6", 1.0),
    Shade("#6b8bc6", 1.1),
    Shade("#4f86e0", 1.3),
    Shade("#2f81f7", 1.7),
)
