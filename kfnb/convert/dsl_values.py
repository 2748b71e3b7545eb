"""What tasks and groups of a compiled pipeline are given, as expressions of KFP's DSL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kfnb.convert import values
from kfnb.errors import PipelineError


@dataclass(frozen=True)
class Scope:
    """What the inputs of a DAG are in the program."""

    task: Mapping[str, Any]
    outer: Scope | None
    loop: str = ""


class DslValues:
    """The expressions of inputs and outputs, by the groups that the program has begun."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.components: Mapping[str, Any] = spec.get("components", {})
        self.groups: dict[str, tuple[Mapping[str, Any], Scope]] = {}
        self.chosen: dict[tuple[str, str], str] = {}
        """The variables of outputs of branches."""

    def value(self, source: Mapping[str, Any], kind: str, task: Mapping[str, Any], scope: Scope) -> str:
        """The expression of what a task is given."""
        if "runtimeValue" in source:
            inside = Scope(task, scope)
            return values.constant(
                source["runtimeValue"].get("constant"), kind, lambda name: self.input(name, inside)
            )
        if name := source.get("componentInputParameter") or source.get("componentInputArtifact"):
            found = self.input(str(name), scope)
        else:
            made = source.get("taskOutputParameter") or source.get("taskOutputArtifact") or {}
            key = made.get("outputParameterKey") or made.get("outputArtifactKey")
            found = self.output(str(made.get("producerTask")), str(key))
        selector = source.get("parameterExpressionSelector")
        return values.item(found, selector) if selector else found

    def input(self, name: str, scope: Scope) -> str:
        """The expression of the input ``name`` of a DAG."""
        if scope.outer is None:
            return name
        iterator = scope.task.get("parameterIterator") or scope.task.get("artifactIterator") or {}
        if scope.loop and iterator.get("itemInput") == name:
            return scope.loop
        inputs = scope.task.get("inputs", {})
        source = (inputs.get("parameters") or {}).get(name) or (inputs.get("artifacts") or {}).get(name)
        if source is None and scope.loop and name.startswith(f"{iterator.get('itemInput')}-subvar-"):
            return f"{scope.loop}.{name.rpartition('-subvar-')[2]}"
        if source is None:
            raise PipelineError(f"nothing gives {name}, which a group of tasks takes", ref=name)
        return self.value(source, "", scope.task, scope.outer)

    def output(self, key: str, output: str) -> str:
        """The expression of the output of a task, or of a group."""
        if key not in self.groups:
            return f'{variable_of(key)}.outputs["{output}"]'
        if (key, output) in self.chosen:
            return self.chosen[key, output]
        inside, loops = self.inner_output(key, output)
        return f"dsl.Collected({inside})" if loops else inside

    def inner_output(self, key: str, output: str) -> tuple[str, bool]:
        """What is inside of a group as its output, and whether a loop makes a list of it."""
        if key not in self.groups or (key, output) in self.chosen:
            return self.output(key, output), False
        component, scope = self.groups[key]
        source = self.outputs(component)[output]
        made = source.get("valueFromParameter") or (source.get("artifactSelectors") or [{}])[0]
        name = made.get("outputParameterKey") or made.get("outputArtifactKey")
        inside, loops = self.inner_output(str(made.get("producerSubtask")), str(name))
        return inside, loops or bool(scope.loop)

    def one_of(self, component: Mapping[str, Any], output: str) -> str:
        """The call that gives the output of the branch that ran."""
        source = self.outputs(component)[output]
        selectors = (
            source.get("valueFromOneof", {}).get("parameterSelectors")
            or source.get("artifactSelectors")
            or ()
        )
        parts = [
            self.output(
                one["producerSubtask"], str(one.get("outputParameterKey") or one.get("outputArtifactKey"))
            )
            for one in selectors
        ]
        return f"dsl.OneOf({', '.join(parts)})"

    def outputs(self, component: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs of a DAG, parameters and artifacts."""
        found = component.get("dag", {}).get("outputs", {})
        return {**(found.get("parameters") or {}), **(found.get("artifacts") or {})}

    def component(self, task: Mapping[str, Any]) -> Mapping[str, Any]:
        """The component of a task. Raises ``PipelineError`` where it is missing."""
        name = task["componentRef"]["name"]
        found: Mapping[str, Any] | None = self.components.get(name)
        if found is None:
            raise PipelineError(f"the component {name} is missing", ref=name)
        return found


def variable_of(key: str) -> str:
    """The variable of a task."""
    return f"{key.replace('-', '_')}_task"
