"""The HTTP client for every server that kfnb calls.

Idempotent requests are retried when a server is busy, restarts or drops the connection; other requests only when the
server cannot have received them. A refused token is renewed once. Redirects are not followed, so that credentials are
sent to no other host. Every connection failure is one of ``kfnb.remote.errors``; an answer with any status is returned,
and the caller interprets it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from kfnb import compat
from kfnb.diagnostics import logger
from kfnb.errors import BackendError, BackendUnavailable
from kfnb.remote.errors import BadAddress, NoAnswer, TooLarge, Untrusted
from kfnb.remote.retry import LATER, RETRY, TOO_MANY, Deadline, RetryPolicy

_logger = logger(__package__)

UNAUTHORIZED = 401

_SAFE = ("GET", "HEAD", "OPTIONS")
_CHUNK = 1 << 17
_LARGEST = 1 << 30
"""Maximum bytes of an answer that is read completely."""
_PLAIN = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL")
"""OpenSSL's messages, which vary by version, for an answer in plain HTTP."""


class Authorization(Protocol):
    """What identifies the user to a server. See ``kfnb.remote.credentials``."""

    def headers(self) -> Mapping[str, str]:
        """The headers with the credentials."""

    def renewed(self) -> bool:
        """Look for newer credentials after a refusal; return whether there are any."""


class Anonymous:
    """No credentials."""

    def headers(self) -> Mapping[str, str]:
        """None."""
        return {}

    def renewed(self) -> bool:
        """Return False: there is nothing to renew."""
        return False


@dataclass(frozen=True)
class Transport:
    """How to connect to a server.

    ``ca`` is a file of certificates to trust, empty for the system's; ``verify`` whether certificates are verified.
    ``certificate`` and ``key`` are files of a client certificate; ``server_name`` is the name in the server's
    certificate, if it is not its address. ``proxy`` is the address of a proxy for all requests.
    """

    ca: str = ""
    verify: bool = True
    certificate: str = ""
    key: str = field(default="", repr=False)
    server_name: str = ""
    proxy: str = field(default="", repr=False)
    proxy_headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Request:
    """A request. ``again`` marks it as idempotent; reads always are."""

    method: str
    url: str
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    again: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again after the server may have received it."""
        return self.again or self.method in _SAFE

    @property
    def where(self) -> str:
        """The server's address, as errors show it."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.partition('/')[0].rpartition('@')[2]}"


@dataclass(frozen=True)
class Answer:
    """A complete answer; the names of its headers are in lower case."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str]

    @property
    def fine(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own numbers


class Stream:
    """An answer that is read as it arrives."""

    def __init__(self, raw: Any, request: Request) -> None:
        self._raw, self._request = raw, request
        self.status: int = raw.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in raw.headers.items()}
        # what has arrived so far; older versions of urllib3 support it for chunked answers
        self._pieces: Iterator[bytes] = (
            iter(lambda: raw.read1(_CHUNK), b"") if hasattr(raw, "read1") else raw.stream(amt=_CHUNK)
        )

    def answer(self, deadline: Deadline | None = None) -> Answer:
        """The complete content. Raises ``NoAnswer`` if it is interrupted or takes too long, ``TooLarge``."""
        try:
            body = b"".join(self._chunks(deadline))
        except BaseException:
            self._raw.close()  # the rest in the connection is not the answer to another request
            raise
        self._raw.release_conn()
        return Answer(self.status, body, self.headers)

    def lines(self, what: str) -> Iterator[str]:
        """Its lines, as they arrive. Raises ``BackendUnavailable`` if ``what`` is interrupted."""
        rest = b""
        try:
            for chunk in self._pieces:
                *whole, rest = (rest + chunk).split(b"\n")
                yield from (line.decode("utf-8", "replace") for line in whole)
        except Exception as error:  # a broken connection, for which urllib3 has a dozen exceptions
            _logger.debug("%s was interrupted.", what, exc_info=True)
            raise BackendUnavailable(f"{what} was interrupted: {type(error).__name__}") from None
        if rest:
            yield rest.decode("utf-8", "replace")

    def close(self) -> None:
        """Close it, read or not."""
        self._raw.close()

    def hang_up(self) -> None:
        """Close it from another thread: this wakes a thread that reads, which ``close`` would wait for."""
        compat.hang_up(self._raw)

    def _chunks(self, deadline: Deadline | None) -> Iterator[bytes]:
        from urllib3 import exceptions as wrong

        size, where = 0, self._request.where
        try:
            for chunk in self._pieces:
                size += len(chunk)
                if size > _LARGEST:
                    raise TooLarge(f"{where}: the answer is larger than {_LARGEST >> 20} MiB")
                if deadline is not None and not deadline.left:
                    raise NoAnswer(where, "its answer did not end in time", sent=True)
                yield chunk
        except wrong.ReadTimeoutError:
            raise _Silent(where, "its answer stalled", sent=True) from None
        except wrong.HTTPError:
            raise NoAnswer(where, "the connection was dropped", sent=True) from None


T = TypeVar("T", Answer, Stream)


class Http:
    """Sends requests to one server, as one user. ``transport`` defines the connection, ``later`` the statuses that
    are retried.

    It is safe for threads, and connects on the first request.
    """

    def __init__(
        self,
        authorization: Authorization | None = None,
        transport: Callable[[], Transport] = Transport,
        *,
        retry: RetryPolicy = RETRY,
        later: frozenset[int] = LATER,
    ) -> None:
        self.retry = retry
        self._authorization = authorization or Anonymous()
        self._transport, self._later = transport, later
        self._pool: Any = None
        self._proxy = ""
        self._lock = threading.Lock()

    def send(self, request: Request) -> Answer:
        """Send a request, read the whole answer. Raises ``NoAnswer``, ``Untrusted``, ``BadAddress``, ``TooLarge``."""
        deadline = Deadline(time.monotonic() + self.retry.deadline)
        return self._signed_in(
            request, deadline, lambda: self._once(request, deadline, self.retry.read).answer(deadline)
        )

    def open(self, request: Request, *, silent_for: float) -> Stream:
        """Send a request and read the answer as it arrives; it ends after ``silent_for`` seconds without data."""
        deadline = Deadline(time.monotonic() + self.retry.deadline)
        return self._signed_in(request, deadline, lambda: self._once(request, None, silent_for))

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.clear()

    def _signed_in(self, request: Request, deadline: Deadline, send: Callable[[], T]) -> T:
        answer = self._patiently(request, deadline, send)
        if answer.status != UNAUTHORIZED or not self._authorization.renewed():
            return answer
        _give_up(answer)
        self.close()  # the certificate may have changed too
        return self._patiently(request, deadline, send)

    def _patiently(self, request: Request, deadline: Deadline, send: Callable[[], T]) -> T:
        """Send until there is an answer, or the retry policy is exhausted."""
        for number in range(self.retry.tries):
            last = number == self.retry.tries - 1
            try:
                answer = send()
            except NoAnswer as error:
                if last or not _may_repeat(request, error):
                    raise
                pause = self.retry.before(number)
                if pause >= deadline.left:
                    raise
            else:
                if last or not self._comes_later(request, answer):
                    return answer
                pause = self.retry.before(number, answer.headers.get("retry-after", ""))
                if pause >= deadline.left:
                    return answer
                _give_up(answer)
            time.sleep(pause)
        raise AssertionError  # the last try returns or raises

    def _comes_later(self, request: Request, answer: Answer | Stream) -> bool:
        return answer.status in self._later and (request.repeatable or answer.status == TOO_MANY)

    def _once(self, request: Request, deadline: Deadline | None, silent_for: float) -> Stream:
        """Send a request once."""
        import urllib3
        from urllib3 import exceptions as wrong

        connect = self.retry.connect if deadline is None else deadline.within(self.retry.connect)
        read = silent_for if deadline is None else deadline.within(silent_for)
        headers = {"user-agent": "kfnb", **request.headers, **self._authorization.headers()}
        where = request.where
        try:
            raw = self._connections().request(
                request.method,
                request.url,
                body=request.body,
                headers=headers,
                timeout=urllib3.Timeout(connect=connect, read=read),
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except wrong.ProxyError:
            raise NoAnswer(where, f"the proxy {self._proxy} refused the connection", sent=False) from None
        except wrong.SSLError as error:
            raise _untrusted(where, error) from None
        except (wrong.NewConnectionError, wrong.ConnectTimeoutError):
            raise NoAnswer(where, "connection failed", sent=False) from None
        except wrong.ReadTimeoutError:
            raise _Silent(where, f"no answer within {read:.3g} s", sent=True) from None
        except (wrong.LocationParseError, wrong.LocationValueError):
            raise BadAddress(f"{request.url} is not an address") from None
        except wrong.HTTPError:
            _logger.debug("The connection to %s was dropped.", where, exc_info=True)
            raise NoAnswer(where, "the connection was dropped", sent=True) from None
        except ValueError:  # http.client raises it, and quotes the header
            raise BackendError(
                f"{where}: the token or a cookie has characters that HTTP does not allow"
            ) from None
        return Stream(raw, request)

    def _connections(self) -> Any:
        with self._lock:
            if self._pool is None:
                transport = self._transport()
                # the full address may contain a password
                self._proxy = urlsplit(transport.proxy).hostname or ""
                self._pool = _connections(transport)
            return self._pool


class _Silent(NoAnswer):
    """A server accepted the request and did not answer in time: a retry would not be faster."""


def _may_repeat(request: Request, error: NoAnswer) -> bool:
    return not error.sent or (request.repeatable and not isinstance(error, _Silent))


def _give_up(answer: Answer | Stream) -> None:
    if isinstance(answer, Stream):
        answer.close()


def _untrusted(where: str, error: Exception) -> Untrusted:
    text = str(error)
    if any(sign in text for sign in _PLAIN):
        return Untrusted(where, "it answers in plain HTTP", plain=True)
    reason = text.rpartition("] ")[2].partition(" (_ssl")[0].strip()
    return Untrusted(where, reason or "its certificate is not trusted")


def _connections(transport: Transport) -> Any:
    import urllib3
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    options: dict[str, Any] = {
        "maxsize": 8,
        "cert_reqs": "CERT_REQUIRED" if transport.verify else "CERT_NONE",
        "ca_certs": _authorities(transport.ca) if transport.verify else None,
        "cert_file": transport.certificate or None,
        "key_file": transport.key or None,
        **({"server_hostname": transport.server_name} if transport.server_name else {}),
    }
    pool: Any = urllib3.PoolManager(**options)
    if transport.proxy:
        try:
            pool = urllib3.ProxyManager(
                transport.proxy, proxy_headers=dict(transport.proxy_headers), **options
            )
        except (urllib3.exceptions.HTTPError, ValueError):
            raise BackendError(
                f"the proxy {urlsplit(transport.proxy).hostname} is not an HTTP proxy",
                hint="name another in HTTPS_PROXY, or the server in NO_PROXY",
            ) from None
    secure = type(
        "SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": _secure_connection(verify=transport.verify)}
    )
    pool.pool_classes_by_scheme = {"http": HTTPConnectionPool, "https": secure}
    return pool


def _secure_connection(*, verify: bool) -> Any:
    """A TLS connection that distinguishes a failed handshake, with nothing sent yet, from an interrupted request.

    If the user chose not to verify, it silences urllib3's warning here: urllib3's own switch is for the whole process.
    """
    import ssl

    from urllib3.connection import HTTPSConnection
    from urllib3.exceptions import NewConnectionError

    class SecureConnection(HTTPSConnection):
        def connect(self) -> None:
            try:
                super().connect()
            except (ConnectionError, ssl.SSLEOFError) as error:
                raise NewConnectionError(self, f"the TLS handshake failed: {error}") from error
            self.is_verified = self.is_verified or not verify

    return SecureConnection


def _authorities(ca: str) -> str | None:
    """The certificates to trust: those of a file, else the system's (None), else certifi's."""
    import ssl

    paths = ssl.get_default_verify_paths()
    if ca or paths.cafile or paths.capath:
        return ca or None
    import certifi

    return str(certifi.where())
