"""The rows that the tests' model is made of, and is asked about."""

from __future__ import annotations

import numpy as np
import pandas as pd

COLUMNS = ["age", "income", "noise"]


def people(random: np.random.Generator, rows: int, *, older: float = 0.0) -> pd.DataFrame:
    """Rows with the label ``y``: who is older than usual, or earns more, is true. ``older`` moves the border too."""
    table = pd.DataFrame(
        {
            "age": random.normal(40 + older, 10, rows),
            "income": random.normal(3, 1, rows),
            "noise": random.normal(0, 1, rows),
        }
    )
    table["y"] = (table.age - 40 - older) / 10 + table.income - 3 + random.normal(0, 0.3, rows) > 0
    return table


def applicants(seed: int, rows: int, days: float = 0.0) -> pd.DataFrame:
    """Columns of all sorts. Times are those of the month before the day ``days``, few of them at night."""
    random = np.random.default_rng(seed)
    hours = random.normal(14, 3, rows) % 24
    end = pd.Timestamp("2026-06-01", tz="UTC") + pd.Timedelta(days=days)
    updated = end - pd.to_timedelta(random.integers(1, 31, rows), "D") + pd.to_timedelta(hours, "h")
    return pd.DataFrame(
        {
            "age": random.normal(40, 10, rows),
            "income": random.lognormal(8, 1, rows),
            "height": random.normal(170, 9, rows),
            "celsius": random.normal(12, 6, rows),
            "children": random.poisson(1, rows),
            "spent": np.where(random.random(rows) < 0.6, 0.0, random.lognormal(3, 1, rows)),
            "gaps": np.where(random.random(rows) < 0.1, np.nan, random.normal(size=rows)),
            "grade": random.choice([1, 2, 3, 4, 5], rows, p=[0.05, 0.45, 0.3, 0.15, 0.05]),
            "zip": random.choice(["01067", "04103", "80331", "20095"], rows),
            "region": random.choice(["north", "south", "east", "west"], rows, p=[0.5, 0.3, 0.15, 0.05]),
            "member": random.random(rows) < 0.3,
            "updated": updated,
        }
    )
