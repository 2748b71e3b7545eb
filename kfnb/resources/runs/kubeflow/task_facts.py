"""Facts about the tasks of a run from other sources than the server's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.entities import RunState, TaskError


@dataclass(frozen=True)
class ObservedState:
    """The state of a task or a group from another ``source`` than the server.

    ``attempts`` is the number of pods of its program. RUNNING may be outdated: ML Metadata keeps it for killed tasks.
    """

    state: RunState
    started: float | None = None
    finished: float | None = None
    attempts: int = 1
    source: str = ""


@dataclass(frozen=True)
class TaskFacts:
    """Facts about a task from its pod, its log, ML Metadata and the Argo Workflow.

    ``doing`` is what an unfinished task waits for; ``going``: it waits for nothing, since its pod runs.
    ``slipped_in`` are the inputs that the compiler passes through a group, which its condition may use.
    ``turns`` is the number of iterations of a loop, as far as it is known.
    """

    inputs: Mapping[str, Any] = field(default_factory=dict)
    slipped_in: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    error: TaskError | None = None
    cached: bool | None = None
    doing: str = ""
    going: bool = False
    seen: ObservedState | None = None
    turns: int = 0


NOTHING = TaskFacts()
