"""What a service has answered, kept in a monitor's place for labels that come later: one file or more for each check.

The log itself cannot be searched by the id of a request. Files are by version, since labels of another one say nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kfnb.extras import require
from kfnb.remote.objects.store import ObjectInfo, ObjectStore
from kfnb.resources.services.requests import values_of

KEPT = 30 * 86400.0
"""Seconds for which answers are kept."""
_IN_A_FILE = 50_000
_COLUMNS = ("id", "row", "prediction", "slices")


@dataclass(frozen=True)
class KeptAnswer:
    """A row that was predicted; ``slices`` are its values of the columns that metrics are measured by."""

    request: str
    row: int
    prediction: Any
    slices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AnswerShelf:
    """The answers of a ``version``, below ``path`` (``bucket/key``) of ``store``."""

    store: ObjectStore
    path: str
    version: str

    @property
    def folder(self) -> str:
        """Where those of the version are."""
        return f"{self.path}/answers/{hashlib.sha256(self.version.encode()).hexdigest()[:16]}"

    def forget(self, before: float) -> None:
        """Keep no longer what was kept before a time."""
        for one in self._files():
            if one.changed < before:
                self.store.delete(one.path)

    def keep(self, until: float, answers: Sequence[KeptAnswer]) -> None:
        """Keep some answers, at least one, that were counted ``until`` a time. What is there twice is found once."""
        require("pyarrow", "monitoring a service")
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = [(one.request, one.row, json.dumps(one.prediction), json.dumps(one.slices)) for one in answers]
        table = pa.table(dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True)))
        target = io.BytesIO()
        pq.write_table(table, target, compression="zstd")
        name = f"{until:017.3f}-{uuid.uuid4().hex[:8]}.parquet"
        self.store.write(f"{self.folder}/{name}", target.getvalue())

    def find(self, requests: Sequence[str]) -> Mapping[tuple[str, int], KeptAnswer]:
        """The rows of some requests, by request and row; of those that are kept."""
        found: dict[tuple[str, int], KeptAnswer] = {}
        left = set(requests)
        for one in reversed(self._files() if left else []):
            for answer in self._among(one, left):
                found[answer.request, answer.row] = answer
            left -= {request for request, _ in found}
            if not left:
                break
        return found

    def _among(self, one: ObjectInfo, requests: set[str]) -> Iterator[KeptAnswer]:
        require("pyarrow", "monitoring a service")
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        table = pq.read_table(io.BytesIO(self.store.read(one.path)), columns=list(_COLUMNS))
        some = table.filter(pc.is_in(table["id"], value_set=pa.array(sorted(requests))))
        for row in some.to_pylist():
            yield KeptAnswer(row["id"], row["row"], json.loads(row["prediction"]), json.loads(row["slices"]))

    def _files(self) -> list[ObjectInfo]:
        """The files, the oldest first."""
        return sorted(self.store.list_all(self.folder), key=lambda one: one.path)


class AnswerWriter:
    """Keeps the answers of a check as they are counted: of millions, few at a time are in memory."""

    def __init__(self, shelf: AnswerShelf, until: float) -> None:
        self._shelf, self._until = shelf, until
        self._answers: list[KeptAnswer] = []

    def add(self, answers: Iterable[KeptAnswer]) -> None:
        """Add some."""
        self._answers += answers
        if len(self._answers) >= _IN_A_FILE:
            self.close()

    def close(self) -> None:
        """Write what is not written yet."""
        if self._answers:
            self._shelf.keep(self._until, self._answers)
            self._answers = []


def answers_in(block: Any, slices: Sequence[str]) -> Iterator[KeptAnswer]:
    """The predicted rows of a block of logged requests."""
    require("pyarrow", "monitoring a service")
    import pyarrow.compute as pc

    predictions = values_of(block["prediction"], block.schema.field("prediction"))
    has_inputs = "input" in block.schema.names
    known = {one.name for one in block.schema.field("input").type} if has_inputs else set()
    columns = {name: pc.struct_field(block["input"], name).to_pylist() for name in slices if name in known}
    ids, rows = block["id"].to_pylist(), block["row"].to_pylist()
    for at, prediction in enumerate(predictions):
        if prediction is not None:
            values = {name: str(some[at]) for name, some in columns.items()}
            yield KeptAnswer(ids[at], rows[at], prediction, values)
