"""What others than the server's rows know of the tasks of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.model import RunState, TaskError


@dataclass(frozen=True)
class ObservedState:
    """The state of a task or a group that another than the server knows: ``source`` says who.

    ``attempts`` are the pods that its program was tried in. RUNNING may be old: ML Metadata leaves what was killed so.
    """

    state: RunState
    started: float | None = None
    finished: float | None = None
    attempts: int = 1
    source: str = ""


@dataclass(frozen=True)
class TaskFacts:
    """What others than the server's rows know of a task: its pod, its log, ML Metadata, the Argo Workflow.

    ``doing`` says what a task that is not finished waits for; ``going`` that it waits for nothing: its pod runs.
    ``slipped_in`` are the inputs that the compiler hands through a group, which its condition may be about.
    ``turns`` is the number of turns of a loop, as far as they are known.
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
