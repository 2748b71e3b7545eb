"""Trainings in texts: how a step's program declares its processes, and whose line of a log a line is.

A program declares them in a comment, so that its engine knows them, also from a compiled file:

    # kfnb: trained by 2 x 1 processes
    # kfnb: on a cluster {"framework": "xgboost", "runtime": "", "queue": "", "restarts": 0}

The second line is there for several nodes.
In the log of a training, the lines of a process begin with its rank:

    [rank 1] step 10: loss=0.25
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kfnb.sourcemap import mark_generated

_TRAINED = re.compile(r"^[ \t]*# kfnb: trained by (\d+) x (\d+) processes$", re.MULTILINE)
_ON_A_CLUSTER = re.compile(r"^[ \t]*# kfnb: on a cluster (\{.*\})$", re.MULTILINE)
_LINE = re.compile(r"\[rank (\d+)\] ")
_FAILED = re.compile(r"rank (\d+) failed: (.*)")
_NOT_OF_A_RANK = "the training failed: "


@dataclass(frozen=True)
class DeclaredTraining:
    """What a program declares: ``nodes`` x ``procs`` processes, and how a cluster trains them.

    ``framework`` is what connects them; ``runtime`` and ``queue`` are empty where they are the cluster's choice.
    """

    nodes: int
    procs: int
    framework: str = "none"
    runtime: str = ""
    queue: str = ""
    restarts: int = 0

    def comments(self) -> list[str]:
        """The comments of the program."""
        size = mark_generated(f"trained by {self.nodes} x {self.procs} processes")
        settings = {name: getattr(self, name) for name in ("framework", "runtime", "queue", "restarts")}
        return [size, mark_generated(f"on a cluster {json.dumps(settings)}")] if self.nodes > 1 else [size]


def declared_training(source: str) -> DeclaredTraining | None:
    """What the program ``source`` declares; None where it is not a training."""
    found = _TRAINED.search(source)
    if found is None:
        return None
    settings = _ON_A_CLUSTER.search(source)
    return DeclaredTraining(int(found[1]), int(found[2]), **(json.loads(settings[1]) if settings else {}))


def processes_of(source: str) -> int:
    """How many processes the program ``source`` declares; 0 where it is not a training."""
    found = declared_training(source)
    return found.nodes * found.procs if found else 0


def split_rank(line: str) -> tuple[int | None, str]:
    """The rank that wrote a line of a training's log, and what it wrote; None for a line of no rank."""
    found = _LINE.match(line)
    return (int(found[1]), line[found.end() :]) if found else (None, line)


@dataclass(frozen=True)
class FailedRank:
    """The rank whose failure ended a training: its number, why it failed, and what it wrote."""

    number: int
    why: str
    lines: tuple[str, ...]


def failed_rank(lines: Sequence[str]) -> FailedRank | None:
    """The rank that ended a training, by the log of its launcher; None where none did."""
    found = next((one for line in reversed(lines) if (one := _FAILED.fullmatch(line))), None)
    if found is None:
        return None
    number = int(found[1])
    parts = map(split_rank, lines)
    return FailedRank(number, found[2], tuple(text for rank, text in parts if rank == number))


def failed_training(lines: Sequence[str]) -> str:
    """Why a training failed on several nodes that none of its ranks has failed, by its log; empty where none did."""
    last = next((line for line in reversed(lines) if line.strip()), "")
    return last.removeprefix(_NOT_OF_A_RANK) if last.startswith(_NOT_OF_A_RANK) else ""
