"""What the attempts at tasks occupy here: what their steps request, and what their processes used."""

from __future__ import annotations

from dataclasses import dataclass, field

from kfnb.entities import Purpose, Usage
from kfnb.jobs.process_spec import ProcessUse
from kfnb.resources.runs.local.executor_io import TaskInvocation
from kfnb.resources.runs.local.pod_resources import Supply


@dataclass
class Meter:
    """Adds up what the processes of each task used, until an attempt ends."""

    _used: dict[str, ProcessUse] = field(default_factory=dict)

    def add(self, task: str, use: ProcessUse) -> None:
        """A process of a task has ended."""
        self._used[task] = self._used.get(task, ProcessUse()) + use

    def read(self, work: TaskInvocation, seconds: float, purpose: Purpose) -> Usage:
        """What an attempt that took ``seconds`` occupied; the next one begins anew.

        A step that requests no cores, and whose use could not be measured, counts as one core: the engine reserves it.
        """
        supply, use = work.supply, self._used.pop(work.id, None)
        return Usage(
            seconds=seconds,
            cores=_cores(supply, measured=use is not None),
            memory=supply.memory,
            gpus=supply.gpus,
            gpu=supply.gpu,
            cpu_seconds=None if use is None else use.cpu_seconds,
            peak=None if use is None else float(use.peak),
            purpose=purpose,
        )


def _cores(supply: Supply, *, measured: bool) -> float:
    return supply.cores if supply.explicit or not measured else 0.0
