"""Katib's algorithms: what each takes, and in which spaces it searches as it says.

As Katib's suggestion services have it, in the images that a default installation maps the names to: hyperopt (random,
tpe), Optuna (multivariate-tpe, grid), goptuna (cmaes, sobol), skopt (bayesianoptimization) and hyperband's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kfnb.resources.studies.model import Dimension
from kfnb.resources.studies.search import Search

Rule = Callable[[str], bool]
"""Whether a setting's text is a right one."""


@dataclass(frozen=True)
class Setting:
    """What a setting must be, in words, and whether a text is that."""

    words: str
    fits: Rule


@dataclass(frozen=True)
class Algorithm:
    """An algorithm by its settings, and what it cannot do with a dimension: words for people, empty where it can.

    ``spelled`` are the settings that this algorithm's service spells otherwise than all others.
    """

    settings: Mapping[str, Setting]
    lacks: Callable[[Dimension], str] = lambda _: ""
    required: tuple[str, ...] = ()
    spelled: Mapping[str, str] = field(default_factory=dict)


def _whole(low: int) -> Setting:
    def fits(text: str) -> bool:
        return text.isdecimal() and int(text) >= low

    return Setting(f"a whole number from {low}", fits)


def _number(words: str, right: Callable[[float], bool]) -> Setting:
    def fits(text: str) -> bool:
        try:
            return right(float(text))
        except ValueError:
            return False

    return Setting(words, fits)


def _one_of(*words: str) -> Setting:
    return Setting(f"one of {', '.join(words)}", lambda text: text in words)


def _linear(dimension: Dimension) -> str:
    return "has no logarithmic scale" if dimension.log else ""


def _from_zero(dimension: Dimension) -> str:
    """The service behind random and tpe rounds to multiples of the step."""
    if dimension.kind == "choice" or dimension.step <= (1 if dimension.kind == "int" else 0):
        return ""
    steps = dimension.low / dimension.step
    return "" if math.isclose(steps, round(steps), abs_tol=1e-9) else "takes multiples of a step only"


def _on_a_grid(dimension: Dimension) -> str:
    if dimension.kind == "float" and not dimension.step:
        return f"needs a step: {dimension.name}=float({dimension.low:g},{dimension.high:g},step=...)"
    return _linear(dimension)


def _bayesian(dimension: Dimension) -> str:
    """The service takes every float on a logarithmic scale and every int on a linear one, without steps."""
    if dimension.kind == "float" and not dimension.log:
        return "takes floats on a logarithmic scale alone"
    return _without_steps(dimension) or (_linear(dimension) if dimension.kind == "int" else "")


def _without_steps(dimension: Dimension) -> str:
    return "has no steps" if dimension.step > (1 if dimension.kind == "int" else 0) else ""


def _hyperband(dimension: Dimension) -> str:
    if any(type(value) is float for value in dimension.choices):
        return "takes whole numbers and texts as choices"
    return _linear(dimension) or _without_steps(dimension)


_SEED = {"random_state": _whole(0)}
_POSITIVE = _number("a number above 0", lambda number: number > 0)
_MULTIVARIATE = {"n_startup_trials": _whole(0), "n_ei_candidates": _whole(0), **_SEED}
_TPE = {
    "gamma": _number("a number between 0 and 1", lambda number: 0 < number < 1),
    "prior_weight": _POSITIVE,
    "n_ei_candidates": _whole(1),
    **_SEED,
}
_CMAES = {
    "sigma": _number("a number from 0", lambda number: number >= 0),
    "restart_strategy": _one_of("ipop", "bipop", "none"),
    **_SEED,
}
_BAYESIAN = {
    "base_estimator": _one_of("GP", "RF", "ET", "GBRT"),
    "n_initial_points": _whole(0),
    "acq_func": _one_of("gp_hedge", "LCB", "EI", "PI", "EIps", "PIps"),
    "acq_optimizer": _one_of("auto", "sampling", "lbfgs"),
    **_SEED,
}
_HYPERBAND = {
    "r_l": _number("a number above 1", lambda number: number > 1),
    "eta": _whole(2),
    "resource_name": Setting("the name of a parameter", bool),
}

ALGORITHMS: Mapping[str, Algorithm] = {
    "auto": Algorithm(_MULTIVARIATE),
    "random": Algorithm(_SEED, _from_zero),
    "tpe": Algorithm(_TPE, _from_zero, spelled={"n_ei_candidates": "n_EI_candidates"}),
    "multivariate-tpe": Algorithm(_MULTIVARIATE),
    "grid": Algorithm(_SEED, _on_a_grid),
    "cmaes": Algorithm(_CMAES, _linear),
    "sobol": Algorithm({}, _linear),
    "bayesianoptimization": Algorithm(_BAYESIAN, _bayesian),
    "hyperband": Algorithm(_HYPERBAND, _hyperband, required=("r_l", "resource_name")),
}
"""By Katib's names, and the default, which is our own.

Katib's enas, darts and pbt search for networks and populations, which are not spaces of parameters.
"""

EARLY_STOPPING: Mapping[str, Mapping[str, Setting]] = {
    "median": {"min_trials_required": _whole(1), "start_step": _whole(1)},
}

_EARLY_NAMES = {"median": "medianstop"}
_CALLED = {"auto": "multivariate-tpe"}
"""What Katib searches with where it has no such algorithm."""

INSTEAD = "Katib has no auto: it searches with multivariate-tpe, which learns nothing from failed trials"
"""What is to be known of a study that leaves the algorithm to us."""


def written(search: Search) -> dict[str, Any]:
    """The algorithm of a search, as an Experiment names it."""
    spelled = ALGORITHMS[search.algorithm].spelled
    name = _CALLED.get(search.algorithm, search.algorithm)
    return _named(name, {spelled.get(name, name): value for name, value in _settings(search).items()})


def early_written(search: Search) -> dict[str, Any]:
    """The early stopping of a search, as an Experiment names it."""
    return _named(_EARLY_NAMES[search.early_stopping], search.early_settings)


def early_read(name: str) -> str:
    """An Experiment's early stopping by our name for it."""
    return next((ours for ours, theirs in _EARLY_NAMES.items() if theirs == name), name)


def faults(search: Search) -> Iterator[str]:
    """What Katib would refuse of the algorithm and of early stopping, or do differently."""
    name = search.algorithm
    if name not in ALGORITHMS:
        yield f"algorithm {name}: there is {', '.join(ALGORITHMS)}"
    else:
        yield from _of_algorithm(ALGORITHMS[name], search)
    if search.early_stopping and search.early_stopping not in _EARLY_NAMES:
        yield f"early stopping {search.early_stopping}: there is {', '.join(_EARLY_NAMES)}"
    elif search.early_stopping:
        yield from _of_settings(
            f"early stopping {search.early_stopping}",
            search.early_settings,
            EARLY_STOPPING[search.early_stopping],
        )


def _of_algorithm(known: Algorithm, search: Search) -> Iterator[str]:
    name, settings = search.algorithm, _settings(search)
    yield from _of_settings(f"algorithm {name}", settings, known.settings)
    for setting in known.required:
        if setting not in settings:
            yield f"algorithm {name} needs the setting {setting}: {known.settings[setting].words}"
    for dimension in search.space:
        if lacking := known.lacks(dimension):
            yield f"algorithm {name} {lacking} in Katib ({dimension.name}){_instead(dimension)}"
    if name in _FURTHER:
        yield from _FURTHER[name](search, settings)


def _settings(search: Search) -> dict[str, str]:
    """The settings of the algorithm, with the seed among them."""
    return {**search.settings, **({} if search.seed is None else {"random_state": str(search.seed)})}


def _named(name: str, settings: Mapping[str, str]) -> dict[str, Any]:
    listed = [{"name": setting, "value": value} for setting, value in settings.items()]
    return {"algorithmName": name} | ({"algorithmSettings": listed} if listed else {})


def points(space: Sequence[Dimension]) -> int:
    """How many points the grid of a space has; each float of it has a step."""
    return math.prod(
        len(one.choices) if one.kind == "choice" else math.floor((one.high - one.low) / one.step + 1e-9) + 1
        for one in space
    )


def _of_settings(whose: str, settings: Mapping[str, str], known: Mapping[str, Setting]) -> Iterator[str]:
    for name, value in settings.items():
        if name not in known:
            there = f"it has {', '.join(known)}" if known else "it has none"
            shown = "a seed" if name == "random_state" else f"the setting {name}"
            yield f"{whose} has not {shown} in Katib: {there}"
        elif not known[name].fits(value):
            yield f"{whose}: {name} is {known[name].words}, not {value}"


def _instead(dimension: Dimension) -> str:
    """The algorithms that can do what one cannot."""
    able = [
        name
        for name, one in ALGORITHMS.items()
        if name not in _CALLED and not one.required and not one.lacks(dimension)
    ]
    return f"; {', '.join(able)} can" if able else ""


def _continuous(search: Search, _: Mapping[str, str]) -> Iterator[str]:
    if sum(one.kind != "choice" for one in search.space) < 2:  # noqa: PLR2004 - a covariance has two sides
        yield "algorithm cmaes needs two or more parameters that are numbers"


def _resource(search: Search, settings: Mapping[str, str]) -> Iterator[str]:
    limit, resource = settings.get("r_l", ""), settings.get("resource_name")
    if resource and resource not in [one.name for one in search.space]:
        yield f"algorithm hyperband: resource_name is a parameter of the space, not {resource}"
    eta = settings.get("eta", "3")
    if _HYPERBAND["r_l"].fits(limit) and _HYPERBAND["eta"].fits(eta):
        least = int(eta) ** int(math.log(float(limit)) / math.log(int(eta)))
        if search.parallel < least:
            yield f"algorithm hyperband needs {least} trials or more in parallel, for r_l={limit} and eta={eta}"


_FURTHER: Mapping[str, Callable[[Search, Mapping[str, str]], Iterator[str]]] = {
    "cmaes": _continuous,
    "hyperband": _resource,
}
