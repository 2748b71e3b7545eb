"""How much a model depends on each column of some rows, as they come: permutation importance through its transform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.models.importance_report import ColumnImportance, ImportanceReport
from kfnb.server.encoding import json_value

MOST_ROWS = 10_000
"""Rows that are scored, evenly spread over those that are given."""


@dataclass(frozen=True)
class LabelledRows:
    """Rows as a model takes them, and what is true of each."""

    rows: Any
    labels: Any

    @classmethod
    def of(cls, table: Any, targets: Sequence[str], names: Sequence[str]) -> LabelledRows:
        """The columns ``names`` of a table, all but ``targets`` if there are none. Raises ``UsageError``."""
        from kfnb.capture.embedded.samples import kfnb_example

        if not hasattr(table, "columns"):
            message = f"importance needs a table with the column {targets[0]}, not a {type(table).__name__}"
            raise UsageError(message, code="invalid-argument", ref=targets[0])
        needed = list(names) or [one for one in map(str, table.columns) if one not in targets]
        lost = [one for one in (*needed, *targets) if one not in table.columns]
        if lost:
            raise UsageError(f"the rows have no column {', '.join(lost)}", ref=lost[0])
        try:
            chosen = kfnb_example(table, MOST_ROWS)
        except TypeError as error:
            raise UsageError(f"the rows cannot be used: {error}") from None
        return cls(chosen[needed], _labels(chosen, targets))


def targets_of(target: Any) -> tuple[str, ...]:
    """The columns that have what a model should predict: one, or one for each output. Raises ``UsageError``."""
    found = (target,) if isinstance(target, str) else target
    if not isinstance(found, list | tuple) or not found or not all(isinstance(one, str) for one in found):
        hint = "give the name of the column that has what the model should predict, or a list of names"
        kind = type(target).__name__
        raise UsageError(f"target is a {kind}, not a name:", code="invalid-argument", hint=hint)
    return tuple(found)


def _labels(table: Any, targets: Sequence[str]) -> Any:
    """What is true of each row, a column for each target if there are several. Raises ``UsageError`` for gaps."""
    import numpy as np

    for name in targets:
        missing = sum(json_value(one) is None for one in table[name].to_numpy().tolist())
        if missing:
            hint = "leave these rows out"
            raise UsageError(f"{missing:,} of {len(table):,} rows have no {name}:", hint=hint, ref=name)
    columns = [table[name].to_numpy() for name in targets]
    return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)


def importances_of(
    folder: Path,
    ref: str,
    table: Any,
    target: str | Sequence[str],
    *,
    repeats: int,
    pickle: bool,
    trust: Sequence[str],
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
    targets = targets_of(target)
    taken = [one for one in found.facts.get("inputs") or () if one.get("name") and not one.get("optional")]
    given = LabelledRows.of(table, targets, [str(one["name"]) for one in taken])
    named = ", ".join(targets)
    if predictor.outputs:
        _check_classes(ref, named, found.model, given.labels)
    word, measure = ("accuracy", _accuracy) if predictor.outputs else ("R2", _determination)

    def score(rows: Any) -> float:
        return measure(_shaped(ref, predictor.predict(rows), given.labels), given.labels)

    try:
        whole, names = score(given.rows), tuple(map(str, given.rows.columns))
        ranked = permutation_importance(score, given.rows, names, repeats=repeats)
    except ModelFailed as error:
        raise UsageError(f"{ref} does not take these rows: {error}: {error.error}", ref=ref) from None
    except (TypeError, ValueError) as error:
        raise UsageError(f"{ref} cannot be compared with {named}: {error}", ref=ref) from None
    columns = tuple(ColumnImportance(*one) for one in ranked)
    return ImportanceReport(ref, named, word, whole, len(given.rows), columns)


def _check_classes(ref: str, named: str, model: Any, labels: Any) -> None:
    """Raise ``UsageError`` if none of the labels is a class of the model."""
    classes: Any = getattr(model, "classes_", None)
    known = classes.tolist() if hasattr(classes, "tolist") else []
    if known and labels.ndim == 1 and not set(labels.tolist()) & set(known):
        some = ", ".join(map(repr, known[:5]))
        raise UsageError(f"{named} has none of the classes that {ref} predicts: {some}", ref=ref)


def _shaped(ref: str, predicted: Any, labels: Any) -> Any:
    """The predictions in the shape of the labels. Raises ``UsageError`` for another number of outputs."""
    import numpy as np

    found = np.asarray(predicted)
    outputs = found.size // len(found)
    if found.size != labels.size:
        hint = f"give {outputs} columns as target, in the order of the outputs"
        raise UsageError(f"{ref} predicts {outputs} values for a row:", hint=hint, ref=ref)
    return found.reshape(labels.shape)


def _accuracy(predicted: Any, labels: Any) -> float:
    """The share of rows whose class is predicted right."""
    import numpy as np

    return float(np.mean(np.asarray(predicted) == labels))


def _determination(predicted: Any, labels: Any) -> float:
    """R squared: 1 where all amounts are predicted right, 0 for a model that always predicts their mean.

    Of several outputs it is the mean of theirs.
    """
    import numpy as np

    truth = np.asarray(labels, "float64")
    rest = ((np.asarray(predicted, "float64") - truth) ** 2).sum(axis=0)
    spread = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    return float(np.mean(1 - rest / np.maximum(spread, np.finfo("float64").tiny)))
