"""How services are shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kfnb.commands.display import Display
from kfnb.resources.services.answers import Explanations, ServedPredictions
from kfnb.resources.services.comparison import comparison_of
from kfnb.resources.services.handle import Service
from kfnb.resources.services.latency import percentile
from kfnb.resources.services.model import Revision, ServiceList, ServiceSnapshot
from kfnb.resources.services.receipt import FeedbackReceipt
from kfnb.resources.services.view.answers import draw_explanations, draw_predictions
from kfnb.resources.services.view.feedback import draw_feedback
from kfnb.resources.services.view.service import draw_service
from kfnb.resources.services.view.services import draw_services
from kfnb.resources.services.watched import all_watched, watched


def as_json(now: ServiceSnapshot) -> dict[str, Any]:
    """A service as ``--json`` prints it."""
    return {
        "name": now.name,
        "backend": now.backend,
        "state": str(now.state),
        "url": now.url,
        "generation": now.desired.generation,
        "observed": now.observed,
        "sticky": now.desired.sticky,
        "owner": now.owner,
        "error": now.error,
        "notes": list(now.notes),
        "versions": [_revision(one) for one in now.revisions],
        "monitors": [asdict(one) for one in now.monitors],
        "comparison": _comparison(now),
        "history": [asdict(one) for one in now.history],
    }


def _comparison(now: ServiceSnapshot) -> dict[str, Any] | None:
    """Canary and default compared; None where they cannot be."""
    found = comparison_of(now)
    return None if found is None else {**asdict(found), "verdict": found.verdict}


def _revision(one: Revision) -> dict[str, Any]:
    counters = one.counters
    return {
        "version": one.ref,
        "role": one.role,
        "state": str(one.state),
        "percent": one.percent,
        "share": one.share,
        "error": one.error,
        "restarts": one.restarts,
        "digest": one.target.digest,
        "checked": one.parity.passed,
        "check": dict(one.parity.report),
        "requests": counters.requests,
        "errors": dict(counters.errors),
        "p50_ms": percentile(counters.latency, 50),
        "p95_ms": percentile(counters.latency, 95),
        "p99_ms": percentile(counters.latency, 99),
        "per_second": counters.per_second,
        "bad_inputs": {kind: dict(columns) for kind, columns in counters.bad_inputs.items()},
        "compared": counters.compared,
        "differing": counters.differing,
        "skipped": counters.skipped,
        "recent": [asdict(one) for one in counters.recent],
        "failures": [asdict(failure) for failure in counters.failures],
        "labels": one.labels.rows,
        "accuracy": one.labels.accuracy,
        "mean_error": one.labels.mean_error,
    }


DISPLAYS = {
    Service: Display(lambda one: draw_service(watched(one)), lambda one: as_json(watched(one))),
    ServiceList: Display(
        lambda some: draw_services(all_watched(some)),
        lambda some: [as_json(one) for one in all_watched(some)],
    ),
    Explanations: Display(draw_explanations, lambda some: [asdict(one) for one in some]),
    FeedbackReceipt: Display(draw_feedback, asdict),
    ServedPredictions: Display(
        lambda one: draw_predictions(one.values, one.versions), lambda one: list(one.values)
    ),
}
