"""The logical digest: the same data is the same version wherever it comes from, and any change is another one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kfnb.resources.datasets.logical import array_digest, table_digest


def digest(frame: pd.DataFrame) -> str:
    return table_digest(pa.Table.from_pandas(frame))


@pytest.fixture
def frame() -> pd.DataFrame:
    rows = 20_000
    numbers = np.arange(rows)
    return pd.DataFrame(
        {
            "number": numbers,
            "share": np.where(numbers % 7, numbers / 7, np.nan),
            "time": pd.date_range("2020-01-01", periods=rows, freq="min"),
            "text": ["a", "b", None, "d"] * (rows // 4),
            "kind": pd.Categorical(["x", "y"] * (rows // 2), categories=["z", "y", "x"]),
            "flag": numbers % 3 == 0,
        }
    )


CHANGES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "a renamed column": lambda one: one.rename(columns={"number": "count"}),
    "two columns with their names exchanged": lambda one: one.rename(
        columns={"number": "share", "share": "number"}
    ),
    "columns in another order": lambda one: one[[*one.columns[::-1]]],
    "a narrower type": lambda one: one.astype({"number": "int32"}),
    "a float type": lambda one: one.astype({"number": "float64"}),
    "a nullable type": lambda one: one.astype({"number": "Int64"}),
    "truth values as numbers": lambda one: one.astype({"flag": "int8"}),
    "a value in row 15,000": lambda one: one.assign(number=changed(one.number, 15_000, -1)),
    "a value in a datetime column": lambda one: one.assign(
        time=changed(one.time, 15_000, pd.Timestamp("2021-01-01"))
    ),
    "times of another unit": lambda one: one.astype({"time": "datetime64[ns]"}),
    "times in a zone": lambda one: one.assign(time=one.time.dt.tz_localize("UTC")),
    "one null in a text column": lambda one: one.assign(text=changed(one.text, 15_001, None)),
    "an empty text for a null": lambda one: one.assign(text=one.text.fillna("")),
    "text as categories": lambda one: one.astype({"text": "category"}),
    "categories in another order": lambda one: one.assign(
        kind=one.kind.cat.reorder_categories(["x", "y", "z"])
    ),
    "a category that no row has": lambda one: one.assign(kind=one.kind.cat.add_categories("w")),
    "categories with an order": lambda one: one.assign(kind=one.kind.cat.as_ordered()),
    "another index": lambda one: one.set_index(one.index + 1),
    "an index from a column": lambda one: one.set_index("number"),
    "a named index": lambda one: one.rename_axis("row"),
    "rows in another order": lambda one: one.iloc[::-1],
    "rows in another order without an index": lambda one: one.iloc[::-1].reset_index(drop=True),
    "a row less": lambda one: one.iloc[:-1],
}


def changed(column: pd.Series, row: int, value: Any) -> pd.Series:
    copy = column.copy()
    copy.iloc[row] = value
    return copy


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_any_change_is_another_version(frame: pd.DataFrame, change: Callable[[Any], Any]) -> None:
    assert digest(change(frame)) != digest(frame)


def test_the_same_frame_is_the_same_from_a_file(frame: pd.DataFrame, tmp_path: Path) -> None:
    expected = digest(frame)
    assert digest(frame.copy(deep=True)) == expected
    for engine_rows in (None, 777):
        frame.to_parquet(tmp_path / "f.parquet", row_group_size=engine_rows)
        assert digest(pd.read_parquet(tmp_path / "f.parquet")) == expected
        assert table_digest(pq.ParquetFile(tmp_path / "f.parquet").read()) == expected
    pyarrow.feather.write_feather(frame, tmp_path / "f.feather", compression="zstd")
    assert table_digest(pyarrow.feather.read_table(tmp_path / "f.feather")) == expected


def test_the_same_frame_is_the_same_in_polars_and_arrow(frame: pd.DataFrame) -> None:
    plain = frame.drop(columns="kind")
    arrow = pa.Table.from_pandas(plain)
    assert table_digest(pl.from_pandas(plain).to_arrow()) == digest(plain)
    assert table_digest(arrow.replace_schema_metadata(None)) == digest(plain)
    assert table_digest(arrow.set_column(3, "text", arrow["text"].cast(pa.string()))) == digest(plain)


def test_neither_chunks_nor_what_is_below_nulls_count() -> None:
    one = pa.table({"x": pa.array([1, None, 3]), "s": pa.array(["a", None, "c"])})
    parts = pa.concat_tables([one.slice(0, 1), one.slice(1, 2)])
    assert parts["x"].num_chunks == 2
    assert table_digest(parts) == table_digest(one)
    hidden = pa.Array.from_buffers(
        pa.int64(), 3, [one["x"].chunk(0).buffers()[0], pa.py_buffer(np.array([1, 77, 3]).tobytes())]
    )
    assert table_digest(one.set_column(0, "x", hidden)) == table_digest(one)


NESTED = [
    pa.array([[1, 2], None, [], [3]]),
    pa.array([[1], [2], None, [], [3]]).slice(1),
    pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 2, "b": None}]),
    pa.array([[("k", 1)], None, [], [("l", None)]], pa.map_(pa.string(), pa.int32())),
    pa.array([[1, 2], [3, 4], None, [5, 6]], pa.list_(pa.int8(), 2)),
    pa.array([b"x", None, b"", b"yz"]),
    pa.array(["1.50", None, "2.25", "0.00"]).cast(pa.decimal128(10, 2)),
    pa.nulls(4),
    pa.array([1, None, 2, 3], pa.date32()),
    pa.array([True, None, False, True]),
    pa.array(["a", None, "b", "a"]).dictionary_encode(),
]


@pytest.mark.parametrize("array", NESTED, ids=lambda one: str(one.type))
def test_every_value_of_nested_columns_counts(array: Any) -> None:
    table = pa.table({"x": array})
    halves = pa.concat_tables([table.slice(0, 2), table.slice(2)])
    assert table_digest(halves) == table_digest(table)
    orders = {table_digest(table.take(order)) for order in ([0, 1, 2, 3], [1, 0, 2, 3], [0, 1, 3, 2])}
    assert len(orders) == (1 if pa.types.is_null(array.type) else 3)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (pa.array(["ab", "c"]), pa.array(["a", "bc"])),
        (pa.array(["a", ""]), pa.array(["", "a"])),
        (pa.array([[1], [2, 3]]), pa.array([[1, 2], [3]])),
        (pa.array([None, ""]), pa.array(["", None])),
        (pa.array([1, 0]), pa.array([True, False])),
    ],
)
def test_borders_between_values_count(one: Any, two: Any) -> None:
    assert table_digest(pa.table({"x": one})) != table_digest(pa.table({"x": two}))


def test_the_digest_is_the_same_in_years_to_come() -> None:
    """Versions are found by it: it must not change with kfnb, pyarrow or pandas."""
    frame = pd.DataFrame({"x": [1, 2], "s": ["a", None], "f": [0.5, None], "c": pd.Categorical(["u", "v"])})
    assert digest(frame) == "ada420fa9678c3488adc61b82bf181ae9fd44d3b647d33c546e447bebfba0e03"
    assert (
        array_digest(np.array([[1, 2], [3, 4]], dtype="int16"))
        == "48719ef19df40518f7b45f05bf38ed9fdc393e1eff62c53ba0ceb3e0c7bd45ab"
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), min_size=1, max_size=40),
    st.integers(0, 39),
    st.data(),
)
def test_however_it_is_split_a_column_has_one_digest(values: list[Any], place: int, data: Any) -> None:
    table = pa.table(
        {"x": pa.array(values, pa.int64()), "s": pa.array([None if v is None else str(v) for v in values])}
    )
    cut = data.draw(st.integers(0, len(values)))
    assert table_digest(pa.concat_tables([table.slice(0, cut), table.slice(cut)])) == table_digest(table)
    place %= len(values)
    other = [*values]
    other[place] = 5 if values[place] is None else None
    assert table_digest(pa.table({"x": pa.array(other, pa.int64()), "s": table["s"]})) != table_digest(table)


def test_the_sign_of_zero_counts() -> None:
    one, other = (table_digest(pa.table({"x": [1.0, zero]})) for zero in (0.0, -0.0))
    assert one != other
    assert array_digest(np.array([0.0])) != array_digest(np.array([-0.0]))


# -- arrays ---------------------------------------------------------------------------------------------------------


def test_an_array_is_its_type_shape_and_values() -> None:
    array = np.arange(6, dtype="int32").reshape(2, 3)
    strided = np.repeat(array, 2, axis=1)[:, ::2]
    assert not strided.flags.contiguous
    for one in (np.asfortranarray(array), array.astype(">i4"), strided):
        assert array_digest(one) == array_digest(array)
    others = [
        array.T,
        array.reshape(3, 2),
        array.astype("int64"),
        array.astype("uint32"),
        array + 1,
        array.reshape(6),
    ]
    assert array_digest(array) not in {array_digest(one) for one in others}


def test_arrays_without_values_have_digests_too() -> None:
    assert array_digest(np.zeros((0, 3))) != array_digest(np.zeros((3, 0)))
    assert array_digest(np.array(3.0)) != array_digest(np.array([3.0]))


def test_the_fields_of_a_structured_array_count() -> None:
    array = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    renamed = np.array([(1, 2.0)], dtype=[("a", "i4"), ("c", "f8")])
    assert array_digest(array) != array_digest(renamed)
