"""A training's processes: the step's own process launches them, and each runs the rest of the step's function.

A process writes to its launcher by its output alone, so that the same words arrive from another pod's log: a line that
begins with ``kfnb_MARK`` is a report, anything else is its log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kfnb.capture.embedded.checkpoints import kfnb_checkpoints
from kfnb.capture.embedded.rank_group import kfnb_RankGroup
from kfnb.capture.embedded.rank_reports import kfnb_report_rank


def kfnb_ranks(nodes: int, procs: int, restarts: int, gpus: int, artifacts: Sequence[Any]) -> None:
    """Run the rest of the step in ``nodes`` x ``procs`` processes. Only these return from this function.

    When one fails, all are ended, and started again up to ``restarts`` times. What ranks other than 0 write to
    ``artifacts`` goes to another folder: the outputs of the step are those of rank 0. A process that has a rank
    in its environment was launched already, in another pod. In one of several pods, it launches those of a node, and
    Kubernetes starts them again.
    """
    import os

    if "," in os.environ.get("KFNB_HOSTS", ""):
        nodes, restarts = 1, 0
    if "KFNB_RANK" not in os.environ:
        kfnb_checkpoints()  # one folder for all
        group = kfnb_RankGroup(nodes, procs, restarts, gpus, [one.path for one in artifacts])
        if not group.run():
            os._exit(group.code)
    kfnb_become_rank(artifacts)


def kfnb_become_rank(artifacts: Sequence[Any]) -> None:
    """Begin as a rank: what it writes apart from rank 0, how it is ended, and how it tells why it fails."""
    import os
    import signal
    import sys
    import tempfile
    import time

    rank = int(os.environ["KFNB_RANK"])
    folder = os.path.join(os.environ.get("KFNB_RANKS") or tempfile.mkdtemp(prefix="kfnb-ranks-"), str(rank))
    os.environ["KFNB_RANK_FOLDER"] = folder
    if rank:
        os.makedirs(folder, exist_ok=True)
        os.environ["KFNB_WORK"] = os.path.join(folder, "work")
        for one in artifacts:
            one.path = os.path.join(folder, os.path.basename(one.path))
    show = sys.excepthook

    def report(kind: Any, error: Any, trace: Any) -> None:
        kfnb_report_rank(failed=f"{kind.__name__}: {error}".split("\n")[0][:500], at=time.time())
        show(kind, error, trace)

    sys.excepthook = report
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # with blocks and finally blocks may still save


def kfnb_end_cell() -> None:
    """The cell of a rank has run to its end."""
    import os
    import time

    kfnb_report_rank(over=time.time())
    os.environ["KFNB_CELL_OVER"] = "1"  # for the process itself: it may leave now


def kfnb_end_rank(results: dict[str, Any]) -> None:
    """End a rank other than 0 when its cell has run; its ``results`` are kept beside its artifacts."""
    import json
    import os
    import sys

    kfnb_name_threads()
    if os.environ.get("KFNB_RANK", "0") == "0":
        return
    with open(os.path.join(os.environ["KFNB_RANK_FOLDER"], "results.json"), "w", encoding="utf-8") as file:
        json.dump(results, file, default=str)
    sys.exit(0)


def kfnb_name_threads(patience: float = 3.0) -> None:
    """Print which threads this process still waits for ``patience`` seconds after its cell has run."""
    import os
    import threading
    import time

    def name_them() -> None:
        time.sleep(patience)
        main = threading.main_thread()
        names = [one.name for one in threading.enumerate() if not one.daemon and one is not main]
        rank = os.environ.get("KFNB_RANK", "0")
        text = f"rank {rank} has finished its cell and waits for {', '.join(names)}: end it, or start it as a daemon,"
        if names:
            os.write(1, f"{text} Thread(..., daemon=True)\n".encode())

    threading.Thread(target=name_them, name="kfnb-threads", daemon=True).start()
