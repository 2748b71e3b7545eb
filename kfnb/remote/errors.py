"""What can go wrong on the way to a server. What the server itself says is read by who knows its API."""

from __future__ import annotations

from kfnb.errors import BackendError, BackendUnavailable


class NoAnswer(BackendUnavailable):
    """No answer came, for a ``reason``. ``sent``: the server may have got the request all the same."""

    def __init__(self, where: str, reason: str, *, sent: bool) -> None:
        super().__init__(f"{where} does not answer: {reason}")
        self.reason, self.sent = reason, sent


class Untrusted(BackendError):
    """The server cannot prove who it is, for a ``reason``; ``plain``: it speaks HTTP without TLS."""

    def __init__(self, where: str, reason: str, *, plain: bool = False) -> None:
        super().__init__(f"{where} cannot be trusted: {reason}")
        self.reason, self.plain = reason, plain


class BadAddress(BackendError):
    """What was given as an address is not one."""


class TooLarge(BackendError):
    """An answer is larger than any that is expected."""
