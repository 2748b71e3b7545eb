"""Trials as runs of a whole pipeline, on the local engine of runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kfnb.entities import Artifact, RunSnapshot, RunState, TaskError
from kfnb.errors import BackendError
from kfnb.prices.budget import Budget
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.handle import Run as Handle
from kfnb.resources.runs.local import LocalRunEngine
from kfnb.resources.studies.local.outcome import Outcome, failed, measured
from kfnb.resources.studies.local.worker import number_or_text
from kfnb.resources.studies.local.workers import Report
from kfnb.resources.studies.model import Objective, TrialState
from kfnb.resources.studies.search import Search
from kfnb.resources.studies.space import start_of

_POLL_EVERY = 0.05
"""Seconds between polls of a run."""


@dataclass
class Runs:
    """Runs trials as runs of the search's pipeline; ``record`` gets a trial's number and its run's id.

    ``budget_left`` returns what the next trial may cost.
    """

    search: Search
    engine: LocalRunEngine
    record: Callable[[int, str], None]
    budget_left: Callable[[], Budget | None] = lambda: None
    going: set[str] = field(default_factory=set)

    async def run(self, number: int, params: Mapping[str, Any], report: Report) -> Outcome:
        """Run one trial to its end."""
        del report  # a pipeline reports its metrics at the end
        subject = self.search.subject
        try:
            run_id = self.engine.submit(
                Submission(
                    spec=subject.spec,
                    platform=subject.platform,
                    arguments={**self._others(), **subject.arguments, **params},
                    name=f"{self.search.name} {number}",
                    experiment=self.search.name,
                    folder=subject.folder,
                    budget=self.budget_left(),
                )
            )
        except BackendError as error:
            return failed(TaskError(str(error)))
        self.record(number, run_id)
        self.going.add(run_id)
        observer = Handle(self.engine, run_id).observe()
        observer.refresh()
        while not observer.run.state.finished:
            await asyncio.sleep(_POLL_EVERY)
            observer.refresh()
        self.going.discard(run_id)
        return replace(_outcome(observer.run, self.search.objective), used=observer.run.occupied)

    def _others(self) -> dict[str, Any]:
        """What parameters of the space are in a trial that does not have them, where the pipeline does not say."""
        root = self.search.subject.spec["root"]
        known = root.get("inputDefinitions", {}).get("parameters", {})
        needed = (one for one in self.search.space if "defaultValue" not in known[one.name])
        return {one.name: start_of(one) for one in needed}

    async def close(self) -> None:
        """End the runs that still run."""
        for run_id in self.going:
            self.engine.stop(run_id)
        while any(  # noqa: ASYNC110 - of other processes
            not self.engine.get(run_id).state.finished for run_id in self.going
        ):
            await asyncio.sleep(_POLL_EVERY)


def _outcome(run: RunSnapshot, objective: Objective) -> Outcome:
    if run.state is not RunState.SUCCEEDED:
        broken = next((task for task in run.tasks if task.error is not None), None)
        error = broken.error if broken is not None and broken.error is not None else TaskError(run.error)
        return failed(replace(error, message=error.message or f"its run is {run.state}"))
    found = {name: _found(run, name) for name in (objective.metric, *objective.further)}
    if found[objective.metric] is None:
        there = ", ".join(_measured(run)) or "no numbers"
        error = TaskError(f"it ended without {objective.metric}; there is {there}")
        return Outcome(TrialState.METRICS_UNAVAILABLE, error=error)
    outcome = measured({name: value for name, value in found.items() if value is not None}, objective)
    return Outcome(
        outcome.state, outcome.value, outcome.metrics, outcome.error, _curve(run, objective.metric)
    )


def _found(run: RunSnapshot, metric: str) -> Any:
    """A metric of a run: ``task.output``, ``task.metric``, one of the pipeline's own outputs, or what a task logged."""
    task, _, name = metric.rpartition(".")
    if not task and name in run.result:
        return number_or_text(run.result[name])
    for one in reversed(run.tasks):
        if not task or one.name == task or one.name == task.replace("_", "-"):
            values = {**one.metrics, **one.outputs}
            if name in values and not isinstance(values[name], Artifact):
                return number_or_text(values[name])
    return None


def _measured(run: RunSnapshot) -> list[str]:
    """All numbers that a run's tasks put out and logged."""
    return [
        f"{task.name}.{name}"
        for task in run.tasks
        for name, value in {**task.metrics, **task.outputs}.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def _curve(run: RunSnapshot, metric: str) -> tuple[tuple[float, float], ...]:
    """The intermediate values of the objective, if its task reported them."""
    task, _, name = metric.rpartition(".")
    for one in run.tasks:
        for artifact in one.artifacts.values():
            points = artifact.metadata.get("kfnb_curves", {}).get(name, ())
            if points and (not task or one.name == task.replace("_", "-")):
                return tuple((float(at), float(value)) for at, value in points if not isinstance(value, str))
    return ()
