"""How a model predicts, by its format and class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kfnb.capture.embedded.row_by_row import kfnb_own_rows
from kfnb.server.encoding import json_rows, json_value
from kfnb.server.folder import ModelFolder


class NotServable(Exception):
    """A model that cannot predict by itself."""


class ModelFailed(Exception):
    """The transform or the model raised an error for rows that were read; ``place`` is the line of the transform."""

    def __init__(self, part: str, error: BaseException, place: str) -> None:
        super().__init__(f"the {part} raised {type(error).__name__}{place}")
        self.error = error


class WrongCount(ModelFailed):
    """The transform or the model did not give one ``what`` for each row."""

    def __init__(self, part: str, found: Any, rows: int, what: str) -> None:
        Exception.__init__(self, f"the {part} does not answer each row")
        self.error = TypeError(_count(found, rows, what))


def _count(found: Any, rows: int, what: str) -> str:
    """How many there are of ``what``, in words."""
    if not hasattr(found, "__len__"):
        return f"a {type(found).__name__}"
    return f"{what} for {rows} rows: {len(found)}"


@dataclass(frozen=True)
class Predictor:
    """A model and its transform.

    ``predict`` takes what the model's inputs make of rows, and gives a prediction for each; ``score`` gives numbers, a
    row of as many as there are ``outputs``: probabilities of classes, or the predictions. Both raise ``ModelFailed``.
    """

    features: Callable[[Any], Any]
    """The transform, or nothing."""
    _predict: Callable[[Any], Any]
    _score: Callable[[Any], Any]
    outputs: tuple[str, ...]
    """Names of the scores: classes; empty for numbers."""

    def predict(self, rows: Any) -> Any:
        """The predictions for rows, one each."""
        return self.predict_features(self.features(rows))

    def predict_features(self, features: Any) -> Any:
        """The predictions for what the transform made of rows, one each."""
        found = self._run("model", self._predict, features)
        if not hasattr(found, "__len__") or len(found) != len(features):
            raise WrongCount("model", found, len(features), "predictions")
        return found

    def score(self, rows: Any) -> Any:
        """Numbers for rows: an array with a row each."""
        import numpy as np

        found = self._run("model", self._score, self.features(rows))
        if isinstance(found, list) and all(
            hasattr(one, "shape") for one in found
        ):  # several outputs with classes
            found = np.concatenate(found, axis=1)
        array = np.asarray(found)
        return array.reshape(len(array), -1)

    @staticmethod
    def _run(part: str, function: Callable[[Any], Any], rows: Any) -> Any:
        try:
            return function(rows)
        except Exception as error:  # whatever user code or a library raises of these rows
            raise ModelFailed(part, error, "") from error


def predictor_of(folder: ModelFolder) -> Predictor:
    """How the model of a folder predicts. Raises ``NotServable``."""
    model, form = folder.model, str(folder.facts.get("format", ""))
    predict, score = _functions(model, form, folder)
    return Predictor(_features(folder.transform), predict, score, _classes(model))


def _features(transform: Any) -> Callable[[Any], Any]:
    if transform is None:
        return lambda rows: rows

    def features(rows: Any) -> Any:
        try:
            # a copy, since a transform may change what it gets, and an explanation uses its rows again
            found = transform.transform(kfnb_own_rows(rows, 0, len(rows)))
        except Exception as error:  # whatever user code raises of these rows
            raise ModelFailed("transform", error, _place(error)) from error
        if len(found) != len(rows):
            raise WrongCount("transform", found, len(rows), "rows that it made")
        return found

    return features


def _place(error: BaseException) -> str:
    """The line of the transform's cell that an error came through."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame for frame in frames if frame.filename.startswith("<")]
    return f" in {lines[-1].filename.strip('<>')}, line {lines[-1].lineno}" if lines else ""


Functions = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def _functions(model: Any, form: str, folder: ModelFolder) -> Functions:
    """What predicts, and what scores."""
    if form == "onnx":
        return _onnx(folder)
    if form == "torch" and isinstance(model, dict):
        raise NotServable(
            "the model is the state of a torch module without its class, which cannot predict: save it as ONNX"
            " (torch.onnx.export), or within a scikit-learn estimator"
        )
    if form == "xgboost" and not hasattr(model, "get_params"):
        from xgboost import DMatrix

        return (lambda rows: model.predict(DMatrix(rows)),) * 2
    if form == "keras":
        return (lambda rows: model.predict(rows, verbose=0),) * 2
    if not hasattr(model, "predict"):
        raise NotServable(f"the model is a {type(model).__name__}, which has no predict()")
    scores = [getattr(model, name) for name in ("predict_proba", "decision_function") if hasattr(model, name)]
    return model.predict, (scores[0] if scores and hasattr(model, "classes_") else model.predict)


def _onnx(folder: ModelFolder) -> Functions:
    """The first output, and the first one that is an array of floats with a row each."""
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(folder.model.SerializeToString())
    names = [one.name for one in session.get_inputs()]
    kinds = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int64)": "int64"}
    types = [kinds.get(one.type) for one in session.get_inputs()]

    def run(rows: Any) -> list[Any]:
        if len(names) == 1:
            return list(session.run(None, {names[0]: np.asarray(rows, types[0])}))
        given = {
            name: np.asarray(rows[name], kind).reshape(-1, 1) for name, kind in zip(names, types, strict=True)
        }
        return list(session.run(None, given))

    def score(rows: Any) -> Any:
        found = run(rows)
        return next((one for one in found if getattr(one, "dtype", None) in ("float32", "float64")), found[0])

    return (lambda rows: run(rows)[0]), score


def _classes(model: Any) -> tuple[str, ...]:
    """Names of what ``score`` gives, where these are classes."""
    classes: Any = getattr(model, "classes_", None)
    if classes is None or not (hasattr(model, "predict_proba") or hasattr(model, "decision_function")):
        return ()
    if isinstance(classes, list):
        return tuple(f"{place}: {one}" for place, some in enumerate(classes) for one in some.tolist())
    names = tuple(map(str, classes.tolist()))
    if hasattr(model, "predict_proba") or len(names) > 2:  # noqa: PLR2004 - of two classes, one score is given
        return names
    return names[1:]


def listed(found: Any) -> list[Any]:
    """Predictions as JSON has them, one for each row."""
    if hasattr(found, "columns"):
        return json_rows(found)
    values: list[Any] = found.tolist() if hasattr(found, "tolist") else list(found)
    return values if _is_plain(found) else list(map(json_value, values))


def _is_plain(found: Any) -> bool:
    """Whether all values of an array are in JSON."""
    import numpy as np

    kind = found.dtype.kind if isinstance(found, np.ndarray) else "O"
    return kind in "iub" or (kind == "f" and bool(np.isfinite(found).all()))
