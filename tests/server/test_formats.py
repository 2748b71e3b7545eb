"""Models of every safe format are served: predicted and explained."""

from __future__ import annotations

from pathlib import Path

import lightgbm
import numpy as np
import onnx
import pandas as pd
import pytest
import xgboost
from onnx import TensorProto, helper
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import Ridge
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from kfnb.server.encoding import json_rows
from kfnb.server.parity import check
from kfnb.server.predictor import NotServable
from kfnb.server.served import serve_folder
from tests.server.model_folders import write_folder

random = np.random.default_rng(0)
ROWS = pd.DataFrame(random.normal(size=(60, 3)), columns=list("abc"))
LABELS = np.where(ROWS.a + ROWS.b > 0, "yes", "no")
NUMBERS = (ROWS @ [1.0, 2.0, 3.0]).to_numpy()


def booster():
    return lightgbm.train(
        {"verbose": -1, "objective": "regression"}, lightgbm.Dataset(ROWS, NUMBERS), num_boost_round=5
    )


MODELS = {
    "histogram boosting": lambda: HistGradientBoostingClassifier(max_iter=5).fit(ROWS, LABELS),
    "neighbors": lambda: KNeighborsClassifier().fit(ROWS, LABELS),
    "ridge": lambda: Ridge().fit(ROWS, NUMBERS),
    "clusters": lambda: KMeans(3, n_init=1).fit(ROWS),
    "several classes": lambda: MultiOutputClassifier(DecisionTreeClassifier(max_depth=2)).fit(
        ROWS, np.stack([LABELS, LABELS[::-1]], axis=1)
    ),
    "XGBoost's estimator": lambda: xgboost.XGBClassifier(n_estimators=5).fit(ROWS, LABELS == "yes"),
    "LightGBM's booster": booster,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_model_is_served_as_it_was_saved(make, tmp_path: Path):
    model = make()
    served = serve_folder(write_folder(tmp_path / "model", model, ROWS), "model", "1")
    report = check(served)
    assert report["passed"], report
    assert report["replay"]["exact"] == 60
    rows = served.inputs.rows(json_rows(ROWS[:2]))
    for one in served.explainer.explain(rows)["explanations"]:
        for base, value, parts in zip(one["base"], one["value"], one["contributions"], strict=True):
            assert base + sum(parts) == pytest.approx(value, abs=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_a_booster_of_xgboost_is_served(tmp_path: Path):
    model = xgboost.train(
        {"objective": "reg:squarederror"}, xgboost.DMatrix(ROWS, NUMBERS), num_boost_round=5
    )
    served = serve_folder(write_folder(tmp_path / "model", model), "model", "1")
    rows = [dict(reversed(row.items())) for row in json_rows(ROWS)]
    found = served.compute([served.inputs.rows(rows)])[0]
    assert found == pytest.approx(model.predict(xgboost.DMatrix(ROWS)).tolist())


def linear_onnx() -> onnx.ModelProto:
    """The sum of three numbers, in ONNX."""
    weights = helper.make_tensor("w", TensorProto.FLOAT, [3, 1], [1.0, 1.0, 1.0])
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])
    made = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph([node], "sums", [given], [made], [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def test_a_model_of_onnx_is_served(tmp_path: Path):
    pytest.importorskip("onnxruntime")
    served = serve_folder(write_folder(tmp_path / "model", linear_onnx(), ROWS.to_numpy()), "model", "1")
    assert np.allclose(served.compute([served.inputs.rows([[1, 2, 3], [0, 0, 1]])])[0], [[6], [1]])


def test_the_state_of_a_torch_module_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = write_folder(tmp_path / "model", Ridge().fit(ROWS, NUMBERS))
    facts = (folder / "kfnb_model.json").read_text().replace('"skops"', '"torch"', 1)
    (folder / "kfnb_model.json").write_text(facts)
    monkeypatch.setattr("kfnb.capture.embedded.models.kfnb_read_torch", lambda *_: {"weight": 1})
    with pytest.raises(NotServable, match=r"state of a torch module .* save it as ONNX"):
        serve_folder(folder, "model", "1")


def test_a_model_that_cannot_predict_is_refused(tmp_path: Path):
    from sklearn.preprocessing import StandardScaler

    with pytest.raises(NotServable, match=r"a StandardScaler, which has no predict\(\)"):
        serve_folder(write_folder(tmp_path / "model", StandardScaler().fit(ROWS)), "model", "1")
