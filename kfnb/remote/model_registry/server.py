"""The only boundary to a model registry: JSON goes out and comes in, and errors are ``BackendError``.

Two versions of the API are in use: servers up to 0.3.8 have only ``v1alpha3``, newer ones ``v1``. They agree in all
that kfnb asks, so the version is a part of the path, which is found out with the first request.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from kfnb.errors import BackendError, Code
from kfnb.remote.http import Answer
from kfnb.remote.json_server import JsonServer, Sent
from kfnb.remote.model_registry.discovery import API, VERSIONS, path_to_list
from kfnb.text.shorten import shorten

Json = Mapping[str, Any]

PAGE = 500
_LONGEST = 500
_ADDRESS = "%kf_config model_registry=ADDRESS"


class NotRegistered(BackendError):
    """The registry does not have that object."""

    code: Code = "not-found"


class Taken(BackendError):
    """An object with that name or external id exists already."""

    code: Code = "conflict"


@dataclass
class RegistryServer(JsonServer):
    """A model registry. Paths are the API's, without its version (``/registered_models/3``)."""

    title: ClassVar[str] = "the model registry"
    setting: ClassVar[str] = "model_registry"
    example: ClassVar[str] = "https://kubeflow.example.com"
    recheck: ClassVar[str] = "check with %kf_models"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._version = ""

    @property
    def version(self) -> str:
        """The version of the API that the server speaks. Raises ``BackendError`` if it speaks none that kfnb does."""
        if not self._version:
            self._version = self._spoken()
        return self._version

    def get(self, path: str, **query: Any) -> Json:
        """Get an object. Raises ``NotRegistered``, ``BackendError``."""
        return self._request("GET", path, query=query)

    def find(self, path: str, **query: Any) -> Json | None:
        """Get an object by what is known of it; None if there is none."""
        try:
            return self.get(path, **query)
        except NotRegistered:
            return None

    def list(self, path: str, **query: Any) -> Iterator[Json]:
        """All items of a list, page by page, by id."""
        token = ""
        while True:
            page = self.get(path, pageSize=PAGE, orderBy="ID", sortOrder="ASC", nextPageToken=token, **query)
            yield from page.get("items") or ()
            following = str(page.get("nextPageToken") or "")
            if not following or following == token:
                return
            token = following

    def create(self, path: str, body: Json) -> Json:
        """Create an object. Raises ``Taken`` if its name or external id is another's, ``BackendError``.

        The request may be sent twice if its answer was lost: then it raises ``Taken`` for the caller's own object.
        """
        return self._request("POST", path, body)

    def update(self, path: str, body: Json) -> Json:
        """Replace fields of an object; those that are not given keep their values. Raises ``NotRegistered``."""
        return self._request("PATCH", path, body)

    def reason(self, body: bytes) -> str:
        """The sentence in the body of an error; empty if there is none."""
        return _message(body) or _plain(body)

    def refusal(self, answer: Answer, method: str, path: str) -> BackendError:
        """The error for a request that the registry does not carry out."""
        del method
        status, why = answer.status, self.reason(answer.body) or "no reason"
        if status == HTTPStatus.FORBIDDEN:
            return BackendError(
                f"{self.place} denied access (403: {why});",
                code="forbidden",
                hint="ask an administrator of Kubeflow for access to its service",
                ref=self.url,
            )
        if status == HTTPStatus.NOT_FOUND and not _message(answer.body):
            spoken, self._version = self._version or "that version", ""
            return BackendError(
                f"{self.place} does not have {path} in {spoken} of its API (404);",
                code="not-found",
                hint=f"if the server was replaced, try again; else check its address: {_ADDRESS}",
                ref=self.url,
            )
        kinds: dict[int, type[BackendError]] = {
            HTTPStatus.NOT_FOUND: NotRegistered,
            HTTPStatus.CONFLICT: Taken,
        }
        return kinds.get(status, BackendError)(f"{self.place} answered {status}: {why}", ref=self.url)

    def _request(
        self, method: str, path: str, body: Json | None = None, *, query: Json | None = None
    ) -> Json:
        sent = None if body is None else Sent(json.dumps(body, allow_nan=False).encode())
        answer = self.send(method, f"{API}/{self.version}{path}", sent, query=query, again=True)
        return self._object(answer, method, path)

    def _spoken(self) -> str:
        for version in VERSIONS:
            answer = self.send("GET", path_to_list(version), again=True)
            if answer.status == HTTPStatus.NOT_FOUND and not _message(answer.body):
                continue
            self._object(answer, "GET", f"/{version}")
            return version
        raise BackendError(
            f"{self.url} does not speak {' or '.join(VERSIONS)} of the Model Registry's API (404);",
            code="not-found",
            hint=f"check its address: {_ADDRESS}",
            ref=self.url,
        )

    def _object(self, answer: Answer, method: str, path: str) -> Json:
        found = self.read(answer, method, path)
        if isinstance(found, dict):
            return found
        raise BackendError(f"the answer of {self.place} is not a JSON object", ref=self.url)


def _message(body: bytes) -> str:
    """The sentence in the JSON of an error; empty for another body, such as the bare 404 of an unknown path."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    return _first_line(str(found.get("message") or "")) if isinstance(found, dict) else ""


def _plain(body: bytes) -> str:
    text = body[:2000].decode("utf-8", "replace").strip()
    return "" if text.startswith("<") else _first_line(text)


def _first_line(text: str) -> str:
    return shorten(text.strip().partition("\n")[0].strip(), _LONGEST)
