"""From the notebook's cells to a compiled pipeline of nine steps, kfp imported already; Kale does the same."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measured
from benchmarks.notebook import cells
from benchmarks.shell import notebook_shell

_KALE = Path(".venv-kale/bin/python")
ROUNDS = 9


def compiling() -> Iterator[Measured]:
    """Analysis, wiring, program and spec."""
    ours = statistics.median(_ours())
    yield Measured("analyse, build and compile 9 steps", ours, "100 ms", _kale(), "Kale 2.3.0")


def _ours() -> Iterator[float]:
    import kfp.compiler  # noqa: F401 - its import is not what is measured

    from kfnb.capture.cell import Cell
    from kfnb.capture.names import read_names
    from kfnb.resources.components import api

    with notebook_shell() as shell:
        for source in cells():
            shell.run_cell(source).raise_error()
        sources = cells()[1:-1]
        for _ in range(ROUNDS):
            start = time.perf_counter()
            for number, source in enumerate(sources):
                # what a component's definition does beyond running its cell
                read_names(Cell(source, number, number, str(number), "step").tree)
            api.spec_of("nine")
            yield time.perf_counter() - start


def _kale() -> float | None:
    if not _KALE.exists():
        return None
    program = Path(__file__).parent / "kale_compile.py"
    done = subprocess.run(
        [_KALE, "-W", "ignore", program, str(ROUNDS)], capture_output=True, text=True, check=True
    )
    return statistics.median(float(line) for line in done.stdout.split())
