"""A pipeline's tasks and groups from its PipelineSpec, to which a run's rows are assigned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from kfnb.resources.runs.kubeflow.components import program_of
from kfnb.resources.runs.kubeflow.exit_hooks import is_hook, without_hook
from kfnb.resources.runs.step_code import code_digest
from kfnb.text.parameter_values import plain, typed

Json = Mapping[str, Any]


@dataclass(frozen=True)
class TaskPlan:
    """A task of a DAG. ``inner`` is the DAG of a group; a ``loop`` runs it once for each of its items.

    ``anyway``: it runs however its dependencies ended. ``importer``: it has no process. ``condition``: the condition
    that decides whether it runs; ``never``: KFP does not run it (see ``exit_hooks``). ``code``: the sha256 of its
    program, empty where it has none.
    """

    name: str
    needs: tuple[str, ...] = ()
    takes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inner: DagPlan | None = None
    loop: bool = False
    anyway: bool = False
    importer: bool = False
    condition: str = ""
    never: bool = False
    code: str = ""

    @property
    def leaves(self) -> Iterator[str]:
        """The names of the tasks in it: its own, or those inside of it."""
        if self.inner is None:
            yield self.name
            return
        for step in self.inner.steps:
            yield from step.leaves


@dataclass(frozen=True)
class DagPlan:
    """Steps in topological order; and for each output the candidates (step, output), one of which gives it."""

    steps: tuple[TaskPlan, ...] = ()
    outputs: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A pipeline: its name, the defaults of its parameters and their types, and its tasks."""

    name: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    root: DagPlan = field(default_factory=DagPlan)

    def arguments(self, given: Json) -> dict[str, Any]:
        """The pipeline's arguments, converted to their types: those given, and defaults for the rest."""
        return {**self.defaults, **{name: self._typed(name, value) for name, value in given.items()}}

    def _typed(self, name: str, value: Any) -> Any:
        return typed(plain(value), self.kinds.get(name, ""))


def plan_of(spec: Json) -> Plan:
    """The plan of a PipelineSpec; of an empty one, an empty plan."""
    root = spec.get("root", {})
    parameters = root.get("inputDefinitions", {}).get("parameters", {})
    kinds = {name: str(item.get("parameterType", "")) for name, item in parameters.items()}
    return Plan(
        name=str(spec.get("pipelineInfo", {}).get("name", "")),
        defaults={
            name: typed(plain(item["defaultValue"]), kinds[name])
            for name, item in parameters.items()
            if "defaultValue" in item
        },
        kinds=kinds,
        root=_PlanReader(spec).dag(root.get("dag", {})),
    )


class _PlanReader:
    def __init__(self, spec: Json) -> None:
        self._components = spec.get("components", {})
        self._executors = spec.get("deploymentSpec", {}).get("executors", {})

    def dag(self, data: Json) -> DagPlan:
        tasks = data.get("tasks", {})
        never = without_hook(tasks)
        steps = {name: self._step(name, task, never=name in never) for name, task in tasks.items()}
        outputs = data.get("outputs", {})
        chosen = {name: _parameter(item) for name, item in outputs.get("parameters", {}).items()}
        for name, item in outputs.get("artifacts", {}).items():
            chosen[name] = tuple(
                (choice["producerSubtask"], choice["outputArtifactKey"])
                for choice in item.get("artifactSelectors", ())
            )
        return DagPlan(tuple(steps[name] for name in _ordered(steps)), chosen)

    def _step(self, name: str, task: Json, *, never: bool) -> TaskPlan:
        component = self._components.get(task.get("componentRef", {}).get("name"), {})
        takes = _takes(task.get("inputs", {}))
        taken = [source for source in takes if source not in task.get("dependentTasks", ())]
        return TaskPlan(
            name=name,
            needs=(*task.get("dependentTasks", ()), *taken),
            takes={source: names for source, names in takes.items() if names},
            inner=self.dag(component["dag"]) if "dag" in component else None,
            loop="parameterIterator" in task or "artifactIterator" in task,
            anyway=is_hook(task),
            never=never,
            condition=task.get("triggerPolicy", {}).get("condition", ""),
            importer="importer" in self._executors.get(component.get("executorLabel"), {}),
            code=code_digest(program_of(self._executors.get(component.get("executorLabel"), {}))),
        )


def _takes(inputs: Json) -> dict[str, tuple[str, ...]]:
    """The outputs that inputs are taken from, by task; none of a task whose final status is the input."""
    taken: dict[str, list[str]] = {}
    for item in (*inputs.get("parameters", {}).values(), *inputs.get("artifacts", {}).values()):
        for kind, key in (
            ("taskOutputParameter", "outputParameterKey"),
            ("taskOutputArtifact", "outputArtifactKey"),
        ):
            if kind in item:
                taken.setdefault(item[kind]["producerTask"], []).append(item[kind][key])
        if "taskFinalStatus" in item:
            taken.setdefault(item["taskFinalStatus"]["producerTask"], [])
    return {task: tuple(dict.fromkeys(names)) for task, names in taken.items()}


def _parameter(item: Json) -> tuple[tuple[str, str], ...]:
    one = item.get("valueFromParameter")
    choices = [one] if one else item.get("valueFromOneof", {}).get("parameterSelectors", [])
    return tuple((choice["producerSubtask"], choice["outputParameterKey"]) for choice in choices)


def _ordered(steps: Mapping[str, TaskPlan]) -> list[str]:
    graph = {name: [need for need in step.needs if need in steps] for name, step in steps.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError:  # servers refuse cycles
        return list(steps)
