"""The only boundary to a model registry: JSON goes out and comes in, and errors are ``BackendError``.

Two versions of the API are in use: servers up to 0.3.8 have only ``v1alpha3``, newer ones ``v1``. They agree in all
that kfnb asks, so the version is a part of the path, which is found out with the first request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from kfnb.errors import BackendError, BackendUnavailable, Code
from kfnb.remote.credentials import Credentials
from kfnb.remote.environment import proxy_to
from kfnb.remote.errors import BadAddress, NoAnswer, Untrusted
from kfnb.remote.http import Answer, Http, Request, Transport
from kfnb.remote.model_registry.discovery import API, VERSIONS, path_to_list
from kfnb.remote.retry import LATER, RETRY, RetryPolicy

Json = Mapping[str, Any]

PAGE = 500
_LONGEST = 500
_ADDRESS = "%kf_config model_registry=ADDRESS"
_SIGN_IN = "%kf_config token_file=FILE, or KFNB_COOKIES in the environment"


class NotRegistered(BackendError):
    """The registry does not have that object."""

    code: Code = "not-found"


class Taken(BackendError):
    """An object with that name or external id exists already."""

    code: Code = "conflict"


@dataclass
class RegistryServer:
    """A model registry at ``url``. Paths are the API's, without its version (``/registered_models/3``).

    ``ca`` is a file of certificates to trust, ``verify`` whether certificates are verified. ``direct`` bypasses the
    proxy of the environment. ``hint`` returns the hint for when the server does not answer.
    """

    url: str
    credentials: Credentials = field(default_factory=Credentials)
    ca: str = ""
    verify: bool = True
    direct: bool = False
    retry: RetryPolicy = RETRY
    hint: Callable[[], str] = str

    def __post_init__(self) -> None:
        self.url = self.url.rstrip("/")
        self._http = Http(self.credentials, self._transport, retry=self.retry)
        self._version = ""

    @property
    def version(self) -> str:
        """The version of the API that the server speaks. Raises ``BackendError`` if it speaks none that kfnb does."""
        if not self._version:
            self._version = self._spoken()
        return self._version

    def get(self, path: str, **query: Any) -> Json:
        """Get an object. Raises ``NotRegistered``, ``BackendError``."""
        return self._send("GET", path, query=query)

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
        return self._send("POST", path, body)

    def update(self, path: str, body: Json) -> Json:
        """Replace fields of an object; those that are not given keep their values. Raises ``NotRegistered``."""
        return self._send("PATCH", path, body)

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _send(self, method: str, path: str, body: Json | None = None, *, query: Json | None = None) -> Json:
        given = {name: value for name, value in (query or {}).items() if value not in ("", None)}
        where = f"{API}/{self.version}{path}{f'?{urlencode(given)}' if given else ''}"
        answer = self._ask(
            method, where, None if body is None else json.dumps(body, allow_nan=False).encode()
        )
        return self._read(answer, path)

    def _spoken(self) -> str:
        for version in VERSIONS:
            answer = self._ask("GET", path_to_list(version))
            if answer.status == HTTPStatus.NOT_FOUND and not _message(answer.body):
                continue
            self._read(answer, f"/{version}")
            return version
        raise BackendError(
            f"{self.url} does not speak {' or '.join(VERSIONS)} of the Model Registry's API (404);",
            code="not-found",
            hint=f"check its address: {_ADDRESS}",
            ref=self.url,
        )

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        headers = {"accept": "application/json"} | ({"content-type": "application/json"} if body else {})
        try:
            return self._http.send(Request(method, f"{self.url}{path}", body, headers, again=True))
        except NoAnswer as error:
            message = f"the model registry at {self.url} does not answer: {error.reason}"
            raise BackendUnavailable(". ".join(filter(None, (message, self.hint())))) from None
        except Untrusted as error:
            raise BackendError(self._untrusted(error), ref=self.url) from None
        except BadAddress:
            raise BackendError(
                f"model_registry={self.url} is not an address:",
                hint="use the form https://kubeflow.example.com",
                ref=self.url,
            ) from None

    def _transport(self) -> Transport:
        proxy = "" if self.direct else proxy_to(self.url)
        return Transport(ca=self.ca, verify=self.verify, proxy=proxy)

    def _read(self, answer: Answer, path: str) -> Json:
        if not answer.fine:
            raise self._refusal(answer, path)
        try:
            found = json.loads(answer.body)
        except ValueError:
            found = None
        if isinstance(found, dict):
            return found
        if answer.body.lstrip()[:1] == b"<":
            raise self._login()
        raise BackendError(
            f"the answer of the model registry at {self.url} is not a JSON object", ref=self.url
        )

    def _refusal(self, answer: Answer, path: str) -> BackendError:
        message, where = _message(answer.body), f"the model registry at {self.url}"
        if answer.status in LATER:
            return BackendUnavailable(
                f"{where} is too busy or not up ({answer.status}: {message or 'no reason'})"
            )
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return BackendError(
                f"{where} refused {self.credentials.kind} (401);",
                code="unauthenticated",
                hint=f"set valid credentials: {_SIGN_IN}",
                ref=self.url,
            )
        if answer.status == HTTPStatus.FORBIDDEN:
            return BackendError(
                f"{where} does not let you in (403: {message or _plain(answer.body) or 'no reason'});",
                code="forbidden",
                hint="ask an administrator of Kubeflow for access to its service",
                ref=self.url,
            )
        if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
            return self._login()
        if answer.status == HTTPStatus.NOT_FOUND and not message:
            spoken, self._version = self._version or "that version", ""
            return BackendError(
                f"{where} does not have {path} in {spoken} of its API (404);",
                code="not-found",
                hint=f"if the server was replaced, try again; else check its address: {_ADDRESS}",
                ref=self.url,
            )
        kinds: dict[int, type[BackendError]] = {
            HTTPStatus.NOT_FOUND: NotRegistered,
            HTTPStatus.CONFLICT: Taken,
        }
        kind = kinds.get(answer.status, BackendError)
        return kind(
            f"{where} answered {answer.status}: {message or _plain(answer.body) or 'no reason'}", ref=self.url
        )

    def _login(self) -> BackendError:
        kind = self.credentials.kind
        return BackendError(
            f"{self.url} answered with a login page, not with a model registry; the request had {kind}.",
            code="unauthenticated",
            hint=f"Set the credentials that it needs: {_SIGN_IN}",
            ref=self.url,
        )

    def _untrusted(self, error: Untrusted) -> str:
        if error.plain:
            plain = self.url.replace("https://", "http://", 1)
            use = f"If you trust the network, use it: %kf_config model_registry={plain}"
            return f"{self.url} answers in plain HTTP. {use}"
        return (
            f"{self.url} cannot be trusted: {error.reason}. "
            "Set the certificate of the CA that signed it: %kf_config ca_file=FILE"
        )


def _message(body: bytes) -> str:
    """The sentence in the JSON of an error; empty for another body, such as the bare 404 of an unknown path."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    return _short(str(found.get("message") or "")) if isinstance(found, dict) else ""


def _plain(body: bytes) -> str:
    text = body[:2000].decode("utf-8", "replace").strip()
    return "" if text.startswith("<") else _short(text)


def _short(text: str) -> str:
    line = text.strip().partition("\n")[0].strip()
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
