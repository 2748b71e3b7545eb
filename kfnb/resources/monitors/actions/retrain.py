"""``retrain:PIPELINE``: run a pipeline on the newest version of its data, and register what it saves as a candidate."""

from __future__ import annotations

from contextlib import suppress

from kfnb.entities import RunState
from kfnb.errors import NotFound, UsageError
from kfnb.pipeline.spec import read_spec
from kfnb.resources.datasets.api import with_newest_data
from kfnb.resources.models.api import model
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.monitors.actions.occasion import AlarmStep, Occasion, StepOutcome
from kfnb.resources.runs.api import run, submit

CANDIDATE = "candidate"
"""The alias of what a retraining has made."""
_LOOKED_AT = 20
"""Versions that may be the one of a run: others may have been registered since."""


def _take(occasion: Occasion) -> StepOutcome:
    begun = occasion.begun
    if begun is None or not begun.run:
        started = submit(
            with_newest_data(read_spec(occasion.pipelines(occasion.argument))),
            backend=occasion.spec.backend,
            name=f"{occasion.argument}-monitor-{occasion.spec.name}-{occasion.alarm.number}",
            cache=False,
            notify=lambda _text: None,
        )
        return StepOutcome("started", f"run {started.id} has started", run=started.id)
    now = run(begun.run)
    if not now.state.finished:
        return StepOutcome("started", f"run {now.id} is {str(now.state).lower()}", run=now.id)
    if now.state is not RunState.SUCCEEDED:
        return StepOutcome("failed", f"run {now.id} {str(now.state).lower()}: {_why(begun.run)}", run=now.id)
    made = _made_by(occasion, begun.run)
    if made is None:
        detail = (
            f"run {now.id} has registered no version of {_model(occasion)}: let a step kf.save(model, name)"
        )
        return StepOutcome("failed", detail, run=now.id)
    made.promote(CANDIDATE, occasion.because)
    return StepOutcome("done", f"{made.ref} is {made.name}@{CANDIDATE}", run=now.id, version=made.ref)


def _why(run_id: str) -> str:
    """Why a run has failed, in a sentence."""
    errors = [task.error.message for task in run(run_id).snapshot().tasks if task.error]
    return errors[0] if errors else "see its logs"


def _model(occasion: Occasion) -> str:
    return occasion.service().snapshot().desired.default.model


def _made_by(occasion: Occasion, run_id: str) -> ModelVersion | None:
    """The version of the served model that a run has registered: one of the newest."""
    newest = model(_model(occasion))
    for number in range(newest.version, max(0, newest.version - _LOOKED_AT), -1):
        with suppress(NotFound):
            version = model(f"{newest.backend}:{newest.name}@{number}")
            if version.run == run_id:
                return version
    return None


def _check(argument: str) -> None:
    if not argument:
        raise UsageError("--then retrain: the pipeline is missing", hint="write retrain:PIPELINE")


def _plan(occasion: Occasion) -> str:
    return f"run {occasion.argument} on the newest data, and register its model as {CANDIDATE}"


RETRAIN_STEP = AlarmStep(
    "retrain",
    "run retrain:PIPELINE on the newest data; its model becomes the candidate",
    _check,
    _plan,
    _take,
)
