"""The only boundary to the KFP API server: JSON goes out and comes in, and errors are ``BackendError``.

The answers stay plain JSON: ``kfp_server_api`` refuses states and drops fields that it does not know, which a newer
server may send, and takes seconds for a run of 1,000 tasks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from kfnb.errors import BackendError, Code
from kfnb.remote.http import Answer
from kfnb.remote.json_server import JsonServer, Sent
from kfnb.remote.kfp.error_text import forbidden, sentence

API = "/apis/v2beta1"


class MissingResource(BackendError):
    """The server does not have the requested resource."""

    code: Code = "not-found"


class Exists(BackendError):
    """A resource with that name exists already."""

    code: Code = "conflict"


@dataclass
class KfpServer(JsonServer):
    """A KFP API server. ``namespace`` is the user's; it is used if the server has several users."""

    namespace: str = ""

    title: ClassVar[str] = "Kubeflow Pipelines"
    setting: ClassVar[str] = "host"
    example: ClassVar[str] = "https://kubeflow.example.com/pipeline"
    recheck: ClassVar[str] = "check with %kf_runs"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._several: bool | None = None

    def get(self, path: str, **query: Any) -> Any:
        """Get a resource. Raises ``MissingResource``, ``BackendError``."""
        return self.request("GET", path, query=query, again=True)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        again: bool = False,
    ) -> Any:
        """Send one request, of JSON or ``Sent``, and return its answer's JSON. ``again`` marks it as
        idempotent.

        Raises ``BackendError``: ``MissingResource``, ``Exists``, ``BackendUnavailable`` if a retry may help.
        """
        plain = body is None or isinstance(body, Sent)
        sent: Sent | None = body if plain else Sent(json.dumps(body).encode())
        answer = self.send(method, f"{API}{path}", sent, query=query, again=again)
        found = self.read(answer, method, path)
        return {} if found is None else found

    @property
    def users_namespace(self) -> str:
        """The namespace of requests: empty if the server has one user, since it then refuses a namespace."""
        if self._several is None:
            self._several = bool(self.get("/healthz").get("multi_user"))
        if self._several and not self.namespace:
            raise BackendError(
                f"{self.url} is a multi-user server, and no namespace is set:",
                hint="set your namespace with %kf_config namespace=NAME",
                ref=self.url,
            )
        return self.namespace if self._several else ""

    def reason(self, body: bytes) -> str:
        """The sentence in the body of an error; empty if there is none."""
        return sentence(body)

    def refusal(self, answer: Answer, method: str, path: str) -> BackendError:
        """The error for a request that the server does not carry out."""
        status, message = answer.status, sentence(answer.body)
        if status == HTTPStatus.FORBIDDEN:
            message = f"{self.url}: {forbidden(answer.body, method, path, self.namespace)} (403)"
            return BackendError(message, code="forbidden", ref=self.url)
        if status == HTTPStatus.NOT_FOUND and not message:
            return BackendError(
                f"{self.url} does not have {API}{path}:",
                hint="check with %kf_config host that it is the address of Kubeflow Pipelines 2",
                ref=self.url,
            )
        kinds: dict[int, type[BackendError]] = {
            HTTPStatus.NOT_FOUND: MissingResource,
            HTTPStatus.CONFLICT: Exists,
        }
        kind = kinds.get(status, BackendError)
        return kind(f"{self.title}: {message or f'the server refused it ({status})'}")
