"""How studies are shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kfnb.commands.display import Display
from kfnb.resources.runs.events import encode
from kfnb.resources.studies import model
from kfnb.resources.studies.costs import cost_data, cost_words
from kfnb.resources.studies.handle import Study
from kfnb.resources.studies.view.studies import draw_studies
from kfnb.resources.studies.view.study import draw_study, draw_study_plot


def as_json(study: model.StudySnapshot) -> dict[str, Any]:
    """A study as ``--json`` prints it."""
    best = study.best
    return {
        "name": study.name,
        "subject": study.subject,
        "backend": study.backend,
        "state": str(study.state),
        "objective": study.objective.metric,
        "maximize": study.objective.maximize,
        "best": None if best is None else _trial(best),
        "reason": study.reason,
        "cost": cost_data(study),
        "error": study.error,
        "trials": [_trial(trial) for trial in study.trials],
    }


def _trial(trial: model.Trial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": str(trial.state),
        "params": encode(trial.params),
        "value": trial.value,
        "metrics": encode(trial.metrics),
        "error": trial.error.message if trial.error else None,
        "seconds": trial.seconds,
        "run": trial.run or None,
    }


def _drawn(study: model.StudySnapshot) -> dict[str, str]:
    return draw_study(study, cost=cost_words(study))


DISPLAYS = {
    Study: Display(
        lambda study: _drawn(study.snapshot(importances=True)), lambda study: as_json(study.snapshot())
    ),
    model.StudyList: Display(draw_studies, lambda studies: [as_json(study) for study in studies]),
    model.StudyPlot: Display(draw_study_plot, asdict),
}
