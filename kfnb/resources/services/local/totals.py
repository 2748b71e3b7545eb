"""What was counted of each revision since it exists: by all processes of the router and of the revision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Counted = dict[str, Any]
"""Counters as JSON: numbers, lists of numbers of one length, and mappings of those; ``failures`` is a list of what is
not added but kept, the last of it."""

_MOST_FAILURES = 20


class Totals:
    """Adds up what processes count, each from 0.

    A process is known by its ``life``: when another one reports, what the last one had reported is kept.
    """

    def __init__(self, known: Mapping[int, Counted]) -> None:
        self._kept: dict[int, Counted] = {number: dict(data) for number, data in known.items()}
        self._lives: dict[tuple[int, str], tuple[int, Counted]] = {}

    def take(self, number: int, source: str, life: int, counted: Counted) -> None:
        """Take what a process says of a revision into account. ``source`` is its kind: router or revision."""
        last = self._lives.get((number, source))
        if last is not None and last[0] != life:
            self._kept[number] = added(self._kept.get(number, {}), last[1])
        self._lives[number, source] = life, counted

    def of(self, number: int) -> Counted:
        """All that was counted of a revision."""
        total = self._kept.get(number, {})
        for (one, _), (_, counted) in self._lives.items():
            if one == number:
                total = added(total, counted)
        return total

    def forget(self, number: int) -> None:
        """Forget a revision."""
        self._kept.pop(number, None)
        for key in [key for key in self._lives if key[0] == number]:
            del self._lives[key]


def added(one: Counted, other: Counted) -> Counted:
    """Two counters, added."""
    return {name: _sum(name, one.get(name), other.get(name)) for name in {**one, **other}}


def _sum(name: str, one: Any, other: Any) -> Any:
    if one is None or other is None:
        return one if other is None else other
    if name == "failures":
        return sorted([*one, *other], key=lambda failure: failure["at"])[-_MOST_FAILURES:]
    if isinstance(one, dict):
        return added(one, other)
    if isinstance(one, list):
        return [left + right for left, right in zip(one, other, strict=True)]
    return one + other
