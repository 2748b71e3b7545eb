"""Trainings in texts: how a step's program declares its processes, and whose line of a log a line is.

A program declares them in a comment, so that its engine knows them, also from a compiled file:

    # kfnb: trained by 2 x 1 processes

In the log of a training, the lines of a process begin with its rank:

    [rank 1] step 10: loss=0.25
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kfnb.sourcemap import mark_generated

_TRAINED = re.compile(r"^[ \t]*# kfnb: trained by (\d+) x (\d+) processes$", re.MULTILINE)
_LINE = re.compile(r"\[rank (\d+)\] ")
_FAILED = re.compile(r"rank (\d+) failed: (.*)")


def ranks_comment(nodes: int, procs: int) -> str:
    """The comment by which a program declares that it runs in ``nodes`` x ``procs`` processes."""
    return mark_generated(f"trained by {nodes} x {procs} processes")


def nodes_of(source: str) -> tuple[int, int]:
    """On how many nodes the program ``source`` is to run, and processes on each; zeros where it is not a training."""
    found = _TRAINED.search(source)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def processes_of(source: str) -> int:
    """How many processes the program ``source`` declares; 0 where it is not a training."""
    nodes, each = nodes_of(source)
    return nodes * each


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
