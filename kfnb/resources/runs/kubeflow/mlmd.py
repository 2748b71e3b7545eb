"""The records of a run in ML Metadata, over gRPC.

Field numbers are those of ML Metadata's ``metadata_store.proto``; an enum is read as its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.remote.grpc import GrpcApi, calls

_TIMEOUT = 20.0

_PROPERTIES = (("properties", 4, "map<string, Value>"), ("custom_properties", 5, "map<string, Value>"))
_MESSAGES: dict[str, tuple[tuple[str, int, str], ...]] = {
    "Value": (
        ("int_value", 1, "int64"),
        ("double_value", 2, "double"),
        ("string_value", 3, "string"),
        ("struct_value", 4, "google.protobuf.Struct"),
        ("bool_value", 6, "bool"),
    ),
    "Artifact": (("id", 1, "int64"), ("uri", 3, "string"), *_PROPERTIES, ("type", 8, "string")),
    "Execution": (
        ("id", 1, "int64"),
        ("last_known_state", 3, "int64"),
        *_PROPERTIES,
        ("type", 7, "string"),
        ("create_time_since_epoch", 8, "int64"),
        ("last_update_time_since_epoch", 9, "int64"),
    ),
    "Context": (("id", 1, "int64"), ("name", 3, "string"), *_PROPERTIES),
    "Step": (("index", 1, "int64"), ("key", 2, "string")),
    "Path": (("steps", 1, "*Step"),),
    "Event": (
        ("artifact_id", 1, "int64"),
        ("execution_id", 2, "int64"),
        ("path", 3, "Path"),
        ("type", 4, "int64"),
    ),
    "GetContextByTypeAndNameRequest": (("type_name", 1, "string"), ("context_name", 2, "string")),
    "GetContextByTypeAndNameResponse": (("context", 1, "Context"),),
    "GetExecutionsByContextRequest": (("context_id", 1, "int64"),),
    "GetExecutionsByContextResponse": (("executions", 1, "*Execution"),),
    "GetArtifactsByContextRequest": (("context_id", 1, "int64"),),
    "GetArtifactsByContextResponse": (("artifacts", 1, "*Artifact"),),
    "GetArtifactsByIDRequest": (("artifact_ids", 1, "*int64"),),
    "GetArtifactsByIDResponse": (("artifacts", 1, "*Artifact"),),
    "GetEventsByExecutionIDsRequest": (("execution_ids", 1, "*int64"),),
    "GetEventsByExecutionIDsResponse": (("events", 1, "*Event"),),
}
API = GrpcApi("ml_metadata", "MetadataStoreService", _MESSAGES, syntax="proto2", reply="Response")

_STATES = ("UNKNOWN", "NEW", "RUNNING", "COMPLETE", "FAILED", "CACHED", "CANCELED")
_INPUTS, _OUTPUTS = (2, 3), (1, 4)
"""``Event.Type``: DECLARED_INPUT and INPUT, DECLARED_OUTPUT and OUTPUT."""


@dataclass(frozen=True)
class Execution:
    """A task, a group or an iteration of a group, as KFP's drivers and launchers recorded it.

    ``parent`` is the id of the group's execution, 0 for the run itself; ``iteration`` the index in a
    loop. ``inputs`` and ``outputs`` are parameters, with every number a double. ``created`` and ``updated`` are in
    seconds since the epoch.
    """

    id: int
    task: str
    type: str
    state: str
    parent: int = 0
    iteration: int | None = None
    pod: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    created: float = 0.0
    updated: float = 0.0


@dataclass(frozen=True)
class Stored:
    """An artifact as it was recorded: its schema title, and all of its properties."""

    id: int
    type: str
    uri: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class ArtifactUse:
    """The use of an artifact by an execution, as an output or an input with a name."""

    execution: int
    artifact: int
    name: str
    output: bool


@dataclass(frozen=True)
class Recorded:
    """All records of a run. ``properties`` are those of the run: its namespace, its store's session.

    ``context`` is the run's message in ML Metadata.
    """

    properties: Mapping[str, Any]
    executions: tuple[Execution, ...]
    uses: tuple[ArtifactUse, ...]
    artifacts: Mapping[int, Stored]
    context: Any = field(default=None, repr=False, compare=False)


class Metadata:
    """The ML Metadata server at ``address`` (``host:port``).

    A channel is only open while a run is read, so that gRPC has no threads when a kernel forks.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def run(self, run_id: str, known: Recorded | None = None) -> Recorded | None:
        """The records of a run; None if there are none yet. Raises ``BackendError``.

        ``known`` are the previous records, which are returned if no execution has changed since.
        """
        with calls(API, self.address, server="ML Metadata", timeout=_TIMEOUT) as call:
            names = {"type_name": "system.PipelineRun", "context_name": run_id}
            context = known.context if known else call("GetContextByTypeAndName", names).context
            if not context.id:
                return None
            found = call("GetExecutionsByContext", {"context_id": context.id}).executions
            executions = tuple(_execution(execution) for execution in found)
            if known is not None and known.executions == executions:
                return known
            ids = {"execution_ids": [execution.id for execution in executions]}
            events = call("GetEventsByExecutionIDs", ids).events if executions else ()
            artifacts = list(call("GetArtifactsByContext", {"context_id": context.id}).artifacts)
            missing = sorted(
                {event.artifact_id for event in events} - {artifact.id for artifact in artifacts}
            )
            if missing:
                artifacts += call("GetArtifactsByID", {"artifact_ids": missing}).artifacts
            return Recorded(
                context=context,
                properties=_values(context),
                executions=executions,
                uses=tuple(_uses(events)),
                artifacts={artifact.id: _stored(artifact) for artifact in artifacts},
            )


def _execution(message: Any) -> Execution:
    values = _values(message)
    state = message.last_known_state
    return Execution(
        id=message.id,
        task=values.get("task_name", ""),
        type=message.type,
        state=_STATES[state] if state < len(_STATES) else _STATES[0],
        parent=values.get("parent_dag_id", 0),
        iteration=values.get("iteration_index"),
        pod=values.get("pod_name", ""),
        inputs=values.get("inputs") or {},
        outputs=values.get("outputs") or {},
        created=message.create_time_since_epoch / 1000,
        updated=message.last_update_time_since_epoch / 1000,
    )


def _stored(message: Any) -> Stored:
    return Stored(message.id, message.type, message.uri, _values(message))


def _uses(events: Iterable[Any]) -> Iterator[ArtifactUse]:
    for event in events:
        name = next((step.key for step in event.path.steps if step.HasField("key")), "")
        if name and event.type in _INPUTS + _OUTPUTS:
            yield ArtifactUse(event.execution_id, event.artifact_id, name, event.type in _OUTPUTS)


def _values(message: Any) -> dict[str, Any]:
    """The properties and custom properties of a message, as Python values."""
    return {
        name: _value(value)
        for properties in (message.properties, message.custom_properties)
        for name, value in properties.items()
    }


def _value(value: Any) -> Any:
    from google.protobuf import json_format

    for name in ("int_value", "double_value", "string_value", "bool_value"):
        if value.HasField(name):
            return getattr(value, name)
    return json_format.MessageToDict(value.struct_value) if value.HasField("struct_value") else None
