"""The requests of a service here, with the labels that have come for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.services.local.folder import ServiceFolder
from kfnb.resources.services.local.labels import labels_by_row, newest_labels
from kfnb.resources.services.local.request_files import inputs_of, read_requests
from kfnb.resources.services.requests import REQUEST_COLUMNS, LabelledRow, RequestWindow

_KEY = ("id", "revision", "row")
"""What a label belongs to."""


def requests_of(folder: ServiceFolder, window: RequestWindow) -> Iterator[Any]:
    """The blocks of requests in a window. Raises ``UsageError`` for a version that was never served."""
    revisions = _revisions(folder, window.version) if window.version else ()
    columns = window.columns or REQUEST_COLUMNS
    read = [one for one in REQUEST_COLUMNS if one in columns or ("label" in columns and one in _KEY)]
    for block in read_requests(folder.requests, replace(window, columns=tuple(read)), revisions):
        found = _labelled(folder.path, block) if "label" in columns else block
        yield found.select([one for one in found.schema.names if one in columns])


def newest_labelled(folder: ServiceFolder, version: str, most: int, *, inputs: bool) -> list[LabelledRow]:
    """The newest labels of a version, the oldest first; with ``inputs``, those whose rows are still kept.

    Raises ``UsageError`` for a version that was never served.
    """
    revisions = _revisions(folder, version)
    found = newest_labels(folder.path, revisions, most)
    if not inputs or not found:
        return found
    known = inputs_of(folder.requests, list(dict.fromkeys(one.request for one in found)), revisions)
    keys = [(one, (one.request, one.row)) for one in found]
    return [replace(one, inputs=known[key]) for one, key in keys if key in known]


def _labelled(folder: Path, block: Any) -> Any:
    """A block with the label of each row."""
    import pyarrow as pa

    ids, revisions, rows = (block[name].to_pylist() for name in _KEY)
    known = labels_by_row(folder, list(dict.fromkeys(ids)))
    labels = [known.get(key) for key in zip(ids, revisions, rows, strict=True)]
    return block.append_column("label", pa.array(labels, pa.string()))


def _revisions(folder: ServiceFolder, version: str) -> Sequence[int]:
    """The revisions of a role now, or of a version that is or was served; empty for any."""
    known: dict[str, set[int]] = {}
    last = folder.generation()
    for number in range(1, last + 1):
        for one in folder.desired(number).targets:
            names = ("", str(one.version), one.ref, *([one.role] if number == last else []))
            for name in names:
                known.setdefault(name, set()).add(one.revision)
    if version not in known:
        refs = ", ".join(name for name in known if "@" in name)
        raise UsageError(f"service {folder.name} served no version {version}; it served {refs}", ref=version)
    return sorted(known[version])
