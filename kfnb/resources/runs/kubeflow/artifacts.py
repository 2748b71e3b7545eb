"""What the tasks of a run took and made: parameters, artifacts and metrics, as ML Metadata has recorded them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.entities import Artifact, RunState
from kfnb.resources.runs.kubeflow.components import Components, Ports
from kfnb.resources.runs.kubeflow.mlmd import ArtifactUse, Execution, Recorded, Stored
from kfnb.resources.runs.metrics import metrics
from kfnb.text.parameter_values import plain, text, typed, unwrapped

ENDED = {
    "COMPLETE": RunState.SUCCEEDED,
    "CACHED": RunState.SUCCEEDED,
    "FAILED": RunState.FAILED,
    "CANCELED": RunState.SKIPPED,
}
"""ML Metadata's words for finished states: a branch that was not taken is CANCELED there."""
SESSION = "store_session_info"
"""The property with how to reach the object store, without its secrets."""
_PLACEHOLDER = re.compile(r"\{\{\$\.inputs\.parameters\['([^']*)'\]\}\}")
_LOG = "executor-logs"
_PLUMBING = ("display_name", SESSION)
_SLIPPED_IN = "pipelinechannel--"
"""The prefix of the inputs that the compiler passes through groups."""

Opener = Callable[[str], Callable[[str], tuple[Any, str]] | None]
"""Given a store's session, what opens URIs in it."""


@dataclass(frozen=True)
class TaskRecord:
    """What is recorded of one task or group.

    ``pod`` is the name of its pod, ``state`` ML Metadata's word (RUNNING, COMPLETE, FAILED, CACHED; CANCELED for a
    branch that was not taken). ``slipped_in`` are the inputs that the compiler added. ``log`` is what the task wrote,
    once it is finished. ``began`` is when it was first recorded, ``changed`` when it last changed, in seconds since the
    epoch.
    """

    pod: str = ""
    state: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    slipped_in: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    log: Artifact | None = None
    began: float | None = None
    changed: float | None = None


def read(
    recorded: Recorded, spec: Mapping[str, Any], opener: Opener = lambda _: None
) -> dict[str, TaskRecord]:
    """The inputs and outputs of the tasks and groups, by ``model.Task.id``; the last execution of each.

    ``spec`` is the PipelineSpec, which declares the types; ``opener`` gives artifacts what they are opened with.
    """
    components = Components(spec)
    uses: dict[int, list[ArtifactUse]] = {}
    for use in recorded.uses:
        uses.setdefault(use.execution, []).append(use)
    made: dict[str, TaskRecord] = {}
    for task, execution in _tasks(recorded):
        component, its = components.of(task), _Uses(recorded, uses.get(execution.id, ()), opener)
        outputs = _parameters(execution.outputs, component.outputs) | its.artifacts(
            component.outputs, output=True
        )
        made[task] = TaskRecord(
            pod=execution.pod,
            state=execution.state,
            inputs=_parameters({**component.inputs.defaults, **execution.inputs}, component.inputs)
            | its.artifacts(component.inputs, output=False),
            slipped_in=_slipped_in(execution.inputs, component.inputs),
            outputs=outputs,
            metrics=metrics(outputs),
            log=its.last(_LOG),
            began=execution.created or None,
            changed=execution.updated or None,
        )
    return made


def _tasks(recorded: Recorded) -> Iterator[tuple[str, Execution]]:
    """Executions with the ids of their tasks: the names of the groups around them, the outermost first."""
    known = {execution.id: execution for execution in recorded.executions}
    for execution in sorted(recorded.executions, key=lambda execution: execution.id):
        parts: list[str] = []
        walker: Execution | None = execution
        while walker is not None and walker.task:
            above = known.get(walker.parent)
            if walker.iteration is not None:
                parts.append(str(walker.iteration))
            # an iteration of a loop is recorded below the loop, under the same name
            if walker.iteration is None or above is None or above.task != walker.task:
                parts.append(walker.task)
            walker = above
        if parts:
            yield "/".join(reversed(parts)), execution


class _Uses:
    """The input and output artifacts of one execution."""

    def __init__(self, recorded: Recorded, uses: Any, opener: Opener) -> None:
        self._recorded, self._uses, self._opener = recorded, uses, opener

    def artifacts(self, ports: Ports, *, output: bool) -> dict[str, Artifact | list[Artifact]]:
        """Artifacts by name; the last of a name that is not a list, since a retried task has several outputs."""
        found: dict[str, list[Artifact]] = {}
        for use in self._uses:
            if (
                use.output is output
                and use.name in ports.artifacts
                and use.artifact in self._recorded.artifacts
            ):
                found.setdefault(use.name, []).append(self._artifact(use))
        return {name: several if ports.artifacts[name] else several[-1] for name, several in found.items()}

    def last(self, name: str) -> Artifact | None:
        """The last output artifact with a name, declared or not."""
        found = [use for use in self._uses if use.output and use.name == name]
        return self._artifact(max(found, key=lambda use: use.artifact)) if found else None

    def _artifact(self, use: ArtifactUse) -> Artifact:
        stored: Stored = self._recorded.artifacts[use.artifact]
        session = _session(stored, self._recorded.properties)
        metadata = unwrapped(
            {name: value for name, value in stored.properties.items() if name not in _PLUMBING}
        )
        return Artifact(use.name, stored.type, stored.uri, metadata, store=self._opener(session))


def _session(stored: Stored, run: Mapping[str, Any]) -> str:
    """How to reach an artifact's store: in the bucket of the run, as the run's store, which is how steps read it.

    KFP's importer only records that the keys are in the pods.
    """
    bucket = "/".join(str(run.get("pipeline_root", "")).partition("?")[0].split("/")[:3])
    own = bool(bucket) and stored.uri.startswith(f"{bucket}/")
    sessions = [run.get(SESSION), stored.properties.get(SESSION)]
    return next(filter(None, sessions if own else reversed(sessions)), "")


def _parameters(values: Mapping[str, Any], ports: Ports) -> dict[str, Any]:
    """Recorded parameters with numbers converted to their declared types, without those that the compiler added.

    KFP's launcher fills texts after they have been recorded.
    """
    return {
        name: typed(_filled(plain(value), values), ports.parameters[name])
        for name, value in values.items()
        if name in ports.parameters and not name.startswith(_SLIPPED_IN)
    }


def _slipped_in(values: Mapping[str, Any], ports: Ports) -> dict[str, Any]:
    """Recorded parameters that the compiler added."""
    return {
        name: typed(plain(value), ports.parameters.get(name, ""))
        for name, value in values.items()
        if name.startswith(_SLIPPED_IN)
    }


def _filled(value: Any, inputs: Mapping[str, Any]) -> Any:
    """``value`` with its placeholders replaced by the inputs of its task."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(
            lambda found: text(inputs[found[1]]) if found[1] in inputs else found[0], value
        )
    if isinstance(value, list):
        return [_filled(item, inputs) for item in value]
    return {name: _filled(item, inputs) for name, item in value.items()} if isinstance(value, dict) else value
