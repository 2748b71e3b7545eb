"""The one boundary to the KFP API server: JSON goes out and comes in, and what fails is a ``BackendError`` in words.

The answers stay plain JSON: ``kfp_server_api`` refuses states and drops fields that it does not know, which a newer
server may send, and takes seconds for a run of 1,000 tasks.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from kfnb.backends.kubeflow.credentials import Credentials
from kfnb.backends.kubeflow.said import forbidden, sentence
from kfnb.cluster.patience import PATIENCE, Patience
from kfnb.errors import BackendError, BackendUnavailable, Code

API = "/apis/v2beta1"

_LATER = frozenset({429, 502, 503, 504})
"""What a server or a gateway says that may do it later."""
_FORGOTTEN = 404

_PLAIN = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL")
"""OpenSSL's words, by its version, for an answer in plain HTTP."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Sent:
    """What a request carries, and of what kind it is."""

    data: bytes
    kind: str = "application/json"


class NotFound(BackendError):
    """The server has no such thing."""

    code: Code = "not-found"


class Exists(BackendError):
    """There is one of that name already."""

    code: Code = "conflict"


@dataclass
class Server:
    """A KFP API server at ``url``. ``namespace`` is the user's; it counts where the server knows several users.

    ``ca`` is a file of certificates to trust, ``verify`` whether they are looked at at all. ``hint`` gives what to say
    when it does not answer.
    """

    url: str
    credentials: Credentials = field(default_factory=Credentials)
    namespace: str = ""
    ca: str = ""
    verify: bool = True
    patience: Patience = PATIENCE
    hint: Callable[[], str] = str

    def __post_init__(self) -> None:
        self._pool: Any = None
        self._lock = threading.Lock()
        self._several: bool | None = None

    def get(self, path: str, **query: Any) -> Any:
        """What is there. Raises ``NotFound``, ``BackendError``."""
        return self.ask("GET", path, query=query, again=True)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        again: bool = False,
    ) -> Any:
        """Send one request, of JSON or ``Sent``, and return its answer's JSON. What may not be done twice is not sent
        ``again``.

        Raises ``BackendError``: ``NotFound``, ``Exists``, ``BackendUnavailable`` where asking later may help.
        """
        plain = body is None or isinstance(body, Sent)
        sent: Sent | None = body if plain else Sent(json.dumps(body).encode())
        given = {name: value for name, value in (query or {}).items() if value not in ("", None)}
        where = f"{self.url}{API}{path}{f'?{urlencode(given)}' if given else ''}"
        answer = self._patiently(method, where, sent, again=again)
        if answer.status == 401 and self.credentials.renewed():  # noqa: PLR2004 - HTTP's own numbers
            answer = self._patiently(method, where, sent, again=again)
        return self._read(answer, method, path)

    @property
    def users_namespace(self) -> str:
        """The namespace to ask in: empty where the server serves one user, and refuses to be told one."""
        if self._several is None:
            self._several = bool(self.get("/healthz").get("multi_user"))
        if self._several and not self.namespace:
            raise BackendError(
                f"{self.url} serves several users:",
                hint="say which namespace is yours, %kf_config namespace=NAME",
                ref=self.url,
            )
        return self.namespace if self._several else ""

    def _patiently(self, method: str, where: str, sent: Sent | None, *, again: bool) -> Answer:
        """Ask until there is an answer, or patience is at its end."""
        for tries_left in reversed(range(self.patience.tries)):
            number = self.patience.tries - tries_left - 1
            try:
                answer = self._send(method, where, sent)
            except _Lost as lost:
                if not tries_left or (lost.sent and not again):
                    raise BackendUnavailable(self._silent(lost, certain=again or not lost.sent)) from None
                self._wait(number)
                continue
            if answer.status not in _LATER or not (again or answer.status == 429) or not tries_left:  # noqa: PLR2004
                return answer
            self._wait(number, answer.headers.get("retry-after", ""))
        raise AssertionError  # the last try returns or raises

    def _wait(self, number: int, asked: str = "") -> None:
        time.sleep(self.patience.before(number, asked))

    def _send(self, method: str, where: str, sent: Sent | None) -> Answer:
        import urllib3
        from urllib3 import exceptions as wrong

        headers = {"accept": "application/json"} | ({"content-type": sent.kind} if sent else {})
        limits = urllib3.Timeout(connect=self.patience.connect, read=self.patience.read)
        try:
            got = self._connections().request(
                method,
                where,
                body=sent.data if sent else None,
                headers=headers | self.credentials.headers(),
                timeout=limits,
                retries=False,
                redirect=False,
            )
            return Answer(got.status, got.data, {name.lower(): value for name, value in got.headers.items()})
        except wrong.SSLError as error:
            raise BackendError(self._untrusted(error)) from None
        except (wrong.NewConnectionError, wrong.ConnectTimeoutError):
            raise _Lost("nothing answers", sent=False) from None
        except wrong.ReadTimeoutError:
            raise _Lost(f"no answer within {self.patience.read:g} s", sent=True) from None
        except (wrong.LocationParseError, wrong.LocationValueError):
            raise BackendError(
                f"host={self.url} is no address: give one as https://kubeflow.example.com/pipeline"
            ) from None
        except wrong.HTTPError:
            raise _Lost("the connection was dropped", sent=True) from None

    def _connections(self) -> Any:
        with self._lock:
            if self._pool is None:
                import urllib3

                options: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED", "ca_certs": self.ca or None}
                if not self.verify:
                    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
                    options = {"cert_reqs": "CERT_NONE"}
                self._pool = urllib3.PoolManager(maxsize=8, **options)
            return self._pool

    def _read(self, answer: Answer, method: str, path: str) -> Any:
        if 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own numbers
            return self._json(answer)
        told = sentence(answer.body)
        if answer.status in _LATER:
            raise BackendUnavailable(
                f"{self.url} is too busy or not up ({answer.status}: {told or 'no reason'})"
            )
        raise self._refusal(answer, method, path, told)

    def _refusal(self, answer: Answer, method: str, path: str, told: str) -> BackendError:
        status = answer.status
        if status == 401:  # noqa: PLR2004 - HTTP's own numbers
            return self._unknown()
        if status == 403:  # noqa: PLR2004
            told = f"{self.url}: {forbidden(answer.body, method, path, self.namespace)} (403)"
            return BackendError(told, code="forbidden", ref=self.url)
        if 300 <= status < 400:  # noqa: PLR2004
            return self._login()
        if status == _FORGOTTEN and not told:
            return BackendError(
                f"{self.url} has no {API}{path}:",
                hint="is it Kubeflow Pipelines 2? Check %kf_config host",
                ref=self.url,
            )
        kind = {_FORGOTTEN: NotFound, 409: Exists}.get(status, BackendError)
        return kind(f"Kubeflow Pipelines: {told or f'the server refused it ({status})'}")

    def _unknown(self) -> BackendError:
        other = "%kf_config token_file=FILE, or KFNB_COOKIES in the environment"
        told = f"{self.url} does not know you: it refused {self.credentials.kind} (401)."
        if self.credentials.rotated:
            hint = f"Write a new token into that file, or give another one: {other}"
            return BackendUnavailable(told, code="unauthenticated", hint=hint, ref=self.url)
        return BackendError(told, code="unauthenticated", hint=f"Give another one: {other}", ref=self.url)

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
            f"{self.url} answers with a login page, not as Kubeflow Pipelines: it was shown {self.credentials.kind}.",
            code="unauthenticated",
            hint="Give what it asks for: %kf_config token_file=FILE, or KFNB_COOKIES in the environment",
            ref=self.url,
        )

    def _untrusted(self, error: Exception) -> str:
        if any(sign in str(error) for sign in _PLAIN):
            plain = self.url.replace("https://", "http://", 1)
            return f"{self.url} answers in plain HTTP. Use that, if you trust the network: %kf_config host={plain}"
        reason = (
            str(error).rpartition("] ")[2].partition(" (_ssl")[0].strip() or "its certificate is not trusted"
        )
        return f"{self.url} cannot be trusted: {reason}. Give the certificate that signed it: %kf_config ca_file=FILE"

    def _silent(self, lost: _Lost, *, certain: bool) -> str:
        unsure = "" if certain else "; whether it did what was asked is not known: %kf_runs tells"
        return ". ".join(filter(None, (f"{self.url}: {lost}{unsure}", self.hint())))


class _Lost(Exception):
    """No answer came. ``sent``: the server may have got the request all the same."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent
