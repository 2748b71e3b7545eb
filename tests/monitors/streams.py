"""Streams of rows without and with drift, and the days on which a monitor has an alarm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from kfnb.capture.embedded.counting import kfnb_Counter
from kfnb.capture.embedded.profiles import kfnb_profile
from kfnb.resources.monitors.drift import column_drifts, drift_score, score_limit, spread_of
from kfnb.resources.monitors.hysteresis import state_after
from kfnb.resources.monitors.judging import WindowFacts, judge
from kfnb.resources.monitors.model import MonitorState, Rule
from kfnb.resources.monitors.reference import MonitorReference

Rows = Callable[[np.random.Generator, int, int], pd.DataFrame]
"""Makes the rows of a day: of a generator, the number of rows, and the number of the day."""


def plain(random: np.random.Generator, rows: int, day: int) -> pd.DataFrame:
    """Twenty columns that never change: numbers, amounts with a long tail, categories, gaps."""
    del day
    numbers = {f"x{place}": random.normal(size=rows) for place in range(16)}
    gaps = np.where(random.random(rows) < 0.05, np.nan, random.normal(size=rows))
    return pd.DataFrame(
        {
            **numbers,
            "amount": random.lognormal(sigma=1.5, size=rows),
            "count": random.poisson(2, rows),
            "place": random.choice(["north", "south", "east", "west"], rows, p=[0.5, 0.3, 0.15, 0.05]),
            "gaps": gaps,
        }
    )


def seasonal(random: np.random.Generator, rows: int, day: int) -> pd.DataFrame:
    """Columns that are another by the time of the year."""
    warm = np.sin(2 * np.pi * day / 365)
    return pd.DataFrame(
        {
            "temperature": random.normal(12 + 10 * warm, 4, rows),
            "rain": random.random(rows) < 0.4 - 0.2 * warm,
            "price": random.lognormal(0.1 * warm, 0.5, rows),
        }
    )


def reference_of(frame: pd.DataFrame, windows: int = 1) -> MonitorReference:
    """What windows are compared with."""
    profile = kfnb_profile(frame)
    spread: dict[str, dict[str, float]] = {}
    for number in range(windows if windows > 1 else 0):
        part = frame.iloc[number * len(frame) // windows : (number + 1) * len(frame) // windows]
        for name, own in spread_of(profile, kfnb_profile(part)).items():
            known = spread.get(name, own)
            spread[name] = {kind: max(value, known[kind]) for kind, value in own.items()}
    return MonitorReference("data@1", "model@1", profile, spread=spread)


def findings(
    reference: MonitorReference, windows: Iterable[pd.DataFrame], rules: Sequence[Rule]
) -> Iterator[bool | None]:
    """What each window says of the first rule."""
    for window in windows:
        counter = kfnb_Counter(dict(reference.profile))
        counter.add(window)
        profile = counter.profile()
        columns = column_drifts(reference, profile, rules)
        score, limit = drift_score(reference, profile), score_limit(reference, profile)
        facts = WindowFacts(0.0, 0.0, len(window), columns=columns, score=score, score_limit=limit)
        yield judge(rules[0], facts).exceeded


def alarms(flags: Iterable[bool | None]) -> list[bool]:
    """For each window, whether there is an alarm."""
    state, seen, found = MonitorState.NO_DATA, list[bool | None](), []
    for one in flags:
        seen.append(one)
        state = state_after(state, seen[-10:])
        found.append(state is MonitorState.ALARM)
    return found
