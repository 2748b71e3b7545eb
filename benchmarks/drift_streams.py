"""Streams of windows without and with drift, which needs numpy and pandas alone: two programs make the same ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

WINDOWS, ROWS, REFERENCE = 12, 1_000, 5_000
_MISSING = 0.05

Shift = Callable[[pd.DataFrame], pd.DataFrame]

SHIFTS: Mapping[str, Shift] = {
    "mean + 0.3 sigma": lambda one: one.assign(x0=one.x0 + 0.3),
    "a category gone": lambda one: one.assign(place=one.place.replace("west", "north")),
    "a unit changed": lambda one: one.assign(amount=one.amount * 1000),
    "nulls doubled": lambda one: one.assign(gaps=one.gaps.where(np.arange(len(one)) % 20 > 0)),
    "a dead column": lambda one: one.assign(x1=0.0),
}
"""What is planted, each in one column of twenty."""


def rows(seed: int, count: int) -> pd.DataFrame:
    """Numbers, amounts with a long tail, counts, categories and gaps."""
    random = np.random.default_rng(seed)
    numbers = {f"x{place}": random.normal(size=count) for place in range(16)}
    gaps = np.where(random.random(count) < _MISSING, np.nan, random.normal(size=count))
    places = random.choice(["north", "south", "east", "west"], count, p=[0.5, 0.3, 0.15, 0.05])
    others = {
        "amount": random.lognormal(sigma=1.5, size=count),
        "count": random.poisson(2, count),
        "place": places,
        "gaps": gaps,
    }
    return pd.DataFrame({**numbers, **others})


def reference() -> pd.DataFrame:
    """What windows are compared with."""
    return rows(0, REFERENCE)


def quiet(size: int) -> Iterator[pd.DataFrame]:
    """Windows without drift."""
    for seed in range(1, WINDOWS + 1):
        yield rows(seed, size)


def shifted() -> Iterator[tuple[str, list[pd.DataFrame]]]:
    """Two windows in a row with each shift, by what it is."""
    for number, (name, shift) in enumerate(SHIFTS.items()):
        yield name, [shift(rows(1000 + 2 * number + at, ROWS)) for at in range(2)]
