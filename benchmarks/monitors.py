"""Monitors: what a check costs where very many requests are logged, a report, and the view of a long history."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import Measured

LOGGED, FILES, NEW = 10_000_000, 1_000, 10_000
COLUMNS, WINDOWS = 200, 1_000
_NOW = 1_800_000_000.0


def monitoring() -> Iterator[Measured]:
    """A check's reading and counting, its report, and the view."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        few, many = folder / "few", folder / "many"
        _log(few, 0)
        _log(many, FILES)
        new, alone = (min(_counted(one) for _ in range(3)) for one in (many, few))
        yield Measured(f"counting {NEW:,} new of 10M logged requests", new, "2 s", alone, "no others logged")
        yield Measured("report of a window of 20 columns", _report(), "10 ms")
        yield Measured(f"view of {COLUMNS} columns x {WINDOWS:,} windows", _view(folder / "home"), "500 ms")


def _log(folder: Path, files: int) -> None:
    """Requests of 15 numbers: a file of new ones, and others as large of every minute before."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    random = np.random.default_rng(0)
    times = ((_NOW - 60 + np.arange(NEW) * 60 / NEW) * 1e6).astype("int64")
    table = pa.table(
        {
            "id": [f"{place:032x}" for place in range(NEW)],
            "row": np.zeros(NEW, "int32"),
            "time": pa.array(times, pa.timestamp("us", "UTC")),
            "version": np.full(NEW, "1"),
            "status": np.full(NEW, 200, "int16"),
            "latency_ms": random.lognormal(1, 0.5, NEW).astype("float32"),
            "input": pa.StructArray.from_arrays(
                [pa.array(random.normal(size=NEW)) for _ in range(15)], [f"x{place}" for place in range(15)]
            ),
            "prediction": random.integers(0, 2, NEW),
        }
    )
    newest = folder / f"{times[0]}-{times[-1]}-r1-0.parquet"
    pq.write_table(table, newest, compression="zstd")
    for place in range(1, files):
        gone = round(60e6) * place
        os.link(newest, folder / f"{times[0] - gone}-{times[-1] - gone}-r1-{place}.parquet")


def _counted(folder: Path) -> float:
    """Seconds to read and to count the requests of the newest minute."""
    import numpy as np
    import pandas as pd

    from kfnb.capture.embedded.profiles import kfnb_profile
    from kfnb.resources.monitors.blocks import COUNTED, request_block
    from kfnb.resources.monitors.panes import PaneCounter
    from kfnb.resources.monitors.reference import PREDICTION, MonitorReference
    from kfnb.resources.services.local.request_files import read_requests
    from kfnb.resources.services.requests import RequestWindow

    random = np.random.default_rng(1)
    frame = pd.DataFrame({f"x{place}": random.normal(size=NEW) for place in range(15)})
    predictions = kfnb_profile({PREDICTION: [0, 1] * 1000})
    counter = PaneCounter(
        MonitorReference("data@1", "model@1", kfnb_profile(frame), tuple(frame), predictions), 0.0, _NOW
    )
    start = time.perf_counter()
    for block in read_requests(folder, RequestWindow(_NOW - 60, _NOW, columns=COUNTED)):
        counter.add(request_block(block, "1"))
    seconds = time.perf_counter() - start
    assert counter.pane().rows == NEW
    return seconds


def _report() -> float:
    """Seconds for the report of a window, once it is counted."""
    from kfnb.resources.monitors.evaluation import Window, report_of
    from kfnb.resources.monitors.model import MonitorSpec
    from kfnb.resources.monitors.rules import RuleOptions

    reference, pane = _window(20)
    spec = MonitorSpec("churn", "churn", "data@1", RuleOptions().rules())
    return _least(lambda: report_of(spec, reference, Window(pane, (), _NOW, _NOW)))


def _view(home: Path) -> float:
    """Seconds to read and to draw a monitor with a long history."""
    from dataclasses import replace

    from kfnb.resources.monitors.evaluation import Window, report_of
    from kfnb.resources.monitors.local.engine import LocalMonitorEngine
    from kfnb.resources.monitors.local.folder import made
    from kfnb.resources.monitors.model import MonitorSpec
    from kfnb.resources.monitors.rules import RuleOptions
    from kfnb.resources.monitors.transitions import Standing
    from kfnb.resources.monitors.view.monitor import draw_monitor

    reference, pane = _window(COLUMNS)
    spec = MonitorSpec("churn", "churn", "data@1", RuleOptions().rules())
    home.mkdir()
    folder = made(home, spec.name)
    folder.record(spec)
    folder.keep_reference(reference)
    report = report_of(spec, reference, Window(pane, (), _NOW, _NOW))
    for number in range(WINDOWS):
        until = _NOW - 600.0 * (WINDOWS - number)
        folder.records.find(replace(report, since=until - 3600, until=until), Standing())
    folder.records.count(pane, 0.0)
    return _least(lambda: draw_monitor(LocalMonitorEngine(home).get(spec.name)))


def _window(columns: int) -> Any:
    """A reference of numbers, and a window that was counted."""
    import numpy as np
    import pandas as pd

    from kfnb.capture.embedded.profiles import kfnb_profile
    from kfnb.resources.monitors.panes import PaneCounter, RequestBlock
    from kfnb.resources.monitors.reference import PREDICTION, MonitorReference

    random = np.random.default_rng(0)
    frame = pd.DataFrame({f"x{place}": random.normal(size=5000) for place in range(columns)})
    shares = dict.fromkeys(frame, 1 / columns)
    predictions = kfnb_profile({PREDICTION: random.integers(0, 2, 5000).tolist()})
    reference = MonitorReference("data@1", "model@1", kfnb_profile(frame), tuple(frame), predictions, shares)
    counter = PaneCounter(reference, _NOW - 3600, _NOW)
    counter.add(RequestBlock(1000, 0, (1.0,) * 1000, _NOW, frame[:1000], [0, 1] * 500))
    return reference, counter.pane()


def _least(run: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
