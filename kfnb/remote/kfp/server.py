"""The only boundary to the KFP API server: JSON goes out and comes in, and errors are ``BackendError``.

The answers stay plain JSON: ``kfp_server_api`` refuses states and drops fields that it does not know, which a newer
server may send, and takes seconds for a run of 1,000 tasks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from kfnb.errors import BackendError, BackendUnavailable, Code
from kfnb.remote.credentials import Credentials
from kfnb.remote.environment import proxy_to
from kfnb.remote.errors import BadAddress, NoAnswer, Untrusted
from kfnb.remote.http import Answer, Http, Request, Transport
from kfnb.remote.kfp.error_text import forbidden, sentence
from kfnb.remote.retry import LATER, RETRY, RetryPolicy

API = "/apis/v2beta1"

_FORGOTTEN = 404


@dataclass(frozen=True)
class Sent:
    """The body of a request and its content type."""

    data: bytes
    kind: str = "application/json"


class MissingResource(BackendError):
    """The server does not have the requested resource."""

    code: Code = "not-found"


class Exists(BackendError):
    """A resource with that name exists already."""

    code: Code = "conflict"


@dataclass
class Server:
    """A KFP API server at ``url``. ``namespace`` is the user's; it is used if the server has several users.

    ``ca`` is a file of certificates to trust, ``verify`` whether certificates are verified. ``direct`` bypasses the
    proxy of the environment. ``hint`` returns the hint for when the server does not answer.
    """

    url: str
    credentials: Credentials = field(default_factory=Credentials)
    namespace: str = ""
    ca: str = ""
    verify: bool = True
    direct: bool = False
    retry: RetryPolicy = RETRY
    hint: Callable[[], str] = str

    def __post_init__(self) -> None:
        self._http = Http(self.credentials, self._transport, retry=self.retry)
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
        given = {name: value for name, value in (query or {}).items() if value not in ("", None)}
        where = f"{self.url}{API}{path}{f'?{urlencode(given)}' if given else ''}"
        headers = {"accept": "application/json"} | ({"content-type": sent.kind} if sent else {})
        with self._in_words(again=again):
            answer = self._http.send(Request(method, where, sent.data if sent else None, headers, again))
        return self._read(answer, method, path)

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

    def _transport(self) -> Transport:
        proxy = "" if self.direct else proxy_to(self.url)
        return Transport(ca=self.ca, verify=self.verify, proxy=proxy)

    @contextmanager
    def _in_words(self, *, again: bool) -> Iterator[None]:
        """Translate connection errors, with what to do about them."""
        try:
            yield
        except NoAnswer as error:
            unsure = (
                "" if again or not error.sent else "; the request may have succeeded: check with %kf_runs"
            )
            message = f"{self.url}: {error.reason}{unsure}"
            raise BackendUnavailable(". ".join(filter(None, (message, self.hint())))) from None
        except Untrusted as error:
            raise BackendError(self._untrusted(error)) from None
        except BadAddress:
            raise BackendError(
                f"host={self.url} is not an address: use the form https://kubeflow.example.com/pipeline"
            ) from None

    def _read(self, answer: Answer, method: str, path: str) -> Any:
        if answer.fine:
            return self._json(answer)
        message = sentence(answer.body)
        if answer.status in LATER:
            raise BackendUnavailable(
                f"{self.url} is too busy or not up ({answer.status}: {message or 'no reason'})"
            )
        raise self._refusal(answer, method, path, message)

    def _refusal(self, answer: Answer, method: str, path: str, message: str) -> BackendError:
        status = answer.status
        if status == 401:  # noqa: PLR2004 - HTTP's own numbers
            return self._unknown()
        if status == 403:  # noqa: PLR2004
            message = f"{self.url}: {forbidden(answer.body, method, path, self.namespace)} (403)"
            return BackendError(message, code="forbidden", ref=self.url)
        if 300 <= status < 400:  # noqa: PLR2004
            return self._login()
        if status == _FORGOTTEN and not message:
            return BackendError(
                f"{self.url} does not have {API}{path}:",
                hint="check with %kf_config host that it is the address of Kubeflow Pipelines 2",
                ref=self.url,
            )
        kind = {_FORGOTTEN: MissingResource, 409: Exists}.get(status, BackendError)
        return kind(f"Kubeflow Pipelines: {message or f'the server refused it ({status})'}")

    def _unknown(self) -> BackendError:
        other = "%kf_config token_file=FILE, or KFNB_COOKIES in the environment"
        message = f"{self.url} refused {self.credentials.kind} (401)."
        if self.credentials.rotated:
            hint = f"Write a new token into that file, or set another one: {other}"
            return BackendUnavailable(message, code="unauthenticated", hint=hint, ref=self.url)
        return BackendError(message, code="unauthenticated", hint=f"Set a valid one: {other}", ref=self.url)

    def _json(self, answer: Answer) -> Any:
        try:
            return json.loads(answer.body) if answer.body else {}
        except ValueError:
            raise (
                self._login()
                if answer.body.lstrip()[:1] == b"<"
                else BackendError(f"{self.url} answered with something that is not JSON")
            ) from None

    def _login(self) -> BackendError:
        return BackendError(
            f"{self.url} answered with a login page, not Kubeflow Pipelines; the request had {self.credentials.kind}.",
            code="unauthenticated",
            hint="Set the credentials that it needs: %kf_config token_file=FILE, or KFNB_COOKIES in the environment",
            ref=self.url,
        )

    def _untrusted(self, error: Untrusted) -> str:
        if error.plain:
            plain = self.url.replace("https://", "http://", 1)
            return (
                f"{self.url} answers in plain HTTP. If you trust the network, use it: %kf_config host={plain}"
            )
        return (
            f"{self.url} cannot be trusted: {error.reason}. "
            "Set the certificate of the CA that signed it: %kf_config ca_file=FILE"
        )
