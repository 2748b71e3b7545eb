"""Which steps wait for others only because they have to, and which are ordered by the data they pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kfnb.convert.python_cell import names_of, values_of


@dataclass(frozen=True)
class Waits:
    """``without``: pairs of a step and one that it waits for without its data. ``beside``: a step, one that it takes
    data from without having to follow it, and the name of these.
    """

    without: tuple[tuple[str, str], ...]
    beside: tuple[tuple[str, str, str], ...]


def waits_without_data(
    texts: Mapping[str, Sequence[tuple[str, str]]], previous: Mapping[str, Sequence[str]]
) -> Waits:
    """Compare the data that steps take with the ``previous`` steps that they have to follow.

    ``texts`` has the steps in order, each with the texts of its cells and their places.
    """
    writer: dict[str, str] = {}
    by_data: dict[str, set[str]] = {}
    by_order: dict[str, set[str]] = {}
    without: list[tuple[str, str]] = []
    beside: list[tuple[str, str, str]] = []
    for step, parts in texts.items():
        source, place = "\n".join(text for text, _ in parts), parts[0][1]
        sources = {writer[name]: name for name in sorted(names_of(source, place).needs) if name in writer}
        by_order[step] = _closed(previous[step], by_order)
        by_data[step] = _closed(sources, by_data)
        beside += [(step, one, name) for one, name in sources.items() if one not in by_order[step]]
        without += [(step, one) for one in dict.fromkeys(previous[step]) if one not in by_data[step]]
        by_data[step] |= _closed(previous[step], by_data)
        writer |= dict.fromkeys(values_of(source, place), step)
    return Waits(tuple(without), tuple(beside))


def _closed(steps: Sequence[str] | Mapping[str, str], known: Mapping[str, set[str]]) -> set[str]:
    """The steps, and all that they follow."""
    return set(steps).union(*(known[one] for one in steps))
