"""The default search: Optuna's multivariate TPE, begun evenly, which learns of failures and tries no point twice.

What differs from Optuna's own defaults was chosen by measurement (``make bench``, and the table in docs/tuning.md):

- the first trials are points of a scrambled Sobol sequence, not random ones, and there are fewer of them;
- parameters that exist under a condition are modelled in groups;
- a failed trial counts among the worst (``Suggester.tell`` says so to Optuna);
- a point that was tried is drawn again, as far as there are others.

Optuna is imported with this module, so that only the process that searches imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, QMCSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from kfnb.model import Dimension

if TYPE_CHECKING:
    from optuna import Study

STARTS = 8
"""How many trials begin before the model is asked."""

_DRAWS = 5
"""How often a point that was tried before is drawn again, from the model and then from the sequence."""

_TRIED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
"""Not those that were killed: nothing is known of them."""

Space = dict[str, BaseDistribution]


class AutoSampler(BaseSampler):
    """The default search in ``space``; ``settings`` are those of Optuna's TPE that the user has set."""

    def __init__(
        self, space: Sequence[Dimension], *, grouped: bool, seed: int | None, settings: dict[str, Any]
    ) -> None:
        self._starts = settings.get("n_startup_trials", STARTS)
        self._space: Space = {one.name: _distribution(one) for one in space}
        self._even = QMCSampler(seed=seed, scramble=True, warn_asynchronous_seeding=False)
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
        """A point of the sequence at first, and then one of the model; one that was not tried before, if there is."""
        tried = [
            other.params
            for other in study.get_trials(deepcopy=False, states=_TRIED)
            if other.number != trial.number
        ]
        models = 0 if search_space is self._space else _DRAWS
        for number in range(models + _DRAWS):
            if number < models:
                point = self._model.sample_relative(study, trial, search_space)
            else:
                point = self._evenly(study, trial, search_space)
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

    def _evenly(self, study: Study, trial: FrozenTrial, search_space: Space) -> dict[str, Any]:
        """The next point of the sequence; a choice takes one coordinate, of which each has an equal part."""
        choices = {name: one for name, one in self._space.items() if isinstance(one, CategoricalDistribution)}
        parts = {name: FloatDistribution(0, len(one.choices)) for name, one in choices.items()}
        point = self._even.sample_relative(study, trial, {**self._space, **parts})
        chosen = {
            name: one.choices[min(int(point[name]), len(one.choices) - 1)] for name, one in choices.items()
        }
        return {name: chosen.get(name, point[name]) for name in search_space}


def _distribution(dimension: Dimension) -> BaseDistribution:
    """A dimension as Optuna has it."""
    if dimension.kind == "choice":
        return CategoricalDistribution(dimension.choices)
    if dimension.kind == "int":
        low, high, step = int(dimension.low), int(dimension.high), int(dimension.step or 1)
        return IntDistribution(low, high, log=dimension.log, step=step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step or None)
