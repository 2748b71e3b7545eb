"""The algorithms of searches and their settings, by Katib's names; the default has a name of kfnb."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from kfnb.errors import UsageError

ALGORITHMS: Mapping[str, tuple[str, ...]] = {
    "auto": ("random_state", "n_startup_trials", "n_ei_candidates"),
    "random": ("random_state",),
    "grid": (),
    "tpe": ("random_state", "n_startup_trials", "n_ei_candidates", "gamma", "prior_weight"),
    "multivariate-tpe": ("random_state", "n_startup_trials", "n_ei_candidates"),
    "cmaes": ("random_state", "sigma", "restart_strategy"),
    "sobol": (),
    "bayesianoptimization": (
        "random_state",
        "base_estimator",
        "n_initial_points",
        "acq_func",
        "acq_optimizer",
    ),
    "hyperband": ("r_l", "eta", "resource_name"),
}
"""What there is, and the settings that each has. Katib has no ``auto``."""

DEFAULT = "auto"

EARLY_STOPPING: Mapping[str, tuple[str, ...]] = {"median": ("min_trials_required", "start_step")}
"""How trials without a prospect are ended early, and the settings that it has. Katib writes ``medianstop``."""

_OTHERS = {"n_EI_candidates": "n_ei_candidates", "medianstop": "median", "bayesian": "bayesianoptimization"}


def algorithm(word: str) -> str:
    """An algorithm's name. Raises ``UsageError`` with the names there are."""
    return _known(word, ALGORITHMS, "algorithm")


def early_stopping(word: str) -> str:
    """The name of a way to stop early, empty for none. Raises ``UsageError``."""
    return _known(word, EARLY_STOPPING, "early stopping") if word else ""


def _known(word: str, there: Mapping[str, tuple[str, ...]], what: str) -> str:
    name = _OTHERS.get(word, word)
    if name in there:
        return name
    close = get_close_matches(word, there, 1)
    hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(there)}"
    raise UsageError(f"no {what} is called {word}", hint=hint, ref=word)


def split_settings(
    algorithm: str, early: str, settings: Mapping[str, object]
) -> tuple[dict[str, str], dict[str, str]]:
    """Settings as those of the algorithm and those of early stopping. Raises ``UsageError`` for one of neither."""
    mine: dict[str, str] = {}
    early_ones: dict[str, str] = {}
    known = (*ALGORITHMS[algorithm], *EARLY_STOPPING.get(early, ()))
    for given, value in settings.items():
        name = _OTHERS.get(given, given)
        if name not in known:
            raise UsageError(_unknown(given, algorithm, early, known))
        (mine if name in ALGORITHMS[algorithm] else early_ones)[name] = str(value)
    return mine, early_ones


def _unknown(name: str, algorithm: str, early: str, known: tuple[str, ...]) -> str:
    stopping = [word for word, names in EARLY_STOPPING.items() if name in names]
    if stopping and not early:
        return f"{name} is a setting of early stopping: add --early-stopping {stopping[0]}"
    close = get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(known) or 'none'}"
    return f"{algorithm} has no setting {name}; {hint}"
