"""How rows are sent by the protocols, and how their answers are read."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.errors import UsageError
from kfnb.resources.services.protocols import V1, V2


def test_v1_sends_rows_as_they_are() -> None:
    protocol = V1()
    assert protocol.path("churn", "explain") == "/v1/models/churn:explain"
    assert protocol.request([{"a": 1}]) == {"instances": [{"a": 1}]}
    assert protocol.content({"predictions": [3]}, "predict") == [3]


def test_v2_sends_a_tensor_a_column_in_the_order_of_the_model() -> None:
    protocol = V2(("age", "income", "paid", "city"))
    rows = [
        {"city": "Oslo", "income": 3.5, "age": 40, "paid": True, "more": None},
        {"city": None, "income": None, "age": 41, "paid": False, "more": None},
    ]
    sent = protocol.request(rows)
    assert protocol.path("churn", "predict") == "/v2/models/churn/infer"
    assert sent["parameters"] == {"content_type": "pd"}
    found = [(one["name"], one["datatype"], one["data"]) for one in sent["inputs"]]
    assert found == [
        ("age", "INT64", [40, 41]),
        ("income", "FP64", [3.5, None]),
        ("paid", "BOOL", [True, False]),
        ("city", "BYTES", ["Oslo", None]),
        ("more", "FP64", [None, None]),
    ]
    assert {tuple(one["shape"]) for one in sent["inputs"]} == {(2,)}


def test_rows_without_names_are_one_matrix() -> None:
    [tensor] = V2().request([[1, 2.5], [3, 4]])["inputs"]
    assert (tensor["shape"], tensor["datatype"], tensor["data"]) == ([2, 2], "FP64", [1.0, 2.5, 3.0, 4.0])


@pytest.mark.parametrize("rows", [[[1], [1, 2]], [[[1]]], [[{"a": 1}], [2]]])
def test_rows_that_are_no_table_are_refused(rows: list[Any]) -> None:
    with pytest.raises(UsageError, match="do not have the same columns"):
        V2().request(rows)


def test_v2_does_not_explain() -> None:
    with pytest.raises(UsageError, match="answers protocol V2 alone, which has no explain"):
        V2().path("churn", "explain")


def test_several_outputs_are_a_row_of_names() -> None:
    outputs = [
        {"name": "label", "shape": [2, 1], "datatype": "INT64", "data": [1, 0]},
        {"name": "score", "shape": [2, 2], "datatype": "FP64", "data": [[0.1, 0.9], [0.8, 0.2]]},
    ]
    rows = V2().content({"outputs": outputs}, "predict")
    assert rows == [{"label": 1, "score": [0.1, 0.9]}, {"label": 0, "score": [0.8, 0.2]}]


def test_an_answer_whose_shape_is_not_its_data_is_an_error() -> None:
    with pytest.raises(ValueError, match="3 values for the shape"):
        V2().content({"outputs": [{"name": "a", "shape": [2], "data": [1, 2, 3]}]}, "predict")


_CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False, width=32), st.text()
)


@given(st.lists(st.fixed_dictionaries({"a": _CELLS, "b": _CELLS}), min_size=1, max_size=5))
def test_every_row_is_in_the_tensors_where_it_was(rows: list[dict[str, Any]]) -> None:
    sent = json.loads(json.dumps(V2(("b",)).request(rows)))
    assert [one["name"] for one in sent["inputs"]] == ["b", "a"]
    for tensor in sent["inputs"]:
        assert math.prod(tensor["shape"]) == len(tensor["data"]) == len(rows)
        for row, value in zip(rows, tensor["data"], strict=True):
            cell = row[tensor["name"]]
            assert value == (str(cell) if tensor["datatype"] == "BYTES" and cell is not None else cell)
