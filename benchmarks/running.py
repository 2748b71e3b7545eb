"""The nine-step notebook as a local pipeline, beside its plain execution."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.measure import Measured, in_turn
from benchmarks.notebook import cells, plain
from benchmarks.shell import notebook_shell


def running() -> Iterator[Measured]:
    """Submit to finished, without the cache; plain is a fresh Python that runs the same cells."""
    import kfnb

    with notebook_shell() as shell:
        for source in cells():
            shell.run_cell(source).raise_error()
        kfnb.submit("nine", cache=False).wait()

        def ours() -> float:
            start = time.perf_counter()
            kfnb.submit("nine", cache=False).wait()
            return time.perf_counter() - start

        mine, peer = in_turn(2, ours, _plain)
    yield Measured("9 steps as a local pipeline", mine, "1.5 x plain", peer, "plain execution")


def _plain() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", plain()], check=True)
    return time.perf_counter() - start
