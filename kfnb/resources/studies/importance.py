"""How much of the objective's variation each parameter explains: Optuna's PED-ANOVA, which needs nothing but numpy."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from kfnb.errors import MissingExtra
from kfnb.extras import require
from kfnb.resources.studies.distribution import distribution
from kfnb.resources.studies.model import Dimension, StudySnapshot, Trial, TrialState

_FEWEST = 4
"""Trials below which nothing is known."""


def with_importances(study: StudySnapshot) -> StudySnapshot:
    """The study with its importances, from 0 to 1, the largest first; none where they are not known yet.

    Where Optuna is missing, a note of the study says so.
    """
    try:
        return replace(study, importances=importances(study))
    except MissingExtra as missing:
        return replace(study, notes=(*study.notes, str(missing)))


def importances(study: StudySnapshot) -> Mapping[str, float]:
    """The importances of the parameters that all trials with a value have; they add up to 1.

    Raises ``MissingExtra`` without Optuna.
    """
    done = [t for t in study.trials if t.state is TrialState.SUCCEEDED and t.value is not None]
    dimensions = [one for one in study.space if all(one.name in trial.params for trial in done)]
    if len(done) < _FEWEST or not dimensions or len({trial.value for trial in done}) == 1:
        return {}
    require("optuna", "the importance of parameters")
    import optuna

    with warnings.catch_warnings(), _quiet(optuna.logging):
        warnings.simplefilter("ignore")
        made = optuna.create_study(direction="maximize" if study.objective.maximize else "minimize")
        try:
            made.add_trials([_frozen(optuna.trial.create_trial, trial, dimensions) for trial in done])
            found = optuna.importance.get_param_importances(
                made, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
            )
        except (ValueError, TypeError, RuntimeError):
            # of values that are none of the space's, or of which Optuna can tell nothing
            return {}
    return dict(found)


@contextmanager
def _quiet(logging: Any) -> Iterator[None]:
    """Let Optuna not say that a study was made."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _frozen(create: Callable[..., Any], trial: Trial, dimensions: list[Dimension]) -> Any:
    return create(
        params={one.name: trial.params[one.name] for one in dimensions},
        distributions={one.name: distribution(one) for one in dimensions},
        value=trial.value,
    )
