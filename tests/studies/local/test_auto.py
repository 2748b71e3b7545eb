"""The default search: it begins evenly, learns of failures, and tries nothing twice."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from local_studies import Start

from kfnb.resources.studies.conditional_space import dimensions_of
from kfnb.resources.studies.local.folder import StudyFolder
from kfnb.resources.studies.local.outcome import KILLED, Outcome
from kfnb.resources.studies.local.suggester import Suggester
from kfnb.resources.studies.model import Objective, TrialState, Value
from kfnb.resources.studies.search import Search, TrialSubject
from kfnb.resources.studies.space import read_space

FAILED, NO_NUMBER = Outcome(TrialState.FAILED), Outcome(TrialState.METRICS_UNAVAILABLE)
Params = dict[str, Value]

TWO_MODELS = """
def space(trial):
    if trial.choice("kind", ["a", "b"]) == "a":
        trial.int("n", 1, 5)
    else:
        trial.int("n", 6, 9)

# kfnb: the space is space
"""


@pytest.fixture
def suggester(tmp_path: Path) -> Callable[..., Suggester]:
    """The default search of a space, with a seed."""
    number = iter(range(1000))

    def of(space: str, seed: int = 1, **how: object) -> Suggester:
        place = tmp_path / str(next(number))
        place.mkdir()
        subject, goal = TrialSubject("s", {}), Objective("loss")
        dimensions = dimensions_of(space) if "def " in space else read_space(space)
        conditions = space if "def " in space else ""
        search = Search("s", subject, goal, dimensions, conditions, seed=seed, **how)  # type: ignore[arg-type]
        return Suggester(search, StudyFolder(place), {})

    return of


def tried(search: Suggester, trials: int, outcome: Callable[[Params], Outcome]) -> Iterator[Params]:
    """The parameters of so many trials, one after the other."""
    for _ in range(trials):
        suggestion = search.next()
        assert suggestion is not None
        params = dict(suggestion.params)
        search.tell(suggestion.number, outcome(params))
        yield params


def bowl(params: Params) -> Outcome:
    return Outcome(TrialState.SUCCEEDED, sum((float(value) - 0.3) ** 2 for value in params.values()))


def any_value(_: Params) -> Outcome:
    return Outcome(TrialState.SUCCEEDED, 1.0)


def test_the_first_trials_are_spread_evenly(suggester: Callable[..., Suggester]) -> None:
    first = list(tried(suggester("x=float(0,8) lr=log(1,256) c=choice(a,b,c,d)"), 8, any_value))
    assert sorted(int(float(params["x"])) for params in first) == list(range(8))
    assert sorted(sum(float(params["lr"]) >= 2**n for n in range(1, 8)) for params in first) == list(range(8))
    assert sorted(str(params["c"]) for params in first) == list("aabbccdd")


def test_how_many_begin_evenly_is_a_setting(suggester: Callable[..., Suggester]) -> None:
    search = suggester("x=float(0,32)", settings={"n_startup_trials": "32"})
    assert sorted(int(float(params["x"])) for params in tried(search, 32, bowl)) == list(range(32))


@pytest.mark.parametrize("outcome", [FAILED, NO_NUMBER])
def test_a_region_that_always_fails_is_left_alone(
    suggester: Callable[..., Suggester], outcome: Outcome
) -> None:
    def half(params: Params) -> Outcome:
        return outcome if float(params["x"]) > 0.5 else bowl(params)

    late = [
        params
        for seed in range(4)
        for params in list(tried(suggester("x=float(0,1) y=float(0,1)", seed), 40, half))[20:]
    ]
    assert sum(float(params["x"]) > 0.5 for params in late) < len(late) / 4  # 19 of 20 without learning


def test_where_all_have_failed_it_goes_on_to_spread(suggester: Callable[..., Suggester]) -> None:
    first = list(tried(suggester("x=float(0,16)"), 16, lambda _: FAILED))
    assert sorted(int(float(params["x"])) // 2 for params in first) == sorted([*range(8), *range(8)])


def test_no_point_is_tried_twice_while_there_are_many_others(suggester: Callable[..., Suggester]) -> None:
    def value(params: Params) -> Outcome:
        return Outcome(TrialState.SUCCEEDED, float(params["n"]))

    points = [
        tuple(params.values()) for params in tried(suggester("n=int(1,6) c=choice(a,b,c,d)"), 16, value)
    ]
    assert len(set(points)) == 16


def test_a_point_whose_trial_was_killed_may_be_tried_again(suggester: Callable[..., Suggester]) -> None:
    for seed in range(8):
        search = suggester("c=choice(a,b)", seed)
        list(tried(search, 1, lambda _: KILLED))
        assert {params["c"] for params in tried(search, 2, any_value)} == {"a", "b"}


def test_bounds_that_depend_on_a_choice_hold(suggester: Callable[..., Suggester]) -> None:
    for params in tried(suggester(TWO_MODELS), 20, any_value):
        assert params["n"] in (range(1, 6) if params["kind"] == "a" else range(6, 10))


def test_the_same_seed_searches_the_same(suggester: Callable[..., Suggester]) -> None:
    space = "x=float(0,1) lr=log(1e-4,1)"
    one, same, other = (list(tried(suggester(space, seed), 14, bowl)) for seed in (3, 3, 4))
    assert one == same
    assert one != other


def test_it_finds_the_bottom_of_a_bowl_of_which_half_fails(suggester: Callable[..., Suggester]) -> None:
    """The case of the issue that led to it: Optuna's independent TPE came to 1.11 here."""

    def value(params: Params) -> float:
        return (float(params["x"]) - 3) ** 2 + (float(params["y"]) + 2) ** 2

    def half(params: Params) -> Outcome:
        return FAILED if float(params["x"]) > 4 else Outcome(TrialState.SUCCEEDED, value(params))

    space = "x=float(-10,10) y=float(-10,10)"
    best = [min(map(value, tried(suggester(space, seed), 40, half))) for seed in range(5)]
    assert sorted(best)[2] < 0.5


def test_it_is_what_searches_where_nothing_is_said(start: Start) -> None:
    assert start("loss = x").wait(60).snapshot().algorithm == "auto"
