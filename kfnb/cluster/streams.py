"""Answers that are read as they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kfnb.diagnostics import logger
from kfnb.errors import BackendUnavailable

_logger = logger(__package__)

_CHUNK = 1 << 16


def lines(answer: Any, what: str) -> Iterator[str]:
    """The lines of ``urllib3``'s answer, as they come. Raises ``BackendUnavailable`` where ``what`` breaks off."""
    rest = b""
    try:
        for chunk in answer.stream(amt=_CHUNK):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
    except Exception as error:  # a connection that breaks: urllib3 has a dozen ways to say so
        _logger.debug("%s broke off.", what, exc_info=True)
        raise BackendUnavailable(f"{what} broke off: {type(error).__name__}") from None
    if rest:
        yield rest.decode("utf-8", "replace")
