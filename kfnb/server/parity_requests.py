"""What a model answers to requests that are almost right: what has to be taken is taken, and the rest is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kfnb.server.batching import Compute
from kfnb.server.columns import Family, InputColumn, InputProblem
from kfnb.server.differences import TOLERANCE, alike, differences, types_that_differ
from kfnb.server.encoding import json_rows
from kfnb.server.findings import BadInput, OnBadInput
from kfnb.server.folder import ModelFolder
from kfnb.server.inputs import ModelInputs, inputs_of
from kfnb.server.predictor import ModelFailed
from kfnb.server.protocol_v1 import read_v1
from kfnb.server.protocol_v2 import read_v2, tensors_of
from kfnb.server.tables import BadRequest

_UNSEEN = "kfnb: a value that no one has"
_LOOKALIKES = ("", "007", "NA", "1e5", "true")
"""Texts that look like something else."""
_SOME_ROWS = 20


@dataclass(frozen=True)
class Requests:
    """The sample as requests, and the predictions for it."""

    inputs: ModelInputs
    compute: Compute
    folder: ModelFolder
    rows: list[Any]
    predictions: list[Any]

    def answer(self, rows: Any) -> list[Any]:
        """The predictions for rows, which go through JSON. Raises ``BadInput``, ``BadRequest``, ``ModelFailed``."""
        body = json.loads(json.dumps({"instances": rows}))
        found: list[Any] = self.compute([read_v1(body, self.inputs)])[0]
        return found

    def same(self, rows: Any) -> str:
        """What is wrong if rows do not have the predictions of the sample; empty if nothing."""
        try:
            found = self.answer(rows)
        except (BadInput, BadRequest, ModelFailed) as error:
            return _words(error)
        for place, (one, two) in enumerate(zip(self.predictions, found, strict=False)):
            if not alike(one, two, TOLERANCE):
                return f"row {place} is predicted as {two!r} instead of {one!r}"
        return ""

    def accepted(self, rows: Any) -> str:
        """What is wrong if rows are not answered."""
        try:
            self.answer(rows)
        except (BadInput, BadRequest, ModelFailed) as error:
            return _words(error)
        return ""

    def raises(self, rows: Any) -> str:
        """The error of the transform or the model for rows; empty if there is none."""
        try:
            self.answer(rows)
        except ModelFailed as error:
            return _words(error)
        return ""

    def taken(self, rows: Any) -> str:
        """What is wrong if rows are refused. An error of the model is not: who asks gets to know it."""
        try:
            self.answer(rows)
        except (BadInput, BadRequest) as error:
            return _words(error)
        except ModelFailed:
            return ""
        return ""

    def refused(self, rows: Any, problem: InputProblem) -> str:
        """What is wrong if rows are not refused for that reason."""
        try:
            self.answer(rows)
        except BadInput as error:
            kinds = {kind for kind, _ in error.findings.counts}
            return "" if problem in kinds else f"{problem.value} is not noticed, but {error}"
        except (BadRequest, ModelFailed) as error:
            return _words(error)
        return f"{problem.value} is not noticed"

    def changed(self, column: str, value: Any) -> list[Any]:
        """Some of the rows, with another value in a column."""
        return [{**row, column: value} for row in self.rows[:_SOME_ROWS]]


def request_checks(folder: ModelFolder, compute: Compute) -> Iterator[tuple[str, bool, str]]:
    """The name of each check, whether it passed, and what is wrong or to be known, empty for nothing."""
    inputs = inputs_of(folder.facts, folder.rows, OnBadInput.REJECT)
    rows = json_rows(folder.rows)
    try:
        predictions = compute([inputs.rows(rows)])[0]
    except (BadInput, BadRequest, ModelFailed) as error:
        yield "the example as a request", False, _words(error)
        return
    requests = Requests(inputs, compute, folder, rows, predictions)
    for name, wrong in _checks(requests):
        yield name, not wrong, wrong
    if inputs.named:
        yield "texts that training did not have", True, _first(requests, lambda one: _raises(requests, one))


def _checks(requests: Requests) -> Iterator[tuple[str, str]]:
    """The name of each check that may fail, and what is wrong, empty for nothing."""
    yield "the example as JSON", _round_trip(requests)
    yield "the example as tensors", _tensors(requests)
    yield "the same request again", requests.same(requests.rows)
    yield "a request without rows", requests.accepted([])
    if requests.inputs.named:
        yield from _column_checks(requests)


def _words(error: Exception) -> str:
    cause = error.error if isinstance(error, ModelFailed) else None
    return f"{error}: {cause}" if cause else str(error)


def _round_trip(requests: Requests) -> str:
    """Whether rows come back from JSON as they were, with their types."""
    body = json.loads(json.dumps({"instances": requests.rows}))
    found = requests.inputs.join([read_v1(body, requests.inputs)])
    lost = types_that_differ(requests.folder.rows, found) or differences(requests.folder.rows, found)
    return str(lost[0]) if lost else requests.same(requests.rows)


def _tensors(requests: Requests) -> str:
    inputs, shape = requests.inputs, getattr(requests.folder.rows, "shape", (len(requests.rows),))
    tensors = tensors_of(inputs, shape)
    for tensor in tensors:
        data = [row[tensor["name"]] for row in requests.rows] if inputs.named else requests.rows
        tensor.update(shape=[len(requests.rows)] if inputs.named else list(shape), data=data)
    try:
        rows = read_v2(json.loads(json.dumps({"inputs": tensors})), memoryview(b""), inputs)
    except (BadInput, BadRequest) as error:
        return _words(error)
    lost = differences(requests.folder.rows, inputs.join([rows]))
    return str(lost[0]) if lost else ""


def _column_checks(requests: Requests) -> Iterator[tuple[str, str]]:
    inputs, rows = requests.inputs, requests.rows
    yield "columns in another order", requests.same([dict(reversed(row.items())) for row in rows])
    yield (
        "a missing column",
        _first(
            requests,
            lambda one: requests.refused([_without(row, one.name) for row in rows], InputProblem.MISSING),
        ),
    )
    yield "an unknown column", requests.refused([{**row, _UNSEEN: 1} for row in rows], InputProblem.UNKNOWN)
    yield "a missing value", _first(requests, lambda one: _null(requests, one))
    yield "an unseen category", _first(requests, lambda one: _unseen(requests, one))
    yield "a value of another type", _first(requests, lambda one: _other_type(requests, one))
    yield "an integer for a number", _first(requests, lambda one: _as_float(requests, one))
    yield "texts that look like something else", _first(requests, lambda one: _texts(requests, one))
    yield "times with and without an offset", _first(requests, lambda one: _offsets(requests, one))
    if inputs.columns and any(one.family is Family.FLOAT for one in inputs.columns):
        yield "NaN and infinity", _first(requests, lambda one: _not_finite(requests, one))


def _first(requests: Requests, attempt: Callable[[InputColumn], str]) -> str:
    """The first thing that is wrong with a column."""
    for column in requests.inputs.columns:
        found = attempt(column)
        if found:
            return f"column {column.name}: {found}"
    return ""


def _without(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def _null(requests: Requests, column: InputColumn) -> str:
    rows = requests.changed(column.name, None)
    return requests.accepted(rows) if column.nullable else requests.refused(rows, InputProblem.NULL)


def _unseen(requests: Requests, column: InputColumn) -> str:
    if column.family not in (Family.TEXT, Family.CATEGORY):
        return ""
    rows = requests.changed(column.name, _UNSEEN)
    closed = column.known or column.family is Family.CATEGORY
    return requests.refused(rows, InputProblem.UNSEEN) if closed else requests.taken(rows)


def _other_type(requests: Requests, column: InputColumn) -> str:
    wrong: Mapping[Family, Any] = {
        Family.FLOAT: "1",
        Family.INTEGER: "1",
        Family.FLAG: "true",
        Family.TEXT: 7,
    }
    if column.family not in wrong:
        return ""
    return requests.refused(requests.changed(column.name, wrong[column.family]), InputProblem.TYPE)


def _as_float(requests: Requests, column: InputColumn) -> str:
    if column.family not in (Family.INTEGER, Family.FLOAT):
        return ""
    kind = float if column.family is Family.INTEGER else int

    def other(value: Any) -> Any:
        return kind(value) if value is not None and abs(value) < 2**53 and value == int(value) else value

    return requests.same([{**row, column.name: other(row[column.name])} for row in requests.rows])


def _texts(requests: Requests, column: InputColumn) -> str:
    """An empty text, and one with zeros in front: what makes numbers or missing values of texts loses them."""
    if column.family is not Family.TEXT or column.known:
        return ""
    for text in _LOOKALIKES:
        rows = requests.changed(column.name, text)
        frame = requests.inputs.join([requests.inputs.rows(rows)])
        if list(frame[column.name]) != [text] * len(rows):
            return f"{text!r} becomes {frame[column.name][0]!r}"
        wrong = requests.taken(rows)
        if wrong:
            return f"{text!r}: {wrong}"
    return ""


def _raises(requests: Requests, column: InputColumn) -> str:
    """That the model raises an error for a text, as one that makes numbers of postal codes does."""
    if column.family is not Family.TEXT or column.known:
        return ""
    for text in (_UNSEEN, *_LOOKALIKES):
        error = requests.raises(requests.changed(column.name, text))
        if error:
            return f"{text!r}: {error}; such a request is answered with an error"
    return ""


def _offsets(requests: Requests, column: InputColumn) -> str:
    """A time of the other sort is refused, and an hour that is there twice is kept apart by its offset."""
    if column.family is not Family.TIME:
        return ""
    twice = ["2024-10-27T02:30:00+02:00", "2024-10-27T02:30:00+01:00"]
    if not column.zoned:
        return requests.refused(requests.changed(column.name, twice[0]), InputProblem.TYPE)
    rows = [{**requests.rows[0], column.name: one} for one in twice]
    first, second = list(requests.inputs.join([requests.inputs.rows(rows)])[column.name])
    if (second - first).total_seconds() != 3600:  # noqa: PLR2004 - an hour
        return f"{twice[0]} and {twice[1]} are {second - first} apart"
    return requests.refused(requests.changed(column.name, "2024-10-27T02:30:00"), InputProblem.TYPE)


def _not_finite(requests: Requests, column: InputColumn) -> str:
    if column.family is not Family.FLOAT:
        return ""
    found = requests.refused(requests.changed(column.name, float("inf")), InputProblem.RANGE)
    rows = requests.changed(column.name, float("nan"))
    return found or (
        requests.accepted(rows) if column.nullable else requests.refused(rows, InputProblem.NULL)
    )
