"""Algorithms by Katib's names: which there are, their settings, and what this machine lacks of them."""

from dataclasses import replace

import pytest

from kfnb.errors import UsageError
from kfnb.resources.studies import algorithms
from kfnb.resources.studies.local import sampler
from kfnb.resources.studies.local.hyperband import Hyperband
from kfnb.resources.studies.model import Objective, Trial, TrialState
from kfnb.resources.studies.search import Search, TrialSubject
from kfnb.resources.studies.space import read_space


def search(space: str = "x=float(0,1) y=float(0,1)", **how: object) -> Search:
    subject = TrialSubject("s", {})
    return replace(Search("s", subject, Objective("loss"), read_space(space)), **how)


@pytest.mark.parametrize(("word", "name"), [("tpe", "tpe"), ("bayesian", "bayesianoptimization")])
def test_an_algorithm_is_found_by_its_name(word: str, name: str) -> None:
    assert algorithms.algorithm(word) == name


def test_an_unknown_algorithm_is_refused_with_a_close_one() -> None:
    with pytest.raises(UsageError, match=r"did you mean grid\?"):
        algorithms.algorithm("grids")


def test_katibs_name_of_early_stopping_is_known_too() -> None:
    assert algorithms.early_stopping("medianstop") == "median"


def test_settings_go_to_the_algorithm_and_to_early_stopping() -> None:
    given = {"n_startup_trials": 5, "start_step": 2}
    assert algorithms.split_settings("tpe", "median", given) == (
        {"n_startup_trials": "5"},
        {"start_step": "2"},
    )


def test_a_setting_of_early_stopping_without_it_says_what_is_missing() -> None:
    with pytest.raises(UsageError, match="add --early-stopping median"):
        algorithms.split_settings("tpe", "", {"start_step": 2})


def test_an_unknown_setting_is_refused_with_a_close_one() -> None:
    with pytest.raises(UsageError, match=r"did you mean sigma\?"):
        algorithms.split_settings("cmaes", "", {"sigme": 2})


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (search(algorithm="grid"), "give x, y a step"),
        (search("x=float(0,1,step=0.000001) y=float(0,1,step=0.01)", algorithm="grid"), "101,000,101 points"),
        (search("x=float(0,1)", algorithm="cmaes"), "needs two numbers or more"),
        (search(algorithm="cmaes", settings={"restart_strategy": "ipop"}), "does not start again"),
        (search(algorithm="tpe", settings={"n_startup_trials": "many"}), "is int, not many"),
        (search(algorithm="tpe", settings={"n_startup_trials": "-1"}), "is 0 or more, not -1"),
        (search(algorithm="tpe", settings={"n_ei_candidates": "0"}), "is above 0, not 0"),
        (search(algorithm="random", settings={"random_state": "-5"}), "is 0 or more, not -5"),
        (search(early_stopping="median", early_settings={"start_step": "-1"}), "is 0 or more, not -1"),
        (search(algorithm="hyperband"), "resource_name=NAME"),
        (search(algorithm="hyperband", settings={"resource_name": "x"}), "is an int of the space"),
        (search(algorithm="grid", conditions="..."), "without conditions"),
    ],
)
def test_what_is_not_there_is_refused_with_the_alternatives(made: Search, said: str) -> None:
    assert said in " ".join(sampler.refusals(made))


@pytest.mark.parametrize("name", ["auto", "random", "tpe", "multivariate-tpe", "cmaes", "sobol"])
def test_what_is_there_is_not_refused(name: str) -> None:
    assert sampler.refusals(search(algorithm=name)) == []


def test_choices_that_an_algorithm_does_not_search_are_told_of() -> None:
    made = search("x=float(0,1) y=float(0,1) act=choice(relu,tanh)", algorithm="cmaes")
    assert sampler.notes(made) == ["cmaes searches numbers: act is drawn at random"]


def test_a_grid_has_every_point_once() -> None:
    space = read_space("x=float(0,0.3,step=0.1) n=int(1,4,step=2) c=choice(a,b)")
    points = list(sampler.grid(space))
    assert len(points) == 4 * 2 * 2
    assert {point["x"] for point in points} == {0, 0.1, 0.2, 0.3}
    assert len({tuple(point.items()) for point in points}) == len(points)


def test_a_grid_of_tiny_steps_has_every_point_once() -> None:
    points = [point["x"] for point in sampler.grid(read_space("x=float(0,1e-12,step=1e-13)"))]
    assert points == [float(f"{number}e-13") for number in range(11)]


@pytest.mark.parametrize(("trials", "short"), [(9, True), (10, False), (None, False)])
def test_hyperband_says_that_no_trial_runs_longer_where_there_are_too_few(
    trials: int | None, short: bool
) -> None:
    how = {"algorithm": "hyperband", "settings": {"resource_name": "n"}, "max_trials": trials}
    told = sampler.notes(search("n=int(1,9) x=float(0,1)", **how))
    assert told == ["all of the 9 trials are as short as can be: hyperband begins with 9 of those"] * short


def test_hyperband_lets_the_best_of_a_rung_run_longer() -> None:
    made = search("n=int(1,9) x=float(0,1)", algorithm="hyperband", settings={"resource_name": "n"}, seed=1)
    bracket, number, first = Hyperband.of(made, []), 0, []
    while (point := bracket.next()) is not None:
        bracket.began(number, point)
        first.append(point)
        number += 1
    assert [point["n"] for point in first] == [1] * 9
    for index, point in enumerate(first):
        bracket.ended(index, point["x"])
    second = []
    while (point := bracket.next()) is not None:
        bracket.began(number, point)
        second.append(point)
        number += 1
    assert [point["n"] for point in second] == [3] * 3
    assert sorted(point["x"] for point in second) == sorted(point["x"] for point in first)[:3]


def test_hyperband_goes_on_with_another_bracket_where_all_have_failed() -> None:
    made = search("n=int(1,9) x=float(0,1)", algorithm="hyperband", settings={"resource_name": "n"}, seed=1)
    bracket, number = Hyperband.of(made, [Trial(0, TrialState.FAILED)]), 0
    while (point := bracket.next()) is not None:
        bracket.began(number, point)
        number += 1
    for index in range(number):
        bracket.ended(index, None)
    point = bracket.next()
    assert point is not None
    assert point["n"] == 3
