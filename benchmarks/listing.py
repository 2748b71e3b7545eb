"""``%kf_runs`` in a home where very many runs have been."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from IPython.utils.capture import capture_output

from benchmarks.graphs import SHAPES
from benchmarks.measure import Measured, in_turn
from benchmarks.shell import notebook_shell

RUNS = 10_000
ROUNDS = 9


def listing() -> Iterator[Measured]:
    """From the magic to what it displays."""
    import kfnb
    from kfnb.settings import settings

    with notebook_shell() as shell:
        run = kfnb.submit(SHAPES["chain"](1, install=True)).wait()
        _multiply(Path(settings().home) / "runs", run.id)

        def show() -> float:
            start = time.perf_counter()
            with capture_output() as shown:
                shell.run_cell("%kf_runs").raise_error()
            assert "chain" in shown.stdout
            return time.perf_counter() - start

        (mine,) = in_turn(ROUNDS, show)
    yield Measured(f"%kf_runs, {RUNS:,} finished runs in the store", mine, "0.1 s")


def _multiply(runs: Path, run_id: str) -> None:
    """As many runs as that one, with ids of later days."""
    model = runs / run_id
    for number in range(RUNS - 1):
        copy = runs / f"27{number // 840 + 1:02}{number % 28 + 1:02}-{number % 840:06}-000x"
        copy.mkdir()
        for file in model.iterdir():
            if file.is_file():
                shutil.copyfile(file, copy / file.name)
