"""A model folder has the model in its field's safe format, and the model comes back as it was."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from kfnb.capture.embedded.model_facts import kfnb_packages
from kfnb.capture.embedded.models import kfnb_read_model, kfnb_write_model
from kfnb.resources.models.digest import folder_digest

random = np.random.default_rng(0)
X = pd.DataFrame(random.normal(size=(60, 3)), columns=["a", "b", "c"])
Y = (X.a + 0.2 * X.b > 0).astype(int)

ESTIMATORS = [
    LogisticRegression(),
    DecisionTreeClassifier(random_state=1),
    RandomForestClassifier(n_estimators=3, random_state=1),
    ExtraTreesClassifier(n_estimators=3, random_state=1),
    GradientBoostingClassifier(n_estimators=3, random_state=1),
    HistGradientBoostingClassifier(max_iter=3, random_state=1),
    MLPClassifier(hidden_layer_sizes=(4,), max_iter=5, random_state=1),
    SVC(random_state=1),
    KNeighborsClassifier(),
    GaussianNB(),
    GaussianProcessClassifier(random_state=1),
    CalibratedClassifierCV(GaussianNB(), cv=2),
    make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=2, random_state=1)),
    StackingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier(random_state=1))], cv=2),
]


def names(value: Any) -> str:
    return type(value).__name__


@pytest.mark.parametrize("model", ESTIMATORS, ids=names)
@pytest.mark.filterwarnings("ignore")
def test_an_estimator_comes_back_and_the_same_estimator_is_the_same_bytes(model: Any, tmp_path: Path) -> None:
    model.fit(X, Y)
    facts = kfnb_write_model(model, str(tmp_path / "one"), X)
    back = kfnb_read_model(str(tmp_path / "one"))
    assert facts["format"] == "skops"
    assert type(back) is type(model)
    assert (back.predict(X) == model.predict(X)).all()
    again = sklearn.base.clone(model).fit(X, Y)
    kfnb_write_model(again, str(tmp_path / "two"), X)
    assert folder_digest(tmp_path / "one") == folder_digest(tmp_path / "two")


def test_a_model_trained_alike_in_another_process_is_the_same_bytes(tmp_path: Path) -> None:
    program = (
        "import sys, numpy as np\n"
        "from sklearn.ensemble import RandomForestClassifier\n"
        "from kfnb.capture.embedded.models import kfnb_write_model\n"
        "x = np.arange(40.).reshape(20, 2)\n"
        "kfnb_write_model(RandomForestClassifier(n_estimators=3, random_state=0).fit(x, x[:, 0] > 9), sys.argv[1])\n"
    )
    for name in ("one", "two"):
        environment = {**os.environ, "PYTHONHASHSEED": str(len(name) + ord(name[0]))}
        subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], check=True, env=environment)
    assert folder_digest(tmp_path / "one") == folder_digest(tmp_path / "two")


def test_a_folder_says_what_the_model_takes_and_what_it_needs(tmp_path: Path) -> None:
    model = RandomForestClassifier(n_estimators=2).fit(X, Y)
    kfnb_write_model(model, str(tmp_path / "m"), X)
    facts = json.loads((tmp_path / "m/kfnb_model.json").read_text())
    assert [(one["name"], one["type"]) for one in facts["inputs"]] == [(name, "float64") for name in "abc"]
    assert facts["outputs"] == [{"name": "", "type": "int64", "shape": [-1], "nullable": False}]
    assert facts["input_example"]["columns"] == ["a", "b", "c"]
    assert facts["input_example"]["rows"][0] == list(X.iloc[0])
    assert len(facts["input_example"]["rows"]) == 5
    assert facts["packages"]["scikit-learn"] == sklearn.__version__
    assert f"scikit-learn=={sklearn.__version__}\n" in (tmp_path / "m/requirements.txt").read_text()
    assert facts["python"] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert sorted(one.name for one in (tmp_path / "m").iterdir()) == [
        "kfnb_model.json",
        "model.skops",
        "requirements.txt",
        "sample.json",
    ]


def test_without_an_example_the_columns_are_those_that_the_model_knows(tmp_path: Path) -> None:
    facts = kfnb_write_model(GaussianNB().fit(X, Y), str(tmp_path / "m"))
    assert [one["name"] for one in facts["inputs"]] == ["a", "b", "c"]
    facts = kfnb_write_model(GaussianNB().fit(X.to_numpy(), Y), str(tmp_path / "n"))
    assert facts["inputs"] == [{"name": "", "type": "", "shape": [-1, 3], "nullable": False}]
    assert "input_example" not in facts


def doubled(x: Any) -> Any:
    return x * 2


def test_a_type_that_is_not_on_the_list_is_named_and_has_to_be_trusted(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(doubled), GaussianNB()).fit(X, Y)
    name = f"{doubled.__module__}.doubled"
    with pytest.raises(TypeError, match=rf"not known to be safe: {name}; pass trust=\['{name}'\]"):
        kfnb_write_model(model, str(tmp_path / "refused"))
    kfnb_write_model(model, str(tmp_path / "m"), trust=[name])
    with pytest.raises(TypeError, match=f"not known to be safe: {name}"):
        kfnb_read_model(str(tmp_path / "m"))
    assert (kfnb_read_model(str(tmp_path / "m"), trust=[name]).predict(X) == model.predict(X)).all()


class Constant:
    def predict(self, rows: Any) -> list[int]:
        return [1] * len(rows)


class Own(BaseEstimator):
    def __reduce__(self) -> Any:
        return (os.system, ("true",))


def test_a_pickle_is_written_and_read_only_where_it_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"Constant has no safe format; pass pickle=True"):
        kfnb_write_model(Constant(), str(tmp_path / "refused"))
    facts = kfnb_write_model(Constant(), str(tmp_path / "m"), pickle=True)
    assert facts["format"] == "pickle"
    with pytest.raises(TypeError, match="is a pickle, which executes code"):
        kfnb_read_model(str(tmp_path / "m"))
    assert kfnb_read_model(str(tmp_path / "m"), pickle=True).predict(X[:2]) == [1, 1]


def test_nothing_of_a_skops_file_that_asks_for_more_is_loaded(tmp_path: Path) -> None:
    import skops.io

    folder = tmp_path / "m"
    kfnb_write_model(GaussianNB().fit(X, Y), str(folder))
    (folder / "model.skops").write_bytes(skops.io.dumps({"a": FunctionTransformer(os.system)}))
    with pytest.raises(TypeError, match="posix"):
        kfnb_read_model(str(folder))


def test_a_file_name_in_a_folder_leads_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    kfnb_write_model(Constant(), str(folder), pickle=True)
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(1))
    facts = json.loads((folder / "kfnb_model.json").read_text())
    (folder / "kfnb_model.json").write_text(json.dumps({**facts, "file": "../evil.pkl"}))
    with pytest.raises(FileNotFoundError):
        kfnb_read_model(str(folder), pickle=True)


@pytest.mark.parametrize("kind", ["estimator", "booster"])
def test_xgboost_is_kept_in_its_own_format(kind: str, tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    model = xgboost.XGBClassifier(n_estimators=3).fit(X, Y)
    model = model if kind == "estimator" else model.get_booster()
    rows = X if kind == "estimator" else xgboost.DMatrix(X)
    facts = kfnb_write_model(model, str(tmp_path / "m"))
    back = kfnb_read_model(str(tmp_path / "m"))
    assert (facts["format"], facts["file"]) == ("xgboost", "model.ubj")
    assert type(back) is type(model)
    assert np.allclose(back.predict(rows), model.predict(rows))


@pytest.mark.parametrize("kind", ["estimator", "booster"])
def test_lightgbm_is_kept_as_text_and_its_estimators_by_skops(kind: str, tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, min_child_samples=2).fit(X, Y)
    model = model if kind == "estimator" else model.booster_
    facts = kfnb_write_model(model, str(tmp_path / "m"))
    back = kfnb_read_model(str(tmp_path / "m"))
    assert facts["format"] == ("skops" if kind == "estimator" else "lightgbm")
    assert np.allclose(back.predict(X), model.predict(X))


def test_onnx_is_kept_as_it_is(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", values[:1], values[1:])
    model = onnx.helper.make_model(graph)
    assert kfnb_write_model(model, str(tmp_path / "m"))["format"] == "onnx"
    assert kfnb_read_model(str(tmp_path / "m")) == model


def test_torch_is_kept_as_tensors(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(3, 1)
    kfnb_write_model(model, str(tmp_path / "m"))
    state = kfnb_read_model(str(tmp_path / "m"))
    assert torch.equal(state["weight"], model.weight)
    back = kfnb_read_model(str(tmp_path / "m"), into=torch.nn.Linear(3, 1))
    assert torch.equal(back.bias, model.bias)


def test_an_xgboost_booster_takes_an_example(tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    booster = xgboost.train({}, xgboost.DMatrix(X, Y), 2)
    facts = kfnb_write_model(booster, str(tmp_path / "one"), X)
    assert [one["name"] for one in facts["inputs"]] == ["a", "b", "c"]
    assert [one["shape"] for one in facts["outputs"]] == [[-1]]


def test_a_package_is_found_whatever_its_module_is_called() -> None:
    found = kfnb_packages(["yaml", "sklearn", "json", "no_such_module"])
    assert {name.lower() for name in found} == {"pyyaml", "scikit-learn"}
