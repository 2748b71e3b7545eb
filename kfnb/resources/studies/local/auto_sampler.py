"""The default search: Optuna's multivariate TPE, begun evenly, which learns of failures and tries no point twice.

What differs from Optuna's own defaults was chosen by measurement (``make bench``, and the table in docs/tuning.md):

- the first trials are spread evenly, not random, and there are fewer of them;
- parameters that exist under a condition are modelled in groups;
- a failed trial counts among the worst (``Suggester.tell`` says so to Optuna);
- a point that was tried is drawn again, as far as there are others.

Optuna is imported with this module, so that only the process that searches imports it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from kfnb.resources.studies.distribution import distribution
from kfnb.resources.studies.model import Dimension, Value
from kfnb.resources.studies.space import placed

if TYPE_CHECKING:
    from optuna import Study

STARTS = 8
"""How many trials begin before the model is asked."""

_DRAWS, _SPREAD = 5, 20
"""How many points are drawn from the model, and then of those that are spread, until one was not tried before."""

_TRIED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
"""Not those that were killed: nothing is known of them."""

Space = dict[str, BaseDistribution]


class AutoSampler(BaseSampler):
    """The default search in ``space``; ``settings`` are those of Optuna's TPE that the user has set."""

    def __init__(
        self, space: Sequence[Dimension], *, grouped: bool, seed: int | None, settings: dict[str, Any]
    ) -> None:
        self._starts = settings.get("n_startup_trials", STARTS)
        self._space: Space = {one.name: distribution(one) for one in space}
        self._dimensions, self._seed = tuple(space), seed
        self._points: Iterator[dict[str, Value]] | None = None
        self._model = TPESampler(
            seed=seed,
            multivariate=True,
            group=grouped,
            constant_liar=True,
            **{**settings, "n_startup_trials": 1},
        )

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> Space:
        """The parameters that are drawn together: at first all, and then those that the model knows."""
        if self._begins(study, trial):
            return self._space
        return self._model.infer_relative_search_space(study, trial)

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: Space) -> dict[str, Any]:
        """One of the points that are spread at first, then one of the model; if there is, one that was not tried."""
        tried = [
            other.params
            for other in study.get_trials(deepcopy=False, states=_TRIED)
            if other.number != trial.number
        ]
        models = 0 if search_space is self._space else _DRAWS
        for number in range(models + _SPREAD):
            if number < models:
                point = self._model.sample_relative(study, trial, search_space)
            else:
                point = self._evenly(trial, search_space)
            if not any(other.items() <= point.items() for other in tried):
                break
        return point

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A parameter that was not drawn with the others."""
        return self._model.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Optuna's own call before each trial."""
        self._model.before_trial(study, trial)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Optuna's own call after each trial."""
        self._model.after_trial(study, trial, state, values)

    def _begins(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether there is nothing yet from which a model could learn."""
        if trial.number < self._starts:
            return True
        return not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))

    def _evenly(self, trial: FrozenTrial, search_space: Space) -> dict[str, Any]:
        """The next of the points that are spread over the space; a resumed study leaves out those it has had."""
        if self._points is None:
            self._points = islice(
                _spread(self._dimensions, max(1, self._starts), self._seed), trial.number, None
            )
        point = next(self._points)
        return {name: point[name] for name in search_space}


def _spread(space: Sequence[Dimension], size: int, seed: int | None) -> Iterator[dict[str, Value]]:
    """Points without end. Of each ``size`` of them, one is in each part of a dimension (a Latin hypercube).

    A Sobol sequence would do as well or better, but SciPy's takes longer to import than Optuna.
    """
    chance = random.Random(seed)  # noqa: S311 - not about secrets
    while True:
        parts = [chance.sample(range(size), size) for _ in space]
        for places in zip(*parts, strict=True):
            yield {
                one.name: placed(one, (place + chance.random()) / size)
                for one, place in zip(space, places, strict=True)
            }
