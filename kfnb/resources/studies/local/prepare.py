"""What is done once for all trials of a step: the pipeline before it, as a run, and what the step gets from that."""

from __future__ import annotations

import asyncio
import copy
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from kfnb.entities import Artifact, RunSnapshot, RunState
from kfnb.errors import BackendError
from kfnb.jobs import private
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.local import LocalRunEngine
from kfnb.resources.runs.local.environment import missing, parse
from kfnb.resources.runs.local.preload import preload
from kfnb.resources.runs.local.resolve import Inputs, Result, resolve, with_defaults
from kfnb.resources.runs.local.spec import ComponentSpec, DagSpec, TaskSpec
from kfnb.resources.runs.local.spec import PythonProgram as StepProgram
from kfnb.resources.runs.local.spec_reader import read
from kfnb.resources.studies.local.folder import StudyFolder
from kfnb.resources.studies.local.worker import TrialProgram
from kfnb.resources.studies.search import Search
from kfnb.resources.studies.space import start_of

_READERS: Mapping[str, tuple[str, ...]] = {
    "parquet": ("pandas", "pyarrow.parquet"),
    "series-parquet": ("pandas", "pyarrow.parquet"),
    "arrow-parquet": ("pyarrow.parquet",),
    "npy": ("numpy",),
    "skops": ("skops.io",),
}
"""What values are read with, by the format that they are kept in."""

_POLL_EVERY = 0.05
"""Seconds between polls of the run that precedes the trials."""


@dataclass(frozen=True)
class Prepared:
    """The step of the trials: its component and program, and what it gets.

    ``outer`` are the pipeline's own inputs but for those of the space, ``ended`` the outcomes of the steps before it.
    """

    step: TaskSpec
    component: ComponentSpec
    program: TrialProgram
    outer: Inputs
    ended: Mapping[str, Result]

    def inputs(self, params: Mapping[str, Any]) -> Inputs:
        """What the step gets in a trial with ``params``."""
        outer = replace(self.outer, parameters={**self.outer.parameters, **params})
        return resolve(self.step, self.component, outer, self.ended, {})

    def preload(self) -> None:
        """Import what the step and its inputs need, with the variables that it sets: a fork has that for nothing."""
        assert isinstance(self.component.body, StepProgram)
        os.environ.update(self.component.body.env)
        preload([(self.program.source, self.program.function)])
        for result in self.ended.values():
            for value in result.outputs.values():
                known = value.metadata.get("format") if isinstance(value, Artifact) else None
                for module in _READERS.get(str(known), ()):
                    with suppress(ImportError):
                        import_module(module)


def refusals(search: Search) -> list[str]:
    """Why the step cannot run in workers here, a line each."""
    pipeline = read(search.subject.spec, search.subject.platform)
    component = _component(pipeline.components, pipeline.root, search.subject.step)
    body = component.body
    if not isinstance(body, StepProgram):
        return [
            f"{search.subject.step} is not a Python step: make it a pipeline, and each trial is a run of it"
        ]
    if body.demands.variables or body.demands.mounted:
        return [
            f"{search.subject.step} takes secrets, config maps or volumes: make it a pipeline, and each trial is a run"
        ]
    lacking = parse(body.installs)
    if missing(lacking):
        reason = (
            f"{search.subject.step} needs {lacking.words}, which is not installed here: install it,"
            " or make it a pipeline, and each trial is a run with its own environment"
        )
        return [reason]
    return []


async def prepare(search: Search, folder: StudyFolder, engine: LocalRunEngine) -> Prepared:
    """Run the steps before the trial's step; what that step gets. Raises ``BackendError`` where a step fails."""
    subject = search.subject
    pipeline = read(subject.spec, subject.platform)
    assert isinstance(pipeline.root.body, DagSpec)
    step = pipeline.root.body.steps[subject.step]
    component = pipeline.components[step.component]
    assert isinstance(component.body, StepProgram)
    ended: dict[str, Result] = {}
    if len(pipeline.root.body.steps) > 1:
        before = await _ran(search, engine)
        ended = {task.name: Result(task.state, task.outputs) for task in before.tasks if "/" not in task.id}
    first = {one.name: start_of(one) for one in search.space}
    outer = with_defaults(pipeline.root, Inputs({**first, **subject.arguments}))
    file = folder.path / "ephemeral_component.py"
    private.write(file, component.body.source)
    names = (search.objective.metric, *search.objective.further)
    program = TrialProgram(component.body.source, str(file), component.body.function, names)
    return Prepared(step, component, program, outer, ended)


async def _ran(search: Search, engine: LocalRunEngine) -> RunSnapshot:
    """The run of all steps before the trial's step; cached where they ran before."""
    subject = search.subject
    spec = without(subject.spec, subject.step)
    known = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    submission = Submission(
        spec=spec,
        platform=subject.platform,
        arguments={name: value for name, value in subject.arguments.items() if name in known},
        name=f"before {search.name}",
        experiment=search.name,
        folder=subject.folder,
    )
    run_id = engine.submit(submission)
    try:
        while not (run := engine.get(run_id)).state.finished:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(_POLL_EVERY)
    except asyncio.CancelledError:
        engine.stop(run_id)
        raise
    if run.state is not RunState.SUCCEEDED:
        raise BackendError(f"the steps before {subject.step} failed (run {run_id}): {run.error or run.state}")
    return run


def without(spec: Mapping[str, Any], step: str) -> dict[str, Any]:
    """The pipeline without one of its tasks, and without the parameters that this one alone takes."""
    left = copy.deepcopy(dict(spec))
    root = left["root"]
    del root["dag"]["tasks"][step]
    root["dag"].pop("outputs", None)
    root.pop("outputDefinitions", None)
    taken = {
        source["componentInputParameter"]
        for task in root["dag"]["tasks"].values()
        for source in task.get("inputs", {}).get("parameters", {}).values()
        if "componentInputParameter" in source
    }
    parameters = root.get("inputDefinitions", {}).get("parameters", {})
    for name in set(parameters) - taken:
        del parameters[name]
    return left


def _component(components: Mapping[str, ComponentSpec], root: ComponentSpec, step: str) -> ComponentSpec:
    assert isinstance(root.body, DagSpec)
    return components[root.body.steps[step].component]


def folder_of_steps(search: Search, folder: StudyFolder) -> Path:
    """Where trials start: in the notebook's folder, if that is still there."""
    start = Path(search.subject.folder)
    return start if start.is_dir() else folder.path
