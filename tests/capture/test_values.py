"""What a value is to KFP, and whether it comes back as it was."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import pytest

from kfnb.capture.content import examine
from kfnb.capture.fingerprint import Thoroughness
from kfnb.capture.values import LARGEST_PARAMETER, is_tree, kind_of, survives_json


@pytest.mark.parametrize(
    ("value", "kind", "restore"),
    [
        (1, "int", ""),
        (2**53 + 1, "Artifact", ""),
        (1.5, "float", "float"),
        (math.nan, "Artifact", ""),
        (math.inf, "Artifact", ""),
        ("é", "str", ""),
        ("\ud800", "Artifact", ""),
        ("x" * (LARGEST_PARAMETER + 1), "Artifact", ""),
        (True, "bool", ""),
        (None, "Artifact", ""),
        ([1, "a", None, {"b": [True]}], "list", ""),
        ({"a": {"b": 1}}, "dict", ""),
        ([1.0, 2.5], "list", "kfnb_floats"),
        ([1, 2.0], "list", "(lambda value: kfnb_floats(value, where={1: True}))"),
        ([{"n": 1, "x": 2.0}] * 1, "list", "(lambda value: kfnb_floats(value, where={'*': {'x': True}}))"),
        ({"n": 1, "x": [0.5]}, "dict", "(lambda value: kfnb_floats(value, where={'x': {'*': True}}))"),
        ({1: 2}, "Artifact", ""),
        ([(1,)], "Artifact", ""),
        ([[1]] * 2, "Artifact", ""),
        ((1, 2), "Artifact", ""),
        ({1}, "Artifact", ""),
        (b"x", "Artifact", ""),
    ],
)
def test_the_kind_of_pythons_own_values(value: object, kind: str, restore: str) -> None:
    assert (kind_of(value).type, kind_of(value).restore) == (kind, restore)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        ([1, 2], "list[int]"),
        ([1, 2.5], "list[float]"),
        (["a"], "list[str]"),
        ([True], "list[bool]"),
        ([{"a": 1}], "list[dict]"),
        ([1, "a"], "list"),
        ([None], "list"),
        ([], "list"),
        ({"a": [1]}, "dict"),
    ],
)
def test_a_list_tells_what_all_its_elements_are(value: object, annotation: str) -> None:
    assert kind_of(value).annotation == annotation


def test_a_list_in_itself_is_no_parameter() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert kind_of(loop).type == "Artifact"


def test_the_kind_of_libraries_values() -> None:
    np = pytest.importorskip("numpy")
    pd = pytest.importorskip("pandas")
    tree = pytest.importorskip("sklearn.tree")
    pyplot = pytest.importorskip("matplotlib.figure")
    assert kind_of(np.float64(1)).restore == "numpy.float64"
    assert [kind_of(np.int64(1)).type, kind_of(np.int64(1)).restore] == ["int", "numpy.int64"]
    assert kind_of(np.bool_(1)).restore == "numpy.bool_"
    assert kind_of(np.float32(0.5)).restore == "numpy.float32"
    assert kind_of(np.float64("nan")).type == "Artifact"
    assert (
        kind_of(np.arange(3)).type == kind_of(pd.DataFrame()).type == kind_of(pd.Series()).type == "Dataset"
    )
    assert kind_of(tree.DecisionTreeClassifier()).type == "Model"
    assert kind_of(pyplot.Figure()).type == "Artifact"


def test_what_json_keeps() -> None:
    assert survives_json({"a": [1, 2.5, None, "x", True]})
    assert not survives_json({"a": (1,)})
    assert not survives_json([math.nan])
    assert not survives_json({1: "a"})


def test_a_tree_has_each_part_once() -> None:
    row = [0]
    assert is_tree([[0], [0], "a", "a", (1, 1)])
    assert not is_tree([row, row])
    assert not is_tree({"a": row, "b": (1, row)})


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([1], lambda v: v.append(2)),
        ({"a": {"b": [1]}}, lambda v: v["a"]["b"].append(2)),
        ({1}, lambda v: v.add(2)),
        (iter([1, 2]), next),
    ],
)
def test_a_change_changes_the_digest(value: object, change: object) -> None:
    before = examine(value).digest
    assert examine(value).digest == before
    change(value)  # type: ignore[operator]
    assert examine(value).digest != before


def test_reading_a_frame_is_no_change_and_writing_is() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2], "b": [[1], [2]], "c": ["x", None]})
    before = examine(frame).digest
    frame["a"].sum()
    frame.describe()
    assert examine(frame).digest == before
    frame.loc[0, "a"] = 5
    assert examine(frame).digest != before
    twice = pd.DataFrame([[[1], [2]]], columns=["a", "a"])
    assert examine(twice).digest == examine(twice).digest is not None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (["a", "b"], "z"),
        ([1.0, 2.0], 5.0),
        ([[1], [2]], None),
        ("datetime64[ns]", 5),
        ("datetime64[ns, UTC]", 5),
        ("timedelta64[ns]", 5),
        ("category", 1),
        ("Int64", 5),
        ("boolean", True),
        ("string", "z"),
        ("Sparse[int]", None),
    ],
)
@pytest.mark.parametrize("look", Thoroughness)
def test_a_change_of_one_cell_is_seen_in_columns_of_every_sort(
    look: Thoroughness, column: Any, value: Any
) -> None:
    pd = pytest.importorskip("pandas")
    series = pd.Series(column) if isinstance(column, list) else pd.Series([0, 1, 0]).astype(column)
    frame = pd.DataFrame({"a": 1, "x": series})
    twin, before = frame.copy(deep=False), examine(frame, look).digest
    str(frame.describe(include="all")), frame["x"].isna().sum(), frame["x"].tolist()
    assert examine(frame, look).digest == before
    if "Sparse" in str(column):
        frame["x"] = pd.Series([7, 1, 0]).astype(column)
    else:
        frame.loc[0, "x"] = pd.Series([value]).astype(frame["x"].dtype)[0]
    assert examine(frame, look).digest != before
    if look is not Thoroughness.PLACE:
        assert examine(twin, look).digest == before


def test_what_cannot_travel_says_why() -> None:
    assert "generator" in examine(x for x in ()).refusal
    assert "a module" in examine(math).refusal
    assert "lock" in examine(threading.Lock()).refusal
    with Path(__file__).open(encoding="utf-8") as file:
        assert "open file" in examine(file).refusal


def test_values_of_libraries_are_the_same_here_and_in_a_pipeline(agree) -> None:
    for module in ("pandas", "sklearn", "matplotlib", "pyarrow"):
        pytest.importorskip(module)
    agree(
        "import numpy as np\nimport pandas as pd",
        "%%kf_component make\nimport matplotlib.figure\nfrom sklearn.linear_model import LinearRegression\n"
        "df = pd.DataFrame({'a': [1, 2, 3], 'b': [0.5, None, 2], 'c': ['x', None, 'z']})\n"
        "df['d'] = pd.Categorical(list('aba'))\n"
        "odd = pd.DataFrame({'t': pd.date_range('2024', periods=2), 'o': [{'k': 1}, (2,)]},"
        " index=[(1, 'a'), (2, 'b')])\n"
        "days = pd.Series([1, 2], index=pd.date_range('2024', periods=2, freq='D'), name=None)\n"
        "arr = np.asfortranarray(np.arange(6).reshape(2, 3))\nobj = np.array([1, 'a', None], dtype=object)\n"
        "view = arr[:, ::2]\nmasked = np.ma.masked_array([1, 2], [0, 1])\n"
        "model = LinearRegression().fit([[0], [1]], [0, 1])\nrng = np.random.default_rng(0)\n"
        "fig = matplotlib.figure.Figure(figsize=(2, 1))\nfig.subplots().plot([1, 2])\n"
        "n = np.int64(7)\nflag = np.bool_(True)\nf32 = np.float32(0.1)\nf64 = np.float64(2)\nword = np.str_('w')\n",
        "%%kf_component see --output seen\n"
        "kinds = [type(v).__name__ for v in (n, flag, f32, arr, obj, masked, df, odd, days, model, fig)]\n"
        "seen = repr([kinds, n + 1, ~flag, f32, float(f64) * 2, word + '!',"
        " df.to_dict('list'), df.dtypes.map(str).to_dict(),\n"
        "    odd.to_dict(), days.index.freq, arr.flags.f_contiguous, arr.tolist(), obj.tolist(), view.tolist(),\n"
        "    str(masked), model.predict([[2]]).tolist(), fig.get_size_inches().tolist(), len(fig.axes)])\n",
        "%%kf_component draw --output drawn\ndf.loc[0, 'a'] = 9\narr[0, 0] = 5\ndrawn = int(rng.integers(100))\n",
        "%%kf_component again --output drawn2\ndrawn2 = [int(rng.integers(100)), int(df.a.sum()), int(arr.sum())]\n",
    )
