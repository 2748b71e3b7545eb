"""``compare``: the candidate against the version that is served, on the newest rows whose labels have come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.models.api import model
from kfnb.resources.monitors.actions.occasion import AlarmStep, Occasion, StepOutcome, no_argument
from kfnb.resources.monitors.performance import AMOUNTS, LEAST, Labelled, measured
from kfnb.resources.services.model import Target
from kfnb.ui.words import digits


def _take(occasion: Occasion) -> StepOutcome:
    candidate, target = occasion.candidate, occasion.service().snapshot().desired.default
    rows, labels = occasion.labelled()
    if len(labels) < LEAST:
        return StepOutcome("waiting", f"{len(labels):,} rows with labels of {LEAST}", version=candidate)
    served = _metric(f"{target.registry}:{target.ref}", target, rows, labels)
    new = _metric(f"{target.registry}:{candidate}", target, rows, labels)
    if new[0] != served[0]:
        detail = f"{candidate} has {new[0]} on these labels, {target.ref} has {served[0]}: not comparable"
        return StepOutcome("failed", detail, version=candidate)
    better = new[1] < served[1] if new[0] == AMOUNTS else new[1] > served[1]
    words = f"{new[0]} {digits(new[1], 3)} of {candidate}, {digits(served[1], 3)} of {target.ref}"
    detail = f"{words}, on the newest {len(labels):,} labels"
    return StepOutcome(
        "done" if better else "failed", detail if better else f"not better: {detail}", version=candidate
    )


def _metric(ref: str, target: Target, rows: Any, labels: Sequence[Any]) -> tuple[str, float]:
    """The first metric of a version on labelled rows. Raises ``UsageError`` where it cannot predict them."""
    from kfnb.server.folder import read_folder
    from kfnb.server.predictor import ModelFailed, NotServable, listed, predictor_of

    try:
        predictor = predictor_of(read_folder(model(ref).path(), pickle=target.pickle, trust=target.trust))
        predicted = listed(predictor.predict(rows))
    except (TypeError, ValueError, OSError, ImportError, NotServable, ModelFailed) as error:
        raise UsageError(f"{ref} cannot predict the newest labelled rows here: {error}", ref=ref) from None
    (first, *_) = measured([Labelled(one, other) for one, other in zip(predicted, labels, strict=True)])
    return first.name, first.value


def _plan(occasion: Occasion) -> str:
    del occasion
    return "compare the candidate with the version that is served, on the newest labelled rows"


COMPARE_STEP = AlarmStep(
    "compare",
    "continue only if the candidate is better on the newest labelled rows",
    no_argument,
    _plan,
    _take,
)
