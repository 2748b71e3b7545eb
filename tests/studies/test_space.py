"""Search spaces: what is read from texts and dicts, what is refused, and that a dimension is written as it is read."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.errors import UsageError
from kfnb.resources.studies.model import Dimension
from kfnb.resources.studies.space import choice, drawn, read_space, real, start_of, whole

TEXT = "lr=log(1e-5,1e-1) layers=int(1,6) act=choice(relu,tanh) drop=float(0,0.5,step=0.1)"


def write_dimension(dimension: Dimension) -> str:
    """A dimension as a text's item; ``read_space`` reads it back the same."""
    if dimension.kind == "choice":
        return f"{dimension.name}=choice({','.join(map(repr, dimension.choices))})"
    low, high = (
        (int(dimension.low), int(dimension.high))
        if dimension.kind == "int"
        else (dimension.low, dimension.high)
    )
    if dimension.kind == "float" and dimension.log:
        return f"{dimension.name}=log({low!r},{high!r})"
    more = (
        f",step={dimension.step:g}" if dimension.step not in (0, 1 if dimension.kind == "int" else 0) else ""
    )
    more = f",step={dimension.step!r}" if more and dimension.kind == "float" else more
    more += ",log=True" if dimension.log else ""
    return f"{dimension.name}={dimension.kind}({low!r},{high!r}{more})"


def test_a_text_gives_each_dimension_by_its_form() -> None:
    assert read_space(TEXT) == (
        Dimension("lr", "float", 1e-5, 1e-1, log=True),
        Dimension("layers", "int", 1, 6, 1),
        Dimension("act", "choice", choices=("relu", "tanh")),
        Dimension("drop", "float", 0, 0.5, 0.1),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n=int(1,64,log=True)", Dimension("n", "int", 1, 64, 1, log=True)),
        ("n=int(1,9,2)", Dimension("n", "int", 1, 9, 2)),
        ("x = float( -1 , 1 )", Dimension("x", "float", -1, 1)),
        ('c=choice("a b",c)', Dimension("c", "choice", choices=("a b", "c"))),
        ("c=choice(1,2.5)", Dimension("c", "choice", choices=(1.0, 2.5))),
        ("c=choice(True,False)", Dimension("c", "choice", choices=(True, False))),
        ("c=choice('(', ')')", Dimension("c", "choice", choices=("(", ")"))),
    ],
)
def test_a_form_is_written_as_python_writes_a_call(text: str, expected: Dimension) -> None:
    assert read_space(text) == (expected,)


def test_commas_between_dimensions_are_allowed() -> None:
    assert read_space("a=int(1,2), b=int(1,2)") == read_space("a=int(1,2) b=int(1,2)")


def test_a_dict_gives_the_same_by_forms_bounds_and_choices() -> None:
    found = read_space(
        {
            "lr": "log(1e-5,1e-1)",
            "layers": (1, 6),
            "act": ["relu", "tanh"],
            "drop": ("float", 0, 0.5, 0.1),
        }
    )
    assert found == read_space(TEXT)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the space is empty"),
        ({1: (0, 1)}, "1 is not a valid name of a parameter"),
        ("lr", "cannot be read at 'lr'"),
        ("lr=0.1", "cannot be read"),
        ("lr=flot(0,1)", "did you mean float?"),
        ("lr=float(1,0)", "the first bound must be the lower one"),
        ("lr=log(0,1)", "lower bound must be above 0"),
        ("lr=float(0,1,steps=2)", "has no steps"),
        ("lr=float(0,1,step=2)", "does not fit"),
        ("lr=float(0)", "takes two bounds"),
        ("lr=float(a,b)", "'a' is not a finite number"),
        ("n=int(0.5,2)", "whole numbers"),
        ("n=int(1,5,step=0)", "1 or more"),
        ("n=log(1,5,2)", "takes two bounds"),
        ("n=int(1,5,step=2,log=True)", "no steps"),
        ("c=choice()", "has no choices"),
        ("c=choice(1,a)", "all texts, all numbers"),
        ("c=choice(a,a)", "is given more than once"),
        ("c=choice(a b)", "put a choice of several words into quotes"),
        ("c=choice(a", "not closed"),
        ("a=int(1,2) a=int(1,3)", "a more than once"),
        ("a-b=int(1,2)", "not a valid name of a parameter"),
        ("x=float(0,1e999)", "not a finite number"),
        ("x=float(-1e308,1e308)", "too far for a number"),
    ],
)
def test_what_is_wrong_is_said_with_the_name(text: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(").replace("?", r"\?")):
        read_space(text)


def test_values_of_numpy_are_taken_for_pythons_own() -> None:
    found = read_space(
        {
            "lr": list(np.linspace(0, 1, 3)),
            "depth": list(np.arange(2)),
            "act": list(np.array(["relu", "tanh"])),
            "bias": list(np.array([True, False])),
            "units": (np.int64(1), np.int64(9)),
            "drop": ("float", np.float32(0), np.float64(0.5)),
        }
    )
    assert [one.choices for one in found[:4]] == [(0.0, 0.5, 1.0), (0, 1), ("relu", "tanh"), (True, False)]
    assert {type(value) for one in found for value in one.choices} == {float, int, str, bool}
    assert [one.kind for one in found[4:]] == ["int", "float"]


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)


@st.composite
def dimensions(draw: st.DrawFn) -> Dimension:
    name = draw(NAMES)
    kind = draw(st.sampled_from(["float", "log", "int", "choice"]))
    if kind == "choice":
        values = st.one_of(
            st.lists(st.text(max_size=12), min_size=1, max_size=5, unique=True),
            st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=5, unique=True),
            st.lists(NUMBERS, min_size=1, max_size=5, unique=True),
        )
        return choice(name, draw(values))
    if kind == "int":
        low = draw(st.integers(1, 10**6))
        high = low + draw(st.integers(1, 10**6))
        if draw(st.booleans()):
            return whole(name, low, high, log=True)
        return whole(name, low, high, step=draw(st.integers(1, high - low)))
    low = draw(st.floats(1e-12, 1e6))
    high = draw(st.floats(low * 2, low * 1e6))
    if kind == "log":
        return real(name, low, high, log=True)
    return real(name, low, high, step=draw(st.sampled_from([0.0, (high - low) / 4])))


@given(dimensions())
def test_a_dimension_is_read_as_it_is_written(dimension: Dimension) -> None:
    assert read_space(write_dimension(dimension)) == (dimension,)


@given(st.lists(dimensions(), min_size=1, max_size=5, unique_by=lambda one: one.name))
def test_a_space_is_read_as_its_dimensions_are_written(space: list[Dimension]) -> None:
    assert read_space(" ".join(map(write_dimension, space))) == tuple(space)


@given(dimensions(), st.integers())
def test_what_is_drawn_lies_in_the_dimension(dimension: Dimension, seed: int) -> None:
    for value in (drawn(dimension, random.Random(seed)), start_of(dimension)):
        if dimension.kind == "choice":
            assert value in dimension.choices
        else:
            assert dimension.low <= value <= dimension.high * (1 + 1e-9)
            assert isinstance(value, int if dimension.kind == "int" else float)


@given(st.text(max_size=40))
def test_any_other_text_is_an_error_in_words(text: str) -> None:
    try:
        read_space(text)
    except UsageError as error:
        assert str(error)  # noqa: PT017 - any text may also be a space
