"""One search, taken by both engines, with the same meaning here and on the cluster."""

from typing import Any

import pytest
from katib_searches import search
from katib_server import KatibServer

from kfnb.resources.studies.katib import KatibStudyEngine, parameters
from kfnb.resources.studies.katib.experiment import experiment
from kfnb.resources.studies.local import sampler
from kfnb.resources.studies.model import Dimension, Objective
from kfnb.resources.studies.search import Search

SEARCHES = {
    "random": {"space": "lr=log(1e-4,1e-1) depth=int(2,8) act=choice(relu,tanh)", "seed": 3},
    "tpe": {
        "space": "lr=log(1e-4,1e-1) depth=int(2,8)",
        "seed": 3,
        "settings": {"n_ei_candidates": "12"},
        "early_stopping": "median",
        "early_settings": {"start_step": "2", "min_trials_required": "3"},
    },
    "multivariate-tpe": {"space": "lr=float(0.05,1,step=0.1)", "settings": {"n_startup_trials": "5"}},
    "grid": {
        "space": "lr=float(0,0.5,step=0.1) depth=int(2,8,step=3) act=choice(relu,tanh)",
        "max_trials": None,
    },
    "cmaes": {"space": "lr=float(0,1) depth=int(2,8)", "settings": {"sigma": "0.2"}},
    "sobol": {"space": "lr=float(0,1) depth=int(2,8)"},
    "hyperband": {
        "space": "lr=float(0,1) depth=int(1,8)",
        "settings": {"r_l": "8", "eta": "2", "resource_name": "depth"},
        "parallel": 8,
    },
}


def of(algorithm: str, **changes: Any) -> Search:
    told = {**SEARCHES[algorithm], **changes}
    return search(told.pop("space"), algorithm=algorithm, **told)


@pytest.mark.parametrize("algorithm", SEARCHES)
def test_a_search_is_taken_here_and_on_the_cluster(algorithm: str) -> None:
    made = of(algorithm)
    assert sampler.refusals(made) == []
    assert experiment(made)["spec"]["algorithm"]["algorithmName"] == algorithm


@pytest.mark.parametrize("algorithm", SEARCHES)
def test_the_cluster_has_the_space_that_is_searched_here(algorithm: str) -> None:
    made = of(algorithm)
    written = experiment(made)["spec"]["parameters"]
    assert tuple(map(parameters.read, written)) == made.space


def test_a_grid_has_the_same_points_here_and_on_the_cluster() -> None:
    made = of("grid")
    here = list(sampler.grid(made.space))
    assert experiment(made)["spec"]["maxTrialCount"] == len(here)


@pytest.mark.parametrize(
    "dimension",
    [
        Dimension("x", "float", 0.0, 0.5, 0.1),
        Dimension("x", "int", 2, 8, 3),
        Dimension("x", "choice", choices=(True, False)),
        Dimension("x", "choice", choices=(1, 2.5)),
        Dimension("x", "choice", choices=("relu", "tanh")),
    ],
)
def test_a_value_that_is_tried_here_comes_back_from_the_cluster_as_it_is(dimension: Dimension) -> None:
    for value in sampler.values(dimension):
        found = parameters.typed(parameters.text(value), parameters.read(parameters.written(dimension)))
        assert (found, type(found)) == (value, type(value))


def test_a_study_on_the_cluster_says_the_same_as_its_search(
    katib: KatibServer, engine: KatibStudyEngine
) -> None:
    made = of("tpe", objective=Objective("loss", goal=0.1, further=("accuracy",)), max_failed=2)
    engine.start(made)
    study = engine.get(made.name)
    assert study.objective == made.objective
    assert study.space == made.space
    assert (study.algorithm, study.early_stopping) == (made.algorithm, made.early_stopping)
    assert (study.max_trials, study.max_failed, study.parallel) == (12, 2, 3)
    assert study.subject == made.subject.name
