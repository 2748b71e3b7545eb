"""``make bench``: kfnb's speed, side by side with what it is compared to, in one run. Nothing here passes or fails.

``python -m benchmarks NAME...`` measures some of it.
"""

from __future__ import annotations

import compileall
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import kfnb
from benchmarks import engine
from benchmarks.capturing import capturing
from benchmarks.clusters import folding, idling, submitting
from benchmarks.compiling import compiling
from benchmarks.costs import costs
from benchmarks.data import adding
from benchmarks.drift import drifting
from benchmarks.lineage import lineage
from benchmarks.listing import listing
from benchmarks.loading import loading
from benchmarks.manifests import manifests
from benchmarks.measure import HEADER, Measured
from benchmarks.monitors import monitoring
from benchmarks.profiles import profiling
from benchmarks.registries import registries
from benchmarks.regret import regret
from benchmarks.running import running
from benchmarks.serving import serving
from benchmarks.status import status
from benchmarks.studies import studies
from benchmarks.training import training
from benchmarks.tuning import tuning
from benchmarks.watching import watching

MEASURES: dict[str, Callable[[], Iterator[Measured]]] = {
    "loading": loading,
    "capturing": capturing,
    "compiling": compiling,
    "running": running,
    "chain": engine.chain,
    "independent": engine.independent,
    "sleeping": engine.sleeping,
    "computing": engine.computing,
    "loop": engine.loop,
    "cached": engine.cached,
    "listing": listing,
    "lineage": lineage,
    "manifests": manifests,
    "costs": costs,
    "submitting": submitting,
    "folding": folding,
    "idling": idling,
    "watching": watching,
    "status": status,
    "tuning": tuning,
    "regret": regret,
    "registries": registries,
    "studies": studies,
    "adding": adding,
    "profiling": profiling,
    "serving": serving,
    "monitoring": monitoring,
    "drifting": drifting,
    "training": training,
}


def main(names: list[str]) -> None:
    """Print what was asked for, all of it by default, as it comes."""
    unknown = [name for name in names if name not in MEASURES]
    if unknown:
        sys.exit(f"unknown benchmark: {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    compileall.compile_dir(Path(kfnb.__file__).parent, quiet=2)  # as pip does with all that it installs
    print(HEADER)
    for name in names or MEASURES:
        for measured in MEASURES[name]():
            print(measured.row(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
