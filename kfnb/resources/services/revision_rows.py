"""Revisions as rows of a table."""

from __future__ import annotations

from typing import Any

from kfnb.resources.services.latency import percentile
from kfnb.resources.services.model import Revision


def row_of(one: Revision) -> dict[str, Any]:
    """What a table has of a revision, by column. ``percent`` is the true share, else the desired one."""
    return {
        "version": one.ref,
        "role": one.role,
        "state": str(one.state),
        "percent": one.percent if one.share is None else one.share,
        "requests": one.counters.requests,
        "errors": one.counters.failed,
        "p50_ms": percentile(one.counters.latency, 50),
        "p99_ms": percentile(one.counters.latency, 99),
        "bad_inputs": sum(sum(some.values()) for some in one.counters.bad_inputs.values()),
        "labels": one.labels.rows,
        "accuracy": one.labels.accuracy,
        "mean_error": one.labels.mean_error,
    }
