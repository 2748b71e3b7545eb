"""What was checked, and how it came out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kfnb.model.listing import Listing


class Outcome(str, Enum):
    """How a check came out; what could not be checked is skipped."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    SKIPPED = "skipped"

    def __str__(self) -> str:
        """The word."""
        return self.value


@dataclass(frozen=True)
class Check:
    """Something that was checked: how it came out, what was found, and what fixes it."""

    name: str
    outcome: Outcome
    told: str = ""
    fix: str = ""


class CheckList(Listing[Check]):
    """Checks, in order."""
