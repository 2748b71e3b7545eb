"""Samples of what was counted of each revision: of the last minutes, and from when two versions were first compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.resources.services.local.totals import Counted

STEP, SPAN = 5.0, 300.0
"""Seconds between two samples at least, and for which they are kept."""

Pair = tuple[int, int]
"""The numbers of the default and the canary."""

Sample = list[Any]
"""A ``CountSample`` as JSON: when, requests, failed."""


class Samples:
    """Takes a sample of each revision at each poll. What is kept of a revision does not grow.

    ``known`` are the counters as they were written last, with their samples.
    """

    def __init__(self, known: Mapping[int, Counted]) -> None:
        self._recent = {number: list(data.get("recent", ())) for number, data in known.items()}
        self._paired = {number: data["paired"] for number, data in known.items() if data.get("paired")}

    def take(self, at: float, counters: Mapping[int, Counted], pair: Pair | None) -> None:
        """Take the counters at a moment into account; ``pair`` shares the requests, None without a canary."""
        for number in self._recent.keys() - counters.keys():
            self._recent.pop(number)
            self._paired.pop(number, None)
        for number, counted in counters.items():
            self._recent[number] = _with(self._recent.get(number, []), _sample(at, counted))
        if pair is not None and all(number in counters for number in pair):
            marks = [self._paired.get(number) for number in pair]
            if marks[0] is None or marks[1] is None or marks[0][0] != marks[1][0]:
                self._paired |= {number: _sample(at, counters[number]) for number in pair}

    def of(self, number: int) -> Counted:
        """The samples of a revision, as its counters have them."""
        paired = self._paired.get(number)
        return {"recent": self._recent.get(number, []), **({"paired": paired} if paired else {})}


def _sample(at: float, counted: Counted) -> Sample:
    return [round(at, 1), counted.get("requests", 0), sum(counted.get("errors", {}).values())]


def _with(samples: list[Sample], new: Sample) -> list[Sample]:
    """Samples and a new one, which replaces the last while that is less than a step after the one before it."""
    kept = [one for one in samples if one[0] < new[0]]  # a clock may be set back
    if len(kept) > 1 and kept[-1][0] - kept[-2][0] < STEP:
        kept.pop()
    while len(kept) > 1 and kept[1][0] < new[0] - SPAN:
        kept.pop(0)
    return [*kept, new]
