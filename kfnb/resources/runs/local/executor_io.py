"""The input and output of a step's process: KFP's executor input, executor output and files."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kfnb.entities import Artifact
from kfnb.jobs import private
from kfnb.resources.runs.local.importer import absolute
from kfnb.resources.runs.local.parameter_text import finite_json, parse
from kfnb.resources.runs.local.pod_resources import Supply
from kfnb.resources.runs.local.spec import ComponentSpec, PythonProgram
from kfnb.resources.runs.local.step_errors import StepFault
from kfnb.text.parameter_values import plain, stored, typed, wrapped

_OUTPUT = "executor_output.json"
LOG = "log"
CHECKPOINTS = "checkpoints"
RANK_EVENTS = "rank_events"
"""What a training's processes report, line by line."""


@dataclass(frozen=True)
class TaskInvocation:
    """A task to run: its component with all of its inputs. ``folder`` is the task's folder."""

    id: str
    name: str
    folder: Path
    component: ComponentSpec
    parameters: Mapping[str, Any]
    artifacts: Mapping[str, Artifact | list[Artifact]]
    supply: Supply = field(default_factory=Supply)

    @property
    def shown(self) -> dict[str, Any]:
        """The inputs that the component declares, without those that the compiler added."""
        values = {name: value for name, value in self.parameters.items() if name in self.component.parameters}
        return values | dict(self.artifacts)


def prepare(work: TaskInvocation) -> None:
    """Prepare the task's folder for another attempt: remove the files of an earlier attempt.

    Its log and its checkpoints stay.
    """
    private.make(work.folder)
    for entry in work.folder.iterdir():
        if entry.name == CHECKPOINTS:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != LOG:
            entry.unlink()
    (work.folder / "artifacts").mkdir(mode=0o700)
    for mount in work.supply.mounts:
        if mount.folder is not None:
            mount.folder.mkdir(parents=True, exist_ok=True)


def job(
    work: TaskInvocation, program: PythonProgram, notebook: Path, record: Mapping[str, str]
) -> dict[str, Any]:
    """The job for ``runner`` to execute ``program``, as JSON data; writes its source into the task's folder.

    ``notebook`` is the folder of the notebook, ``record`` says where the step records what it ran on.
    """
    source = work.folder / "ephemeral_component.py"
    private.write(source, program.source)
    many = {name for name, port in work.component.artifacts.items() if port.many}
    return {
        "source": str(source),
        "function": program.function,
        "executor_input": executor_input(work),
        "env": dict(program.env),
        "notebook": str(notebook),
        "work": str(work.folder / "work"),
        "failure": str(work.folder / "failure.json"),
        "training": {
            "KFNB_CHECKPOINTS": str(work.folder / CHECKPOINTS),
            "KFNB_FAILURE": str(work.folder / "failure.json"),
            "KFNB_RANKS": str(work.folder / "ranks"),
            "KFNB_RANK_EVENTS": str(work.folder / RANK_EVENTS),
        },
        "record": dict(record),
        "empty": [name for name in many if work.artifacts.get(name) == []],
    }


def executor_input(work: TaskInvocation) -> dict[str, Any]:
    """KFP's ExecutorInput message of this task."""
    component, outputs = work.component, work.folder / "outputs"
    return {
        "inputs": {
            "parameterValues": plain(dict(work.parameters)),
            "artifacts": {name: {"artifacts": _listed(value)} for name, value in work.artifacts.items()},
        },
        "outputs": {
            "parameters": {name: {"outputFile": str(outputs / name)} for name in component.output_parameters},
            "artifacts": {
                name: {"artifacts": [_due(_planned(work, name))]} for name in component.output_artifacts
            },
            "outputFile": str(work.folder / _OUTPUT),
        },
    }


def collect(work: TaskInvocation, start: Path) -> dict[str, Any]:
    """The outputs of the step, which was started in the folder ``start``.

    Raises ``StepFault`` for an output of another type than declared.
    """
    output = _executor_output(work.folder / _OUTPUT)
    outputs: dict[str, Any] = {}
    for name, parameter in work.component.output_parameters.items():
        file = work.folder / "outputs" / name
        if name in output.get("parameterValues", {}):
            outputs[name] = typed(plain(output["parameterValues"][name]), parameter.type)
        else:
            outputs[name] = _from_file(name, file, parameter.type)
    for name in work.component.output_artifacts:
        listed = output.get("artifacts", {}).get(name, {}).get("artifacts", [])
        outputs[name] = _found(work, name, listed, start)
    return outputs


def _executor_output(file: Path) -> dict[str, Any]:
    """The executor output of the step's program; empty if it is not a program of KFP's."""
    try:
        output: dict[str, Any] = finite_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise StepFault(f"KFP cannot read its outputs or the metadata of its artifacts: {error}") from None
    return output


def _from_file(name: str, file: Path, kind: str) -> Any:
    try:
        return parse(file.read_text(encoding="utf-8"), kind)
    except FileNotFoundError:
        raise StepFault(f"its output {name} was not written") from None
    except StepFault as fault:
        raise StepFault(f"its output {name}: it {fault}") from None


def _planned(work: TaskInvocation, name: str) -> Artifact:
    return Artifact(name, work.component.output_artifacts[name].type, str(work.folder / "artifacts" / name))


def _found(
    work: TaskInvocation, name: str, listed: list[Mapping[str, Any]], start: Path
) -> Artifact | list[Artifact]:
    """The artifact with the uri and the metadata that the step set."""
    planned = _planned(work, name)
    for item in listed:
        for key, value in item.get("metadata", {}).items():
            if value is None:
                raise StepFault(f"its output {name}: KFP cannot store None as metadata ({key})")
    artifacts = [
        replace(
            planned,
            uri=absolute(item.get("custom_path") or item.get("uri") or planned.uri, start),
            metadata=stored(item.get("metadata", {})),
        )
        for item in listed
    ]
    if work.component.output_artifacts[name].many:
        return artifacts
    return artifacts[0] if artifacts else planned


def _listed(value: Artifact | list[Artifact]) -> list[dict[str, Any]]:
    """Artifacts that a step takes. KFP's driver omits their type: they have the class that the step declares."""
    artifacts = value if isinstance(value, list) else [value]
    return [
        {"name": artifact.name, "uri": artifact.uri, "metadata": wrapped(artifact.metadata)}
        for artifact in artifacts
    ]


def _due(artifact: Artifact) -> dict[str, Any]:
    """An output artifact of a step."""
    kind = {"schemaTitle": artifact.type, "schemaVersion": "0.0.1"}
    return {"name": artifact.name, "type": kind, "uri": artifact.uri, "metadata": dict(artifact.metadata)}
