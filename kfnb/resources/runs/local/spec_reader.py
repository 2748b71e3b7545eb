"""Reads a PipelineSpec from JSON to ``PipelineSpec``; all reasons why it cannot run here are collected first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from kfnb.errors import BackendError
from kfnb.resources.runs.local.kubernetes_settings import read_demands, settings_of
from kfnb.resources.runs.local.parameter_text import MISSING
from kfnb.resources.runs.local.references import broken, human
from kfnb.resources.runs.local.spec import (
    ArtifactPort,
    ComponentSpec,
    Container,
    DagSpec,
    Importer,
    LoopSpec,
    ParameterSpec,
    PipelineSpec,
    PythonProgram,
    Retries,
    TaskSpec,
    VolumeChange,
)
from kfnb.resources.runs.local.value_sources import FromStatus, FromTask, Source, read_source
from kfnb.text.parameter_values import plain, typed

Json = Mapping[str, Any]

_STEP_KEYS = frozenset(
    {
        "taskInfo",
        "componentRef",
        "inputs",
        "dependentTasks",
        "cachingOptions",
        "triggerPolicy",
        "parameterIterator",
        "artifactIterator",
        "iteratorPolicy",
        "retryPolicy",
    }
)
_VOLUMES = {"argostub/createpvc": VolumeChange(), "argostub/deletepvc": VolumeChange(gone=True)}
"""The images by which ``kfp-kubernetes`` requests a volume from the cluster; they do not exist."""


def read(spec: Json, platform: Json | None = None) -> PipelineSpec:
    """The pipeline that ``spec`` describes. Raises ``BackendError`` with every reason why it cannot run here."""
    pipeline, problems = examine(spec, platform)
    refuse(pipeline, problems)
    return pipeline


def examine(spec: Json, platform: Json | None = None) -> tuple[PipelineSpec, list[str]]:
    """The pipeline that ``spec`` describes, and the reasons in the spec itself why it cannot run here."""
    reader = _SpecReader(spec, platform)
    return reader.pipeline(), reader.problems


def refuse(pipeline: PipelineSpec, problems: Iterable[str]) -> None:
    """Raise ``BackendError`` with all ``problems``, if there are any."""
    reasons = "".join(f"\n- {problem}" for problem in dict.fromkeys(problems))
    if reasons:
        raise BackendError(f"{pipeline.name or 'this pipeline'} cannot run here:{reasons}")


class _SpecReader:
    """Reads one spec, and collects the reasons why it cannot run in ``problems``."""

    def __init__(self, spec: Json, platform: Json | None) -> None:
        self.problems: list[str] = []
        self._spec = spec
        self._executors = spec.get("deploymentSpec", {}).get("executors", {})
        self._settings, self._config = settings_of(platform)

    def pipeline(self) -> PipelineSpec:
        name = str(self._spec.get("pipelineInfo", {}).get("name", ""))
        if "dag" not in self._spec.get("root", {}):
            self.problems.append("it has no tasks: it is not a compiled KFP pipeline")
            return PipelineSpec(name, ComponentSpec("", DagSpec({})), {})
        components = {
            key: self._component(key, data) for key, data in self._spec.get("components", {}).items()
        }
        root = self._component("", self._spec["root"])
        self.problems += broken(root, components)
        limit = float(self._config.get("activeDeadlineSeconds", 0))
        return PipelineSpec(name, root, components, "workspace" in self._config, limit)

    def _component(self, name: str, data: Json) -> ComponentSpec:
        inputs, outputs = data.get("inputDefinitions", {}), data.get("outputDefinitions", {})
        return ComponentSpec(
            name=name,
            body=self._dag(data["dag"]) if "dag" in data else self._executor(name, data),
            parameters={key: _parameter(item) for key, item in inputs.get("parameters", {}).items()},
            artifacts={key: _port(item) for key, item in inputs.get("artifacts", {}).items()},
            output_parameters={key: _parameter(item) for key, item in outputs.get("parameters", {}).items()},
            output_artifacts={key: _port(item) for key, item in outputs.get("artifacts", {}).items()},
        )

    # the work of one process

    def _executor(self, name: str, data: Json) -> PythonProgram | Container | Importer | VolumeChange:
        label = data.get("executorLabel", "")
        executor = self._executors.get(label, {})
        if "importer" in executor:
            return _importer(executor["importer"])
        if "container" in executor:
            volume = _VOLUMES.get(executor["container"].get("image", ""))
            return volume or self._program(name, executor["container"], self._settings.get(label, {}))
        kinds = ", ".join(executor) or "without an executor"
        self.problems.append(f"{human(name)} is of a kind that local runs do not support ({kinds})")
        return PythonProgram("", "")

    def _program(self, name: str, container: Json, settings: Json) -> PythonProgram | Container:
        command, args = list(container.get("command", [])), list(container.get("args", []))
        image = str(container.get("image", ""))
        env = {item["name"]: str(item.get("value", "")) for item in container.get("env", [])}
        demands = read_demands(human(name), container, settings, self.problems)
        carried = any(
            "ephemeral_component.py" in part for part in command[:-1]
        )  # else the program is in the image
        if "--function_to_execute" not in args[:-1] or not carried:
            return Container(image, tuple(command), tuple(args), env, demands)
        return PythonProgram(
            source=command[-1],
            function=args[args.index("--function_to_execute") + 1],
            installs="\n".join(part for part in command[:-1] if "pip install" in part),
            image=image,
            env=env,
            demands=demands,
        )

    # the tasks of a DAG

    def _dag(self, data: Json) -> DagSpec:
        steps = {name: self._step(name, task) for name, task in data.get("tasks", {}).items()}
        outputs = {
            name: _parameter_choice(item)
            for name, item in data.get("outputs", {}).get("parameters", {}).items()
        }
        for name, item in data.get("outputs", {}).get("artifacts", {}).items():
            outputs[name] = tuple(
                FromTask(choice["producerSubtask"], choice["outputArtifactKey"])
                for choice in item.get("artifactSelectors", [])
            )
        self.problems += [
            f"the output {name} comes from {choice.task}, which does not exist"
            for name, choices in outputs.items()
            for choice in choices
            if choice.task not in steps
        ]
        return DagSpec({name: steps[name] for name in self._ordered(steps)}, outputs)

    def _ordered(self, steps: Mapping[str, TaskSpec]) -> list[str]:
        for step in steps.values():
            unknown = [need for need in step.needs if need not in steps]
            self.problems += [f"{step.name} needs {need}, which does not exist" for need in unknown]
        try:
            graph = {name: [need for need in step.needs if need in steps] for name, step in steps.items()}
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            self.problems.append(f"its tasks wait for each other: {' -> '.join(error.args[1])}")
            return list(steps)

    def _step(self, name: str, task: Json) -> TaskSpec:
        for key in sorted(set(task) - _STEP_KEYS):
            self.problems.append(f"{name} uses {key}, which this version does not support")
        inputs, trigger = task.get("inputs", {}), task.get("triggerPolicy", {})
        caching = task.get("cachingOptions", {})
        parameters = {
            key: read_source(item, name, self.problems) for key, item in inputs.get("parameters", {}).items()
        }
        artifacts = {
            key: read_source(item, name, self.problems) for key, item in inputs.get("artifacts", {}).items()
        }
        return TaskSpec(
            name=name,
            component=task.get("componentRef", {}).get("name", ""),
            parameters=parameters,
            artifacts=artifacts,
            needs=_needs(task, parameters, artifacts),
            condition=trigger.get("condition", ""),
            anyway=trigger.get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED",
            loop=self._loop(name, task),
            retries=_retries(task.get("retryPolicy", {})),
            cache=bool(caching.get("enableCache", False)),
            cache_key=caching.get("cacheKey", ""),
        )

    def _loop(self, name: str, task: Json) -> LoopSpec | None:
        limit = int(task.get("iteratorPolicy", {}).get("parallelismLimit", 0))
        if "artifactIterator" in task:
            iterator = task["artifactIterator"]
            return LoopSpec(
                iterator["itemInput"], iterator["items"]["inputArtifact"], artifacts=True, limit=limit
            )
        if "parameterIterator" not in task:
            return None
        iterator = task["parameterIterator"]
        items = iterator["items"]
        if "inputParameter" in items:
            return LoopSpec(iterator["itemInput"], items["inputParameter"], limit=limit)
        raw = json.loads(items["raw"])
        if not isinstance(raw, list):
            self.problems.append(f"{name} loops over something that is not a list")
        return LoopSpec(iterator["itemInput"], raw, limit=limit)


def _parameter(data: Json) -> ParameterSpec:
    kind = data.get("parameterType", "STRING")
    default = plain(data["defaultValue"]) if "defaultValue" in data else MISSING
    return ParameterSpec(kind, typed(default, kind), bool(data.get("isOptional", False)))


def _port(data: Json) -> ArtifactPort:
    return ArtifactPort(
        type=data.get("artifactType", {}).get("schemaTitle", "system.Artifact"),
        optional=bool(data.get("isOptional", False)),
        many=bool(data.get("isArtifactList", False)),
    )


def _importer(data: Json) -> Importer:
    uri = data.get("artifactUri", {})
    constant = uri.get("constant", "")
    return Importer(
        uri=constant.get("stringValue", "") if isinstance(constant, Mapping) else str(constant),
        parameter=uri.get("runtimeParameter", ""),
        type=data.get("typeSchema", {}).get("schemaTitle", "system.Artifact"),
        metadata=plain(dict(data.get("metadata", {}))),
    )


def _parameter_choice(data: Json) -> tuple[FromTask, ...]:
    if "valueFromParameter" in data:
        choices = [data["valueFromParameter"]]
    else:
        choices = data.get("valueFromOneof", {}).get("parameterSelectors", [])
    return tuple(FromTask(choice["producerSubtask"], choice["outputParameterKey"]) for choice in choices)


def _needs(task: Json, *sources: Mapping[str, Source]) -> tuple[str, ...]:
    """The tasks to wait for: those declared, and the producers of its inputs."""
    needs = list(task.get("dependentTasks", []))
    for group in sources:
        needs += [source.task for source in group.values() if isinstance(source, FromTask | FromStatus)]
    return tuple(dict.fromkeys(needs))


def _retries(data: Json) -> Retries:
    return Retries(
        count=int(data.get("maxRetryCount", 0)),
        wait=_seconds(data.get("backoffDuration", "0s")),
        factor=float(data.get("backoffFactor", 2.0)),
        longest=_seconds(data.get("backoffMaxDuration", "3600s")),
    )


def _seconds(duration: str) -> float:
    return float(duration.rstrip("s") or 0)
