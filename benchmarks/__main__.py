"""``make bench``: kfnb's speed, side by side with what it is compared to, in one run. Nothing here passes or fails."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.compiling import compiling
from benchmarks.loading import loading
from benchmarks.measure import Measured
from benchmarks.running import running


def measures() -> Iterator[Measured]:
    """Every measure, as it comes."""
    yield from loading()
    yield from compiling()
    yield from running()


if __name__ == "__main__":
    print(f"{'what':58} {'kfnb':>13} {'ratio':>8}  {'at most':18} {'compared to':>13}")
    for measured in measures():
        print(measured.row(), flush=True)
