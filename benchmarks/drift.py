"""False alarms and found shifts of monitors on simulated streams, beside evidently's defaults on the same ones.

evidently is in ``.venv-evidently``, or in the environment whose Python ``KFNB_BENCH_EVIDENTLY`` names; without it, its
figures are left out, with a line. Its default says that a data set has drifted if half of the columns have.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Measured

if TYPE_CHECKING:
    import pandas as pd

_EVIDENTLY = Path(os.environ.get("KFNB_BENCH_EVIDENTLY", ".venv-evidently/bin/python"))
_PROGRAM = Path(__file__).parent / "evidently_drift.py"
_PEER = "evidently 0.7.23"
_SMALL = 250
_HALF = 0.5


@dataclass(frozen=True)
class Seen:
    """What was found in a window: whether a column has drifted, whether that is an alarm, and the seconds it took."""

    column: bool
    alarm: bool
    seconds: float


Streams = Mapping[str, Sequence[Seen]]


def drifting() -> Iterator[Measured]:
    """Shares of windows without drift that are flagged, and of planted shifts that are found within two windows."""
    from benchmarks.drift_streams import ROWS, SHIFTS

    ours, peer = dict(_ours((ROWS, _SMALL))), _peer((ROWS, _SMALL))
    if peer is None:
        print(f"{_PEER} is not installed ({_EVIDENTLY}): its figures are left out")
    for size in (ROWS, _SMALL):
        what = f"of {size:,} rows, no drift"
        yield _share(f"windows {what}: a column flagged", ours, peer, (str(size),), alarm=False)
        yield _share(f"windows {what}: alarm", ours, peer, (str(size),), alarm=True)
    yield _share("planted shifts: the column flagged", ours, peer, tuple(SHIFTS), alarm=False)
    yield _share("planted shifts: alarm within two windows", ours, peer, tuple(SHIFTS), alarm=True)
    own, other = (None if one is None else _seconds(one[str(ROWS)]) for one in (ours, peer))
    assert own is not None
    yield Measured(f"a window of {ROWS:,} x 20", own, "100 ms", other, _PEER)


def _share(
    name: str, ours: Streams, peer: Streams | None, streams: Sequence[str], *, alarm: bool
) -> Measured:
    limit = "100 %" if len(streams) > 1 else "1 %"
    other = None if peer is None else _flagged(peer, streams, alarm=alarm)
    return Measured(name, _flagged(ours, streams, alarm=alarm), limit, other, _PEER, unit="%")


def _flagged(found: Streams, streams: Sequence[str], *, alarm: bool) -> float:
    """The share of windows of one stream, or of several streams in which any window is flagged."""
    flags = [[one.alarm if alarm else one.column for one in found[name]] for name in streams]
    return statistics.fmean(map(any, flags)) if len(flags) > 1 else statistics.fmean(flags[0])


def _seconds(windows: Iterable[Seen]) -> float:
    return statistics.median(one.seconds for one in windows)


def _ours(sizes: Sequence[int]) -> Iterator[tuple[str, Sequence[Seen]]]:
    """The default rule of drift, and its alarms."""
    from benchmarks.drift_streams import quiet, reference, shifted
    from kfnb.capture.embedded.profiles import kfnb_profile
    from kfnb.resources.monitors.reference import MonitorReference

    frame = reference()
    known = MonitorReference("data@1", "model@1", kfnb_profile(frame), tuple(frame))
    for size in sizes:
        yield str(size), list(_watched(known, quiet(size)))
    for name, windows in shifted():
        yield name, list(_watched(known, windows))


def _watched(known: Any, windows: Iterable[pd.DataFrame]) -> Iterator[Seen]:
    from kfnb.resources.monitors.evaluation import Window, report_of
    from kfnb.resources.monitors.hysteresis import state_after
    from kfnb.resources.monitors.model import MonitorSpec, MonitorState, Rule
    from kfnb.resources.monitors.panes import PaneCounter, RequestBlock
    from kfnb.resources.monitors.rules import DRIFT

    spec = MonitorSpec("bench", "bench", "data@1", (Rule("drift", DRIFT),))
    state, flags = MonitorState.NO_DATA, list[bool | None]()
    for one in windows:
        start = time.perf_counter()
        counter = PaneCounter(known, 0.0, 1.0)
        counter.add(RequestBlock(len(one), 0, (), None, one))
        (found,) = report_of(spec, known, Window(counter.pane(), (), 1.0, 0.0)).findings
        seconds = time.perf_counter() - start
        flags.append(found.exceeded)
        state = state_after(state, flags)
        yield Seen(bool(found.exceeded), state is MonitorState.ALARM, seconds)


def _peer(sizes: Sequence[int]) -> Streams | None:
    if not _EVIDENTLY.exists():
        return None
    command = [str(_EVIDENTLY), "-W", "ignore", str(_PROGRAM), *map(str, sizes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {
        name: [Seen(count > 0, share >= _HALF, seconds) for count, share, seconds in windows]
        for name, windows in json.loads(done.stdout.splitlines()[-1]).items()
    }
