"""What a run took that is gone or has changed: found before anything is run again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kfnb.artifacts.digests import Digests
from kfnb.entities import Artifact, carried, digest_of, imported_data, importers
from kfnb.entities.manifest import LayerName, Manifest
from kfnb.errors import KfnbError
from kfnb.resources.datasets import api as datasets
from kfnb.resources.runs.engine import Submission

_SHOWN = 5


def missing_data(submission: Submission, manifest: Manifest, home: Path) -> Iterator[str]:
    """What a run took and is gone or changed, a line each: data versions, files, artifacts."""
    yield from _versions(submission)
    yield from _files(submission)
    yield from _inputs(submission, manifest, home)


def _versions(submission: Submission) -> Iterator[str]:
    """Versions of data sets that are not there, have other content, or whose bytes are damaged."""
    refs = []
    for data in {one for _, one in imported_data(submission.spec)}:
        try:
            version = datasets.dataset(data.chosen(submission.arguments.get(data.parameter, "")))
        except KfnbError as error:
            yield f"data {data.ref}: {error}"
            continue
        if data.digest and version.digest != data.digest:
            yield f"data {data.ref}: the data store has another content under that version"
        refs.append(version.ref)
    if refs:
        yield from (f"data {one.ref}: {one.problem}" for one in datasets.verify_refs(refs).damages)


def _files(submission: Submission) -> Iterator[str]:
    """Files beside the notebook that steps read, and that are not as they were."""
    folder = Path(submission.folder)
    for _, group in importers(submission.spec):
        gone = [path for path in group.paths if not (folder / path).is_file()]
        if gone:
            more = f" and {len(gone) - _SHOWN} more" if len(gone) > _SHOWN else ""
            yield f"files beside the notebook are gone from {folder}: {', '.join(gone[:_SHOWN])}{more}"
        elif carried({path: digest_of(folder / path) for path in group.paths}).digest != group.digest:
            yield f"files beside the notebook have changed since: {group.title}"


def _inputs(submission: Submission, manifest: Manifest, home: Path) -> Iterator[str]:
    """Artifacts from outside the run, of this machine: those with the digest that was recorded are there."""
    recorded: Mapping[str, Any] = manifest[LayerName.STORAGE].facts.get("inputs") or {}
    known = {
        str(one["uri"]): str(one.get("digest") or "")
        for one in recorded.values()
        if isinstance(one, Mapping) and one.get("uri")
    }
    known |= {one.uri: one.digest for one in submission.arguments.values() if isinstance(one, Artifact)}
    digests = Digests()
    for uri, digest in known.items():
        path = Path(uri.removeprefix("file://"))
        if "://" in str(path) or not path.is_absolute() or path.is_relative_to(home / "data"):
            continue
        if not path.exists():
            yield f"{path} is gone"
        elif digest and digests.content(path) != digest:
            yield f"{path} has changed since"
