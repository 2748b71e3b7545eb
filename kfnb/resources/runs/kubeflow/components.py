"""The components of a PipelineSpec, by the ids of the tasks that they are the templates of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_FILE = "ephemeral_component.py"
"""What a Python component's command writes its last argument, the program, to."""


@dataclass(frozen=True)
class Ports:
    """What goes into a component or comes out of it.

    ``parameters`` are by their declared types; ``artifacts`` tell whether there is a list of them. ``defaults`` are
    the values of parameters that are not given.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class ComponentInterface:
    """A component: its ports, and the ``program`` of one that is a Python function, else empty."""

    inputs: Ports = field(default_factory=Ports)
    outputs: Ports = field(default_factory=Ports)
    program: str = ""


class Components:
    """Those of the pipeline ``spec`` (a PipelineSpec as JSON data, also with a platform's spec beside it)."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._spec = spec.get("pipeline_spec", spec)

    def of(self, task: str) -> ComponentInterface:
        """The component of a task or a group; one without ports where the spec has no such task."""
        found = self._spec.get("root", {})
        for name in task.split("/"):
            if name.isdigit():  # an iteration: KFP's task names begin with a letter
                continue
            reference = found.get("dag", {}).get("tasks", {}).get(name, {}).get("componentRef", {})
            found = self._spec.get("components", {}).get(reference.get("name"), {})
        return ComponentInterface(
            inputs=_ports(found.get("inputDefinitions", {})),
            outputs=_ports(found.get("outputDefinitions", {})),
            program=self._program(found.get("executorLabel", "")),
        )

    def _program(self, label: str) -> str:
        executors = self._spec.get("deploymentSpec", {}).get("executors", {})
        command = executors.get(label, {}).get("container", {}).get("command", ())
        return str(command[-1]) if any(_FILE in part for part in command[:-1]) else ""


def _ports(definitions: Mapping[str, Any]) -> Ports:
    parameters, artifacts = definitions.get("parameters", {}), definitions.get("artifacts", {})
    return Ports(
        parameters={name: str(port.get("parameterType", "")) for name, port in parameters.items()},
        defaults={name: port["defaultValue"] for name, port in parameters.items() if "defaultValue" in port},
        artifacts={name: bool(port.get("isArtifactList")) for name, port in artifacts.items()},
    )
