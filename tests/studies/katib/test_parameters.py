"""Dimensions as Katib's parameters, and back."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.resources.studies.katib.parameters import read, text, typed, written
from kfnb.resources.studies.model import Dimension

numbers = st.floats(-1e9, 1e9, allow_nan=False)


@st.composite
def dimensions(draw: Any) -> Dimension:
    kind = draw(st.sampled_from(["float", "int", "choice"]))
    if kind == "choice":
        values = draw(
            st.one_of(
                st.lists(st.text("abcxyz-_", min_size=1), min_size=1, unique=True),
                st.lists(st.integers(), min_size=1, unique=True),
                st.lists(numbers, min_size=1, unique=True),
                st.just([True, False]),
            )
        )
        return Dimension("x", "choice", choices=tuple(values))
    if kind == "int":
        low = draw(st.integers(-1000, 1000))
        high = low + draw(st.integers(1, 1000))
        return Dimension("x", "int", float(low), float(high), float(draw(st.integers(1, high - low))))
    low, high = sorted(draw(st.lists(st.floats(1e-9, 1e9), min_size=2, max_size=2, unique=True)))
    log = draw(st.booleans())
    return Dimension("x", "float", low, high, 0.0 if log else draw(st.floats(0, high - low)), log)


@given(dimensions())
def test_a_dimension_comes_back_as_it_was_written(dimension: Dimension) -> None:
    assert read(written(dimension)) == dimension


@given(dimensions(), st.data())
def test_a_value_comes_back_with_its_type(dimension: Dimension, data: Any) -> None:
    if dimension.kind == "choice":
        value = data.draw(st.sampled_from(dimension.choices))
    elif dimension.kind == "int":
        value = data.draw(st.integers(int(dimension.low), int(dimension.high)))
    else:
        value = data.draw(st.floats(dimension.low, dimension.high))
    found = typed(text(value), dimension)
    assert found == value
    assert type(found) is type(value)


@given(dimensions())
def test_all_that_katib_gets_is_text(dimension: Dimension) -> None:
    space = written(dimension)["feasibleSpace"]
    assert all(isinstance(one, str) for one in space.get("list", space.values()))


def test_an_int_that_katib_writes_as_a_double_is_an_int() -> None:
    found = typed("7.0", Dimension("x", "int", 1, 9, 1))
    assert (found, type(found)) == (7, int)


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        (
            {"name": "lr", "parameterType": "double", "feasibleSpace": {"min": "0.01", "max": "0.05"}},
            Dimension("lr", "float", 0.01, 0.05),
        ),
        (
            {"name": "d", "parameterType": "discrete", "feasibleSpace": {"list": ["1", "2.5", "8"]}},
            Dimension("d", "choice", choices=(1, 2.5, 8)),
        ),
        (
            {"name": "d", "parameterType": "discrete", "feasibleSpace": {"list": ["1", "many"]}},
            Dimension("d", "choice", choices=(1, "many")),
        ),
        (
            {
                "name": "n",
                "parameterType": "double",
                "feasibleSpace": {"min": "1", "max": "9", "distribution": "logNormal", "new": "field"},
            },
            Dimension("n", "float", 1, 9, log=True),
        ),
        ({"name": "u", "parameterType": "unknown"}, Dimension("u", "float")),
        (
            {"name": "v", "parameterType": "int", "feasibleSpace": {"min": "${low}", "max": "9"}},
            Dimension("v", "int", 0, 9, 1),
        ),
        ({}, Dimension("", "float")),
    ],
)
def test_parameters_that_others_wrote_are_read(parameter: dict[str, Any], expected: Dimension) -> None:
    assert read(parameter) == expected


@pytest.mark.parametrize("odd", ["", "tanh", "1e", "nothing of the sort"])
def test_a_value_that_does_not_fit_stays_a_text(odd: str) -> None:
    assert typed(odd, Dimension("x", "int", 1, 9, 1)) == odd
    assert typed(odd, None) == odd


def test_bounds_keep_all_of_their_digits() -> None:
    space = written(Dimension("x", "float", 1e-5, math.pi))["feasibleSpace"]
    assert space == {"min": "1e-05", "max": "3.141592653589793", "distribution": "uniform"}
