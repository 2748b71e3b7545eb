"""How far searches stay from the best: the default one beside Optuna's default and Katib's, on known functions.

Regret is the true value of the trial that a study calls its best, less the least value there is. Trials take time and
end in another order than they began, two or eight at once; those that fail end early. Of Katib there are ``random``,
which its SDK takes by default, and ``tpe``, as Optuna has hyperopt's settings.
"""

from __future__ import annotations

import heapq
import math
import random
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.measure import Measured
from benchmarks.surfaces import SURFACES, Surface
from kfnb.resources.studies.conditional_space import SpaceTrial, dimensions_of, read_function
from kfnb.resources.studies.model import Objective
from kfnb.resources.studies.search import Search, TrialSubject
from kfnb.resources.studies.space import read_space

TRIALS, WORKERS, SEEDS = (20, 40, 100), (2, 8), 6
_LEVEL = 1e-3
_NOTHING = 1e3
"""The regret of a study in which every trial failed."""

OURS, OPTUNA, KATIB, CHANCE = "kfnb", "Optuna's default", "Katib's tpe", "random"


@dataclass
class Found:
    """What one study came to: its regret after so many trials, and the seconds that its search took for each."""

    regrets: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0


def regret(seeds: int = SEEDS) -> Iterator[Measured]:
    """Medians over studies with different seeds, half of them with 2 workers, half of them with 8."""
    warnings.simplefilter("ignore")  # Optuna's, of what is experimental or will go
    asked: dict[str, list[float]] = {name: [] for name in _SEARCHES}
    ratios: dict[tuple[str, int], list[float]] = {}
    for surface in SURFACES:
        found = {name: [_studied(name, surface, seed) for seed in range(seeds)] for name in _SEARCHES}
        for name, studies in found.items():
            asked[name] += [one.seconds for one in studies]
        for trials in TRIALS:
            medians = {
                name: statistics.median(one.regrets[trials] for one in studies)
                for name, studies in found.items()
            }
            for name in (OPTUNA, KATIB, CHANCE):
                ratios.setdefault((name, trials), []).append(_ratio(medians[OURS], medians[name]))
            yield _row(surface, trials, medians)
    for (name, trials), each in ratios.items():
        level = sum(ratio <= 1 for ratio in each)
        told = f"all, to {name} after {trials} trials: as good on {level} of {len(each)}"
        yield Measured(told, statistics.geometric_mean(each), "1", unit="")
    ours, theirs = (statistics.median(asked[name]) for name in (OURS, OPTUNA))
    yield Measured("what the search itself takes of a trial", ours, "", theirs, OPTUNA)


def _ratio(ours: float, theirs: float) -> float:
    """Some come to 0: then what differs by far less than a thousandth does not count."""
    return (ours + _LEVEL) / (theirs + _LEVEL)


def _row(surface: Surface, trials: int, medians: Mapping[str, float]) -> Measured:
    others = ", ".join(f"{name} {medians[name]:.3g}" for name in (KATIB, CHANCE))
    name = f"{surface.name}, {trials} trials"
    return Measured(name, medians[OURS], "1", medians[OPTUNA], f"{OPTUNA} ({others})", unit="")


# -- the searches ---------------------------------------------------------------------------------------------


def _ours(search: Search) -> Any:
    from kfnb.resources.studies.local.sampler import sampler

    return sampler(search)


def _optuna(search: Search) -> Any:
    from optuna.samplers import TPESampler

    return TPESampler(seed=search.seed)


def _katib(search: Search) -> Any:
    from optuna.samplers import TPESampler

    known = TPESampler.hyperopt_parameters()
    return TPESampler(seed=search.seed, multivariate=False, constant_liar=False, **known)


def _random(search: Search) -> Any:
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=search.seed)


_SEARCHES: Mapping[str, Callable[[Search], Any]] = {
    OURS: _ours,
    OPTUNA: _optuna,
    KATIB: _katib,
    CHANCE: _random,
}


def _searched(surface: Surface, workers: int, seed: int) -> Search:
    text = surface.space
    space = dimensions_of(text) if surface.conditional else read_space(text)
    conditions = text if surface.conditional else ""
    return Search(
        "s", TrialSubject("s", {}), Objective("loss"), space, conditions, parallel=workers, seed=seed
    )


# -- a study --------------------------------------------------------------------------------------------------


def _studied(name: str, surface: Surface, seed: int) -> Found:
    """A study whose trials take no time but on a clock of its own."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    search = _searched(surface, WORKERS[seed % len(WORKERS)], seed)
    study, failed = optuna.create_study(sampler=_SEARCHES[name](search)), _failed(name, search)
    chance, found = random.Random(seed), Found()  # noqa: S311 - made-up noise
    best, now, most = (math.inf, math.inf), 0.0, TRIALS[-1]
    running: list[tuple[float, int, Any, float | None]] = []
    for ended in range(1, most + 1):
        while len(running) < min(search.parallel, most + 1 - ended):
            start = time.process_time()
            trial, params = _begun(study, search)
            found.seconds += (time.process_time() - start) / most
            value = surface.value(params)
            lasts = chance.uniform(0.5, 1.5) * (0.3 if value is None else 1)
            heapq.heappush(running, (now + lasts, trial.number, trial, value))
        now, _, trial, value = heapq.heappop(running)
        if value is None:
            study.tell(trial, state=failed)
        else:
            seen = value + chance.gauss(0, surface.noise)
            study.tell(trial, seen)
            best = min(best, (seen, value - surface.least))
        if ended in TRIALS:
            found.regrets[ended] = min(best[1], _NOTHING)
    return found


def _begun(study: Any, search: Search) -> tuple[Any, Mapping[str, Any]]:
    """Another trial and its parameters."""
    from kfnb.resources.studies.local.suggester import suggested

    trial = study.ask()
    if not search.conditions:
        return trial, {one.name: suggested(trial, one) for one in search.space}
    asked_trial = SpaceTrial(partial(suggested, trial))
    read_function(search.conditions)(asked_trial)
    return trial, asked_trial.params


def _failed(name: str, search: Search) -> Any:
    """What Optuna is told of a trial that failed."""
    from optuna.trial import TrialState

    from kfnb.resources.studies.local.sampler import learns_of_failures

    return TrialState.PRUNED if name == OURS and learns_of_failures(search) else TrialState.FAIL
