"""How much a model depends on each column of some rows, as they come: permutation importance through its transform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.models.importance_report import ImportanceReport

MOST_ROWS = 10_000
"""Rows that are scored, evenly spread over those that are given."""


@dataclass(frozen=True)
class LabelledRows:
    """Rows as a model takes them, and what is true of each."""

    rows: Any
    labels: Any

    @classmethod
    def of(cls, table: Any, target: str, names: Sequence[str]) -> LabelledRows:
        """The columns ``names`` of a table, all but ``target`` if there are none. Raises ``UsageError``."""
        from kfnb.capture.embedded.samples import kfnb_example

        if not hasattr(table, "columns"):
            message = f"importance needs a table with the column {target}, not a {type(table).__name__}"
            raise UsageError(message, code="invalid-argument", ref=target)
        needed = list(names) or [one for one in map(str, table.columns) if one != target]
        lost = [one for one in (*needed, target) if one not in table.columns]
        if lost:
            raise UsageError(f"the rows have no column {', '.join(lost)}", ref=lost[0])
        try:
            chosen = kfnb_example(table, MOST_ROWS)
        except TypeError as error:
            raise UsageError(f"the rows cannot be used: {error}") from None
        return cls(chosen[needed], chosen[target].to_numpy())


def importances_of(
    folder: Path, ref: str, table: Any, target: str, *, repeats: int, pickle: bool, trust: Sequence[str]
) -> ImportanceReport:
    """The importance of each column that the model of a folder takes. Raises ``UsageError``."""
    from kfnb.server.folder import read_folder
    from kfnb.server.importance import permutation_importance
    from kfnb.server.predictor import ModelFailed, NotServable, predictor_of

    try:
        found = read_folder(folder, pickle=pickle, trust=trust)
        predictor = predictor_of(found)
    except (TypeError, ValueError, NotServable) as error:
        raise UsageError(f"{ref} cannot predict: {error}", ref=ref) from None
    taken = [one for one in found.facts.get("inputs") or () if one.get("name") and not one.get("optional")]
    given = LabelledRows.of(table, target, [str(one["name"]) for one in taken])
    word, measure = ("accuracy", _accuracy) if predictor.outputs else ("R2", _determination)

    def score(rows: Any) -> float:
        return measure(predictor.predict(rows), given.labels)

    try:
        whole, names = score(given.rows), tuple(map(str, given.rows.columns))
        ranked = permutation_importance(score, given.rows, names, repeats=repeats)
    except ModelFailed as error:
        raise UsageError(f"{ref} does not take these rows: {error}: {error.error}", ref=ref) from None
    return ImportanceReport(ref, target, word, whole, len(given.rows), tuple(ranked))


def _accuracy(predicted: Any, labels: Any) -> float:
    """The share of rows whose class is predicted right."""
    import numpy as np

    return float((np.asarray(predicted) == labels).mean())


def _determination(predicted: Any, labels: Any) -> float:
    """R squared: 1 where all amounts are predicted right, 0 for a model that always predicts their mean."""
    import numpy as np

    truth = np.asarray(labels, "float64")
    rest = ((np.asarray(predicted, "float64").reshape(len(truth)) - truth) ** 2).sum()
    return float(1 - rest / max(((truth - truth.mean()) ** 2).sum(), np.finfo("float64").tiny))
