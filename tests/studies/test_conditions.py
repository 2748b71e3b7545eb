"""Spaces as functions: what they may ask for, under which conditions, and what travels with their source."""

import math
from pathlib import Path

import pytest

from kfnb.errors import UsageError
from kfnb.resources.studies.conditional_space import SpaceTrial, dimensions_of, read_function, write_function
from kfnb.resources.studies.model import Dimension

LOWEST = 1e-3
KINDS = ["svm", "forest"]


def bounds():
    return LOWEST, 10 ** math.floor(3.5)


def space(trial):
    kind = trial.choice("kind", KINDS)
    if kind == "svm":
        trial.log("C", *bounds())
    elif kind == "forest" and trial.int("depth", 1, 4) > 2:
        trial.float("share", 0, 1)


def layered(trial):
    for index in range(trial.int("layers", 1, 3)):
        trial.int(f"units_{index}", 4, 8)


def test_all_parameters_are_found_with_the_conditions_under_which_they_stand() -> None:
    found = {one.name: one for one in dimensions_of(write_function(space))}
    assert found["kind"] == Dimension("kind", "choice", choices=("svm", "forest"))
    assert found["C"] == Dimension("C", "float", 1e-3, 1000, log=True, condition="kind == 'svm'")
    assert "kind == 'forest'" in found["share"].condition
    assert list(found) == ["kind", "C", "depth", "share"] or set(found) == {"kind", "C", "depth", "share"}


def test_names_that_are_made_up_on_the_way_are_found_too() -> None:
    assert {one.name for one in dimensions_of(write_function(layered))} == {
        "layers",
        "units_0",
        "units_1",
        "units_2",
    }


def test_a_parameter_whose_bounds_differ_from_trial_to_trial_lies_between_the_outermost() -> None:
    def widening(trial):
        last = trial.int("last", 1, 3)
        trial.int("n", last, 10 * last)

    assert {one.name: (one.low, one.high) for one in dimensions_of(write_function(widening))} == {
        "last": (1, 3),
        "n": (1, 30),
    }


def test_a_parameter_that_is_of_another_sort_in_another_trial_is_refused() -> None:
    def other_choices(trial):
        first = trial.choice("first", [True, False])
        trial.choice("k", ["a", "b"] if first else ["c", "d"])

    with pytest.raises(
        UsageError, match=r"k is one of '\w', '\w' in one trial and one of '\w', '\w' in another"
    ):
        dimensions_of(write_function(other_choices))

    def other_scale(trial):
        trial.float("x", 1, 2, log=trial.choice("log", [True, False]))

    with pytest.raises(UsageError, match=r"x is float.* in one trial and float.* in another"):
        dimensions_of(write_function(other_scale))


def test_the_source_travels_with_its_constants_imports_and_functions() -> None:
    text = write_function(space)
    assert "LOWEST = 0.001" in text
    assert "import math" in text
    assert "def bounds()" in text
    asked = {}

    def ask(dimension: Dimension) -> object:
        asked[dimension.name] = dimension
        return "svm" if dimension.name == "kind" else dimension.low

    read_function(text)(SpaceTrial(ask))
    assert list(asked) == ["kind", "C"]


def test_a_parameter_that_is_asked_for_twice_has_one_value() -> None:
    values = iter([1, 2])
    asking = SpaceTrial(lambda _: next(values))
    assert asking.int("n", 1, 5) == asking.int("n", 1, 5) == 1


def test_what_cannot_travel_is_refused_with_its_name() -> None:
    there = Path("there")

    def reads_a_path(trial):
        trial.choice("file", [str(there)])

    with pytest.raises(UsageError, match=r"reads there \(PosixPath\), which cannot travel"):
        write_function(reads_a_path)


def test_a_lambda_and_what_is_no_function_are_refused() -> None:
    with pytest.raises(UsageError, match="space's function with def"):
        write_function(lambda trial: trial.int("n", 1, 2))
    with pytest.raises(UsageError, match="a string, a dict or a function"):
        write_function(print)


def test_a_function_that_fails_says_how() -> None:
    def broken(trial):
        return 1 / 0

    with pytest.raises(UsageError, match="ZeroDivisionError"):
        dimensions_of(write_function(broken))


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        ("choise", "trial has no choise; did you mean choice"),
        ("suggest_float", "no suggest_float; did you mean float"),
    ],
)
def test_a_form_that_there_is_not_is_refused_with_a_close_one(ask: str, said: str) -> None:
    def misspelt(trial):
        getattr(trial, ask)("x", 0, 1)

    with pytest.raises(UsageError, match=said):
        dimensions_of(write_function(misspelt))


def test_a_function_that_asks_for_nothing_is_refused() -> None:
    def empty(trial):
        return None

    with pytest.raises(UsageError, match="asks for nothing"):
        dimensions_of(write_function(empty))


def test_a_wrong_bound_in_a_function_is_an_error_as_in_a_text() -> None:
    def wrong(trial):
        trial.log("lr", 0, 1)

    with pytest.raises(UsageError, match="lower bound must be above 0"):
        dimensions_of(write_function(wrong))
