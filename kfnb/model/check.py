"""Checks and their results."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kfnb.model.listing import Listing


class CheckOutcome(str, Enum):
    """The outcome of a check; what could not be checked is skipped."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    SKIPPED = "skipped"

    def __str__(self) -> str:
        """The word."""
        return self.value


@dataclass(frozen=True)
class Check:
    """A check: its outcome, what was found, and how to fix it."""

    name: str
    outcome: CheckOutcome
    told: str = ""
    fix: str = ""


class CheckList(Listing[Check]):
    """Checks, in order."""
