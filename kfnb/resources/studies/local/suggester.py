"""What is tried next: Optuna suggests parameters and gets their results. Its journal is a file of the study."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kfnb import compat
from kfnb.diagnostics import logger
from kfnb.errors import BackendError
from kfnb.resources.studies.conditional_space import SpaceTrial, read_function
from kfnb.resources.studies.local.folder import StudyFolder
from kfnb.resources.studies.local.hyperband import Hyperband
from kfnb.resources.studies.local.outcome import KILLED, Outcome
from kfnb.resources.studies.local.sampler import grid, learns_of_failures, pruner, sampler
from kfnb.resources.studies.model import Dimension, Trial, TrialState, Value
from kfnb.resources.studies.search import Search

if TYPE_CHECKING:
    import optuna

_logger = logger(__package__)


@dataclass(frozen=True)
class Suggestion:
    """The parameters of a trial; ``number`` is Optuna's, and the trial's."""

    number: int
    params: Mapping[str, Value]


@dataclass
class Suggester:
    """The search as Optuna sees it. ``past`` are the trials that there were before, by number."""

    search: Search
    folder: StudyFolder
    past: Mapping[int, Trial]
    _study: optuna.Study = field(init=False)
    _running: dict[int, optuna.Trial] = field(default_factory=dict)

    def __post_init__(self) -> None:
        import optuna
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        self.folder.optuna.touch(mode=0o600)
        self._study = optuna.create_study(
            study_name=self.search.name,  # its folder is called otherwise once a new study took the name
            storage=optuna.storages.JournalStorage(JournalFileBackend(str(self.folder.optuna))),
            direction="maximize" if self.search.objective.maximize else "minimize",
            sampler=sampler(self.search),
            pruner=pruner(self.search),
            load_if_exists=True,
        )
        past = [trial for trial in self.past.values() if trial.state is not TrialState.KILLED]
        self._points = self._left(past)
        self._space = read_function(self.search.conditions) if self.search.conditions else None
        self._hyperband = Hyperband.of(self.search, past) if self.search.algorithm == "hyperband" else None

    def _left(self, past: list[Trial]) -> Iterator[dict[str, Value]] | None:
        """The points of a grid that were not tried yet; None where the search is none."""
        if self.search.algorithm != "grid":
            return None
        done = [dict(trial.params) for trial in past]
        return (point for point in grid(self.search.space) if point not in done)

    def settle(self) -> Iterator[Suggestion]:
        """Bring Optuna's journal and what is known of earlier trials together; those of which only Optuna knew.

        A trial that ran when its driver died is one that was killed.
        """
        while any(frozen.state.name == "WAITING" for frozen in self._study.get_trials(deepcopy=False)):
            self._study.ask()  # its driver died before it began, and the next trial would be this one
        for frozen in self._study.get_trials(deepcopy=False):
            if frozen.state.name != "RUNNING":
                continue
            known = self.past.get(frozen.number)
            outcome = KILLED
            if known is not None and known.state.finished:
                outcome = Outcome(known.state, known.value)
            self.tell(frozen.number, outcome)
            if known is None:
                yield Suggestion(frozen.number, compat.parameters_of(frozen))

    def next(self) -> Suggestion | None:
        """What to try next; None where there is nothing, for the moment or for good."""
        point = self._fixed()
        if point is None and (self._points is not None or self._hyperband is not None):
            return None
        if point is not None:
            self._study.enqueue_trial(point)
        trial = self._study.ask()
        self._running[trial.number] = trial
        if self._hyperband is not None and point is not None:
            self._hyperband.began(trial.number, point)
        if self._space is None:
            return Suggestion(trial.number, {one.name: suggested(trial, one) for one in self.search.space})
        return Suggestion(trial.number, self._conditional(self._space, trial))

    def _conditional(self, space: Callable[[SpaceTrial], Any], trial: optuna.Trial) -> dict[str, Value]:
        """The parameters that the space's function asks for. Raises ``BackendError`` where it fails."""
        known = {one.name for one in self.search.space}

        def suggest(dimension: Dimension) -> Any:
            if dimension.name not in known:
                raise BackendError(
                    f"the space's function asks for {dimension.name}, which it did not in any trial that was made up"
                    " before the study began: ask for it under a condition that holds more often"
                )
            return suggested(trial, dimension)

        space_trial = SpaceTrial(suggest)
        try:
            space(space_trial)
        except BackendError:
            raise
        except Exception as error:
            _logger.debug("The function of a space failed.", exc_info=True)
            raise BackendError(f"the space's function fails: {type(error).__name__}: {error}") from error
        return space_trial.params

    def _fixed(self) -> dict[str, Value] | None:
        if self._hyperband is not None:
            return self._hyperband.next()
        return None if self._points is None else next(self._points, None)

    def report(self, number: int, step: float, value: float) -> bool:
        """Report an intermediate value of the objective; return whether to stop the trial."""
        if not self.search.early_stopping or step < 0:  # Optuna knows no such step, and no trial ends there
            return False
        trial = self._running[number]
        trial.report(value, int(step))
        return bool(trial.should_prune())

    def tell(self, number: int, outcome: Outcome) -> None:
        """Report the outcome of a trial."""
        from optuna.trial import TrialState as Optuna

        trial = self._running.pop(number, number)
        if outcome.state is TrialState.SUCCEEDED:
            self._study.tell(trial, outcome.value)
        else:
            self._study.tell(trial, state=Optuna.PRUNED if self._teaches(outcome) else Optuna.FAIL)
        if self._hyperband is not None:
            self._hyperband.ended(number, outcome.value)

    def _teaches(self, outcome: Outcome) -> bool:
        """Whether the search learns of a trial without a value: Optuna counts pruned ones after all others, and
        leaves failed ones out.
        """
        failed = outcome.state in (TrialState.FAILED, TrialState.METRICS_UNAVAILABLE)
        return outcome.state is TrialState.EARLY_STOPPED or (failed and learns_of_failures(self.search))


def suggested(trial: optuna.Trial, dimension: Dimension) -> Any:
    """The value of a dimension in a trial of Optuna's."""
    if dimension.kind == "choice":
        return trial.suggest_categorical(dimension.name, dimension.choices)
    if dimension.kind == "int":
        low, high, step = int(dimension.low), int(dimension.high), int(dimension.step or 1)
        return trial.suggest_int(dimension.name, low, high, step=step, log=dimension.log)
    step_or_none = dimension.step or None
    return trial.suggest_float(
        dimension.name, dimension.low, dimension.high, step=step_or_none, log=dimension.log
    )
