"""A model folder as a server reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.capture.embedded.models import kfnb_read_model
from kfnb.capture.embedded.samples import kfnb_read_sample
from kfnb.capture.embedded.transform_files import kfnb_model_transform


@dataclass(frozen=True)
class ModelFolder:
    """What a model folder holds.

    ``rows`` and ``predictions`` are the sample, None where there is none; the rows are without columns that the
    transform does not need.
    """

    path: Path
    facts: Mapping[str, Any]
    model: Any
    transform: Any
    rows: Any
    predictions: Any


def read_folder(path: Path, *, pickle: bool = False, trust: Sequence[str] = ()) -> ModelFolder:
    """Read a model folder; ``trust`` names types in the model that are not known to be safe.

    Raises ``TypeError`` for a model that is not safe to load, ``ValueError`` for files that were changed, ``OSError``.
    """
    facts = json.loads((path / "kfnb_model.json").read_text(encoding="utf-8"))
    transform = kfnb_model_transform(str(path))
    model = kfnb_read_model(str(path), pickle=pickle, trust=trust)
    names = getattr(
        model, "feature_names", None
    )  # a booster of XGBoost takes no example, and knows its columns
    if not facts.get("inputs") and isinstance(names, list):
        facts["inputs"] = [{"name": name} for name in names]
    sample = kfnb_read_sample(str(path))
    rows, predictions = sample or (None, None)
    return ModelFolder(path, facts, model, transform, _needed(rows, facts), predictions)


def _needed(rows: Any, facts: Mapping[str, Any]) -> Any:
    optional = {place for place, one in enumerate(facts.get("inputs") or ()) if one.get("optional")}
    if not optional or not hasattr(rows, "columns"):
        return rows
    places = [place for place in range(rows.shape[1]) if place not in optional]
    return rows.iloc[:, places] if hasattr(rows, "iloc") else rows[:, places]
