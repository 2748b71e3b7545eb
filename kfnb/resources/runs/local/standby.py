"""A process that starts before the first run.

``python -m kfnb.resources.runs.local.standby HOME SECONDS MODULE...``

It imports what runs of the notebook will import, at low priority, and then waits for ``SECONDS`` as a finished
supervisor does (see ``kfnb.jobs.prefork``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kfnb.jobs.prefork import Prefork
from kfnb.jobs.spawn import leave_folder
from kfnb.resources.runs.local import condition, preload
from kfnb.resources.runs.local.driver import serve


def main(home: Path, seconds: float, modules: Sequence[str]) -> None:
    """Import ``modules``, and drive the runs that start within ``seconds`` of each other."""
    prefork = Prefork()
    with _at_leisure():
        preload.import_all(modules)
        condition.warm_up()
    serve(prefork.wait(home, seconds), prefork)


@contextmanager
def _at_leisure() -> Iterator[None]:
    """Lower the priority of this process for a while; forked runs have the normal priority."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


if __name__ == "__main__":
    leave_folder()
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
