"""A model folder becomes an MLflow model folder, which ``mlflow.pyfunc.load_model`` loads. MLflow is not needed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kfnb.capture.embedded.model_types import kfnb_trusted
from kfnb.errors import UsageError
from kfnb.extras import require
from kfnb.resources.models.foreign.mlmodel import MLMODEL, signature_words
from kfnb.resources.models.model import VersionSnapshot
from kfnb.resources.models.packer import FACTS

_FLAVORS = {"skops": "sklearn", "pickle": "sklearn", "xgboost": "xgboost", "lightgbm": "lightgbm"}
_EXAMPLE = "input_example.json"
_LIBRARIES = {
    "sklearn": ("scikit-learn",),
    "xgboost": ("xgboost", "xgboost-cpu"),
    "lightgbm": ("lightgbm",),
}


def to_mlflow(version: VersionSnapshot, folder: Path, target: Path) -> None:
    """Write a version, whose model folder is ``folder``, into the empty folder ``target``.

    Raises ``UsageError`` for a format that MLflow's sklearn, xgboost and lightgbm flavors do not load.
    """
    import yaml

    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    flavor = _flavor_of(version, facts)
    source = folder / Path(facts["file"]).name
    file = "model.lgb" if flavor == "lightgbm" else source.name
    shutil.copyfile(source, target / file)
    loader = {
        "loader_module": f"mlflow.{flavor}",
        "python_version": version.python,
        "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        **({"model_path": file, "predict_fn": "predict"} if flavor == "sklearn" else {"data": file}),
    }
    options = _options(version, facts, source, file)
    described = {
        "flavors": {"python_function": loader, flavor: options},
        **_described(version, facts, target),
    }
    environment = _environment(version)
    for name, content in {MLMODEL: described, **environment}.items():
        (target / name).write_text(yaml.safe_dump(content, sort_keys=True), encoding="utf-8")
    (target / "requirements.txt").write_text("\n".join([*_requirements(version), ""]), encoding="utf-8")


def _flavor_of(version: VersionSnapshot, facts: Mapping[str, Any]) -> str:
    library = str(facts.get("class") or "sklearn").partition(".")[0]
    if version.format not in _FLAVORS or (version.format == "pickle" and library != "sklearn"):
        hint = f"exported are {', '.join(_FLAVORS)}, the third of them for scikit-learn alone"
        what = f"a pickle of {library}" if version.format == "pickle" else version.format
        raise UsageError(
            f"{version.ref} cannot be exported for MLflow: it is {what};", hint=hint, ref=version.ref
        )
    return _FLAVORS[version.format]


def _options(version: VersionSnapshot, facts: Mapping[str, Any], source: Path, file: str) -> dict[str, Any]:
    """The options of the flavor."""
    flavor = _FLAVORS[version.format]
    library = next((version.packages[one] for one in _LIBRARIES[flavor] if one in version.packages), "")
    kind = str(facts.get("class") or "")
    if flavor == "xgboost":
        model_format = "json" if file.endswith(".json") else "ubj"
        kind = kind or "xgboost.core.Booster"
        return {
            "data": file,
            "model_class": kind,
            "model_format": model_format,
            "xgb_version": library,
            "code": None,
        }
    if flavor == "lightgbm":
        return {"data": file, "model_class": "lightgbm.basic.Booster", "lgb_version": library, "code": None}
    options = {"pickled_model": file, "sklearn_version": library, "code": None}
    if version.format == "pickle":
        return {**options, "serialization_format": "cloudpickle"}
    return {**options, "serialization_format": "skops", "skops_trusted_types": _trusted(facts, source)}


def _trusted(facts: Mapping[str, Any], source: Path) -> list[str]:
    """The types in a file of skops that are known to be safe, or that were trusted when the model was saved."""
    require("skops", "the export of a scikit-learn model")
    import skops.io

    known = {*kfnb_trusted(), *facts.get("trust", ())}
    return [one for one in skops.io.get_untrusted_types(file=source) if one in known]


def _described(version: VersionSnapshot, facts: Mapping[str, Any], target: Path) -> dict[str, Any]:
    """The signature and the input example, which is written into ``target``.

    Those of a model with a transform are of rows before it, which the model alone does not take: they are left out.
    """
    if version.transform:
        return {}
    signature = signature_words(version.signature)
    described: dict[str, Any] = {"signature": signature} if signature else {}
    example = facts.get("input_example")
    if example:
        named = "columns" in example
        rows = {"columns": example["columns"], "data": example["rows"]} if named else example["rows"]
        (target / _EXAMPLE).write_text(json.dumps(rows), encoding="utf-8")
        kind = {"type": "dataframe", "pandas_orient": "split"} if named else {"type": "ndarray"}
        described["saved_input_example_info"] = {"artifact_path": _EXAMPLE, **kind}
    return described


def _environment(version: VersionSnapshot) -> dict[str, Any]:
    """The files that say which Python and packages the model needs, by name."""
    python = version.python or "3"
    packages: list[Any] = [f"python={python}", "pip", {"pip": _requirements(version)}]
    return {
        "conda.yaml": {"name": "mlflow-env", "channels": ["conda-forge"], "dependencies": packages},
        "python_env.yaml": {"python": python, "dependencies": ["-r requirements.txt"]},
    }


def _requirements(version: VersionSnapshot) -> list[str]:
    return ["mlflow", *(f"{name}=={number}" for name, number in sorted(version.packages.items()))]
