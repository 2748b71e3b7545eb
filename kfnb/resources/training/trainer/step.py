"""The step of a training, read from the pipeline that has it alone, with its arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kfnb.entities import Artifact
from kfnb.errors import BackendError
from kfnb.remote.kubernetes import pod_settings
from kfnb.resources.runs.engine import Submission

Json = Mapping[str, Any]


@dataclass(frozen=True)
class TrainingStep:
    """What the pods of a training run. ``inputs`` are artifacts by name, ``outputs`` types of artifacts by name.

    ``settings`` are the executor's, of the pipeline's second document.
    """

    name: str
    pipeline: str
    container: Json
    parameters: Json
    inputs: Mapping[str, Artifact]
    results: tuple[str, ...]
    outputs: Mapping[str, str]
    settings: Json = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """The command, in which ``{{source}}`` stands for the program, and ``{{$}}`` for what KFP gives it."""
        *words, _ = self.container["command"]
        return [*words, "{{source}}", *self.container.get("args", ())]

    @property
    def source(self) -> str:
        """The program of the step."""
        return str((self.container.get("command") or [""])[-1])


def read_step(submission: Submission) -> TrainingStep:
    """The one step of a submission. Raises ``BackendError`` for what no pod of a TrainJob can do."""
    spec = submission.spec
    tasks = spec["root"]["dag"]["tasks"]
    components = spec["components"]
    trained = [
        name for name, one in tasks.items() if _container(spec, components[one["componentRef"]["name"]])
    ]
    if len(trained) != 1:
        raise BackendError(f"a TrainJob is one step, and {submission.name} has {len(trained)}")
    name = trained[0]
    task, component = tasks[name], components[tasks[name]["componentRef"]["name"]]
    platforms = (submission.platform or {}).get("platforms", {}).get("kubernetes", {})
    settings = (
        platforms.get("deploymentSpec", {}).get("executors", {}).get(component.get("executorLabel"), {})
    )
    faults = list(pod_settings.faults(settings))
    if faults:
        raise BackendError(f"{name} cannot be a TrainJob: {'; '.join(faults)}")
    container = _container(spec, component)
    assert container is not None
    step = step_of(
        name, spec["pipelineInfo"]["name"], container, component.get("outputDefinitions", {}), settings
    )
    return replace(
        step,
        parameters=dict(_parameters(submission, task, component)),
        inputs=dict(_artifacts(submission, task)),
    )


def step_of(name: str, pipeline: str, container: Json, outputs: Json, settings: Json) -> TrainingStep:
    """A step whose inputs are not known yet; ``outputs`` are the definitions of its component."""
    return TrainingStep(
        name,
        pipeline,
        container,
        {},
        {},
        tuple(outputs.get("parameters", {})),
        {
            one: source["artifactType"].get("schemaTitle", "system.Artifact")
            for one, source in outputs.get("artifacts", {}).items()
        },
        settings,
    )


def _container(spec: Json, component: Json) -> Json | None:
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    found: Json | None = executors.get(component.get("executorLabel", ""), {}).get("container")
    return found


def _parameters(submission: Submission, task: Json, component: Json) -> Iterator[tuple[str, Any]]:
    given = task.get("inputs", {}).get("parameters", {})
    defaults = submission.spec["root"].get("inputDefinitions", {}).get("parameters", {})
    for name, definition in component.get("inputDefinitions", {}).get("parameters", {}).items():
        source = given.get(name, {})
        parameter = source.get("componentInputParameter", "")
        value = definition.get("defaultValue")
        if parameter:
            value = submission.arguments.get(
                parameter, defaults.get(parameter, {}).get("defaultValue", value)
            )
        elif "runtimeValue" in source:
            value = source["runtimeValue"]["constant"]
        if value is not None:
            yield name, value


def _artifacts(submission: Submission, task: Json) -> Iterator[tuple[str, Artifact]]:
    for name, source in task.get("inputs", {}).get("artifacts", {}).items():
        if "componentInputArtifact" in source:
            given = submission.arguments.get(source["componentInputArtifact"])
            if not isinstance(given, Artifact):
                raise BackendError(f"the artifact {name} is missing")
            yield name, given
        else:
            yield name, _imported(submission.spec, source["taskOutputArtifact"]["producerTask"], name)


def _imported(spec: Json, task: str, name: str) -> Artifact:
    """An artifact that an importer names: a version of a data set."""
    component = spec["components"][spec["root"]["dag"]["tasks"][task]["componentRef"]["name"]]
    importer = spec["deploymentSpec"]["executors"][component["executorLabel"]].get("importer")
    uri = (importer or {}).get("artifactUri", {}).get("constant", "")
    if importer is None or "://" not in uri:
        raise BackendError(
            f"the training cannot take {name} from {task}: only versions of data sets are imported"
        )
    kind = importer["typeSchema"].get("schemaTitle", "system.Artifact")
    return Artifact(name, kind, uri, dict(importer.get("metadata") or {}))
