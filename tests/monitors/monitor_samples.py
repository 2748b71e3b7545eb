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
