"""The public functions of trainings."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kfnb.capture.component import Component
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.tracer import dependencies_of
from kfnb.capture.training import FRAMEWORKS, Training, framework_of
from kfnb.capture.training_checks import check_training, training_notes
from kfnb.entities import Artifact
from kfnb.errors import UsageError, did_you_mean
from kfnb.pipeline import pipeline as pipelines
from kfnb.pipeline.alone import build_alone
from kfnb.pipeline.spec import Compiled, check_arguments
from kfnb.pipeline.workspace import workspace
from kfnb.resources.components.api import folder
from kfnb.resources.datasets.api import with_data
from kfnb.resources.provenance.origin import origin_of
from kfnb.resources.runs import api as runs
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.handle import Run
from kfnb.resources.training.engine import TrainingSubmission
from kfnb.resources.training.inputs import written
from kfnb.settings import settings
from kfnb.target import backend_name


def train(
    component: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    nodes: int | None = None,
    procs: int | None = None,
    framework: str | None = None,
    backend: str | None = None,
) -> Run:
    """Start a training of a component of this notebook, and return its run at once.

    It takes its inputs from the notebook's values. ``arguments`` are its parameters' values, by name. ``nodes`` x
    ``procs`` processes execute it, connected by ``framework``; what is not given is as its cell says. Raises
    ``CaptureError``, ``UsageError``, ``ArgumentError`` and ``BackendError`` before anything has started.
    """
    found = workspace().notebook.components.get(component)
    if found is None:
        raise workspace().unknown(component)
    given: dict[str, Any] = {"nodes": nodes, "procs": procs, "framework": framework}
    training = replace(
        found.options.training or Training(),
        **{name: value for name, value in given.items() if value is not None},
    )
    check_size(training)
    return start(
        replace(found, options=replace(found.options, training=training)), arguments, backend=backend
    )


def check_size(training: Training) -> None:
    """Check the options of a training. Raises ``UsageError``."""
    for name, number in (("nodes", training.nodes), ("procs", training.procs)):
        if number < 1:
            raise UsageError(f"--{name} {number}: give a number from 1 on")
    if training.framework not in FRAMEWORKS:
        hint = did_you_mean(training.framework, FRAMEWORKS) or f"frameworks are {', '.join(FRAMEWORKS)}"
        raise UsageError(f"unknown framework {training.framework}", hint=hint, ref=training.framework)


def start(
    component: Component,
    arguments: Mapping[str, Any] | None = None,
    *,
    requested: Collection[str] = (),
    backend: str | None = None,
    notify: Callable[[str], None] = print,
) -> Run:
    """Start a training with the notebook's values; its run has the outputs ``requested``.

    Here it is one step, which launches all processes; on a cluster a TrainJob, whose pods launch those of a node.
    """
    local = backend_name(backend) == "local"
    notebook = workspace().notebook
    check_training(component)
    dependencies = dependencies_of(notebook, component)
    for note in training_notes(component, dependencies):
        notify(f"note: {note}")
    training = component.options.training or Training()
    built = build_alone(
        notebook,
        component if local else of_a_node(component, training),
        requested,
        image=settings().base_image,
        index_urls=settings().index_urls,
        seed=settings().seed,
    )
    compiled = pipelines.compiled(built)
    inputs = {name: kind for name, kind in built.steps[0].inputs.items() if component.data(name) is None}
    with TemporaryDirectory(prefix="kfnb-inputs-", ignore_cleanup_errors=True) as place:
        values = written(inputs, notebook.namespace, Path(place))
        given = _arguments(compiled, dependencies, values, arguments or {})
        submission = Submission(
            spec=with_data(compiled.spec, given, local=local),
            platform=compiled.platform,
            arguments=given,
            name=f"{component.name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
            experiment=settings().experiment,
            cache=False,
            folder=folder(),
            inputs=place,
            notes=compiled.unseeded,
            origin=origin_of(compiled.spec, compiled.name, compiled.unseeded),
            notify=notify,
        )
        if local:
            here = runs.engine_of("local")
            return Run(here, here.submit(submission))
        trainer, framework = runs.trainer_engine(), framework_of(component, dependencies)
        return Run(trainer, trainer.train(TrainingSubmission(submission, training, framework)))


def _arguments(
    compiled: Compiled, dependencies: Dependencies, values: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a training: its inputs' ``values``, its parameters as its cell has them, and those ``given``."""
    namespace = workspace().notebook.namespace
    params = {
        name: namespace[name] if one.default is None else one.default
        for name, one in dependencies.params.items()
    }
    files = {name: one for name, one in values.items() if isinstance(one, Artifact) and name not in given}
    return {**check_arguments(compiled.spec, {**values, **params, **given}), **files}


def of_a_node(component: Component, training: Training) -> Component:
    """The component as each pod of a training runs it: the processes of one node, with their resources."""
    return replace(component, options=replace(component.options, training=replace(training, nodes=1)))
