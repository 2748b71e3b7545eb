"""The steps of a pipeline that a trial runs one after the other in one container, and what prevents that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from kfnb.entities import importers, kfp_name
from kfnb.errors import BackendError
from kfnb.resources.studies.search import TrialSubject
from kfnb.text.parameter_values import typed
from kfnb.text.ranks import declared_training

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Input:
    """A parameter of a step: what the pipeline's ``parameter`` is, or what the step ``task`` puts out.

    ``value`` is what it is where no trial says something else; None where it has none, which ``optional`` allows.
    """

    type: str
    value: Any = None
    optional: bool = False
    parameter: str = ""
    task: str = ""
    output: str = ""


@dataclass(frozen=True)
class TrialStep:
    """One task with its component.

    ``takes`` are the artifacts that it takes, each by the step and the output that they are from; ``artifacts`` the
    types of those that it puts out. ``settings`` are the executor's, of the pipeline's second document.
    """

    name: str
    container: Json
    inputs: Mapping[str, Input]
    takes: Mapping[str, tuple[str, str]]
    outputs: tuple[str, ...]
    artifacts: Mapping[str, str]
    retries: int
    settings: Json

    @property
    def source(self) -> str:
        """The code of a Python component: the last word of its command."""
        return str((self.container.get("command") or [""])[-1])


@dataclass(frozen=True)
class Steps:
    """The steps in an order in which each comes after those that it needs; the last one is the trial itself.

    ``results`` are the pipeline's own outputs, by the step and the output that they are.
    """

    steps: tuple[TrialStep, ...]
    results: Mapping[str, tuple[str, str]]

    def __iter__(self) -> Iterator[TrialStep]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def parameters(self) -> dict[str, list[tuple[TrialStep, Input]]]:
        """The pipeline's parameters that steps take, and which inputs of which steps they are."""
        found: dict[str, list[tuple[TrialStep, Input]]] = {}
        for step in self.steps:
            for one in step.inputs.values():
                if one.parameter:
                    found.setdefault(one.parameter, []).append((step, one))
        return found


def read_steps(subject: TrialSubject) -> Steps:
    """The steps that a trial runs. Raises ``BackendError`` with all that no single container can do."""
    root = subject.spec["root"]
    tasks: Json = root["dag"]["tasks"]
    names = _order(subject, tasks)
    wrong = [f"{name} {fault}" for name in names for fault in _in_the_way(subject, tasks[name])]
    if wrong:
        raise BackendError(
            f"{subject.name} cannot be a trial of Katib, which is one container: {'; '.join(wrong)}."
            " Tune a component or a cell (%%kf_tune), or search here: --backend local"
        )
    steps = tuple(_step(subject, name, tasks[name]) for name in names)
    results = {
        name: (
            output["valueFromParameter"]["producerSubtask"],
            output["valueFromParameter"]["outputParameterKey"],
        )
        for name, output in root["dag"].get("outputs", {}).get("parameters", {}).items()
        if "valueFromParameter" in output
    }
    return Steps(steps, results)


def _order(subject: TrialSubject, tasks: Json) -> list[str]:
    """The names of the tasks, each after those that it needs; of a step, those that it needs and itself."""
    needs = {name: {*tasks[name].get("dependentTasks", ()), *_makers(tasks[name])} for name in sorted(tasks)}
    trial = kfp_name(subject.step)
    if trial and trial not in tasks:
        raise BackendError(f"{subject.name} has no step {subject.step}; there is {', '.join(needs)}")
    needed, waiting = set[str](), [trial] if trial else [*needs]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += needs[name]
    return list(TopologicalSorter({name: needs[name] for name in needs if name in needed}).static_order())


def _makers(task: Json) -> Iterator[str]:
    given = task.get("inputs", {})
    for source in (*given.get("parameters", {}).values(), *given.get("artifacts", {}).values()):
        for kind in ("taskOutputParameter", "taskOutputArtifact"):
            if kind in source:
                yield source[kind]["producerTask"]


def _in_the_way(subject: TrialSubject, task: Json) -> Iterator[str]:
    component = subject.spec["components"].get(task["componentRef"]["name"], {})
    container = _container(subject, component)
    if "dag" in component:
        yield "is a loop, a condition or a nested pipeline"
    elif any(name == component.get("executorLabel") for name, _ in importers(subject.spec)):
        yield "is a file beside the notebook that is too large for a trial (48 KiB a step, packed)"
    elif container is None:
        yield "is not a component with its own container"
    elif "--function_to_execute" not in (container.get("args") or ()):
        yield "runs a program of its image"
    declared = declared_training(str((((container or {}).get("command")) or [""])[-1]))
    if declared is not None and declared.nodes > 1:
        size = declared.nodes * declared.procs
        yield f"is trained on {declared.nodes} nodes (%%kf_train --nodes 1 --procs {size} is the same on one)"
    policy = task.get("triggerPolicy", {})
    if task.get("parameterIterator") or task.get("artifactIterator"):
        yield "is in a loop"
    if policy.get("condition") or policy.get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED":
        yield "runs under a condition"
    given = task.get("inputs", {})
    for name, source in (*given.get("parameters", {}).items(), *given.get("artifacts", {}).items()):
        if (
            not {"componentInputParameter", "runtimeValue", "taskOutputParameter", "taskOutputArtifact"}
            & source.keys()
        ):
            yield f"takes {name} from where no trial can"
    for name, source in component.get("inputDefinitions", {}).get("artifacts", {}).items():
        if not source.get("isOptional") and name not in given.get("artifacts", {}):
            yield f"needs {name}"


def _container(subject: TrialSubject, component: Json) -> Json | None:
    executors = subject.spec.get("deploymentSpec", {}).get("executors", {})
    found: Json | None = executors.get(component.get("executorLabel", ""), {}).get("container")
    return found


def _step(subject: TrialSubject, name: str, task: Json) -> TrialStep:
    component = subject.spec["components"][task["componentRef"]["name"]]
    container, outputs = _container(subject, component), component.get("outputDefinitions", {})
    assert container is not None
    platforms = (subject.platform or {}).get("platforms", {}).get("kubernetes", {})
    return TrialStep(
        name,
        container,
        inputs=dict(_inputs(subject, task, component)),
        takes={
            one: (
                source["taskOutputArtifact"]["producerTask"],
                source["taskOutputArtifact"]["outputArtifactKey"],
            )
            for one, source in task.get("inputs", {}).get("artifacts", {}).items()
        },
        outputs=tuple(outputs.get("parameters", {})),
        artifacts={
            one: source["artifactType"].get("schemaTitle", "system.Artifact")
            for one, source in outputs.get("artifacts", {}).items()
        },
        retries=int(task.get("retryPolicy", {}).get("maxRetryCount", 0)),
        settings=platforms.get("deploymentSpec", {}).get("executors", {}).get(component["executorLabel"], {}),
    )


def _inputs(subject: TrialSubject, task: Json, component: Json) -> Iterator[tuple[str, Input]]:
    defaults = subject.spec["root"].get("inputDefinitions", {}).get("parameters", {})
    given = task.get("inputs", {}).get("parameters", {})
    for name, definition in component.get("inputDefinitions", {}).get("parameters", {}).items():
        kind, value = definition["parameterType"], definition.get("defaultValue")
        source = given.get(name, {})
        parameter, made = source.get("componentInputParameter", ""), source.get("taskOutputParameter", {})
        if parameter:
            value = subject.arguments.get(parameter, defaults.get(parameter, {}).get("defaultValue", value))
        elif "runtimeValue" in source:
            value = source["runtimeValue"]["constant"]
        yield (
            name,
            Input(
                kind,
                typed(value, kind),
                bool(definition.get("isOptional")),
                parameter,
                made.get("producerTask", ""),
                made.get("outputParameterKey", ""),
            ),
        )
