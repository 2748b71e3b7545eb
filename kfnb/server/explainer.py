"""Which column moved a prediction, and which sentence of a text: Shapley values through the transform and the model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from kfnb.server.column_reader import InputRows
from kfnb.server.columns import Family
from kfnb.server.encoding import json_value
from kfnb.server.inputs import ModelInputs
from kfnb.server.predictor import Predictor, listed
from kfnb.server.row_mixtures import mixed, places_of, with_texts
from kfnb.server.shapley import shapley_values
from kfnb.server.tables import BadRequest
from kfnb.server.trees import TreeExplainer

MOST_ROWS = 100
"""Rows that a request may have explained."""

_BACKGROUNDS = 20
"""Rows of the sample that stand for what a column is without its value, where there are not very many columns."""
_MOST_EVALUATIONS = 20_000
_AT_ONCE = 4096
"""Rows that are evaluated while predictions wait."""
_MOST_SENTENCES = 50


@dataclass(frozen=True)
class Explainer:
    """Explains the predictions of a model; ``sample`` are rows as the model takes them, None where there are none.

    ``trees()`` explains them in place of permutations, if the model is one of trees. ``lock`` is held while the model
    computes.
    """

    inputs: ModelInputs
    predictor: Predictor
    sample: Any
    trees: Callable[[], TreeExplainer | None]
    lock: Lock

    def explain(self, rows: InputRows, abandoned: Callable[[], bool] = lambda: False) -> dict[str, Any]:
        """What is answered for rows, until it is ``abandoned``. Raises ``BadRequest``, ``ModelFailed``."""
        if rows.count > MOST_ROWS:
            raise BadRequest(f"at most {MOST_ROWS} rows are explained at once", "too-many-rows", 422)
        if self.sample is None or not len(self.sample):
            raise BadRequest(
                "the model has no example rows, to which a row could be compared: save it with example=",
                "no-example",
                422,
            )
        given = self.inputs.join([rows])
        names = self._names(given)
        predictions = listed(self.predictor.predict(given)) if rows.count else []
        found = [
            {"prediction": prediction, **self._explained(given[place : place + 1], names)}
            for place, prediction in enumerate(predictions)
            if not abandoned()
        ]
        return {"explanations": found}

    def _names(self, given: Any) -> tuple[str, ...]:
        if self.inputs.named:
            return self.inputs.names
        shape: tuple[int, ...] = getattr(given, "shape", (len(given),))
        if len(shape) > 2:  # noqa: PLR2004 - a table has two
            raise BadRequest("only rows of columns are explained", "not-explainable", 422)
        return tuple(map(str, range(shape[1]))) if len(shape) > 1 else (self.inputs.names[0] or "0",)

    def _explained(self, row: Any, names: Sequence[str]) -> dict[str, Any]:
        """The explanation of one row: a value for each column of each output, and of sentences."""
        score = self._scoring(row)
        trees = self.trees()
        if trees:
            with self.lock:
                values, base, value = trees.explain(row)
        else:
            count = min(_BACKGROUNDS, max(2, _MOST_EVALUATIONS // (2 * len(names) + 2)))
            pool = places_of(self.sample, count, row)
            background = min(count, len(self.sample))

            def evaluate(masks: Any, which: Any) -> Any:
                return score(lambda part: mixed(pool, masks[part], which[part]), len(masks))

            values, base, value = shapley_values(len(names), background, evaluate)
        outputs = self.predictor.outputs
        return {
            "method": "tree" if trees else "permutation",
            "outputs": list(outputs if len(outputs) == len(value) else map(str, range(len(value)))),
            "base": json_value(base.tolist()),
            "value": json_value(value.tolist()),
            "columns": list(names),
            "contributions": json_value(values.T.tolist()),
            **self._sentences(row, score),
        }

    def _sentences(self, row: Any, score: Callable[..., Any]) -> dict[str, Any]:
        """What each sentence adds, if there is one column of texts and the row has several sentences in it."""
        texts = [one for one in self.inputs.columns if one.family is Family.TEXT and not one.known]
        if not (len(texts) == 1 or (not self.inputs.named and isinstance(row, list))):
            return {}
        name = texts[0].name if texts else ""
        text = row[name].iloc[0] if hasattr(row, "columns") and hasattr(row, "iloc") else next(iter(row))
        sentences = sentences_of(text) if isinstance(text, str) else []
        if len(sentences) < 2:  # noqa: PLR2004 - several
            return {}

        def evaluate(masks: Any, _: Any) -> Any:
            kept = [" ".join(one for one, on in zip(sentences, mask, strict=True) if on) for mask in masks]
            return score(lambda part: with_texts(row, name, kept[part]), len(kept))

        values, base, _ = shapley_values(len(sentences), 1, evaluate)
        found = {
            "column": name,
            "texts": sentences,
            "base": json_value(base.tolist()),
            "contributions": json_value(values.T.tolist()),
        }
        return {"sentences": found}

    def _scoring(self, row: Any) -> Callable[[Callable[[slice], Any], int], Any]:
        """What scores rows that are made part by part, so that predictions do not wait for all of them."""
        import numpy as np

        with self.lock:
            own = self.predictor.score(row)
        texts = own.dtype.kind not in "biuf"

        def score(make: Callable[[slice], Any], count: int) -> Any:
            found = []
            for start in range(0, count, _AT_ONCE):
                rows = make(slice(start, start + _AT_ONCE))
                with self.lock:
                    part = self.predictor.score(rows)
                found.append([[likeness(str(own[0, 0]), str(one))] for one in part[:, 0]] if texts else part)
            return np.concatenate(found)

        return score


def sentences_of(text: str) -> list[str]:
    """The sentences of a text; of a long one, as many together as there are few enough."""
    found = [one for one in re.split(r"(?<=[.!?])\s+|\n+", text.strip()) if one.strip()]
    together = -(-len(found) // _MOST_SENTENCES)
    return [" ".join(found[start : start + together]) for start in range(0, len(found), max(together, 1))]


def likeness(one: str, two: str) -> float:
    """How many words two texts share, from 0 to 1: where a model writes texts, its score."""
    left, right = Counter(one.lower().split()), Counter(two.lower().split())
    shared = (left & right).total()
    return 2 * shared / (left.total() + right.total()) if shared else 0.0
