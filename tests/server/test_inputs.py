"""What a model takes: types by column name, and everything that is not as the training data was."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kfnb.capture.embedded.model_facts import kfnb_columns
from kfnb.server.encoding import json_rows
from kfnb.server.findings import BadInput, OnBadInput
from kfnb.server.inputs import ModelInputs, inputs_of
from kfnb.server.tables import BadRequest
from tests.server.model_folders import customers


def inputs_for(rows, policy=OnBadInput.REJECT) -> ModelInputs:
    """The inputs of a model that was saved with these rows as its example."""
    kind = f"{type(rows).__module__.partition('.')[0]}.{type(rows).__name__}"
    facts = {"inputs": kfnb_columns(rows, seen=True), "sample": {"kind": kind}}
    return inputs_of(facts, rows, policy)


def through_json(inputs: ModelInputs, rows):
    return inputs.join([inputs.rows(json.loads(json.dumps(rows)))])


def problems(inputs: ModelInputs, rows) -> list[tuple]:
    with pytest.raises(BadInput) as raised:
        inputs.rows(rows)
    return [(one["kind"], one["column"], one["row"]) for one in raised.value.findings.shown]


ROWS = customers(60)
INPUTS = inputs_for(ROWS)
GOOD = json_rows(ROWS)[0]


# -- types


def test_rows_come_back_from_json_with_the_types_of_training():
    pd.testing.assert_frame_equal(through_json(INPUTS, json_rows(ROWS)), ROWS)


def test_columns_are_taken_by_their_names_and_not_by_their_order():
    shuffled = [dict(reversed(row.items())) for row in json_rows(ROWS)]
    pd.testing.assert_frame_equal(through_json(INPUTS, shuffled), ROWS)


def test_lists_of_values_are_taken_in_the_order_of_the_columns():
    pd.testing.assert_frame_equal(through_json(INPUTS, [list(row.values()) for row in json_rows(ROWS)]), ROWS)


def test_columns_of_values_are_taken_too():
    lists = {name: [row[name] for row in json_rows(ROWS)] for name in ROWS.columns}
    pd.testing.assert_frame_equal(INPUTS.join([INPUTS.by_column(lists)]), ROWS)


def test_rows_of_several_requests_become_one_table():
    rows = json_rows(ROWS)
    parts = [INPUTS.rows(rows[:1]), INPUTS.rows([]), INPUTS.rows(rows[1:10]), INPUTS.rows(rows[10:])]
    pd.testing.assert_frame_equal(INPUTS.join(parts), ROWS)


def test_no_rows_are_an_empty_table_of_the_same_types():
    pd.testing.assert_frame_equal(through_json(INPUTS, []), ROWS[:0])


EARLY, LATER, LATE = (pd.Timestamp(year).to_pydatetime() for year in ("1700", "1900-01-02", "2200"))
VALUES = {
    "float64": st.floats(allow_nan=True, allow_infinity=False),
    "float32": st.floats(width=32, allow_nan=True, allow_infinity=False),
    "Float64": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "int8": st.integers(-128, 127),
    "uint64": st.integers(0, 2**64 - 1),
    "Int64": st.none() | st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "boolean": st.none() | st.booleans(),
    "str": st.none() | st.text(),
    "string[python]": st.none() | st.text(),
    "int64[pyarrow]": st.none() | st.integers(-(2**63), 2**63 - 1),
    "category": st.none() | st.sampled_from(["b", "a", "c"]),
    "datetime64[us]": st.none() | st.datetimes(EARLY, LATE),
    "datetime64[ns]": st.none() | st.datetimes(EARLY, LATE),
    "datetime64[ns, Europe/Berlin]": st.none() | st.datetimes(
        LATER, LATE, timezones=st.just(dt.timezone.utc)
    ),
    "timedelta64[us]": st.none() | st.timedeltas(dt.timedelta(-1000), dt.timedelta(1000)),
}  # fmt: skip


@st.composite
def tables(draw) -> pd.DataFrame:
    """Any table of the types that people have."""
    kinds = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=6))
    names = draw(
        st.lists(st.text(min_size=1, max_size=9), min_size=len(kinds), max_size=len(kinds), unique=True)
    )
    count = draw(st.integers(1, 8))
    return pd.DataFrame(
        {
            name: pd.Series(draw(st.lists(VALUES[kind], min_size=count, max_size=count)), dtype=kind)
            for name, kind in zip(names, kinds, strict=True)
        }
    )


@settings(max_examples=150)
@given(tables())
def test_any_table_comes_back_from_json_as_it_was(rows: pd.DataFrame):
    inputs = inputs_for(rows)
    pd.testing.assert_frame_equal(through_json(inputs, json_rows(rows)), rows)


def test_an_hour_that_is_there_twice_is_kept_apart():
    times = pd.to_datetime(["2024-10-27T00:30Z", "2024-10-27T01:30Z"]).tz_convert("Europe/Berlin")
    rows = pd.DataFrame({"at": times})
    found = through_json(inputs_for(rows), json_rows(rows))
    assert list(found["at"].dt.tz_convert("UTC").dt.hour) == [0, 1]


def test_texts_that_look_like_numbers_stay_texts():
    rows = pd.DataFrame({"code": ["007", "1e5", "", "NA", "true"]}).astype("str")
    assert list(through_json(inputs_for(rows), json_rows(rows))["code"]) == ["007", "1e5", "", "NA", "true"]


def test_objects_that_are_dates_come_back_as_dates():
    rows = pd.DataFrame({"day": [dt.date(2024, 2, 29), None]})
    assert list(through_json(inputs_for(rows), json_rows(rows))["day"]) == [dt.date(2024, 2, 29), None]


def test_an_array_comes_back_as_it_was():
    rows = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    found = through_json(inputs_for(rows), rows.tolist())
    assert found.dtype == rows.dtype
    assert np.array_equal(found, rows)


def test_pictures_come_back_as_they_were():
    rows = np.arange(24, dtype="uint8").reshape(2, 3, 4)
    assert np.array_equal(through_json(inputs_for(rows), rows.tolist()), rows)


def test_a_list_of_texts_stays_one():
    assert through_json(inputs_for(["a", "b"]), ["c", "d", "e"]) == ["c", "d", "e"]


def test_a_series_comes_back_as_it_was():
    rows = pd.Series(["a", "b"], name="text", dtype="str")
    pd.testing.assert_series_equal(through_json(inputs_for(rows), ["a", "b"]), rows)


def test_a_table_of_polars_comes_back_as_it_was():
    rows = pl.DataFrame(
        {
            "a": [1.5, None, 2.0],
            "b": [1, 2, None],
            "c": ["x", None, "y"],
            "d": [True, False, None],
            "e": [EARLY, None, LATE],
            "f": [dt.date(2024, 1, 1), None, dt.date(2024, 1, 2)],
        }
    )
    found = through_json(inputs_for(rows), json_rows(rows))
    assert found.equals(rows)
    assert found.schema == rows.schema


# -- what is refused


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"age": "30"}, ("wrong-type", "age")),
        ({"age": 30.5}, ("wrong-type", "age")),
        ({"age": True}, ("wrong-type", "age")),
        ({"age": None}, ("null", "age")),
        ({"age": 2**63}, ("out-of-range", "age")),
        ({"age": 10**6}, ("out-of-range", "age")),
        ({"age": 10**400}, ("out-of-range", "age")),
        ({"income": "3000"}, ("wrong-type", "income")),
        ({"income": True}, ("wrong-type", "income")),
        ({"income": [1]}, ("wrong-type", "income")),
        ({"income": float("inf")}, ("out-of-range", "income")),
        ({"income": 10**400}, ("out-of-range", "income")),
        ({"income": -1e7}, ("out-of-range", "income")),
        ({"city": "Genf"}, ("unseen-category", "city")),
        ({"city": 7}, ("wrong-type", "city")),
        ({"city": None}, ("null", "city")),
        ({"city": "\ud800"}, ("wrong-type", "city")),
        ({"plan": "huge"}, ("unseen-category", "plan")),
        ({"plan": ["small"]}, ("unseen-category", "plan")),
        ({"plan": 0}, ("unseen-category", "plan")),
        ({"paid": 1}, ("wrong-type", "paid")),
        ({"paid": "true"}, ("wrong-type", "paid")),
        ({"visits": "3"}, ("wrong-type", "visits")),
        ({"joined": "2020-01-01T00:00:00Z"}, ("wrong-type", "joined")),
        ({"joined": 1577836800}, ("wrong-type", "joined")),
        ({"joined": "2020-13-01"}, ("wrong-type", "joined")),
        ({"joined": "20/1/2020"}, ("wrong-type", "joined")),
        ({"seen": "2024-10-27T02:30:00"}, ("wrong-type", "seen")),
    ],
    ids=str,
)  # fmt: skip
def test_a_value_that_is_not_as_in_training_is_refused_with_its_row_and_column(change, expected):
    rows = [GOOD, {**GOOD, **change}, GOOD]
    assert problems(INPUTS, rows) == [(*expected, 1)]


@pytest.mark.parametrize(
    "change",
    [
        {"age": 30.0},
        {"income": 3000},
        {"income": None},
        {"income": float("nan")},
        {"plan": "medium"},
        {"visits": 3.0},
        {"joined": "2031-01-01"},
        {"joined": "2020-01-01 10:00:00.123456789"},
        {"seen": "2024-10-27T02:30:00+0200"},
        {"seen": "2024-10-27T02:30:00Z"},
        {"age": 91},
    ],
    ids=str,
)
def test_a_value_that_a_model_can_take_is_taken(change):
    INPUTS.rows([GOOD, {**GOOD, **change}])


def test_a_missing_column_is_named():
    rows = [{name: value for name, value in GOOD.items() if name != "age"}]
    assert problems(INPUTS, rows) == [("missing-column", "age", None)]


def test_a_column_that_only_some_rows_have_is_named_with_the_row():
    assert problems(INPUTS, [GOOD, {name: value for name, value in GOOD.items() if name != "age"}]) == [
        ("missing-column", "age", 1)
    ]


def test_an_unknown_column_is_named():
    assert problems(INPUTS, [{**GOOD, "label": 1}]) == [("unknown-column", "label", None)]


def test_a_column_that_the_transform_does_not_need_may_be_there_or_not():
    facts = {"inputs": kfnb_columns(ROWS, seen=True), "sample": {"kind": "pandas.DataFrame"}}
    facts["inputs"][1]["optional"] = True
    inputs = inputs_of(facts, ROWS.drop(columns="age"), OnBadInput.REJECT)
    without = {name: value for name, value in GOOD.items() if name != "age"}
    expected = ROWS[:1].drop(columns="age")
    for row in (GOOD, without, {**GOOD, "age": "anything"}):
        pd.testing.assert_frame_equal(through_json(inputs, [row]), expected)


def test_a_message_says_what_is_wrong_and_how_much_more_is():
    rest = r"3 problems: 1 x wrong-type in age, 1 x null in paid, 1 x unseen-category in city"
    with pytest.raises(BadInput, match=rf"^row 1, column age: '30' is not an integer \({rest}\)$"):
        INPUTS.rows([GOOD, {**GOOD, "age": "30", "city": "Genf"}, {**GOOD, "paid": None}])


def test_a_very_long_value_is_not_repeated_in_full():
    with pytest.raises(BadInput) as raised:
        INPUTS.rows([{**GOOD, "age": "x" * 10_000}])
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    "rows",
    [[1, 2], [[1, 2]], [GOOD, [1]], ["text"], [None]],
    ids=str,
)
def test_rows_that_are_no_rows_are_refused(rows):
    with pytest.raises((BadRequest, BadInput)):
        INPUTS.rows(rows)


def test_a_text_is_a_category_only_where_its_values_are_there_several_times():
    few = pd.DataFrame({"text": ["good", "bad"] * 20}).astype("str")
    many = pd.DataFrame({"text": [f"sentence {number}" for number in range(40)]}).astype("str")
    assert problems(inputs_for(few), [{"text": "new"}]) == [("unseen-category", "text", 0)]
    inputs_for(many).rows([{"text": "new"}])


def test_nothing_is_concluded_from_a_handful_of_rows():
    inputs = inputs_for(pd.DataFrame({"x": [1.0, 2.0, 3.0], "text": ["a", "a", "b"]}).astype({"text": "str"}))
    inputs.rows([{"x": 1e6, "text": "new"}])


def test_numbers_a_little_beyond_those_of_training_are_taken():
    random = np.random.default_rng(0)
    inputs = inputs_for(pd.DataFrame({"x": random.normal(size=100)}))
    inputs.rows([{"x": value} for value in random.normal(size=5000).tolist()])
    assert problems(inputs, [{"x": 100.0}]) == [("out-of-range", "x", 0)]


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([[1.0, 2.0]], "missing-column"),
        ([[1.0, 2.0, "x"]], "wrong-type"),
        ([[1.0, 2.0, None]], "null"),
        ([[1.0, 2.0, float("inf")]], "out-of-range"),
        ([[1.0, 2.0, 3.0], [1.0]], "missing-column"),
        ([["1", "2", "3"]], "wrong-type"),
        ([[True, 2.0, 3.0]], "wrong-type"),
        ([[1.0, 2.0, 10**400]], "out-of-range"),
        ([1.0], "missing-column"),
        ([[[1.0, 2.0, 3.0]]], "missing-column"),
        ([{"a": 1}], "wrong-type"),
    ],
    ids=str,
)
def test_rows_that_do_not_fit_an_array_are_refused(rows, kind):
    inputs = inputs_for(np.zeros((4, 3)))
    assert problems(inputs, rows)[0][0] == kind


@pytest.mark.parametrize(
    ("value", "kind"), [(300, "out-of-range"), (-1, "out-of-range"), (1.5, "wrong-type")]
)
def test_numbers_that_an_array_of_small_integers_cannot_hold_are_refused(value, kind):
    inputs = inputs_for(np.zeros((4, 2), "uint8"))
    assert through_json(inputs, [[255, 0.0]]).tolist() == [[255, 0]]
    assert problems(inputs, [[0, 0], [value, 0]]) == [(kind, "", 1)]


@pytest.mark.parametrize(
    ("dtype", "most"), [("int64", 2**63 - 1), ("uint64", 2**64 - 1), ("int32", 2**31 - 1)]
)
def test_integers_of_an_array_are_exact_up_to_the_largest(dtype, most):
    inputs = inputs_for(np.zeros((4, 1), dtype))
    assert through_json(inputs, [[most], [most - 1]]).tolist() == [[most], [most - 1]]
    assert problems(inputs, [[0], [most + 1]]) == [("out-of-range", "", 1)]
    assert problems(inputs, [[0], [float(most + 1)]]) == [("out-of-range", "", 1)]


@pytest.mark.parametrize("unit", ["s", "ns"])
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "wrong-type"),
        ([], "wrong-type"),
        ("soon", "wrong-type"),
        ("5", "wrong-type"),
        (" -1.5e3", "wrong-type"),
        (1e30, "out-of-range"),
    ],
)
def test_what_is_not_a_duration_that_a_column_can_hold_is_refused(unit, value, kind):
    inputs = inputs_for(pd.DataFrame({"waited": pd.to_timedelta([1, 2], "s").as_unit(unit)}))
    assert problems(inputs, [{"waited": 1.5}, {"waited": value}]) == [(kind, "waited", 1)]


def test_a_time_that_is_too_late_only_in_utc_is_refused():
    inputs = inputs_for(pd.DataFrame({"at": pd.to_datetime(["2020-01-01"], utc=True).as_unit("ns")}))
    assert problems(inputs, [{"at": "2262-04-11T23:47:16-23:00"}]) == [("out-of-range", "at", 0)]


# -- what is done about it


@pytest.mark.parametrize(
    ("column", "value"),
    [("age", "x"), ("age", None), ("income", "x"), ("city", "Genf"), ("plan", "huge")],
)
def test_imputing_takes_a_typical_value_of_training(column, value):
    known = ROWS[column].dropna()
    counts = known.value_counts()
    middle = sorted(known)[(len(known) - 1) // 2]
    typical = counts.index[counts == counts.max()] if column in ("city", "plan") else [middle]
    rows = inputs_for(ROWS, OnBadInput.IMPUTE).rows([{**GOOD, column: value}])
    frame = INPUTS.join([rows])
    assert frame[column].iloc[0] in typical
    assert frame.dtypes.equals(ROWS.dtypes)
    assert sum(rows.findings.counts.values()) == 1


@pytest.mark.parametrize("kind", ["pandas", "polars"])
@pytest.mark.parametrize("bad", ["soon", None, True])
def test_imputing_takes_the_time_in_the_middle(kind, bad):
    times = pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-09"])
    given = {
        "at": times,
        "seen": times.tz_localize("Europe/Berlin"),
        "waited": pd.to_timedelta([1, 2, 9], "s"),
        "born": [one.date() for one in times],
    }
    rows = pd.DataFrame(given) if kind == "pandas" else pl.DataFrame({k: list(v) for k, v in given.items()})
    inputs = inputs_for(rows, OnBadInput.IMPUTE)
    read = inputs.rows([dict.fromkeys(given, bad)])
    assert sum(read.findings.counts.values()) == len(given)
    found = inputs.join([read])
    middle = rows.iloc[1] if kind == "pandas" else rows.row(1, named=True)
    first = found.iloc[0] if kind == "pandas" else found.row(0, named=True)
    assert [first[name] for name in given] == [middle[name] for name in given]


def test_imputing_fills_a_missing_column_and_leaves_out_an_unknown_one():
    row = {name: value for name, value in GOOD.items() if name != "age"}
    rows = inputs_for(ROWS, OnBadInput.IMPUTE).rows([{**row, "label": 1}])
    assert dict(rows.findings.counts) == {("missing-column", "age"): 1, ("unknown-column", ""): 1}
    assert list(INPUTS.join([rows]).columns) == list(ROWS.columns)


@pytest.mark.parametrize(
    ("change", "column", "expected"),
    [
        ({"income": 1e9}, "income", 1e9),
        ({"age": 500}, "age", 500),
        ({"city": "Genf"}, "city", "Genf"),
        ({"city": None}, "city", None),
        ({"plan": "huge"}, "plan", None),
    ],
    ids=str,
)
def test_logging_takes_what_the_column_can_hold(change, column, expected):
    rows = inputs_for(ROWS, OnBadInput.LOG).rows([{**GOOD, **change}])
    found = INPUTS.join([rows])[column].iloc[0]
    assert (found == expected) if expected is not None else pd.isna(found)
    assert sum(rows.findings.counts.values()) == 1


def test_logging_refuses_what_the_column_cannot_hold():
    assert problems(inputs_for(ROWS, OnBadInput.LOG), [{**GOOD, "age": None, "paid": "x"}]) == [
        ("null", "age", 0),
        ("wrong-type", "paid", 0),
    ]


def test_what_is_counted_has_no_name_that_a_client_made_up():
    with pytest.raises(BadInput) as raised:
        INPUTS.rows([{**GOOD, "SECRET": 1}])
    assert "SECRET" not in raised.value.findings.kinds()


def test_a_folder_without_types_takes_numbers_by_name(tmp_path: Path):
    facts = {"inputs": [{"name": "a"}, {"name": "b"}], "format": "skops"}
    inputs = inputs_of(facts, None, OnBadInput.REJECT)
    found = through_json(inputs, [{"b": 2, "a": 1.5}, {"a": 3, "b": None}])
    assert found.columns.tolist() == ["a", "b"]
    assert found["a"].tolist() == [1.5, 3.0]
    assert np.isnan(found["b"][1])


def test_nothing_known_of_a_model_is_taken_as_an_array():
    inputs = inputs_of({"inputs": []}, None, OnBadInput.REJECT)
    assert np.array_equal(through_json(inputs, [[1, 2], [3, 4]]), [[1, 2], [3, 4]])
