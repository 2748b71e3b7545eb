"""The functions that travel with a step: they stand by themselves, and give values back as they were."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections import namedtuple
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from kfnb.capture.embedded import values
from kfnb.capture.embedded.reports import (
    kfnb_curves,
    kfnb_log_confusion_matrix,
    kfnb_log_metrics,
    kfnb_log_roc,
    kfnb_text,
)
from kfnb.capture.embedded.values import kfnb_floats, kfnb_load, kfnb_save, kfnb_value
from kfnb.capture.values import kind_of
from kfnb.pipeline.packed_code import FUNCTIONS


def save(value: object, file: Any) -> None:
    """Save a value as a step would that has seen it in the notebook."""
    kfnb_save(value, file, {}, getattr(values, kind_of(value).writer or "kfnb_write_json"))


class Point:
    def __init__(self, x: int) -> None:
        self.x = x


class Other:
    pass


def artifact(path: Any, **metadata: Any) -> Any:
    return SimpleNamespace(path=str(path), uri=str(path), metadata=metadata)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ({"a": [1, 2.0, None]}, "json"),
        (None, "json"),
        ("x" * 10**6, "json"),
        (2**70, "json"),
        ([(1,)], "cloudpickle"),
        ({1: 2}, "cloudpickle"),
        ([[1]] * 2, "cloudpickle"),
        ((1, [2]), "cloudpickle"),
        ({1, 2}, "cloudpickle"),
        (float("inf"), "cloudpickle"),
    ],
)
def test_a_value_comes_back_from_the_safest_format_that_holds_it(tmp_path, value: object, form: str) -> None:
    file = artifact(tmp_path / "a")
    save(value, file)
    assert file.metadata["format"] == form
    assert kfnb_load(file, {}) == value


def test_one_object_in_two_places_stays_one(tmp_path) -> None:
    file = artifact(tmp_path / "a")
    save([[1]] * 2, file)
    one, two = kfnb_load(file, {})
    assert one is two


def test_tables_and_arrays(tmp_path) -> None:
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    plain = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    attrs = plain.copy()
    attrs.attrs["k"] = 1
    values = [
        (plain, "parquet"),
        (plain.a, "series-parquet"),
        (pd.Series([1.5]), "series-parquet"),
        (attrs, "cloudpickle"),
        (pd.DataFrame({0: [1]}), "parquet"),
        (pd.DataFrame({"a": [[1], (2,)]}), "cloudpickle"),
        (pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2024", periods=2, freq="D")), "cloudpickle"),
        (np.arange(4).reshape(2, 2), "npy"),
        (np.array([1, "a"], dtype=object), "cloudpickle"),
    ]
    for number, (value, form) in enumerate(values):
        file = artifact(tmp_path / str(number))
        save(value, file)
        back = kfnb_load(file, {})
        assert (file.metadata["format"], type(back)) == (form, type(value)), value
        assert back.equals(value) if hasattr(value, "equals") else (back == value).all()
    assert kfnb_load(artifact(tmp_path / "0", format="parquet"), {}).dtypes.equals(plain.dtypes)


def test_a_value_is_written_in_the_format_of_its_kind_and_pickled_where_it_is_of_another_kind(
    tmp_path,
) -> None:
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    seen = [pd.DataFrame({"a": [1]}), pd.Series([1]), np.arange(2), None, [(1,)]]
    writers = [getattr(values, kind_of(value).writer) for value in seen]
    file = artifact(tmp_path / "a")
    forms = []
    for value, write in zip(seen, writers, strict=True):
        kfnb_save(value, file, {}, write)
        forms.append(file.metadata["format"])
    assert forms == ["parquet", "series-parquet", "npy", "json", "cloudpickle"]
    kfnb_save({1, 2}, file, {}, writers[0])
    assert (file.metadata["format"], kfnb_load(file, {})) == ("cloudpickle", {1, 2})


def test_estimators(tmp_path) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    pytest.importorskip("skops")
    file = artifact(tmp_path / "a")
    save(linear.LinearRegression().fit([[0], [1]], [0, 1]), file)
    assert file.metadata["format"] == "skops"
    assert round(kfnb_load(file, {}).predict([[2]])[0]) == 2


def test_classes_of_the_notebook_go_by_name_and_by_value(tmp_path) -> None:
    Pair = namedtuple("Pair", "a b")  # noqa: PYI024 - as notebooks do
    here = {"Point": Point, "Other": Other, "Pair": Pair}
    file, through = artifact(tmp_path / "a"), artifact(tmp_path / "b")
    kfnb_save([Point(1), Other(), Pair(1, Point(2))], file, here)
    # a step that has none of the classes passes the value on
    kfnb_save(kfnb_load(file, {}), through, {})
    there = {"Point": type("Point", (), {}), "Pair": namedtuple("Pair", "a b")}  # noqa: PYI024
    point, other, pair = kfnb_load(through, there)
    assert isinstance(point, there["Point"])
    assert isinstance(pair, there["Pair"])
    assert isinstance(pair.b, there["Point"])
    assert (point.x, type(other).__name__) == (1, "Other")


def test_a_file_from_elsewhere_is_read_by_its_name(tmp_path) -> None:
    (tmp_path / "a.json").write_text("[1]")
    assert kfnb_load(artifact(tmp_path / "a.json"), {}) == [1]
    with pytest.raises(ValueError, match="an unknown format"):
        kfnb_load(artifact(tmp_path / "a.bin"), {})


@pytest.mark.parametrize(
    ("value", "kind", "given"), [(1, float, 1.0), (1.5, float, 1.5), (True, bool, True), ([], list, [])]
)
def test_a_parameter_is_of_its_type(value: object, kind: type, given: object) -> None:
    assert repr(kfnb_value(value, kind, "x")) == repr(given)


@pytest.mark.parametrize(
    ("value", "kind", "error"),
    [
        ("a", int, TypeError),
        (True, int, TypeError),
        (float("nan"), float, ValueError),
        ([(1,)], list, ValueError),
        ({1: 2}, dict, ValueError),
        (2**60, int, ValueError),
        (["x" * 10**6], list, ValueError),
    ],
)
def test_a_parameter_that_would_come_back_different_is_an_error(
    value: object, kind: type, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"^x "):
        kfnb_value(value, kind, "x")


def test_floats_that_kfp_wrote_as_integers() -> None:
    assert repr(kfnb_floats({"a": [1, 2.5, True, "x", None]})) == "{'a': [1.0, 2.5, True, 'x', None]}"
    rows = [{"n": 1, "x": 2}, {"n": 3, "x": 4, "y": [5, 6]}]
    where = {"*": {"x": True, "y": {1: True}}}
    assert repr(kfnb_floats(rows, where=where)) == "[{'n': 1, 'x': 2.0}, {'n': 3, 'x': 4.0, 'y': [5, 6.0]}]"


def test_kf_writes_into_the_steps_artifacts(tmp_path, capsys) -> None:
    metrics, classes, html = artifact("m"), artifact("c"), artifact(tmp_path / "h")
    kf = SimpleNamespace(
        log_metrics=kfnb_log_metrics(metrics, kfnb_curves(metrics)),
        log_roc=kfnb_log_roc(classes),
        log_confusion_matrix=kfnb_log_confusion_matrix(classes),
        html=kfnb_text(html),
    )
    kf.log_metrics(step=1, loss=2)
    kf.log_metrics({"accuracy": 0.5})
    kf.log_roc([0, 1], [0, 1], [float("inf"), 0.1])
    kf.log_confusion_matrix(["a", "b"], [[1, 0], [0, 1]])
    kf.html("<b>1</b>")
    assert metrics.metadata == {"loss": 2, "accuracy": 0.5, "kfnb_curves": {"loss": [[1, 2]]}}
    assert repr(metrics.metadata["loss"]) == "2.0"
    assert classes.metadata["confidenceMetrics"][0]["confidenceThreshold"] == 1e9
    assert classes.metadata["confusionMatrix"]["rows"][0] == {"row": [1, 0]}
    assert (tmp_path / "h").read_text() == "<b>1</b>\n"
    assert capsys.readouterr().out == "step 1: loss=2\n"
    with pytest.raises(TypeError, match="x must be a number"):
        kf.log_metrics(x="a")
    with pytest.raises(TypeError, match=r"as a dict, not as 0\.9"):
        kf.log_metrics(0.9)
    with pytest.raises(ValueError, match="2 labels need a matrix of 2 x 2"):
        kf.log_confusion_matrix(["a", "b"], [[1]])


def test_metrics_logged_by_step_are_curves_beside_their_last_value(capsys) -> None:
    metrics = artifact("m")
    log_metrics = kfnb_log_metrics(metrics, kfnb_curves(metrics))
    for step in range(3):
        log_metrics(step=step, loss=1 / (step + 1), rows=7)
    log_metrics(step=3, loss=float("nan"))
    log_metrics(accuracy=0.5)
    curves = metrics.metadata.pop("kfnb_curves")
    assert curves == {"loss": [[0, 1.0], [1, 0.5], [2, 1 / 3], [3, "nan"]], "rows": [[0, 7], [1, 7], [2, 7]]}
    assert {name: str(value) for name, value in metrics.metadata.items()} == {
        "loss": "nan",
        "rows": "7.0",
        "accuracy": "0.5",
    }
    assert capsys.readouterr().out.splitlines()[0] == "step 0: loss=1.0 rows=7"


@pytest.mark.parametrize("count", [1, 999, 1000, 1001, 2000, 2001, 25_000])
def test_a_long_curve_is_kept_evenly_from_its_first_to_its_last_point(count: int) -> None:
    metrics = artifact("m")
    log_metrics = kfnb_log_metrics(metrics, kfnb_curves(metrics))
    for step in range(count):
        log_metrics(step=step, loss=step / 2)
    steps = [step for step, _ in metrics.metadata["kfnb_curves"]["loss"]]
    assert (steps[0], steps[-1]) == (0, count - 1)
    assert min(count, 500) <= len(steps) <= 1000
    assert len({after - before for before, after in pairwise(steps[:-1])}) <= 1


def test_each_function_stands_by_itself() -> None:
    names = list(FUNCTIONS)
    source = "from typing import *\nfrom collections.abc import *\n" + "\n".join(
        inspect.getsource(FUNCTIONS[name]) for name in names
    )
    source += "\nprint(kfnb_kf(a=kfnb_number).a(2, 'n'), kfnb_value(1, int, 'x'))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-"], input=source, capture_output=True, text=True, check=True
    )
    assert done.stdout == "2 1\n"
