"""Katib's algorithms as Optuna has them, and what Optuna does not have of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from itertools import product
from typing import TYPE_CHECKING, Any

from kfnb.extras import require
from kfnb.resources.studies.local.hyperband import Hyperband
from kfnb.resources.studies.model import Dimension, Value
from kfnb.resources.studies.search import Search
from kfnb.resources.studies.space import at_step

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

_LARGEST_GRID = 10**6

_SETTINGS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "n_startup_trials": ("n_startup_trials", int),
    "n_ei_candidates": ("n_ei_candidates", int),
    "prior_weight": ("prior_weight", float),
    "sigma": ("sigma0", float),
    "n_initial_points": ("n_startup_trials", int),
    "min_trials_required": ("n_startup_trials", int),
    "start_step": ("n_warmup_steps", int),
}
"""Katib's settings that Optuna has: what it calls them, and how their texts are read."""

_NEEDS = {"cmaes": "cmaes", "sobol": "scipy", "bayesianoptimization": "scipy"}
"""The modules that Optuna needs for an algorithm beside its own."""

_ABOVE_0 = ("n_ei_candidates", "prior_weight", "sigma")
"""Those that are more than 0; the others are 0 or more."""

_NOT_HERE = {
    "gamma": "Optuna's tpe has no such number",
    "restart_strategy": "Optuna's cmaes does not start again",
    "base_estimator": "it is always a Gaussian process here",
    "acq_func": "it is chosen by Optuna here",
    "acq_optimizer": "it is chosen by Optuna here",
}


def require_packages(algorithm: str) -> None:
    """Raise ``MissingExtra`` where Optuna, or what it needs for the algorithm, is not installed."""
    require("optuna", "kf_tune")
    if algorithm in _NEEDS:
        require(_NEEDS[algorithm], f"kf_tune --algorithm {algorithm}")


def refusals(search: Search) -> list[str]:
    """Why a search cannot be done here, and what could be done instead, a line each."""
    problems = [
        f"the setting {name} is not available on this machine: {_NOT_HERE[name]}"
        for name in search.settings
        if name in _NOT_HERE
    ]
    problems += _wrong_settings({**search.settings, **search.early_settings})
    numbers = [one for one in search.space if one.kind != "choice"]
    if search.algorithm == "bayesianoptimization" and find_spec("torch") is None:
        problems.append("bayesianoptimization requires torch: install it, or use tpe or cmaes")
    if search.algorithm == "cmaes" and len(numbers) < 2 and not search.conditions:  # noqa: PLR2004
        problems.append("cmaes needs two numbers or more in the space: use tpe or multivariate-tpe")
    if search.algorithm == "grid":
        problems += _no_grid(search)
    if search.algorithm == "hyperband":
        problems += _no_rungs(search)
    return problems


def _wrong_settings(settings: Mapping[str, str]) -> Iterator[str]:
    for name, text in settings.items():
        if name != "random_state" and name not in _SETTINGS:
            continue
        kind: Callable[[str], Any] = int if name == "random_state" else _SETTINGS[name][1]
        try:
            number = kind(text)
        except ValueError:
            yield f"the setting {name} is {kind.__name__}, not {text}"
            continue
        if not (0 < number < math.inf if name in _ABOVE_0 else 0 <= number < 2**32):
            yield f"the setting {name} is {'above 0' if name in _ABOVE_0 else '0 or more'}, not {text}"


def _no_grid(search: Search) -> Iterator[str]:
    if search.conditions:
        yield "grid needs a space without conditions: use random or tpe"
        return
    endless = [one.name for one in search.space if one.kind == "float" and not one.step]
    if endless:
        yield f"grid needs steps: give {', '.join(endless)} a step (float(0,1,step=0.1)) or choices, or use random"
    elif math.prod(map(_size, search.space)) > _LARGEST_GRID:
        yield f"the grid has {math.prod(map(_size, search.space)):,} points: use larger steps, or sobol"


def _no_rungs(search: Search) -> Iterator[str]:
    resource = search.settings.get("resource_name", "")
    known = {one.name: one for one in search.space}
    if resource not in known:
        yield (
            "hyperband requires the parameter that sets how long a trial runs: --setting resource_name=NAME"
            f" (one of {', '.join(known)})"
        )
    elif known[resource].kind != "int":
        yield f"hyperband's resource {resource} is an int of the space: {resource}=int(1,81)"
    if search.conditions:
        yield "hyperband needs a space without conditions: use tpe with --early-stopping median"
    with_numbers = (("eta", 1.0), ("r_l", 0.0))
    for name, above in with_numbers:
        try:
            if float(search.settings.get(name, above + 1)) <= above:
                yield f"the setting {name} must be above {above:g}, not {search.settings[name]}"
        except ValueError:
            yield f"the setting {name} must be a number, not {search.settings[name]}"


def notes(search: Search) -> list[str]:
    """What the user should know of how the search goes, a line each."""
    chosen = [one.name for one in search.space if one.kind == "choice"]
    found = []
    if search.algorithm in ("cmaes", "sobol") and chosen:
        found.append(f"{search.algorithm} searches numbers: {', '.join(chosen)} is drawn at random")
    if search.algorithm in ("cmaes", "sobol") and search.conditions:
        found.append(f"{search.algorithm} draws parameters under a condition at random")
    if search.algorithm == "grid":
        size = math.prod(map(_size, search.space))
        if search.max_trials is not None and search.max_trials < size:
            found.append(f"the grid has {size} points, of which {search.max_trials} are tried")
    if search.algorithm == "hyperband" and search.max_trials is not None:
        widest = Hyperband.of(search, []).widest
        if search.max_trials <= widest:
            found.append(
                f"all of the {search.max_trials} trials are as short as can be: hyperband begins with {widest} of those"
            )
    return found


def sampler(search: Search) -> BaseSampler:
    """Optuna's sampler of the search's algorithm."""
    from optuna import samplers

    seed = _seed(search)
    more = {
        _SETTINGS[name][0]: _SETTINGS[name][1](text)
        for name, text in search.settings.items()
        if name in _SETTINGS
    }
    if search.algorithm == "auto":
        from kfnb.resources.studies.local.auto_sampler import AutoSampler

        return AutoSampler(search.space, grouped=bool(search.conditions), seed=seed, settings=more)
    if search.algorithm in ("tpe", "multivariate-tpe"):
        multivariate = search.algorithm == "multivariate-tpe"
        return samplers.TPESampler(
            seed=seed,
            multivariate=multivariate,
            group=multivariate and bool(search.conditions),
            constant_liar=search.parallel > 1,
            **more,
        )
    if search.algorithm == "cmaes":
        return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False, **more)
    if search.algorithm == "sobol":
        return samplers.QMCSampler(
            qmc_type="sobol",
            seed=seed,
            scramble=True,
            warn_independent_sampling=False,
            warn_asynchronous_seeding=False,
        )
    if search.algorithm == "bayesianoptimization":
        return samplers.GPSampler(seed=seed, **more)
    return samplers.RandomSampler(seed=seed)


def learns_of_failures(search: Search) -> bool:
    """Whether a failed trial says something about its parameters; Katib's algorithms leave such trials out."""
    return search.algorithm == "auto"


def pruner(search: Search) -> BasePruner:
    """Optuna's pruner for the search's early stopping."""
    from optuna import pruners

    if not search.early_stopping:
        return pruners.NopPruner()
    given = {"min_trials_required": "3", "start_step": "4", **search.early_settings}
    return pruners.MedianPruner(
        n_startup_trials=int(given["min_trials_required"]), n_warmup_steps=int(given["start_step"])
    )


def _seed(search: Search) -> int | None:
    text = search.settings.get("random_state")
    return search.seed if text is None else int(text)


# -- grids ----------------------------------------------------------------------------------------------------


def grid(space: tuple[Dimension, ...]) -> Iterator[dict[str, Value]]:
    """All points of a space, the last dimension changing first."""
    names = [dimension.name for dimension in space]
    for point in product(*map(values, space)):
        yield dict(zip(names, point, strict=True))


def values(dimension: Dimension) -> list[Value]:
    """The values of a dimension that has steps."""
    if dimension.kind == "choice":
        return list(dimension.choices)
    steps = range(_size(dimension))
    if dimension.kind == "int":
        return [int(dimension.low) + index * int(dimension.step or 1) for index in steps]
    return [at_step(dimension, index) for index in steps]


def _size(dimension: Dimension) -> int:
    if dimension.kind == "choice":
        return len(dimension.choices)
    return math.floor((dimension.high - dimension.low) / (dimension.step or 1) + 1e-9) + 1
