"""The local engine's own cost, at trivial steps, beside ``kfp.local`` at the same pipelines.

``kfp.local`` runs each with KFP's own line of pip in every step, as KFP has it, and without. Where it takes long it
gets fewer tasks, and its time is scaled up: the row says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

from benchmarks.graphs import SHAPES
from benchmarks.measure import Measured, in_turn
from benchmarks.shell import notebook_shell

ROUNDS = 2
_PIP = {True: "kfp.local", False: "kfp.local, no pip"}


@dataclass(frozen=True)
class Peer:
    """``kfp.local`` at a pipeline of the same shape; ``counts`` are its tasks with pip and without."""

    shape: str
    count: int
    counts: tuple[int, int]
    cached: bool = False

    def seconds(self, *, install: bool) -> float:
        """What it takes, scaled up to ``count`` tasks."""
        measured = self.counts[not install]
        told = [self.shape, str(measured), str(install), str(self.cached)]
        program = [sys.executable, "-W", "ignore", "-m", "benchmarks.kfp_local", *told]
        done = subprocess.run(program, capture_output=True, text=True, check=True)
        return float(done.stdout.split()[-1]) * self.count / measured

    def name(self, *, install: bool) -> str:
        """Who it is, and what was done to its number."""
        measured = self.counts[not install]
        return _PIP[install] + (
            f", {measured} tasks x {self.count // measured}" if measured != self.count else ""
        )


def chain() -> Iterator[Measured]:
    """What a task in a chain costs: a chain of 20 less a chain of one, by the 19 that are more."""
    peer = Peer("chain", 20, (2, 10))
    with notebook_shell():
        for install in (True, False):
            long, short = SHAPES["chain"](20, install=install), SHAPES["chain"](1, install=install)
            whole, one, theirs = in_turn(
                ROUNDS, partial(ours, long), partial(ours, short), partial(peer.seconds, install=install)
            )
            name = peer.name(install=install)
            yield Measured("a trivial task in a chain of 20", (whole - one) / 19, "25 ms", theirs / 20, name)
            yield Measured("a chain of 20, submit to finished", whole, "", theirs, name)


def independent() -> Iterator[Measured]:
    """Many tasks that need nothing."""
    yield from _compared("100 independent trivial tasks", "2 s", Peer("independent", 100, (2, 10)))


def sleeping() -> Iterator[Measured]:
    """Tasks that wait, eight at once."""
    yield from _compared("8 tasks that sleep 1 s, parallelism 8", "1.6 s", Peer("sleepers", 8, (4, 8)))


def computing() -> Iterator[Measured]:
    """Tasks that compute, eight at once where they may, beside one a core: what lending cores costs them."""
    cores = len(os.sched_getaffinity(0))
    with notebook_shell() as shell:
        pipeline = SHAPES["burners"](8, install=False)

        def one_a_core() -> float:
            shell.run_line_magic("kf_config", f"jobs={cores}")
            return ours(pipeline)

        def lent() -> float:
            shell.run_line_magic("kf_config", "jobs=0")
            return ours(pipeline)

        mine, plain = in_turn(ROUNDS, lent, one_a_core)
        shell.run_line_magic("kf_config", "jobs=0")
    yield Measured("8 tasks that compute 1 s each", mine, "1.05 x", plain, f"kfnb, jobs={cores}")


def loop() -> Iterator[Measured]:
    """A long ParallelFor, and the memory that its supervisor needs."""
    yield from _compared("ParallelFor of 500 trivial tasks", "8 s", Peer("loop", 500, (4, 20)))
    with notebook_shell():
        yield Measured(
            "its supervisor's peak memory", _peak(SHAPES["loop"](500, install=True)), "200 MB", unit="MB"
        )


def cached() -> Iterator[Measured]:
    """A chain that has run before."""
    peer = Peer("chain", 20, (2, 10), cached=True)
    with notebook_shell():
        for install in (True, False):
            pipeline = SHAPES["chain"](20, install=install)
            ours(pipeline, cache=True)
            mine, theirs = in_turn(
                ROUNDS, partial(ours, pipeline, cache=True), partial(peer.seconds, install=install)
            )
            yield Measured("20 cached tasks", mine, "0.3 s", theirs, peer.name(install=install))


def _compared(name: str, limit: str, peer: Peer) -> Iterator[Measured]:
    with notebook_shell():
        for install in (True, False):
            pipeline = SHAPES[peer.shape](peer.count, install=install)
            mine, theirs = in_turn(ROUNDS, partial(ours, pipeline), partial(peer.seconds, install=install))
            yield Measured(name, mine, limit, theirs, peer.name(install=install))


def ours(pipeline: Any, *, cache: bool = False) -> float:
    """The seconds from submit to finished."""
    import kfnb

    start = time.perf_counter()
    kfnb.submit(pipeline, cache=cache).wait()
    return time.perf_counter() - start


def _peak(pipeline: Any) -> float:
    """The most memory, in bytes, that the supervisor of a run of ``pipeline`` has had."""
    import kfnb
    from kfnb.settings import settings

    run = kfnb.submit(pipeline, cache=False)
    file = Path(settings().home) / "runs" / run.id / "supervisor.pid"
    peaks, over = [0], Event()
    watcher = Thread(target=_watch, args=(file, peaks, over))
    watcher.start()
    run.wait()
    over.set()
    watcher.join()
    return max(peaks)


def _watch(file: Path, peaks: list[int], over: Event) -> None:
    """Note the peak of the process whose id is in ``file``, until the run is over."""
    while not over.wait(0.02):
        with suppress(OSError):
            lines = Path(f"/proc/{file.read_text()}/status").read_text().splitlines()
            peaks += [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")]
