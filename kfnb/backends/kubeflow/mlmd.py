"""ML Metadata over gRPC: what it has recorded of a run.

The ``ml-metadata`` package does not install beside kfp, so the few messages that are read here are described at run
time. Field numbers are those of ML Metadata's ``metadata_store.proto``; an enum is read as its number. Unknown fields,
of a newer server, are skipped as protobuf does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from kfnb.errors import BackendError
from kfnb.extras import require

_SERVICE = "/ml_metadata.MetadataStoreService/"
_TIMEOUT = 20.0

_PROPERTIES = (("properties", 4, "map"), ("custom_properties", 5, "map"))
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
    "Path": (("steps", 1, "*ml_metadata.Step"),),
    "Event": (
        ("artifact_id", 1, "int64"),
        ("execution_id", 2, "int64"),
        ("path", 3, "ml_metadata.Path"),
        ("type", 4, "int64"),
    ),
    "GetContextByTypeAndNameRequest": (("type_name", 1, "string"), ("context_name", 2, "string")),
    "GetContextByTypeAndNameResponse": (("context", 1, "ml_metadata.Context"),),
    "GetExecutionsByContextRequest": (("context_id", 1, "int64"),),
    "GetExecutionsByContextResponse": (("executions", 1, "*ml_metadata.Execution"),),
    "GetArtifactsByContextRequest": (("context_id", 1, "int64"),),
    "GetArtifactsByContextResponse": (("artifacts", 1, "*ml_metadata.Artifact"),),
    "GetArtifactsByIDRequest": (("artifact_ids", 1, "*int64"),),
    "GetArtifactsByIDResponse": (("artifacts", 1, "*ml_metadata.Artifact"),),
    "GetEventsByExecutionIDsRequest": (("execution_ids", 1, "*int64"),),
    "GetEventsByExecutionIDsResponse": (("events", 1, "*ml_metadata.Event"),),
}

_STATES = ("UNKNOWN", "NEW", "RUNNING", "COMPLETE", "FAILED", "CACHED", "CANCELED")
_INPUTS, _OUTPUTS = (2, 3), (1, 4)
"""``Event.Type``: DECLARED_INPUT and INPUT, DECLARED_OUTPUT and OUTPUT."""


@dataclass(frozen=True)
class Execution:
    """A task, a group or an iteration of a group, as KFP's drivers and launchers recorded it.

    ``parent`` is the id of the group's execution, 0 for the run itself; ``iteration`` an index where it is one of a
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
class Use:
    """An execution put out an artifact (or took it) under a name."""

    execution: int
    artifact: int
    name: str
    output: bool


@dataclass(frozen=True)
class Recorded:
    """All that ML Metadata has of a run. ``properties`` are the run's own: its namespace, its store's session.

    ``context`` is ML Metadata's message that stands for the run.
    """

    properties: Mapping[str, Any]
    executions: tuple[Execution, ...]
    uses: tuple[Use, ...]
    artifacts: Mapping[int, Stored]
    context: Any = field(default=None, repr=False, compare=False)


class Metadata:
    """The ML Metadata server at ``address`` (``host:port``).

    A channel is open for as long as a run is read, so that gRPC has no threads but then: a kernel forks.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def run(self, run_id: str, known: Recorded | None = None) -> Recorded | None:
        """What is recorded of a run; None if nothing is yet. Raises ``BackendError``.

        ``known`` is what was recorded before: where no execution has changed since, it is returned as it is.
        """
        with self._calls() as call:
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

    @contextmanager
    def _calls(self) -> Iterator[Any]:
        """A function that asks ``(method, fields)`` and returns the answering message."""
        require("grpc", "reading ML Metadata")
        import grpc

        options = [("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0)]
        channel = grpc.insecure_channel(self.address, options)

        def call(method: str, fields: Mapping[str, Any]) -> Any:
            request, response = messages()[f"{method}Request"], messages()[f"{method}Response"]
            ask = channel.unary_unary(
                _SERVICE + method, lambda sent: sent.SerializeToString(), response.FromString
            )
            return ask(request(**fields), timeout=_TIMEOUT)

        with channel:
            try:
                yield call
            except grpc.RpcError as error:
                raise BackendError(self._said(error)) from None

    def _said(self, error: Any) -> str:
        code, details = error.code().name, error.details() or ""
        if code in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
            return f"ML Metadata does not answer at {self.address}: {details}"
        return f"ML Metadata at {self.address} refused ({code}): {details}"


@cache
def messages() -> dict[str, Any]:
    """The message classes by name, made once."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2

    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(
        name="kfnb/metadata_store.proto",
        package="ml_metadata",
        syntax="proto2",
        dependency=[struct_pb2.DESCRIPTOR.name],
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            _add_field(message, field_name, number, kind)
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"ml_metadata.{name}"))
        for name in _MESSAGES
    }


def _add_field(message: Any, name: str, number: int, kind: str) -> None:
    """A field; ``kind`` is a scalar type, the full name of a message (``*`` before it: repeated), or ``map``."""
    if kind == "map":
        entry = message.nested_type.add(name="".join(part.title() for part in name.split("_")) + "Entry")
        entry.options.map_entry = True
        _add_field(entry, "key", 1, "string")
        _add_field(entry, "value", 2, "ml_metadata.Value")
        kind = f"*ml_metadata.{message.name}.{entry.name}"
    added = message.field.add(name=name, number=number)
    added.label = added.LABEL_REPEATED if kind.startswith("*") else added.LABEL_OPTIONAL
    kind = kind.removeprefix("*")
    if "." in kind:
        added.type, added.type_name = added.TYPE_MESSAGE, f".{kind}"
    else:
        added.type = getattr(added, f"TYPE_{kind.upper()}")


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


def _uses(events: Iterable[Any]) -> Iterator[Use]:
    for event in events:
        name = next((step.key for step in event.path.steps if step.HasField("key")), "")
        if name and event.type in _INPUTS + _OUTPUTS:
            yield Use(event.execution_id, event.artifact_id, name, event.type in _OUTPUTS)


def _values(message: Any) -> dict[str, Any]:
    """The properties of a message, those of its type and its own, as Python values."""
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
