"""Trainings as steps of a pipeline on a cluster: those of several nodes become TrainJobs, where it has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from kfnb.errors import BackendError
from kfnb.text.ranks import DeclaredTraining, declared_training

Json = Mapping[str, Any]


@dataclass(frozen=True)
class PipelineStep:
    """A step of a pipeline that is a training: the ``container`` of its executor, with its Kubernetes ``settings``.

    ``outputs`` are the definitions of its component.
    """

    name: str
    declared: DeclaredTraining
    container: Json
    settings: Json
    outputs: Json


@dataclass(frozen=True)
class LaunchingStep:
    """A step that makes a TrainJob: its container and settings, and the ``runtime`` that trains."""

    container: Json
    settings: Json
    runtime: str


class StepTrainer(Protocol):
    """What makes TrainJobs of the steps of pipelines."""

    def step(self, step: PipelineStep) -> LaunchingStep:
        """The step that trains by a TrainJob. Raises ``BackendError`` where the cluster cannot."""
        ...


class Trainings:
    """The trainings of the pipelines that are sent to a cluster, whose trainer ``connect`` finds."""

    def __init__(self, connect: Callable[[], StepTrainer]) -> None:
        self._connect = connect

    def cautions(self, spec: Json, platform: Json | None) -> Iterator[str]:
        """Notes, a line each, on the steps that are to be trained on several nodes."""
        for _, step in _steps(spec, platform):
            nodes, each = step.declared.nodes, step.declared.procs
            try:
                runtime = self._connect().step(step).runtime
            except BackendError as error:
                yield (
                    f"{step.name} is trained on one node: its {nodes} x {each} processes are in one pod, with the"
                    f" resources of all. It cannot become a TrainJob: {error}"
                )
                continue
            yield (
                f"{step.name} is trained on {nodes} nodes: its step makes a TrainJob with the runtime {runtime}, which"
                " the service account of the run's pods must be allowed to"
            )

    def distributed(self, spec: Json, platform: Json | None) -> tuple[Json, Json | None]:
        """The pipeline, in which steps of several nodes make TrainJobs where the cluster can train by them."""
        for label, step in _steps(spec, platform):
            try:
                made = self._connect().step(step)
            except BackendError:  # see cautions
                continue
            spec = _with(spec, ("deploymentSpec", "executors", label, "container"), made.container)
            path = ("platforms", "kubernetes", "deploymentSpec", "executors", label)
            platform = _with(platform or {}, path, made.settings)
        return spec, platform


def _nothing() -> StepTrainer:
    raise BackendError("no Kubeflow Trainer is known here")


ON_ONE_NODE = Trainings(_nothing)
"""Makes no TrainJobs."""


def _steps(spec: Json, platform: Json | None) -> Iterator[tuple[str, PipelineStep]]:
    """The steps with several nodes, by the labels of their executors."""
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    kubernetes = (platform or {}).get("platforms", {}).get("kubernetes", {})
    settings = kubernetes.get("deploymentSpec", {}).get("executors", {})
    for component in spec.get("components", {}).values():
        label = component.get("executorLabel", "")
        container = executors.get(label, {}).get("container") or {}
        declared = declared_training(str((container.get("command") or [""])[-1]))
        if declared is not None and declared.nodes > 1:
            outputs = component.get("outputDefinitions", {})
            name = label.removeprefix("exec-")
            yield label, PipelineStep(name, declared, container, settings.get(label, {}), outputs)


def _with(tree: Json, path: tuple[str, ...], value: Any) -> Json:
    """The tree with another value at a path."""
    first, *rest = path
    return {**tree, first: _with(tree.get(first, {}), tuple(rest), value) if rest else value}
