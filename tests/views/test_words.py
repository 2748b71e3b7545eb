import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.entities import Artifact
from kfnb.ui.words import (
    TIMES,
    aligned,
    clean,
    counted,
    cut,
    digits,
    duration,
    moment,
    one_line,
    short,
    width,
)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (math.nan, ""),
        (-3, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (0.25, "0.3 s"),
        (12.5, "13 s"),
        (59.7, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7800, "2 h 10 min"),
        (4 * 86400 + 3 * 3600, "4 d 3 h"),
    ],
)
def test_durations_are_said_as_people_do(seconds, said):
    assert duration(seconds) == said


def test_moments_that_no_calendar_has_are_not_said():
    assert moment(None) == moment(math.nan) == moment(1e300) == ""
    assert moment(0.0)[:4] in ("1969", "1970")


def test_values_are_short_and_on_one_line():
    assert short(0.1 + 0.2) == "0.3"
    assert short("two\nlines") == "two lines"
    assert short("") == "''"
    assert short([1.23456789, "a"]) == "[1.23457, 'a']"
    assert [short(value) for value in (1.0, -30.0, 1, 1e20, math.nan, math.inf)] == [
        "1.0", "-30.0", "1", "1e+20", "nan", "inf"
    ]  # fmt: skip
    assert short(Artifact("m", "system.Model", "/m")) == "<Model m>"
    assert width(short(list(range(1000)))) <= 60


@pytest.mark.parametrize(
    ("value", "said"),
    [(100000.0, "100000"), (1234567.0, "1234567"), (0.1 + 0.2, "0.3"), (100000.5, "100001"), (1e20, "1e+20"),
     (-0.0, "0"), (2.5e-7, "2.5e-07"), (math.nan, "nan"), (math.inf, "inf")],
)  # fmt: skip
def test_numbers_are_said_in_few_digits_and_whole_ones_in_full(value, said):
    assert digits(value) == said


@pytest.mark.parametrize(
    ("values", "said"),
    [([0.8615384, 0.76, None], ["0.86154", "0.76000", ""]), ([1.0, 2.0], ["1", "2"]), ([0.1, 3.0], ["0.1", "3.0"]),
     ([123.4567, 0.00012], ["123.46", "0.00012"]), ([math.nan, 0.5], ["nan", "0.5"]), ([], [])],
)  # fmt: skip
def test_numbers_of_a_column_have_the_same_decimals_unless_their_sizes_differ_much(values, said):
    assert aligned(values) == said


def test_a_value_whose_repr_fails_is_still_said():
    class Bad:
        def __repr__(self):
            raise RuntimeError

    assert "Bad" in short(Bad())


@given(st.text(), st.integers(2, 30))
def test_what_is_cut_fits(text, columns):
    assert width(cut(one_line(text), columns)) <= columns


def test_wide_characters_count_twice():
    assert width("データ") == 6
    assert cut("データデータ", 7) == "データ…"


def test_terminal_codes_do_not_reach_the_terminal():
    assert (
        clean("\x1b[31mred\x1b[0m\x1b]0;x\x07") == "red\N{REPLACEMENT CHARACTER}]0;x\N{REPLACEMENT CHARACTER}"
    )
    assert clean("a\tb\r\nc") == "a\tb\nc"


def test_names_that_come_again_are_counted():
    assert counted(["a", "b", "a"]) == f"a {TIMES} 2, b"
