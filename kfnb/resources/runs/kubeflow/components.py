"""The components of a PipelineSpec, by the ids of their tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_FILE = "ephemeral_component.py"
"""The file to which a Python component's command writes its last argument, the program."""


@dataclass(frozen=True)
class Ports:
    """The inputs or the outputs of a component.

    ``parameters`` have their declared types; ``artifacts`` whether they are lists. ``defaults`` are the default values
    of parameters.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class ComponentInterface:
    """A component: its ports, and its ``program`` if it is a Python function, else empty."""

    inputs: Ports = field(default_factory=Ports)
    outputs: Ports = field(default_factory=Ports)
    program: str = ""


class Components:
    """The components of ``spec`` (a PipelineSpec as JSON data, also together with a platform spec)."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._spec = spec.get("pipeline_spec", spec)

    def of(self, task: str) -> ComponentInterface:
        """The component of a task or a group; without ports if the spec does not have the task."""
        found = self._found(task)
        return ComponentInterface(
            inputs=_ports(found.get("inputDefinitions", {})),
            outputs=_ports(found.get("outputDefinitions", {})),
            program=self._program(found.get("executorLabel", "")),
        )

    def _found(self, task: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._spec.get("root", {})
        for name in task.split("/"):
            if name.isdigit():  # an iteration: KFP's task names begin with a letter
                continue
            reference = found.get("dag", {}).get("tasks", {}).get(name, {}).get("componentRef", {})
            found = self._spec.get("components", {}).get(reference.get("name"), {})
        return found

    def requests(self, task: str) -> Mapping[str, Any]:
        """The resources that a task's container requests, as the spec writes them; empty if it has none."""
        label = self._found(task).get("executorLabel", "")
        executor = self._spec.get("deploymentSpec", {}).get("executors", {}).get(label, {})
        found: Mapping[str, Any] = executor.get("container", {}).get("resources", {})
        return found

    def _program(self, label: str) -> str:
        executors = self._spec.get("deploymentSpec", {}).get("executors", {})
        return program_of(executors.get(label, {}))


def program_of(executor: Mapping[str, Any]) -> str:
    """The program of an executor that runs a Python function; empty for another."""
    command = executor.get("container", {}).get("command", ())
    return str(command[-1]) if any(_FILE in part for part in command[:-1]) else ""


def _ports(definitions: Mapping[str, Any]) -> Ports:
    parameters, artifacts = definitions.get("parameters", {}), definitions.get("artifacts", {})
    return Ports(
        parameters={name: str(port.get("parameterType", "")) for name, port in parameters.items()},
        defaults={name: port["defaultValue"] for name, port in parameters.items() if "defaultValue" in port},
        artifacts={name: bool(port.get("isArtifactList")) for name, port in artifacts.items()},
    )
