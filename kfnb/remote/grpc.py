"""Calls over gRPC, of messages that are described at run time.

The packages with the messages (``ml-metadata``, ``kubeflow-katib``) cannot be installed beside kfp, so the few that are
needed are described by their fields here. Unknown fields, of a newer server, are skipped as protobuf does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.extras import require

_SILENT = ("UNAVAILABLE", "DEADLINE_EXCEEDED")
_STRUCT = "google.protobuf.Struct"

Field = tuple[str, int, str]
"""The field's name, number and type: one of protobuf's scalar types, the name of a message of the same API,
``google.protobuf.Struct``, or ``map<string, MESSAGE>``; ``*`` marks a repeated field."""


@dataclass(frozen=True)
class GrpcApi:
    """A service of a ``package``, as its server names it, and the ``messages`` that it receives and sends.

    ``syntax`` is that of its ``.proto`` file. A method's request and reply are named after the method: ``NAMErequest``
    and ``NAMEreply``.
    """

    package: str
    service: str
    messages: Mapping[str, tuple[Field, ...]]
    syntax: str = "proto3"
    request: str = "Request"
    reply: str = "Reply"

    def __hash__(self) -> int:
        """Hash by the service, since each API exists once."""
        return hash((self.package, self.service))


Call = Callable[[str, Mapping[str, Any]], Any]
"""Calls a method, with the fields of its request, and returns the reply."""


@contextmanager
def calls(api: GrpcApi, address: str, *, server: str, timeout: float) -> Iterator[Call]:
    """Call a server at ``host:port``, which errors call ``server``; a call has a timeout in seconds.

    The channel is open only within this block, so that gRPC has no threads when a kernel forks. Raises
    ``BackendUnavailable`` if the server does not answer, ``BackendError`` if it refuses.
    """
    require("grpc", f"asking {server}")
    import grpc

    channel = grpc.insecure_channel(
        address, [("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0)]
    )
    known = messages(api)

    def call(method: str, fields: Mapping[str, Any]) -> Any:
        unary = channel.unary_unary(
            f"/{api.package}.{api.service}/{method}",
            lambda sent: sent.SerializeToString(),
            known[f"{method}{api.reply}"].FromString,
        )
        return unary(known[f"{method}{api.request}"](**fields), timeout=timeout)

    with channel:
        try:
            yield call
        except grpc.RpcError as error:
            code, details = error.code().name, error.details() or ""
            if code in _SILENT:
                raise BackendUnavailable(f"{server} does not answer at {address}: {details}") from None
            raise BackendError(f"{server} at {address} refused ({code}): {details}") from None


@cache
def messages(api: GrpcApi) -> dict[str, Any]:
    """The message classes of an API by name, created once."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2

    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(
        name=f"kfnb/{api.service}.proto",
        package=api.package,
        syntax=api.syntax,
        dependency=[struct_pb2.DESCRIPTOR.name],
    )
    for name, fields in api.messages.items():
        message = file.message_type.add(name=name)
        for field in fields:
            _add(api, message, field)
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{api.package}.{name}"))
        for name in api.messages
    }


def _add(api: GrpcApi, message: Any, field: Field) -> None:
    name, number, kind = field
    if kind.startswith("map<string, "):
        entry = message.nested_type.add(name="".join(part.title() for part in name.split("_")) + "Entry")
        entry.options.map_entry = True
        _add(api, entry, ("key", 1, "string"))
        _add(api, entry, ("value", 2, kind.removeprefix("map<string, ").removesuffix(">")))
        kind = f"*{message.name}.{entry.name}"
    added = message.field.add(name=name, number=number)
    added.label = added.LABEL_REPEATED if kind.startswith("*") else added.LABEL_OPTIONAL
    kind = kind.removeprefix("*")
    if kind == _STRUCT:
        added.type, added.type_name = added.TYPE_MESSAGE, f".{kind}"
    elif kind.partition(".")[0] in api.messages:
        added.type, added.type_name = added.TYPE_MESSAGE, f".{api.package}.{kind}"
    else:
        added.type = getattr(added, f"TYPE_{kind.upper()}")
