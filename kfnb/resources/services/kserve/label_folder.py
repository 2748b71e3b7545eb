"""The labels of a service on a cluster: objects beside the log of its requests, whose ids they have.

An object holds the labels of one call, by request. What they are labels of is found by the monitor that joins both.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kfnb.errors import UsageError
from kfnb.remote.objects.store import ObjectStore
from kfnb.resources.services.receipt import FeedbackReceipt


@dataclass(frozen=True)
class GivenLabels:
    """The labels of a request's rows, or of its only row, and when they were given (seconds since 1970)."""

    request: str
    labels: Any
    at: float

    @property
    def rows(self) -> list[Any]:
        """The label of each row."""
        return self.labels if isinstance(self.labels, list) else [self.labels]


@dataclass(frozen=True)
class LabelFolder:
    """The folder ``path`` (``bucket/key``) of ``store``. Every error is a ``BackendError``."""

    store: ObjectStore
    path: str

    def add(self, ids: Sequence[str], labels: Sequence[Any], by: str) -> FeedbackReceipt:
        """Keep labels: for each request one, or the list of its rows'. Raises ``UsageError`` for another number."""
        if len(ids) != len(labels):
            message = f"labels: {len(labels)}, requests: {len(ids)}:"
            raise UsageError(
                message, hint="on a cluster, give for each request its label, or the list of its rows'"
            )
        given = {one: label for one, label in zip(ids, labels, strict=True) if label is not None}
        body = {"by": by, "labels": given}
        self.store.write(f"{self.path}/{uuid.uuid4()}.json", json.dumps(body).encode())
        return FeedbackReceipt(kept=sum(_known(one) for one in given.values()))

    def between(self, since: float, until: float) -> Iterator[GivenLabels]:
        """The labels that were given from ``since`` on and before ``until``, the oldest first."""
        new = [one for one in self.store.list_all(self.path) if since <= one.changed < until]
        for one in sorted(new, key=lambda each: (each.changed, each.path)):
            for request, labels in _labels_in(self.store.read(one.path)).items():
                yield GivenLabels(request, labels, one.changed)


def _known(label: Any) -> int:
    return sum(one is not None for one in label) if isinstance(label, list) else 1


def _labels_in(content: bytes) -> Mapping[str, Any]:
    """What an object holds; nothing if it is something else."""
    try:
        found = json.loads(content)["labels"]
    except (ValueError, LookupError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
