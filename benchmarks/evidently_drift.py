"""evidently's default preset on the streams. Runs in an environment that has evidently; prints what it found as JSON.

By stream: of each window the number of columns that have drifted, the share of all, and the seconds that it took.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.drift_streams import quiet, reference, shifted


def main(sizes: list[int]) -> None:
    """Print what is found in quiet streams of windows of each size, and in shifted ones."""
    known = reference()
    found = {str(size): [_window(known, one) for one in quiet(size)] for size in sizes}
    found |= {name: _windows(known, windows) for name, windows in shifted()}
    print(json.dumps(found))


def _windows(known: pd.DataFrame, windows: Iterable[pd.DataFrame]) -> list[tuple[int, float, float]]:
    return [_window(known, one) for one in windows]


def _window(known: pd.DataFrame, window: pd.DataFrame) -> tuple[int, float, float]:
    from evidently import Report
    from evidently.presets import DataDriftPreset

    start = time.perf_counter()
    value = Report([DataDriftPreset()]).run(window, known).dict()["metrics"][0]["value"]
    return int(value["count"]), float(value["share"]), time.perf_counter() - start


if __name__ == "__main__":
    main(list(map(int, sys.argv[1:])))
