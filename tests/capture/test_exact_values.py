"""Values and tables as JSON: what comes back is what was written, types and all."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import zoneinfo
from collections import Counter, OrderedDict
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.capture.embedded.exact_tables import kfnb_read_table, kfnb_write_table
from kfnb.capture.embedded.exact_values import kfnb_decode, kfnb_encode

ZONES = [dt.timezone.utc, dt.timezone(dt.timedelta(hours=-3, minutes=-30))]
ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.times()
    | st.datetimes(timezones=st.none() | st.sampled_from(ZONES))
    | st.timedeltas()
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(), inner)
        | st.dictionaries(st.integers() | st.tuples(st.text(), st.booleans()), inner)
        | st.tuples(inner, inner)
        | st.frozensets(st.integers() | st.text(), max_size=1)
    ),
    max_leaves=20,
)


def there_and_back(value: Any) -> Any:
    return kfnb_decode(json.loads(json.dumps(kfnb_encode(value, "it"), allow_nan=False)))


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert repr(there_and_back(value)) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        {"$": "tuple", "value": []},
        {1: "a", "1": "b"},
        [-0.0, float("inf"), float("-inf")],
        np.float32(0.1),
        np.float64("nan"),
        np.bool_(True),
        np.uint8(255),
        np.str_("ü"),
        np.datetime64("2024-02-29", "D"),
        np.timedelta64(5, "ms"),
        pd.NaT,
        pd.NA,
        pd.Timestamp("2024-03-31 02:30:00.123456789"),
        pd.Timestamp("2024-10-27 01:30", tz="UTC").tz_convert("Europe/Berlin"),
        pd.Timedelta(days=-1, nanoseconds=1),
        dt.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("America/New_York")),
        OrderedDict(b=1, a=2),
        Counter("abca"),
        {"a"},
        decimal.Decimal("1.10"),
    ],
    ids=repr,
)
def test_what_json_does_not_have_comes_back_too(value: Any) -> None:
    back = there_and_back(value)
    assert type(back) is type(value)
    assert repr(back) == repr(value)


class Own:
    """A class that nothing knows."""


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, Own()]}, "it['a'][1]"),
        ({("x", 1): Own()}, "it[('x', 1)]"),
        ((Own(),), "an item of it"),
        (Own, "it"),
        (dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1), "here")), "it"),
    ],
)
def test_what_cannot_be_saved_is_named_by_its_place(value: Any, place: str) -> None:
    with pytest.raises(TypeError) as error:
        kfnb_encode(value, "it")
    assert str(error.value).startswith(f"{place} is a ")
    assert "which cannot be saved safely" in str(error.value)


FRAME = pd.DataFrame(
    {
        "whole": [1, 2, 3],
        "nullable": pd.array([1, None, 2**62], dtype="Int64"),
        "small": np.array([1, 2, 255], "uint8"),
        "float": [0.1, np.nan, -np.inf],
        "single": np.array([0.1, 0.2, 0.3], "float32"),
        "masked": pd.array([1.5, None, 2.5], dtype="Float64"),
        "text": ["00123", None, ""],
        "string": pd.array(["a", None, "b"], dtype="string"),
        "mixed": pd.Series(["a", np.nan, 3], dtype=object),
        "missing": pd.Series([None, None, "x"], dtype=object),
        "bool": [True, False, True],
        "nullable bool": pd.array([True, None, False], dtype="boolean"),
        "naive": pd.to_datetime(["2024-03-31 02:30", None, "1999-12-31 00:00"]),
        "zoned": pd.to_datetime(["2024-10-27 00:30", "2024-10-27 01:30", None])
        .tz_localize("UTC")
        .tz_convert("Europe/Berlin"),
        "offset": pd.to_datetime(["2024-01-01"] * 3).tz_localize("UTC+02:00"),
        "seconds": pd.to_datetime(["2024-01-01"] * 3).astype("datetime64[s]"),
        "span": pd.to_timedelta([1, None, 3], unit="s"),
        "category": pd.Categorical(["x", None, "y"], categories=["y", "x", "z"], ordered=True),
        "numbers": pd.Categorical([3, 1, 3]),
        "day": [dt.date(2024, 1, 1)] * 3,
        "list": [[1], [], [2, "a"]],
        "arrow": pd.array([1, None, 3], dtype="int64[pyarrow]"),
        7: ["a name", "that is", "a number"],
    }
)


@pytest.mark.parametrize("name", FRAME.columns)
def test_a_column_comes_back_with_its_type(name: Any) -> None:
    table = FRAME[[name]]
    back = kfnb_read_table(json.loads(json.dumps(kfnb_write_table(table), allow_nan=False)))
    pd.testing.assert_frame_equal(back, table, check_column_type=False)


@pytest.mark.parametrize(
    "table",
    [
        FRAME,
        FRAME.iloc[:0],
        FRAME["zoned"],
        pd.DataFrame(index=range(3)),
        pd.Series(["a", "b"], name="label"),
        np.arange(6.0).reshape(1, 2, 3),
        np.array([["a", None]], object),
        np.array(["2024-01-01", "NaT"], "datetime64[D]"),
        np.array([np.nan, np.inf]),
        [["a", 1], {"b": None}],
        ["a text", "another"],
    ],
    ids=lambda table: type(table).__name__,
)
def test_a_table_comes_back(table: Any) -> None:
    back = kfnb_read_table(json.loads(json.dumps(kfnb_write_table(table), allow_nan=False)))
    assert type(back) is type(table)
    if isinstance(table, pd.DataFrame):
        pd.testing.assert_frame_equal(back, table.reset_index(drop=True), check_column_type=False)
    elif isinstance(table, pd.Series):
        pd.testing.assert_series_equal(back, table)
    elif isinstance(table, np.ndarray):
        np.testing.assert_array_equal(back, table)
        assert back.dtype == table.dtype
    else:
        assert back == table


def test_a_frame_of_polars_comes_back() -> None:
    polars = pytest.importorskip("polars")
    table = polars.DataFrame(
        {
            "whole": [1, None],
            "float": [1.5, float("nan")],
            "text": ["a", None],
            "bool": [True, None],
            "day": [dt.date(2024, 1, 1), None],
            "time": [dt.datetime(2024, 3, 31, 2, 30), None],  # noqa: DTZ001 - naive
        },
        schema_overrides={"whole": polars.Int16},
    ).with_columns(
        zoned=polars.col("time").dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin"),
        category=polars.col("text").cast(polars.Categorical),
    )
    back = kfnb_read_table(json.loads(json.dumps(kfnb_write_table(table), allow_nan=False)))
    assert back.schema == table.schema
    assert back.equals(table)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            pd.DataFrame({"p": pd.period_range("2024", periods=2, freq="M")}),
            r"column p has the type period\[M\]",
        ),
        (pd.DataFrame({"x": [Own(), 1]}), r"column x\[0\] is a .*Own"),
        ({"a": [1]}, "a builtins.dict is not kept"),
    ],
)
def test_what_would_not_come_back_is_refused(table: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        kfnb_write_table(table)
