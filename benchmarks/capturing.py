"""What it costs that a cell over large values is a component: its inputs are looked at before and after."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmarks.measure import Measured, in_turn
from benchmarks.shell import notebook_shell

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

ROUNDS = 5
LIMIT = "cell + 200 ms"

MAKE = """%%kf_component make
df = pd.DataFrame(np.ones((30, 5_000_000), "float32").T, columns=[f"c{i}" for i in range(30)])
array = np.ones((20_000_000, 2))
rows = list(range(5_000_000))
"""

CELLS = {
    "a sum over a column of 5M x 30 float32": "total = float(df['c3'].sum())",
    "a new column of 5M x 30 float32": "df['new'] = df['c3'] * 2",
    "a sum over an array of 320 MB": "total = float(array[:, 0].sum())",
    "the length of a list of 5M": "total = len(rows)",
}


def capturing() -> Iterator[Measured]:
    """Component cells over large values, beside the same cells as plain ones."""
    with notebook_shell() as shell:
        shell.run_cell("import numpy as np, pandas as pd")
        shell.run_cell(MAKE).raise_error()
        number = itertools.count()  # no cell is edited here: each component has a name of its own
        for name, cell in CELLS.items():

            def ours(cell: str = cell) -> float:
                return _seconds(shell, f"%%kf_component look_{next(number)}\n{cell}")

            def plain(cell: str = cell) -> float:
                # a copy of the names: what a plain cell assigns would be no component's any more
                start = time.perf_counter()
                exec(cell, dict(shell.user_ns))  # noqa: S102 - one of the cells above
                return time.perf_counter() - start

            mine, peer = in_turn(ROUNDS, ours, plain)
            yield Measured(name, mine, LIMIT, peer, "plain cell")


def _seconds(shell: InteractiveShell, cell: str) -> float:
    start = time.perf_counter()
    shell.run_cell(cell).raise_error()
    return time.perf_counter() - start
