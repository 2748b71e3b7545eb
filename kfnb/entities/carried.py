"""The files of a pipeline: those that steps write, and files of the notebook's folder too large for a program."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILES = "kf_files"
"""The output of a step that writes files: a folder of them, by their paths."""
_SCHEME = "kfnb-files:"
TITLE, _FILES = "kfnb_title", "kfnb_files"
"""Metadata of an imported artifact: the name under which it is shown, and its files."""
_LONGEST, _NAMED = 8192, 20
_ABSOLUTE, _PARENT = "absolute", "kfnb-parent"
"""The folders in an artifact of files for those outside of the notebook's folder: a store has only relative names."""


def stored(path: str) -> str:
    """The place in an artifact of files for the file of a path."""
    if path.startswith("/"):
        return _ABSOLUTE + path
    return "/".join(_PARENT if part == ".." else part for part in path.split("/"))


def path_of(stored: str) -> str:
    """The path of the file at a place in an artifact of files."""
    if stored.startswith(f"{_ABSOLUTE}/"):
        return stored.removeprefix(_ABSOLUTE)
    return "/".join(".." if part == _PARENT else part for part in stored.split("/"))


@dataclass(frozen=True)
class Carried:
    """Files that the same steps read, by their paths in the notebook's folder; ``digest`` is that of their content.

    A pipeline has an importer for them, whose address is a placeholder: a run here reads them in place, and submitting
    to a cluster replaces the address by that of the upload.
    """

    paths: tuple[str, ...]
    digest: str

    @property
    def uri(self) -> str:
        """The importer's address."""
        return _SCHEME + self.digest

    @property
    def metadata(self) -> dict[str, str]:
        """The importer's metadata: texts, since KFP wraps lists."""
        return {TITLE: self.title, _FILES: json.dumps(self.paths, ensure_ascii=False)}

    @property
    def shortened(self) -> dict[str, str]:
        """Texts of the metadata that are too long for the command of a pod, and their replacements."""
        whole = self.metadata[_FILES]
        if len(whole) <= _LONGEST:
            return {}
        return {whole: json.dumps([*self.paths[:_NAMED], "..."], ensure_ascii=False)}

    @property
    def title(self) -> str:
        """The name of the files in a pipeline's graph."""
        more = len(self.paths) - 1
        name = Path(self.paths[0]).name
        return f"{name} and {more} more file{'s' * (more > 1)}" if more else name


def carried(digests: Mapping[str, str]) -> Carried:
    """The files with these digests of their contents."""
    message = "".join(f"{path}\0{digests[path]}\n" for path in sorted(digests))
    return Carried(tuple(sorted(digests)), hashlib.sha256(message.encode()).hexdigest())


def imported(metadata: Mapping[str, Any]) -> str:
    """The name of the files of an imported artifact with this metadata; empty for any other artifact."""
    return str(metadata.get(TITLE, ""))


def read_carried(uri: str, metadata: Mapping[str, Any]) -> Carried | None:
    """The files that an importer with this address and metadata imports; None if not of the notebook's folder."""
    if not uri.startswith(_SCHEME):
        return None
    return Carried(tuple(json.loads(str(metadata[_FILES]))), uri.removeprefix(_SCHEME))


def importers(spec: Mapping[str, Any]) -> Iterator[tuple[str, Carried]]:
    """The executors of a PipelineSpec that import files of the notebook's folder."""
    for name, executor in spec.get("deploymentSpec", {}).get("executors", {}).items():
        importer = executor.get("importer") or {}
        uri = importer.get("artifactUri", {}).get("constant", "")
        found = read_carried(uri if isinstance(uri, str) else "", importer.get("metadata", {}))
        if found is not None:
            yield name, found


def digest_of(file: Path) -> str:
    """The digest of a file's content."""
    found = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(1 << 20):
            found.update(block)
    return found.hexdigest()
