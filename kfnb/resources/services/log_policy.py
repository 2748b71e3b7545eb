"""What users say that is to be kept of requests."""

from __future__ import annotations

import math
import re

from kfnb.errors import UsageError
from kfnb.server.log_policy import BYTES, LogPolicy
from kfnb.text.quantity import amount

_SIZE = re.compile(r"\d+(\.\d+)?[kMGT]i?")
_LEAST = 10_000_000
"""Bytes that a log has at least: a single file of it may be as large."""


def size_of(text: str) -> int:
    """``500M`` in bytes; the usual size for nothing. Raises ``UsageError``."""
    if text and not _SIZE.fullmatch(text):
        raise UsageError(f"--log-size {text}: write 500M or 2G")
    return int(amount(text)) if text else BYTES


def log_policy(log: LogPolicy | bool | None) -> LogPolicy | None:
    """The policy that users name: one, or whether requests are kept. Raises ``UsageError`` if it makes no sense."""
    if not isinstance(log, LogPolicy):
        return None if log is None else LogPolicy(keep=log)
    for column in log.drop:
        if column in log.hash:
            raise UsageError(f"column {column} is to be dropped and hashed: choose one", ref=column)
    if not (math.isfinite(log.rate) and log.rate >= 0):
        raise UsageError(f"--log-rate {log.rate:g}: give requests a second, from 0 on")
    if not (math.isfinite(log.days) and log.days > 0):
        raise UsageError(f"--log-days {log.days:g}: give a number of days above 0")
    if log.size < _LEAST:
        raise UsageError(f"--log-size {log.size}: give at least 10M")
    return log
