"""Profiles of tables: measuring, counting a service's rows, distances and checks, beside what numpy alone takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.measure import Measured

ROWS, BLOCK, BLOCKS = 1_000_000, 256, 400


def profiling() -> Iterator[Measured]:
    """A table of 1M x 20, and a service's blocks of 256 rows of 15 numbers; all in seconds of CPU."""
    from kfnb.capture.embedded.checks import kfnb_check_counts, kfnb_check_table
    from kfnb.capture.embedded.counting import kfnb_Counter
    from kfnb.capture.embedded.distances import kfnb_distances
    from kfnb.capture.embedded.profiles import kfnb_profile
    from kfnb.capture.embedded.schemas import kfnb_read_schema, kfnb_schema_reference
    from kfnb.profiles.measuring import profile_of
    from kfnb.profiles.schema import schema_text

    table, other = _table(0), kfnb_profile(_table(1))
    taken, plain = _cpu(lambda: kfnb_profile(table)), _cpu(lambda: _sorted(table))
    yield Measured("profile of 1M x 20, CPU", taken, "1 s", plain, "numpy sorts the numbers")
    profile = profile_of(table)
    yield Measured("drift of 20 columns", _cpu(lambda: kfnb_distances(profile.to_json(), other)), "10 ms")
    schema = kfnb_read_schema(schema_text(profile, "the table", "schema.yaml"), "schema.yaml")
    yield Measured("check of 1M x 20 rows, CPU", _cpu(lambda: kfnb_check_table(table, schema)), "1 s")
    window = kfnb_Counter(kfnb_schema_reference(schema))
    window.add(table)
    counts = window.profile()
    yield Measured("check of what was counted", _cpu(lambda: kfnb_check_counts(counts, schema)), "100 ms")
    row, sums = _counting()
    yield Measured(
        "counting 1,000 rows of 15 numbers", 1000 * row, "5 ms", 1000 * sums, "numpy searches the bins"
    )


def _table(seed: int) -> Any:
    """1M rows of 10 floats, 5 integers, 4 categories and a flag."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {f"float{place}": random.normal(size=ROWS) for place in range(10)}
    columns |= {f"whole{place}": random.integers(0, 1000, ROWS) for place in range(5)}
    columns |= {f"word{place}": random.choice(list("abcdefgh"), ROWS) for place in range(4)}
    return pd.DataFrame({**columns, "flag": random.integers(0, 2, ROWS) > 0})


def _sorted(table: Any) -> None:
    for column in table.select_dtypes("number"):
        table[column].to_numpy().copy().sort()


def _counting() -> tuple[float, float]:
    """Seconds of CPU a row, of the counter and of numpy's search for each column alone."""
    import numpy as np
    import pandas as pd

    from kfnb.capture.embedded.counting import kfnb_Counter
    from kfnb.capture.embedded.profiles import kfnb_profile

    random = np.random.default_rng(0)
    reference = kfnb_profile(pd.DataFrame(random.normal(size=(10_000, 15))).rename(columns=str))
    counter = kfnb_Counter(reference)
    values = random.normal(size=(BLOCK, 15))
    block = pd.DataFrame(values).rename(columns=str)
    edges = [np.array(column["edges"]) for column in reference["columns"]]

    def search() -> None:
        for place, one in enumerate(edges):
            np.bincount(one.searchsorted(values[:, place]), minlength=len(one) + 1)

    def blocks(run: Callable[[], None]) -> None:
        for _ in range(BLOCKS):
            run()

    rows = BLOCK * BLOCKS
    ours = _cpu(lambda: blocks(lambda: counter.add(block)))
    return ours / rows, _cpu(lambda: blocks(search)) / rows


def _cpu(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start
