"""Exact Shapley values of a model of trees, where the package shap is installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kfnb.server.predictor import Predictor
from kfnb.server.server_log import report

_TREES = (
    "sklearn.tree",
    "sklearn.ensemble._forest",
    "sklearn.ensemble._gb",
    "sklearn.ensemble._hist_gradient_boosting",
    "xgboost.sklearn",
    "lightgbm.sklearn",
)
_TOLERANCE = 1e-6
"""How far values may be from the model's own score: those of single precision are not exact."""


@dataclass(frozen=True)
class TreeExplainer:
    """Explains rows by ``explainer``, an object of shap's."""

    explainer: Any
    predictor: Predictor

    def explain(self, row: Any) -> tuple[Any, Any, Any]:
        """The value of each column for each output, what the background makes, and the row's own scores."""
        import numpy as np

        found = np.asarray(self.explainer.shap_values(row, check_additivity=False), "float64")
        base = np.atleast_1d(np.asarray(self.explainer.expected_value, "float64"))
        values = found[0] if found.ndim == 3 else found[0][:, None]  # noqa: PLR2004 - rows, columns, outputs
        value = self.predictor.score(row)[0].astype("float64")
        if len(base) == 1 and len(value) == 2:  # noqa: PLR2004 - of two classes, the second is explained
            base, values = np.array([1 - base[0], base[0]]), np.concatenate([-values, values], axis=1)
        rest = value - base - values.sum(axis=0)  # of single precision
        return values + rest / len(values) * (abs(rest) < _TOLERANCE), base, value


def tree_explainer(model: Any, predictor: Predictor, sample: Any) -> TreeExplainer | None:
    """An explainer for a model of trees that takes ``sample``; None if it is none, or shap is not installed."""
    if sample is None or not type(model).__module__.startswith(_TREES):
        return None
    try:
        import shap
    except ImportError:
        return None
    try:
        kind = "probability" if hasattr(model, "predict_proba") else "raw"
        explainer = TreeExplainer(shap.TreeExplainer(model, sample, model_output=kind), predictor)
        values, base, value = explainer.explain(sample[:1])
        fits = abs(values.sum(axis=0) + base - value).max() < _TOLERANCE
    except Exception as error:  # whatever shap raises of a model that it does not know
        report(error)
        return None
    return explainer if fits else None
