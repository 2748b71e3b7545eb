"""How much of the objective's variation each parameter explains."""

import pytest

from kfnb.resources.studies.importance import importances
from kfnb.resources.studies.model import Dimension, Objective, StudySnapshot, Trial, TrialState, Value

X, Y = Dimension("x", "float", 0, 1), Dimension("y", "float", 0, 1)


def study(*params: dict[str, Value]) -> StudySnapshot:
    trials = [
        Trial(number, TrialState.SUCCEEDED, of, float(str(of["x"]))) for number, of in enumerate(params)
    ]
    return StudySnapshot("s", "local", Objective("loss"), space=(X, Y), trials=tuple(trials))


def test_the_parameter_that_the_objective_follows_is_the_important_one() -> None:
    found = importances(study(*({"x": n / 40, "y": n * 7 % 40 / 40} for n in range(40))))
    assert found["x"] > 0.9
    assert sum(found.values()) == pytest.approx(1)


@pytest.mark.parametrize("stray", [2.0, -1, "0.5"])
def test_of_values_that_are_none_of_the_spaces_nothing_is_told(stray: Value) -> None:
    assert importances(study(*({"x": n / 9, "y": stray} for n in range(9)))) == {}
