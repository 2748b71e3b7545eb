"""MLflow model folders become versions, and versions MLflow model folders, without MLflow. An import loads nothing."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
import yaml
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import kfnb
from kfnb.cli import main
from kfnb.errors import UsageError
from kfnb.resources.models.model import ColumnType
from kfnb.resources.models.model_export import export_model
from kfnb.resources.models.model_import import import_model
from kfnb.settings import settings
from tests.conftest import Shell

X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "n": [1, 0, 1, 0]})
Y = [0, 0, 1, 1]
SIGNATURE = {
    "inputs": '[{"type": "double", "name": "a", "required": true}, {"type": "long", "name": "n", "required": true}]',
    "outputs": '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]',
    "params": None,
}
REQUIREMENTS = "mlflow==3.17.2\nscikit-learn==1.5.0\nskops==0.11.0\npandas>=2\n"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path) -> Iterator[None]:
    before = settings().home
    settings().home = str(tmp_path / "home")
    yield
    settings().home = before


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as MLflow 3.17 writes it, without its model."""
    folder = tmp_path / "tracked"
    folder.mkdir()
    (folder / "requirements.txt").write_text(REQUIREMENTS)
    (folder / "input_example.json").write_text(
        json.dumps({"columns": ["a", "n"], "data": [[0.5, 1], [1.5, 2]]})
    )
    return folder


def described(folder: Path, flavor: str, **options: Any) -> str:
    """Write ``MLmodel``, and return the folder's address."""
    loader = {"loader_module": f"mlflow.{flavor}", "python_version": "3.11.7"}
    example = {"artifact_path": "input_example.json", "pandas_orient": "split", "type": "dataframe"}
    content = {"flavors": {"python_function": loader, flavor: options}, "mlflow_version": "3.17.2"}
    (folder / "MLmodel").write_text(
        yaml.safe_dump({**content, "signature": SIGNATURE, "saved_input_example_info": example})
    )
    return f"mlflow://{folder}"


def forest() -> RandomForestClassifier:
    return RandomForestClassifier(n_estimators=3, random_state=1).fit(X, Y)


def with_skops(folder: Path, model: Any) -> str:
    skops.io.dump(model, folder / "model.skops")
    return described(folder, "sklearn", code=None, pickled_model="model.skops", serialization_format="skops")


class Bomb:
    """A pickle that leaves a file where it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def test_an_mlflow_folder_becomes_a_version_with_its_signature_example_and_packages(folder: Path) -> None:
    version = import_model(with_skops(folder, LogisticRegression().fit(X, Y)), "churn")

    found = version.snapshot()
    assert (found.ref, found.format, found.python) == ("churn@1", "skops", "3.11")
    assert (found.source.kind, found.source.id) == ("import", f"mlflow://{folder.resolve()}")
    assert found.signature.inputs == (ColumnType("a", "float64"), ColumnType("n", "int64"))
    assert found.signature.outputs == (ColumnType("", "int64", (-1,)),)
    assert dict(found.packages) == {"scikit-learn": "1.5.0", "skops": "0.11.0"}
    facts = json.loads((version.path() / "kfnb_model.json").read_text())
    assert facts["input_example"] == {"columns": ["a", "n"], "rows": [[0.5, 1.0], [1.5, 2.0]]}
    with pytest.warns(UserWarning, match=r"scikit-learn 1\.5\.0"):
        assert list(version.load().predict(X)) == list(LogisticRegression().fit(X, Y).predict(X))


@pytest.mark.filterwarnings("ignore:.*was saved with")
def test_the_same_folder_is_the_same_version_and_a_path_will_do(folder: Path) -> None:
    address = with_skops(folder, forest())
    assert import_model(address, "churn") == import_model(folder, "churn")
    assert len(kfnb.models("churn")) == 1


@pytest.mark.filterwarnings("ignore:.*was saved with")
@pytest.mark.parametrize("file", ["model.ubj", "model.json"])
def test_a_model_of_xgboost_keeps_its_class(folder: Path, file: str) -> None:
    model = xgboost.XGBClassifier(n_estimators=2).fit(X, Y)
    model.save_model(folder / file)
    address = described(folder, "xgboost", data=file, model_class="xgboost.sklearn.XGBClassifier")

    loaded = import_model(address, "churn").load()

    assert isinstance(loaded, xgboost.XGBClassifier)
    assert np.allclose(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.filterwarnings("ignore:.*was saved with")
def test_a_booster_of_lightgbm_is_imported(folder: Path) -> None:
    model = lightgbm.train({"verbose": -1, "min_data_in_leaf": 1}, lightgbm.Dataset(X, np.array(Y)), 2)
    model.save_model(folder / "model.lgb")
    address = described(folder, "lightgbm", data="model.lgb", model_class="lightgbm.basic.Booster")
    assert np.allclose(import_model(address, "churn").load().predict(X), model.predict(X))


@pytest.mark.filterwarnings("ignore:.*was saved with")
def test_a_pickle_is_refused_unless_it_is_allowed_and_never_loaded_by_the_import(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = tmp_path / "it ran"
    (folder / "model.pkl").write_bytes(pickle.dumps(Bomb(mark)))
    address = described(folder, "sklearn", pickled_model="model.pkl", serialization_format="cloudpickle")
    with pytest.raises(UsageError, match="executes code when it is loaded: pass pickle=True"):
        import_model(address, "churn")

    assert main(["models", "import", address, "--name", "churn", "--pickle"]) == 0

    assert "churn@1 is a pickle, which executes code" in capsys.readouterr().err
    assert not mark.exists()
    with pytest.raises(UsageError, match="pickle=True"):
        kfnb.model("churn").load()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flavors: {pytorch: {}}", "known are sklearn, xgboost, lightgbm"),
        ("flavors: {sklearn: {pickled_model: ../outside}}", "names ../outside, which is not a file of it"),
        ("flavors: {xgboost: {data: requirements.txt}}", "not a file of the format xgboost"),
        ("flavors: [", "is not an MLflow model folder: MLmodel cannot be read"),
        ("[]", "is not an MLflow model folder"),
        ("flavors: {}\nsignature: {inputs: '[3]'}", "is not an MLflow model folder"),
        ("flavors: !!python/object/apply:os.getcwd []", "is not an MLflow model folder"),
    ],
)
def test_a_folder_that_cannot_be_imported_is_named_with_the_reason(
    folder: Path, text: str, message: str
) -> None:
    (folder.parent / "outside").write_text("{")
    (folder / "MLmodel").write_text(text)
    with pytest.raises(UsageError) as raised:
        import_model(folder, "churn")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://bucket/model", "unknown kind of address s3://"),
        ("mlflow://models:/churn/1", "mlflow artifacts download"),
        ("hf://churn", "write hf://ORG/NAME"),
        ("nowhere", "no such file or folder"),
    ],
)
def test_an_address_that_means_nothing_is_refused(address: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        import_model(address, "churn")
    assert message in str(raised.value)


def test_an_example_that_does_not_fit_is_left_out_and_said(folder: Path) -> None:
    address = with_skops(folder, forest())
    (folder / "input_example.json").write_text("[1, 2")
    with pytest.warns(UserWarning, match="the input example is not kept"):
        version = import_model(address, "churn")
    assert version.signature.inputs


def test_a_version_becomes_an_mlflow_folder(tmp_path: Path) -> None:
    version = kfnb.register(forest(), "churn", example=X)

    target = export_model("churn@1", tmp_path / "out")

    described = yaml.safe_load((target / "MLmodel").read_text())
    flavor = described["flavors"]["sklearn"]
    assert described["flavors"]["python_function"]["loader_module"] == "mlflow.sklearn"
    assert described["flavors"]["python_function"]["model_path"] == "model.skops"
    assert (flavor["pickled_model"], flavor["serialization_format"]) == ("model.skops", "skops")
    assert "sklearn.tree._tree.Tree" in flavor["skops_trusted_types"], "MLflow refuses it otherwise"
    assert described["signature"] == SIGNATURE
    assert json.loads((target / "input_example.json").read_text())["columns"] == ["a", "n"]
    requirements = (target / "requirements.txt").read_text().splitlines()
    assert requirements[0] == "mlflow"
    assert f"skops=={version.packages['skops']}" in requirements
    assert yaml.safe_load((target / "conda.yaml").read_text())["dependencies"][2] == {"pip": requirements}


MODELS = [
    forest(),
    xgboost.XGBClassifier(n_estimators=2).fit(X, Y),
    lightgbm.train({"verbose": -1, "min_data_in_leaf": 1}, lightgbm.Dataset(X, np.array(Y)), 2),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda one: type(one).__name__)
def test_what_was_exported_is_imported_as_the_same_model(model: Any, tmp_path: Path) -> None:
    before = kfnb.register(model, "churn", example=X)
    after = import_model(export_model("churn", tmp_path / "out"), "again")
    assert (after.format, after.signature.inputs) == (before.format, before.signature.inputs)
    assert np.allclose(after.load().predict(X), model.predict(X))


def test_an_export_overwrites_nothing_and_leaves_nothing_half(tmp_path: Path) -> None:
    kfnb.register(forest(), "churn")
    kfnb.register({"not": "a model of sklearn"}, "odd", pickle=True)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        export_model("churn", taken)
    with pytest.raises(UsageError, match="cannot be exported for MLflow: it is a pickle of builtins"):
        export_model("odd", tmp_path / "out")
    with pytest.raises(UsageError, match="cannot write"):
        export_model("churn", taken / "mine" / "out")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["home", "taken"]
    assert [one.name for one in taken.iterdir()] == ["mine"]


def test_the_magics_import_and_export(shell: Shell, folder: Path, tmp_path: Path) -> None:
    address = with_skops(folder, forest())
    shell.run(f"v = %kf_models import {address} --name churn")
    assert shell["v"].ref == "churn@1"
    shell.run(f"%kf_models export churn@1 {tmp_path / 'out'} --format mlflow")
    assert (tmp_path / "out" / "MLmodel").is_file()
    assert "mlflow" in shell.fails(f"%kf_models export churn@1 {tmp_path / 'other'} --format onnx")
