"""A task's inputs: each from the source in its spec, with placeholders filled, types converted and defaults added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kfnb.entities import Artifact, RunState, TaskError, Usage
from kfnb.resources.runs.local.parameter_text import MISSING, accepted
from kfnb.resources.runs.local.placeholder import Context, fill, in_json, of_run
from kfnb.resources.runs.local.spec import ComponentSpec, DagSpec, TaskSpec
from kfnb.resources.runs.local.step_errors import StepFault
from kfnb.resources.runs.local.value_sources import Constant, FromInput, FromStatus, FromTask, Source
from kfnb.text.parameter_values import typed


@dataclass(frozen=True)
class Result:
    """How a task ended. ``reused``: in an earlier attempt at the run; ``blocked``: skipped because of a failure.

    ``usage`` is what its last attempt occupied.
    """

    state: RunState
    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: TaskError | None = None
    reused: bool = False
    blocked: bool = False
    usage: Usage | None = None


@dataclass(frozen=True)
class Inputs:
    """The inputs of a task or a group, by name; an artifact input is an ``Artifact`` or a list of them."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, Any] = field(default_factory=dict)


def resolve(
    step: TaskSpec,
    component: ComponentSpec,
    outer: Inputs,
    ended: Mapping[str, Result],
    words: Mapping[str, str],
) -> Inputs:
    """The inputs of ``step``. ``outer`` are the enclosing component's, ``ended`` how the siblings that it needs ended.

    Raises ``StepFault`` for an input without a value.
    """
    finder = _Finder(outer, ended, words, component.kinds)
    artifacts = _given(
        {name: finder.find(name, source, outer.artifacts) for name, source in step.artifacts.items()}
    )
    parameters = _given(
        {name: finder.find(name, source, outer.parameters) for name, source in step.parameters.items()}
    )
    for name, value in parameters.items():
        parameters[name] = accepted(name, value, component.kinds.get(name, ""))
    artifacts = {name: _named(name, value) for name, value in artifacts.items()}
    inputs = with_defaults(component, Inputs(parameters, artifacts))
    if isinstance(component.body, DagSpec):
        return inputs
    _check_complete(component, inputs)
    context = Context(inputs.parameters, inputs.artifacts)
    constants = {name for name, source in step.parameters.items() if isinstance(source, Constant)}
    filled = {
        name: fill(value, context, in_json) if name in constants else value
        for name, value in inputs.parameters.items()
    }
    return replace(inputs, parameters=filled)


def resolve_name(
    source: Source, group: ComponentSpec, outer: Inputs, ended: Mapping[str, Result], words: Mapping[str, str]
) -> str | None:
    """A name in a step's platform settings, from ``source``; None for an optional input without a value.

    ``outer`` are the inputs of the enclosing component ``group``. KFP's driver leaves out a setting with such a name.
    Raises ``StepFault`` for a name that is not a non-empty text.
    """
    value = _Finder(outer, ended, words, {}).find("settings", source, outer.parameters)
    if value is MISSING or value is None:
        declared = group.parameters.get(source.name) if isinstance(source, FromInput) else None
        if declared is not None and declared.optional:
            return None
        raise StepFault("its platform settings refer to a name without a value")
    name = fill(value, Context(outer.parameters, outer.artifacts))
    if not isinstance(name, str) or not name:
        raise StepFault(f"its platform settings have {name!r} as a name, which is not a text")
    return name


def with_defaults(component: ComponentSpec, inputs: Inputs) -> Inputs:
    """``inputs`` with the component's defaults, and numbers converted to its types."""
    parameters = dict(inputs.parameters)
    for name, parameter in component.parameters.items():
        value = parameters.get(name, parameter.default)
        if value is not MISSING:
            parameters[name] = typed(value, parameter.type)
    return replace(inputs, parameters=parameters)


@dataclass(frozen=True)
class _Finder:
    outer: Inputs
    ended: Mapping[str, Result]
    words: Mapping[str, str]
    kinds: Mapping[str, str]

    def find(self, name: str, source: Source, outer: Mapping[str, Any]) -> Any:
        """The value of ``source`` for the input ``name``; MISSING if it is optional and has none."""
        if isinstance(source, Constant):
            return of_run(source.value, self.words)
        if isinstance(source, FromStatus):
            return self._status(source)
        if isinstance(source, FromInput):
            return _pick(name, outer.get(source.name, MISSING), source.path)
        return _pick(name, self._output(name, source), source.path)

    def _output(self, name: str, source: FromTask) -> Any:
        result = self.ended.get(source.task)
        if result is None:
            raise StepFault(f"it refers to {source.task} but does not depend on it")
        if source.output in result.outputs:
            return result.outputs[source.output]
        # KFP 2.17's driver reads a missing output as an empty text, but not as another type
        if result.state is RunState.FAILED and self.kinds.get(name) == "STRING" and not source.path:
            return ""
        raise StepFault(
            f"its input {name} is the output {source.output} of {source.task}, which has no value"
        )

    def _status(self, source: FromStatus) -> dict[str, Any]:
        result = self.ended[source.task]
        words = {RunState.SUCCEEDED: "COMPLETE", RunState.CANCELED: "CANCELLED"}  # the cluster's words
        return {
            "state": words.get(result.state, result.state.value),
            "pipelineJobResourceName": self.words["pipeline_job_resource_name"],
            "pipelineTaskName": source.task,
            "error": {"message": result.error.message} if result.error else {},
        }


def _pick(name: str, value: Any, path: tuple[str | int, ...]) -> Any:
    """The element of ``value`` at ``path``; a text is parsed as JSON."""
    for key in path if value is not MISSING else ():
        try:
            value = (json.loads(value) if isinstance(value, str) else value)[key]
        except (KeyError, IndexError, TypeError, ValueError):
            raise StepFault(
                f"its input {name} is the field {key!r} of {value!r}, which does not have it"
            ) from None
    return value


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not MISSING and value is not None}


def _check_complete(component: ComponentSpec, inputs: Inputs) -> None:
    for name, parameter in component.parameters.items():
        if name not in inputs.parameters and not parameter.optional:
            raise StepFault(f"its input {name} has no value")
    for name, port in component.artifacts.items():
        if name not in inputs.artifacts and not port.optional:
            raise StepFault(f"its input {name} has no artifact")


def _named(name: str, value: Artifact | list[Artifact]) -> Artifact | list[Artifact]:
    """The artifacts of an input, named after the input."""
    if isinstance(value, list):
        return [replace(artifact, name=name) for artifact in value]
    return replace(value, name=name)
