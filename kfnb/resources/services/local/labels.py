"""Labels that came later, and what they say of each revision: ``labels.db`` of a service's folder.

A label is written once and never changed; one that corrects it is a further one. What they add up to is kept for each
revision, so that it holds for all labels that ever came, while the oldest labels themselves are dropped.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.catalog.database import Database, Schema
from kfnb.entities import LabelScore
from kfnb.errors import UsageError
from kfnb.resources.services.local.request_files import Answered
from kfnb.resources.services.receipt import FeedbackReceipt
from kfnb.resources.services.requests import LabelledRow

MOST_LABELS = 500_000
"""Labels that are kept, the newest."""
_DROPPED_AT_ONCE = 20
_ASKED_AT_ONCE = 500

_SCHEMA = Schema(
    "the labels of a service",
    {
        1: (
            """create table labels (
                seq integer primary key, at real not null, by text not null, request text not null,
                revision integer not null, row integer not null, prediction text not null, label text not null
            )""",
            "create index labels_row on labels (request, revision, row)",
            """create table scores (
                revision integer primary key, rows integer not null, correct integer not null,
                numbers integer not null, deviation real not null
            )""",
        )
    },
)
_INSERT = (
    """insert into labels (at, by, request, revision, row, prediction, label) values (?, ?, ?, ?, ?, ?, ?)"""
)
_LAST = """select prediction, label from labels where request = ? and revision = ? and row = ?
           order by seq desc limit 1"""
_SCORE = """insert into scores values (?, ?, ?, ?, ?) on conflict (revision) do update set
            rows = rows + excluded.rows, correct = correct + excluded.correct,
            numbers = numbers + excluded.numbers, deviation = deviation + excluded.deviation"""
_NEWEST = (
    """select at, request, row, prediction, label from labels where revision in ({}) order by seq desc"""
)
_DROP = "delete from labels where seq in (select seq from labels order by seq limit ?)"


def labels_in(folder: Path) -> Database:
    """The database of the service in ``folder``."""
    return Database(folder / "labels.db", _SCHEMA)


def scores_in(folder: Path) -> dict[int, LabelScore]:
    """What the labels say of each revision. Raises ``BackendError``."""
    with labels_in(folder).reading() as connection:
        return {number: LabelScore(*rest) for number, *rest in connection.execute("select * from scores")}


def newest_labels(folder: Path, revisions: Sequence[int], most: int) -> list[LabelledRow]:
    """The newest labels of what some revisions predicted, the oldest first; of corrected ones the last. Raises
    ``BackendError``.
    """
    if not (folder / "labels.db").exists():
        return []
    found: dict[tuple[str, int], LabelledRow] = {}
    with labels_in(folder).reading() as connection:
        query = _NEWEST.format(", ".join("?" * len(revisions)))
        for at, request, row, prediction, label in connection.execute(query, revisions):
            key = (request, row)
            if key not in found:
                found[key] = LabelledRow(at, request, row, json.loads(prediction), json.loads(label))
            if len(found) == most:
                break
    return list(found.values())[::-1]


@dataclass(frozen=True)
class LabelledPrediction:
    """A prediction and its label, as JSON texts, and what they add to the score of their revision."""

    prediction: str
    label: str

    @classmethod
    def of(cls, prediction: Any, label: Any) -> LabelledPrediction:
        """What is compared."""
        return cls(json.dumps(prediction), json.dumps(_by_output(prediction, label)))

    def score(self) -> LabelScore:
        """One row; of several outputs, the mean distance."""
        predicted, true = json.loads(self.prediction), json.loads(self.label)
        pairs = _pairs(predicted, true)
        numbers = all(type(one) in (int, float) for pair in pairs for one in pair)
        return LabelScore(
            1,
            int(predicted == true),
            int(numbers and not all(float(one).is_integer() for pair in pairs for one in pair)),
            sum(abs(one - other) for one, other in pairs) / len(pairs) if numbers and pairs else 0.0,
        )


def _by_output(predicted: Any, label: Any) -> Any:
    """A label as the model predicts: the columns of a table in their order, where it predicts a list."""
    return list(label.values()) if isinstance(predicted, list) and isinstance(label, dict) else label


def _pairs(predicted: Any, true: Any) -> list[tuple[Any, Any]]:
    """Each output's prediction and label."""
    both_lists = isinstance(predicted, list) and isinstance(true, list)
    return list(zip(predicted, true, strict=False)) if both_lists else [(predicted, true)]


def _kind(value: Any) -> str:
    """What is predicted, in words."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return {bool: "true or false", int: "a number", float: "a number", str: "a text"}.get(type(value), "")


def _comparable(predicted: Any, label: Any) -> bool:
    """Whether a label can be true of what was predicted; 0 and 1 may stand for false and true."""
    if isinstance(predicted, list) or isinstance(label, list):
        same = isinstance(predicted, list) and isinstance(label, list) and len(predicted) == len(label)
        return same and all(map(_comparable, predicted, label))
    if isinstance(predicted, bool):
        return label in (0, 1)
    kinds = _kind(predicted), "a number" if isinstance(label, bool) else _kind(label)
    return "" in kinds or kinds[0] == kinds[1]


def _check(labels: Mapping[str, list[Any]], answers: Mapping[str, Answered]) -> None:
    """Raise ``UsageError`` for labels of another kind than what was predicted."""
    for request, some in labels.items():
        for predictions in answers[request].values():
            for row, (predicted, label) in enumerate(zip(predictions, some, strict=False)):
                if label is not None and not _comparable(predicted, _by_output(predicted, label)):
                    message = (
                        f"the label {label!r} of row {row} of request {request} cannot be compared with"
                        f" what was predicted, {_kind(predicted) or type(predicted).__name__}:"
                    )
                    hint = "no label of this call was kept; give them as the model predicts"
                    raise UsageError(message, hint=hint, ref=request)


def labels_by_row(folder: Path, requests: Sequence[str]) -> dict[tuple[str, int, int], str]:
    """The last label of each labelled row of some requests, as JSON, by request, revision and row."""
    found: dict[tuple[str, int, int], str] = {}
    if not (folder / "labels.db").exists():
        return found
    with labels_in(folder).reading() as connection:
        for start in range(0, len(requests), _ASKED_AT_ONCE):
            some = requests[start : start + _ASKED_AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = (
                f"select request, revision, row, label from labels where request in ({marks}) order by seq"  # noqa: S608 - marks
            )
            for *row, label in connection.execute(query, some):
                found[tuple(row)] = label
    return found


def add_labels(
    folder: Path, labels: Mapping[str, list[Any]], answers: Mapping[str, Answered], by: str
) -> FeedbackReceipt:
    """Keep the labels of rows, by request, beside what was predicted.

    Raises ``UsageError`` for labels of another kind, and ``BackendError``.
    """
    _check(labels, answers)
    became = Counter[str]()
    with labels_in(folder).writing() as connection:
        for request, some in labels.items():
            for row, label in enumerate(some):
                became[_add(connection, by, request, row, label, answers[request])] += 1
        _make_room(connection)
    return FeedbackReceipt(became["new"], became["corrected"], became["repeated"], became["missing"])


def _add(
    connection: sqlite3.Connection, by: str, request: str, row: int, label: Any, answered: Answered
) -> str:
    """Keep a label; whether it is new, corrected, repeated or missing."""
    if label is None:
        return "missing"
    became = "repeated"
    for revision, predictions in answered.items():
        if row >= len(predictions):
            continue
        new = LabelledPrediction.of(predictions[row], label)
        last = connection.execute(_LAST, (request, revision, row)).fetchone()
        before = None if last is None else LabelledPrediction(*last)
        if new == before:
            continue
        became = "new" if before is None else "corrected"
        connection.execute(_INSERT, (time.time(), by, request, revision, row, new.prediction, new.label))
        if before is not None:
            _count(connection, revision, before.score(), -1)
        _count(connection, revision, new.score(), 1)
    return became


def _count(connection: sqlite3.Connection, revision: int, score: LabelScore, times: int) -> None:
    values = (score.rows, score.correct, score.numbers, score.deviation)
    connection.execute(_SCORE, (revision, *(times * one for one in values)))


def _make_room(connection: sqlite3.Connection) -> None:
    (count,) = connection.execute("select count(*) from labels").fetchone()
    if count > MOST_LABELS:
        connection.execute(_DROP, [max(count - MOST_LABELS, count // _DROPPED_AT_ONCE)])
