"""A server that speaks JSON over HTTP: what all that kfnb asks have in common. Errors are ``BackendError``."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlencode

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.remote.credentials import Credentials
from kfnb.remote.environment import proxy_to
from kfnb.remote.errors import BadAddress, NoAnswer, Untrusted
from kfnb.remote.http import Answer, Http, Request, Transport
from kfnb.remote.retry import LATER, RETRY, RetryPolicy

_SIGN_IN = "%kf_config token_file=FILE, or KFNB_COOKIES in the environment"


@dataclass(frozen=True)
class Sent:
    """The body of a request and its content type."""

    data: bytes
    kind: str = "application/json"


@dataclass
class JsonServer(ABC):
    """A server at ``url``. A subclass has the requests of its API, and reads the errors that only its API has.

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

    title: ClassVar[str]
    """What it is, for messages."""
    setting: ClassVar[str]
    """The setting that has its address."""
    example: ClassVar[str]
    """An address of the right form."""
    recheck: ClassVar[str]
    """How to find out whether a request was carried out whose answer was lost."""

    def __post_init__(self) -> None:
        self.url = self.url.rstrip("/")
        self._http = Http(self.credentials, self._transport, retry=self.retry)

    @property
    def place(self) -> str:
        """What it is and where, for messages."""
        return f"{self.title} at {self.url}"

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    @abstractmethod
    def reason(self, body: bytes) -> str:
        """The sentence in the body of an error; empty if there is none."""

    @abstractmethod
    def refusal(self, answer: Answer, method: str, path: str) -> BackendError:
        """The error for an answer to a request that the server took, and does not carry out."""

    def send(
        self,
        method: str,
        path: str,
        body: Sent | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        again: bool = False,
    ) -> Answer:
        """Send one request, without the parts of ``query`` that are empty. ``again`` marks it as idempotent.

        Raises ``BackendError`` if there is no answer: ``BackendUnavailable`` if a retry may help.
        """
        given = urlencode([(name, value) for name, value in (query or {}).items() if value not in ("", None)])
        where = f"{self.url}{path}{f'?{given}' if given else ''}"
        headers = {"accept": "application/json"} | ({"content-type": body.kind} if body else {})
        try:
            return self._http.send(Request(method, where, body.data if body else None, headers, again))
        except NoAnswer as error:
            unsure = "" if again or not error.sent else f"; the request may have succeeded: {self.recheck}"
            message = f"{self.place} does not answer: {error.reason}{unsure}"
            raise BackendUnavailable(". ".join(filter(None, (message, self.hint()))), ref=self.url) from None
        except Untrusted as error:
            raise self._untrusted(error) from None
        except BadAddress:
            raise BackendError(
                f"{self.setting}={self.url} is not an address:",
                hint=f"use the form {self.example}",
                ref=self.url,
            ) from None

    def read(self, answer: Answer, method: str, path: str) -> Any:
        """The JSON of an answer to a request; None if the answer is empty. Raises ``BackendError``."""
        if not answer.fine:
            raise self._error(answer, method, path)
        try:
            return json.loads(answer.body) if answer.body else None
        except ValueError:
            if answer.body.lstrip()[:1] == b"<":
                raise self._login() from None
            raise BackendError(f"the answer of {self.place} is not JSON", ref=self.url) from None

    def _transport(self) -> Transport:
        proxy = "" if self.direct else proxy_to(self.url)
        return Transport(ca=self.ca, verify=self.verify, proxy=proxy)

    def _error(self, answer: Answer, method: str, path: str) -> BackendError:
        status = answer.status
        if status in LATER:
            why = self.reason(answer.body) or "no reason"
            return BackendUnavailable(f"{self.place} is too busy or not up ({status}: {why})", ref=self.url)
        if status == HTTPStatus.UNAUTHORIZED:
            return self._unauthenticated()
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return self._login()
        return self.refusal(answer, method, path)

    def _unauthenticated(self) -> BackendError:
        message = f"{self.place} refused {self.credentials.kind} (401)."
        if self.credentials.rotated:
            hint = f"Write a new token into that file, or set another one: {_SIGN_IN}"
            return BackendUnavailable(message, code="unauthenticated", hint=hint, ref=self.url)
        return BackendError(
            message, code="unauthenticated", hint=f"Set a valid one: {_SIGN_IN}", ref=self.url
        )

    def _login(self) -> BackendError:
        kind = self.credentials.kind
        return BackendError(
            f"{self.url} answered with a login page, not with {self.title}; the request had {kind}.",
            code="unauthenticated",
            hint=f"Set the credentials that it needs: {_SIGN_IN}",
            ref=self.url,
        )

    def _untrusted(self, error: Untrusted) -> BackendError:
        if error.plain:
            plain = self.url.replace("https://", "http://", 1)
            hint = f"If you trust the network, use it: %kf_config {self.setting}={plain}"
            return BackendError(f"{self.url} answers in plain HTTP.", hint=hint, ref=self.url)
        return BackendError(
            f"{self.url} cannot be trusted: {error.reason}.",
            hint="Set the certificate of the CA that signed it: %kf_config ca_file=FILE",
            ref=self.url,
        )
