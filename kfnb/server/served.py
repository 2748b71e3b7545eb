"""A model folder that is ready to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from kfnb.server.batching import gains_from_batches
from kfnb.server.column_reader import InputRows
from kfnb.server.encoding import json_rows
from kfnb.server.exchange import Predicted
from kfnb.server.explainer import Explainer
from kfnb.server.findings import BadInput, OnBadInput
from kfnb.server.folder import ModelFolder, read_folder
from kfnb.server.inputs import ModelInputs, inputs_of
from kfnb.server.predictor import ModelFailed, Predictor, listed, predictor_of
from kfnb.server.tables import BadRequest
from kfnb.server.trees import tree_explainer

_WARMING = 8
"""Rows of the sample that are predicted before the first request."""


@dataclass(frozen=True)
class Served:
    """A model with what reads its inputs. ``lock`` is held while the model computes."""

    name: str
    version: str
    folder: ModelFolder
    inputs: ModelInputs
    predictor: Predictor
    explainer: Explainer
    lock: Lock

    def predict(self, batch: Sequence[InputRows]) -> list[Predicted]:
        """The predictions of each of several requests, with what they were made of. Raises ``ModelFailed``."""
        counts = [rows.count for rows in batch]
        if not sum(counts):
            return [Predicted([]) for _ in batch]
        features = self.predictor.features(self.inputs.join(batch))
        found = listed(self.predictor.predict_features(features))
        shown = None if self.folder.transform is None else features
        starts = [sum(counts[:place]) for place in range(len(counts))]
        return [
            Predicted(found[start : start + count], shown, start)
            for start, count in zip(starts, counts, strict=True)
        ]

    def compute(self, batch: Sequence[InputRows]) -> list[list[Any]]:
        """The predictions of each of several requests alone. Raises ``ModelFailed``."""
        return [one.values for one in self.predict(batch)]

    def warm(self) -> bool:
        """Predict some rows of the sample, so that the first request is as quick as others; whether batches gain."""
        if self.folder.rows is None:
            return False
        try:
            return gains_from_batches(
                self.compute, [self.inputs.rows([row]) for row in json_rows(self.folder.rows[:_WARMING])]
            )
        except (BadInput, BadRequest, ModelFailed):
            return False  # the check says what is wrong


def serve_folder(
    path: Path,
    name: str,
    version: str,
    policy: OnBadInput = OnBadInput.REJECT,
    *,
    pickle: bool = False,
    trust: Sequence[str] = (),
) -> Served:
    """Read a model folder. Raises what ``read_folder`` does, and ``NotServable``."""
    folder = read_folder(path, pickle=pickle, trust=trust)
    inputs = inputs_of(folder.facts, folder.rows, policy)
    predictor = predictor_of(folder)
    rows = folder.rows if folder.transform is None else None  # trees take what the transform makes
    trees = cache(lambda: tree_explainer(folder.model, predictor, rows))  # shap is imported when it is needed
    lock = Lock()
    explainer = Explainer(inputs, predictor, folder.rows, trees, lock)
    return Served(name, version, folder, inputs, predictor, explainer, lock)
