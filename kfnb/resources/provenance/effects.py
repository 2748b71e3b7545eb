"""How much a difference between two manifests matters for the numbers that come out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Effect(IntEnum):
    """What a difference may do to a result, the least first."""

    SAME = 0
    DIGITS = 1
    RESULTS = 2
    FAILS = 3

    def __str__(self) -> str:
        return WORDS[self]


WORDS = {
    Effect.SAME: "same numbers expected",
    Effect.DIGITS: "last digits may differ",
    Effect.RESULTS: "results may differ",
    Effect.FAILS: "does not run",
}


@dataclass(frozen=True)
class Judgement:
    """The effect of a difference, and its reason."""

    effect: Effect
    reason: str
