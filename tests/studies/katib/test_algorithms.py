"""What each of Katib's algorithms takes, and where it would search otherwise than it was told."""

from typing import Any

import pytest
from katib_searches import search

from kfnb.errors import BackendError
from kfnb.resources.studies import algorithms as common
from kfnb.resources.studies.katib.algorithms import ALGORITHMS, EARLY_STOPPING, points
from kfnb.resources.studies.katib.experiment import experiment
from kfnb.resources.studies.space import read_space

FITTING = {
    "auto": "lr=float(0.05,1,step=0.1) depth=int(1,9,step=2)",
    "random": "lr=log(1e-4,1e-1) depth=int(2,8,step=2) act=choice(relu,tanh)",
    "tpe": "lr=log(1e-4,1e-1) depth=int(2,8) act=choice(relu,tanh)",
    "multivariate-tpe": "lr=float(0.05,1,step=0.1) depth=int(1,9,step=2)",
    "grid": "lr=float(0,1,step=0.1) depth=int(2,8)",
    "cmaes": "lr=float(0,1) depth=int(2,8)",
    "sobol": "lr=float(0,1) depth=int(2,8)",
    "bayesianoptimization": "lr=log(1e-4,1) depth=int(2,8) act=choice(relu,tanh)",
    "hyperband": "lr=float(0,1) depth=int(1,9)",
}


def made(algorithm: str, space: str = "", **changes: Any) -> dict[str, Any]:
    needed = {"r_l": "9", "resource_name": "depth"} if algorithm == "hyperband" else {}
    settings = {**needed, **changes.pop("settings", {})}
    written = experiment(
        search(
            space or FITTING[algorithm], algorithm=algorithm, settings=settings, **{"parallel": 9, **changes}
        )
    )
    found: dict[str, Any] = written["spec"]["algorithm"]
    return found


def refused(algorithm: str, space: str = "", **changes: Any) -> str:
    with pytest.raises(BackendError) as refusal:
        made(algorithm, space, **changes)
    return str(refusal.value)


def test_there_are_the_same_algorithms_here_and_on_the_cluster() -> None:
    assert set(ALGORITHMS) == set(common.ALGORITHMS)
    assert set(EARLY_STOPPING) == set(common.EARLY_STOPPING)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_setting_on_the_cluster_is_one_that_the_common_words_have(algorithm: str) -> None:
    known = {*common.ALGORITHMS[algorithm], "random_state"}
    assert set(ALGORITHMS[algorithm].settings) <= known


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_algorithm_takes_a_space_that_fits_it(algorithm: str) -> None:
    assert made(algorithm)["algorithmName"] == ("multivariate-tpe" if algorithm == "auto" else algorithm)


@pytest.mark.parametrize(
    ("algorithm", "space", "words"),
    [
        (
            "random",
            "depth=int(3,9,step=2)",
            "takes multiples of a step only in Katib (depth); multivariate-tpe, grid",
        ),
        ("tpe", "lr=float(0.05,1,step=0.1)", "multiples of a step"),
        ("grid", "lr=float(0,1)", "needs a step: lr=float(0,1,step=...)"),
        ("grid", "lr=log(1e-3,1)", "needs a step"),
        ("cmaes", "lr=log(1e-3,1) depth=int(2,8)", "has no logarithmic scale in Katib (lr); random, tpe"),
        ("cmaes", "depth=int(2,8) act=choice(relu,tanh)", "needs two or more parameters that are numbers"),
        ("sobol", "lr=log(1e-3,1)", "has no logarithmic scale"),
        ("bayesianoptimization", "lr=float(0,1)", "takes floats on a logarithmic scale alone"),
        ("bayesianoptimization", "depth=int(2,8,step=2)", "has no steps"),
        ("hyperband", "lr=log(1e-3,1) depth=int(1,9)", "has no logarithmic scale"),
        ("hyperband", "lr=choice(0.1,0.5) depth=int(1,9)", "whole numbers and texts"),
        ("hyperband", "lr=float(0,1)", "resource_name is a parameter of the space, not depth"),
    ],
)
def test_a_space_that_an_algorithm_would_read_otherwise_is_refused_with_those_that_can(
    algorithm: str, space: str, words: str
) -> None:
    assert words in refused(algorithm, space)


@pytest.mark.parametrize(
    ("algorithm", "settings", "words"),
    [
        ("tpe", {"gamma": "1.5"}, "gamma is a number between 0 and 1, not 1.5"),
        ("tpe", {"n_startup_trials": "5"}, "has not the setting n_startup_trials in Katib: it has gamma"),
        ("multivariate-tpe", {"n_startup_trials": "many"}, "n_startup_trials is a whole number from 0"),
        ("cmaes", {"restart_strategy": "never"}, "restart_strategy is one of ipop, bipop, none"),
        ("cmaes", {"sigma": "-1"}, "sigma is a number from 0"),
        ("bayesianoptimization", {"base_estimator": "SVM"}, "one of GP, RF, ET, GBRT"),
        ("sobol", {"skip": "1"}, "has not the setting skip in Katib: it has none"),
        ("hyperband", {"r_l": "0"}, "r_l is a number above 1"),
        ("hyperband", {"eta": "1"}, "eta is a whole number from 2"),
        ("random", {"random_state": "-1"}, "random_state is a whole number from 0"),
    ],
)
def test_settings_are_checked_as_katibs_services_do(
    algorithm: str, settings: dict[str, str], words: str
) -> None:
    assert words in refused(algorithm, settings=settings)


@pytest.mark.parametrize(
    "algorithm", [name for name, one in ALGORITHMS.items() if "random_state" in one.settings]
)
def test_a_seed_is_the_algorithms_random_state(algorithm: str) -> None:
    assert {"name": "random_state", "value": "3"} in made(algorithm, seed=3)["algorithmSettings"]


@pytest.mark.parametrize("algorithm", ["sobol", "hyperband"])
def test_a_seed_is_refused_where_katib_has_none(algorithm: str) -> None:
    assert f"algorithm {algorithm} has not a seed in Katib" in refused(algorithm, seed=3)


def test_hyperband_needs_its_settings_and_room_for_its_first_bracket() -> None:
    with pytest.raises(BackendError, match="needs the setting r_l"):
        experiment(search(FITTING["hyperband"], algorithm="hyperband", settings={"resource_name": "depth"}))
    assert "needs 9 trials or more in parallel, for r_l=9 and eta=3" in refused("hyperband", parallel=8)


@pytest.mark.parametrize(
    ("space", "count"),
    [
        ("a=int(1,6)", 6),
        ("a=int(1,6,step=2)", 3),
        ("a=float(0,0.5,step=0.1)", 6),
        ("a=choice(x,y) b=int(0,1)", 4),
    ],
)
def test_the_points_of_a_grid_are_counted(space: str, count: int) -> None:
    assert points(read_space(space)) == count
