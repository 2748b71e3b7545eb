"""Labels that come later: what was true of the rows that a service predicted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.services.client import ServedAnswer
from kfnb.server.encoding import json_rows


def request_ids(ids: Any) -> list[str]:
    """The ids of requests or of answers: one, or several. Raises ``UsageError`` for one that is there twice."""
    if isinstance(ids, str | ServedAnswer):
        ids = [ids]
    given = ids.tolist() if hasattr(ids, "tolist") else list(ids)
    found = [one.id if isinstance(one, ServedAnswer) else str(one) for one in given]
    for one, times in Counter(found).items():
        if times > 1:
            hint = "give the labels of its rows as one list"
            raise UsageError(f"request {one} is given more than once:", hint=hint, ref=one)
    return found


def labels_of(labels: Any) -> list[Any]:
    """Labels as JSON has them: of a list, an array, a column, or a table for predictions with names."""
    if isinstance(labels, str | bytes | Mapping) or not (
        hasattr(labels, "__iter__") or hasattr(labels, "tolist")
    ):
        labels = [labels]
    return json_rows(labels)


def labels_by_request(
    ids: Sequence[str], labels: Sequence[Any], rows: Mapping[str, int]
) -> dict[str, list[Any]]:
    """The labels of each request's rows, by id; ``rows`` are how many each has, without requests that are unknown.

    There is a label for each request (a list, if the request has several rows), or a label for each row of all
    requests. Raises ``UsageError``.
    """
    if len(labels) == len(ids):
        return {
            one: _of_rows(one, label, rows[one])
            for one, label in zip(ids, labels, strict=True)
            if one in rows
        }
    total, unknown = sum(rows.values()), len(ids) - len(rows)
    if unknown or len(labels) != total:
        known = f"{len(ids)}, {unknown} of them unknown" if unknown else str(len(ids))
        hint = "give a label for each row, or for each request the list of its labels"
        raise UsageError(f"labels: {len(labels)}, requests: {known}, rows in them: {total}:", hint=hint)
    left = iter(labels)
    return {one: [next(left) for _ in range(rows[one])] for one in ids}


def _of_rows(request: str, label: Any, rows: int) -> list[Any]:
    if rows == 1:
        return [label]
    if not isinstance(label, list) or len(label) != rows:
        hint = "give the list of its labels, with None for those that are not known yet"
        raise UsageError(f"request {request} has {rows} rows:", hint=hint, ref=request)
    return label
