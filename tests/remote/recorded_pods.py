"""All pods that the recordings of real clusters hold, and their events, whatever they were recorded for."""

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent
FOLDERS = ("runs/kubeflow/recordings", "cluster/recordings")


@cache
def objects() -> tuple[dict[str, Any], ...]:
    """Each JSON document of the recordings."""
    return tuple(document for folder in FOLDERS for document in _documents(TESTS / folder))


def _documents(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.rglob("*.json*.gz")):
        if "http" not in file.name and "pods" not in file.name and "events" not in file.name:
            continue
        text = gzip.decompress(file.read_bytes()).decode()
        rows = text.splitlines() if ".jsonl" in file.name else [text]
        yield from (json.loads(row) for row in rows if '"Pod"' in row or '"containerStatuses"' in row)


def pods() -> Iterator[dict[str, Any]]:
    """Each pod, in each state in which it was seen."""
    for document in objects():
        yield from _found(document, _is_pod)


def events(of: str) -> list[dict[str, Any]]:
    """What happened to the object of that name."""
    return [
        one
        for document in objects()
        for one in _found(document, lambda item: (item.get("involvedObject") or {}).get("name") == of)
    ]


def _is_pod(item: dict[str, Any]) -> bool:
    status = item.get("status")
    spec = item.get("spec") or {}
    return (
        isinstance(status, dict) and "phase" in status and (item.get("kind") == "Pod" or "containers" in spec)
    )


def _found(item: Any, wanted: Any) -> Iterator[dict[str, Any]]:
    if isinstance(item, dict):
        if wanted(item):
            yield item
            return
        item = list(item.values())
    if isinstance(item, list):
        for one in item:
            yield from _found(one, wanted)
