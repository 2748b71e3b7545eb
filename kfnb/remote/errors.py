"""Errors of the connection to a server. The caller, who knows the server's API, reads the server's own errors."""

from __future__ import annotations

from kfnb.errors import BackendError, BackendUnavailable


class NoAnswer(BackendUnavailable):
    """The server did not answer, for a ``reason``. ``sent``: the server may have received the request."""

    def __init__(self, where: str, reason: str, *, sent: bool) -> None:
        super().__init__(f"{where} does not answer: {reason}")
        self.reason, self.sent = reason, sent


class Untrusted(BackendError):
    """The server's identity cannot be verified, for a ``reason``; ``plain``: it answers HTTP without TLS."""

    def __init__(self, where: str, reason: str, *, plain: bool = False) -> None:
        super().__init__(f"{where} cannot be trusted: {reason}")
        self.reason, self.plain = reason, plain


class BadAddress(BackendError):
    """The given address is invalid."""


class TooLarge(BackendError):
    """An answer is larger than the limit."""
