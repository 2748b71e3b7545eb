"""How far the results of two runs agree, and what explains that they do not."""

from __future__ import annotations

import math
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.artifacts.digests import Digests
from kfnb.entities import Artifact, RunSnapshot, RunState, Task
from kfnb.entities.manifest import Layer, LayerName, Manifest
from kfnb.resources.provenance.closeness import FAR, distance
from kfnb.resources.provenance.diff import difference
from kfnb.resources.provenance.judging import judged
from kfnb.resources.provenance.verdict import Agreement

# -- how close ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (1, 1, 0),
        (1, 1.0, 0),
        (math.nan, math.nan, 0),
        (math.inf, 1.0, FAR),
        (2.0, 1.0, 0.5),
        ("a", "a", 0),
        ("a", "b", FAR),
        ("1", 1, FAR),
        ([1, 2], [1, 2, 3], FAR),
        ({"a": [1.0]}, {"a": [2.0]}, 0.5),
        ({"a": 1}, {"b": 1}, FAR),
        (None, None, 0),
        (np.array([1.0, 100.0]), np.array([1.5, 100.0]), 0.005),
        (np.array([1, 2]), np.array([[1, 2]]), FAR),
        (np.array([np.nan, 1]), np.array([np.nan, 1]), 0),
        (np.array([np.nan, 1]), np.array([1, np.nan]), FAR),
        (np.array(["a"]), np.array(["b"]), FAR),
        (np.array([]), np.array([]), 0),
        (np.array([(1, 2.0)], "i4,f8"), np.array([(1, 4.0)], "i4,f8"), 0.5),
        (pd.DataFrame({"a": [1.0], "b": ["x"]}), pd.DataFrame({"a": [2.0], "b": ["x"]}), 0.5),
        (pd.DataFrame({"a": [1.0]}), pd.DataFrame({"b": [1.0]}), FAR),
        (pd.Series([1.0], name="a"), pd.Series([1.0], name="b"), FAR),
        (random.Random(1), random.Random(1), 0),
    ],
)  # fmt: skip
def test_the_distance_is_the_largest_relative_difference(one, other, apart):
    assert distance(one, other) == apart
    assert distance(other, one) == apart


def test_models_are_compared_by_what_they_have_learned():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    x, y = np.random.RandomState(0).rand(60, 3), np.arange(60) % 2
    assert distance(*(LogisticRegression().fit(x, y) for _ in range(2))) == 0
    assert 0 < distance(LogisticRegression().fit(x, y), LogisticRegression().fit(x * (1 + 1e-12), y)) < 1e-8
    assert distance(LogisticRegression(C=1.0).fit(x, y), LogisticRegression(C=2.0).fit(x, y)) > 0.01
    assert distance(*(RandomForestClassifier(3, random_state=0).fit(x, y) for _ in range(2))) == 0
    assert distance(*(RandomForestClassifier(3, random_state=n).fit(x, y) for n in range(2))) > 0.01


@given(
    st.recursive(
        st.floats() | st.text() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_every_value_is_at_no_distance_of_a_copy(value):
    import copy

    assert distance(value, copy.deepcopy(value)) == 0


# -- the verdict ----------------------------------------------------------------------------------------------


def run(metrics=None, **outputs):
    task = Task("train", "train", RunState.SUCCEEDED, outputs=outputs, metrics=metrics or {})
    return RunSnapshot("1", "1", "p", "local", RunState.SUCCEEDED, tasks=(task,))


def array(folder, name, *values):
    folder.mkdir(exist_ok=True)
    np.save(folder / f"{name}.npy", np.array(values))
    path = folder / f"{name}.npy"
    return Artifact(name, "system.Artifact", str(path), {"format": "npy"}, Digests().content(path))


def manifests(before, after):
    return difference(*(Manifest("x", "run", layers=tuple(layers)) for layers in (before, after)))


SAME = manifests([], [])


def test_equal_values_and_bytes_are_bitwise(tmp_path):
    one, two = (run({"a": 0.5}, w=array(tmp_path / n, "w", 1.0)) for n in "ab")
    assert judged(one, two, SAME).agreement is Agreement.BITWISE
    assert judged(one, two, SAME).cause is None


def test_rounding_is_within_tolerance_and_has_its_largest_difference(tmp_path):
    one = run({"a": 0.5}, w=array(tmp_path / "a", "w", 1.0))
    two = run({"a": 0.5}, w=array(tmp_path / "b", "w", 1.0 + 4e-16))
    found = judged(one, two, SAME)
    assert found.agreement is Agreement.TOLERANCE
    assert 0 < found.largest < 1e-15


def test_other_values_with_the_same_metrics_are_that(tmp_path):
    one = run({"a": 0.5}, w=array(tmp_path / "a", "w", 1.0))
    two = run({"a": 0.5}, w=array(tmp_path / "b", "w", 2.0))
    assert judged(one, two, SAME).agreement is Agreement.METRICS


def test_other_metrics_are_different():
    assert judged(run({"a": 0.5}, x=1), run({"a": 0.6}, x=1), SAME).agreement is Agreement.DIFFERENT
    assert judged(run(x=1), run(y=1), SAME).agreement is Agreement.DIFFERENT


def test_a_pickle_is_not_opened_and_the_rest_decides(tmp_path):
    def pickled(name, text):
        (tmp_path / name).write_text(text)
        path = tmp_path / name
        return Artifact("m", "system.Model", str(path), {"format": "cloudpickle"}, Digests().content(path))

    found = judged(run({"a": 1}, m=pickled("a", "x")), run({"a": 1}, m=pickled("b", "y")), SAME)
    assert found.agreement is Agreement.METRICS
    assert "is a pickle, which executes code" in next(
        one.why for one in found.outcomes if one.name == "train.m"
    )


def test_the_cause_of_other_digits_is_what_changes_digits():
    before = [
        Layer(LayerName.HARDWARE, {"blas_kernel": "SkylakeX"}),
        Layer(LayerName.OS, {"timezone": "UTC"}),
    ]
    after = [Layer(LayerName.HARDWARE, {"blas_kernel": "Haswell"}), Layer(LayerName.OS, {"timezone": "CET"})]
    found = judged(run(x=1.0), run(x=1.0 + 4e-16), manifests(before, after))
    assert (found.agreement, found.cause.words) == (Agreement.TOLERANCE, "BLAS kernel")
    found = judged(run(x=1.0), run(x=2.0), manifests(before, after))
    assert (found.agreement, found.cause.words) == (Agreement.DIFFERENT, "time zone")


def test_without_a_cause_it_is_said_why():
    assert "have no seed" in judged(run(x=1.0), run(x=2.0), SAME).note
    seeded = [Layer(LayerName.MODEL, {"seed": 0, "unseeded": ["uuid.uuid4()"]})]
    assert (
        judged(run(x=1.0), run(x=2.0), manifests(seeded, seeded)).note
        == "the seed does not reach uuid.uuid4()"
    )
