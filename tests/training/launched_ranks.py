"""A script that becomes the ranks of a training, launched in a process of its own as a step is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BEGIN = """
import os, sys, time, signal
from kfnb.capture.embedded.ranks import kfnb_end_cell, kfnb_end_rank, kfnb_ranks
from kfnb.capture.embedded.rank_reports import kfnb_report_rank
from kfnb.capture.embedded.training import kfnb_rank
kfnb_ranks({nodes}, {procs}, {restarts}, {gpus}, [])
rank = kfnb_rank()
"""
_END = "\nkfnb_end_cell()\nkfnb_end_rank({})\n"


@dataclass(frozen=True)
class Ended:
    """How a training ended: exit code, log, what its ranks reported, and the failure that was recorded."""

    code: int
    log: str
    events: list[dict[str, Any]]
    failure: dict[str, Any]

    def of(self, rank: int) -> dict[str, Any]:
        """All that is known of a rank at the end."""
        known: dict[str, Any] = {}
        for event in self.events:
            known |= event.get(str(rank), {})
        return known


def script(folder: Path, cell: str, nodes: int = 1, procs: int = 2, restarts: int = 0, gpus: int = 0) -> Path:
    """The script of a training whose ranks run ``cell``."""
    file = folder / "training.py"
    file.write_text(_BEGIN.format(nodes=nodes, procs=procs, restarts=restarts, gpus=gpus) + cell + _END)
    return file


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """The variables of a step's process."""
    return {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "KFNB_RANK_EVENTS": str(folder / "events"),
        "KFNB_FAILURE": str(folder / "failure.json"),
        "KFNB_RANKS": str(folder / "ranks"),
        **variables,
    }


def launch(
    folder: Path,
    cell: str,
    variables: Sequence[tuple[str, str]] = (),
    python: str = sys.executable,
    **size: int,
) -> Ended:
    """Run a training to its end."""
    done = subprocess.run(
        [python, script(folder, cell, **size)],
        env=environment(folder, **dict(variables)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return ended(folder, done.returncode, done.stdout)


def ended(folder: Path, code: int, log: str) -> Ended:
    """How a training in ``folder`` ended."""
    events, failure = folder / "events", folder / "failure.json"
    return Ended(
        code,
        log,
        [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else [],
        json.loads(failure.read_text()) if failure.exists() else {},
    )
