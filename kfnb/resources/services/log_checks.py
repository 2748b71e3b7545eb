"""What users say that is to be kept of requests."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from kfnb.entities.log_policy import BYTES, LogPolicy
from kfnb.errors import UsageError, did_you_mean
from kfnb.resources.models.model import VersionSnapshot
from kfnb.text.quantity import amount

NOT_ON_CLUSTERS = "no requests are kept on a cluster (log, --log, --log-drop and so on)"

_SIZE = re.compile(r"\d+(\.\d+)?[kMGT]i?")
_LEAST = 10_000_000
"""Bytes that a log has at least: a single file of it may be as large."""


def size_of(text: str) -> int:
    """``500M`` in bytes; the usual size for nothing. Raises ``UsageError``."""
    if text and not _SIZE.fullmatch(text):
        raise UsageError(f"--log-size {text}: write 500M or 2G")
    return int(amount(text)) if text else BYTES


def log_policy(log: LogPolicy | bool | None, backend: str) -> LogPolicy | None:
    """The policy that users name: one, or whether requests are kept. Raises ``UsageError`` if it makes no sense there.

    ``backend`` is where the service is.
    """
    if log is None:
        return None
    if not isinstance(log, LogPolicy):
        log = LogPolicy(keep=log)
    if log.keep and backend != "local":
        hint = "leave that out, or serve here: --backend local"
        raise UsageError(f"{NOT_ON_CLUSTERS}:", code="invalid-argument", hint=hint)
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


def check_columns(log: LogPolicy, versions: Iterable[VersionSnapshot]) -> None:
    """Raise ``UsageError`` for a column of the policy that a version does not have, as far as its columns are known.

    Those that a transform makes are not: a name that is like none of the inputs may be one of theirs.
    """
    for version in versions:
        known = [one.name for one in version.signature.inputs if one.name]
        for option, columns in (("--log-drop", log.drop), ("--log-hash", log.hash)):
            for column in columns:
                close = did_you_mean(column, known)
                if known and column not in known and (close or not version.transform):
                    hint = close or f"it takes {', '.join(known)}"
                    raise UsageError(
                        f"{option} {column}: {version.ref} has no such column:", hint=hint, ref=column
                    )
