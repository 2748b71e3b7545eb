"""An MLflow model folder becomes a model folder. Its file is copied unchanged, and not loaded."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.capture.embedded.model_facts import kfnb_columns, kfnb_example_rows, kfnb_packages
from kfnb.capture.embedded.samples import kfnb_example, kfnb_write_sample
from kfnb.errors import UsageError
from kfnb.extras import require
from kfnb.resources.models.foreign.mlmodel import MlflowModel, read_mlmodel
from kfnb.resources.models.model import ColumnType
from kfnb.resources.models.packer import FACTS, Packing, check_beginning, refuse_pickle

_PINNED = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*\])?\s*==\s*([^\s;#]+)")
_READERS = {"skops": "skops", "pickle": "cloudpickle"}
"""The modules that read files of formats that are not a library's own."""


@dataclass(frozen=True)
class _ModelFile:
    """The file of the model: its format, its class where ``MLmodel`` names it, and the ending that it gets here."""

    path: Path
    format: str
    kind: str = ""
    ending: str = ""


def from_mlflow(folder: Path, target: Path, how: Packing) -> None:
    """Write the model of an MLflow model folder as a model folder, ``target``. Raises ``UsageError``."""
    model = read_mlmodel(folder)
    found = _file_of(model)
    refuse_pickle(found.path, pickled=found.format == "pickle", how=how)
    check_beginning(found.path, found.format)
    target.mkdir()
    file = f"model{found.ending}"
    shutil.copyfile(found.path, target / file)
    facts: dict[str, Any] = {"format": found.format, "file": file, "python": model.python}
    facts["inputs"] = [_as_stored(one) for one in model.signature.inputs]
    facts["outputs"] = [_as_stored(one) for one in model.signature.outputs]
    facts["packages"] = _packages(model, found)
    if found.kind:
        facts["class"] = found.kind
    facts.update(_with_example(model, target, facts, how))
    (target / FACTS).write_text(json.dumps(facts, indent=1, sort_keys=True), encoding="utf-8")
    lines = (f"{name}=={version}\n" for name, version in sorted(facts["packages"].items()))
    (target / "requirements.txt").write_text("".join(lines), encoding="utf-8")


def _file_of(model: MlflowModel) -> _ModelFile:
    """The file of the model, by its flavor."""
    for flavor in ("xgboost", "lightgbm", "sklearn"):
        options = model.flavors.get(flavor)
        if options is None:
            continue
        kind = str(options.get("model_class") or "")
        path = model.file(options.get("pickled_model") or options.get("data"))
        if flavor == "xgboost":
            return _ModelFile(path, "xgboost", kind, ".json" if path.suffix == ".json" else ".ubj")
        if flavor == "lightgbm" and (kind.endswith(".Booster") or path.suffix == ".lgb"):
            return _ModelFile(path, "lightgbm", kind, ".txt")
        if options.get("serialization_format") == "skops":
            return _ModelFile(path, "skops", kind, ".skops")
        return _ModelFile(path, "pickle", kind, ".pkl")
    known = ", ".join(one for one in model.flavors if one != "python_function") or "none"
    message = f"{model.folder} has no flavor that is known here (it has: {known}):"
    raise UsageError(message, hint="known are sklearn, xgboost, lightgbm", ref=str(model.folder))


def _packages(model: MlflowModel, found: _ModelFile) -> dict[str, str]:
    """The pinned requirements of a model without MLflow, and what reads its file."""
    listed = model.folder / "requirements.txt"
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    pinned = {match[1].lower(): match[2] for line in lines if (match := _PINNED.match(line))}
    if "xgboost-cpu" in pinned:
        pinned.pop("xgboost", None)  # MLflow lists both, which are the same module
    needed = {name: version for name, version in pinned.items() if not name.startswith("mlflow")}
    reader = _READERS.get(found.format)
    return {**(kfnb_packages([reader]) if reader else {}), **needed}


def _with_example(model: MlflowModel, target: Path, facts: dict[str, Any], how: Packing) -> dict[str, Any]:
    """What ``kfnb_model.json`` says of the input example, whose rows are kept in ``target``."""
    rows = _example(model, how)
    if rows is None:
        return {}
    rows = kfnb_example(rows)
    sample = kfnb_write_sample(str(target), rows)
    how.remarks.extend(sample.pop("remarks"))
    del sample["modules"]
    return {
        **sample,
        "input_example": kfnb_example_rows(rows[:5]),
        "inputs": facts["inputs"] or kfnb_columns(rows),
    }


def _example(model: MlflowModel, how: Packing) -> Any:
    """The input example of a model as a DataFrame or an array; None without one, or if it is of another kind."""
    if model.example.get("type") not in ("dataframe", "ndarray"):
        return None
    require("pandas", "the input example of an MLflow model")
    import pandas as pd

    try:
        stored = json.loads(model.file(model.example.get("artifact_path")).read_text(encoding="utf-8"))
        if model.example["type"] == "ndarray":
            import numpy as np

            return np.array(stored["inputs"] if isinstance(stored, dict) else stored)
        rows = pd.DataFrame(stored["data"], columns=stored.get("columns"))
        kinds = {one.name: one.type for one in model.signature.inputs if one.type and one.name in rows}
        return rows.astype(dict(_of_rows(kinds)))
    except (UsageError, OSError, ValueError, KeyError, TypeError) as error:
        how.remarks.append(f"the input example is not kept: {' '.join(str(error).split())}")
        return None


def _of_rows(kinds: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The types that rows of JSON do not have by themselves."""
    return ((name, kind) for name, kind in kinds.items() if kind not in ("str", "bytes"))


def _as_stored(column: ColumnType) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "shape": list(column.shape),
        "nullable": column.nullable,
    }
