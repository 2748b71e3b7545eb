"""Reads the requests of a service here, from the files that its versions write (``kfnb.server.log_segments``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.diagnostics import logger
from kfnb.entities.log_policy import LogPolicy
from kfnb.extras import require
from kfnb.resources.services.requests import RequestWindow, values_of
from kfnb.server.headers import time_of
from kfnb.server.log_segments import (
    COMPLETE,
    OPEN,
    blocks_in,
    complete_abandoned,
    complete_files,
    remove_old,
)

_logger = logger(__package__)

_ROWS = 8192
"""Rows of a block that is read."""
_FINE = 200
_BEFORE, _AFTER = 60.0, 660.0
"""Seconds around the time in a request's id in which it was answered."""

Answered = dict[int, list[Any]]
"""What each revision predicted for a request, by row. A shadow and another revision answered the same one."""


@dataclass(frozen=True)
class RequestFile:
    """A file of requests: the revision that wrote it, and the times in it, None for one that still grows."""

    path: Path
    revision: int
    least: float | None = None
    most: float | None = None

    def may_have(self, since: float | None, until: float | None) -> bool:
        """Whether there may be requests of that time in it."""
        if self.least is None or self.most is None:
            return True
        return (since is None or self.most >= since) and (until is None or self.least < until)


def log_files(folder: Path) -> list[RequestFile]:
    """The files of requests, the oldest first and those that grow last."""
    growing = {
        path.stem: path for path in folder.glob(f"*{OPEN}")
    }  # first: else one that is just completed is missed
    complete = complete_files(folder)
    done = [RequestFile(one.path, _revision(one.name), one.least, one.most) for one in complete]
    for one in complete:
        growing.pop(one.name, None)
    return done + [RequestFile(path, _revision(name)) for name, path in sorted(growing.items())]


def remove_old_requests(folder: Path, policy: LogPolicy) -> None:
    """Remove what the policy keeps no longer, where no process of the service does. What fails is logged."""
    try:
        complete_abandoned(folder)
    except (OSError, ValueError, ImportError) as error:  # what is there already may still be removed
        _logger.warning("Requests in %s cannot be completed: %s", folder, error)
    try:
        remove_old(folder, policy.days, policy.size)
    except OSError as error:
        _logger.warning("Requests in %s cannot be removed: %s", folder, error)


def _revision(name: str) -> int:
    number = name.partition("-")[0].removeprefix("r")
    return int(number) if number.isdecimal() else 0


def read_requests(folder: Path, window: RequestWindow, revisions: Sequence[int] = ()) -> Iterator[Any]:
    """The blocks of the requests of a window, of some ``revisions`` or of all. Raises ``MissingExtra``."""
    require("pyarrow", "the requests of a service")
    for file in log_files(folder):
        if (not revisions or file.revision in revisions) and file.may_have(window.since, window.until):
            for block in _blocks(file, window.columns):
                found = _within(block, window)
                if found.num_rows:
                    yield found


def _blocks(file: RequestFile, columns: Sequence[str]) -> Iterator[Any]:
    """The blocks of a file, with the time of each row and some columns or all. What cannot be read is left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    chosen = [*dict.fromkeys([*columns, "time"])] if columns else None
    try:
        if file.path.suffix == COMPLETE:
            with pq.ParquetFile(file.path) as source:
                yield from source.iter_batches(_ROWS, columns=chosen)
            return
        with pa.OSFile(str(file.path)) as growing:
            for block in blocks_in(growing):
                yield block.select([one for one in chosen if one in block.schema.names]) if chosen else block
    except FileNotFoundError:
        for path in file.path.parent.glob(f"*-{file.path.stem}{COMPLETE}"):  # it was completed meanwhile
            yield from _blocks(RequestFile(path, file.revision), columns)
    except (pa.ArrowException, OSError) as error:
        _logger.warning("%s cannot be read: %s", file.path, error)


def _within(block: Any, window: RequestWindow) -> Any:
    """The rows of a block in a window."""
    import pyarrow as pa
    import pyarrow.compute as pc

    times = block["time"].cast(pa.int64())
    for limit, compare in ((window.since, pc.greater_equal), (window.until, pc.less)):
        if limit is not None:
            kept = compare(times, pa.scalar(round(limit * 1e6), pa.int64()))
            block, times = block.filter(kept), times.filter(kept)
    if window.columns and "time" not in window.columns:
        block = block.select([one for one in block.schema.names if one != "time"])
    return block


def answered(folder: Path, ids: Sequence[str]) -> dict[str, Answered]:
    """The predictions for requests, by id; without those that are unknown, failed or removed by now."""
    require("pyarrow", "feedback")
    import pyarrow as pa
    import pyarrow.compute as pc

    given, found = pa.array(list(ids), pa.string()), dict[str, Answered]()
    for file in log_files(folder):
        if not any(_in_reach(file, one) for one in ids):
            continue
        for block in _blocks(file, ("id", "row", "revision", "status", "prediction")):
            chosen = pc.and_(pc.is_in(block["id"], given), pc.equal(block["status"], _FINE))
            _add(found, block.filter(chosen))
    return found


def inputs_of(
    folder: Path, ids: Sequence[str], revisions: Sequence[int]
) -> dict[tuple[str, int], Mapping[str, Any]]:
    """The inputs of rows that some revisions were asked about, by request and row; without those that are removed."""
    require("pyarrow", "the requests of a service")
    import pyarrow as pa
    import pyarrow.compute as pc

    known, found = pa.array(list(ids), pa.string()), dict[tuple[str, int], Mapping[str, Any]]()
    for file in log_files(folder):
        if file.revision not in revisions or not any(_in_reach(file, one) for one in ids):
            continue
        for block in _blocks(file, ("id", "row", "input")):
            if "input" in block.schema.names:
                chosen = block.filter(pc.is_in(block["id"], known))
                keys = zip(chosen["id"].to_pylist(), chosen["row"].to_pylist(), strict=True)
                found.update(zip(keys, _row_values(chosen["input"]), strict=True))
    return {key: row for key, row in found.items() if row}


def _row_values(inputs: Any) -> list[Mapping[str, Any]]:
    """Rows as dicts; values in JSON as what they are."""
    columns = {field.name: values_of(inputs.field(place), field) for place, field in enumerate(inputs.type)}
    return [
        {name: values[place] for name, values in columns.items()} if valid else {}
        for place, valid in enumerate(inputs.is_valid().to_pylist())
    ]


def _in_reach(file: RequestFile, request: str) -> bool:
    came = time_of(request)
    return came is None or file.may_have(came - _BEFORE, came + _AFTER)


def _add(found: dict[str, Answered], block: Any) -> None:
    """Add predictions; of an id that was used again, those of the newest answer."""
    predictions = values_of(block["prediction"], block.schema.field("prediction"))
    facts = (block[name].to_pylist() for name in ("id", "row", "revision"))
    for request, row, revision, prediction in zip(*facts, predictions, strict=True):
        rows = found.setdefault(request, {}).setdefault(revision, [])
        del rows[row:]
        rows.append(prediction)
