"""The digests of artifacts' contents: what the cache keys by, and what the lineage of runs is joined by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kfnb.entities import Artifact, digest_of


class Digests:
    """Digests files, each once: until its path, its time of modification or its size is another."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, int, int], str] = {}

    def content(self, path: Path) -> str:
        """The sha256 of a file's bytes, or of a folder's paths and files; empty if it does not exist.

        Raises ``OSError``.
        """
        if path.is_file():
            return self._file(path)
        if not path.is_dir():
            return ""
        whole = hashlib.sha256()
        for file in sorted(item for item in path.rglob("*") if item.is_file()):
            whole.update(f"{file.relative_to(path)}\0{self._file(file)}\n".encode())
        return whole.hexdigest()

    def of_inputs(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs of a task with the digests that their artifacts have now: a step may have written into one."""
        return {name: self._with_digest(value, again=True) for name, value in values.items()}

    def of_outputs(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs of a task with the digests of their artifacts; those of the cache have theirs."""
        return {name: self._with_digest(value, again=False) for name, value in values.items()}

    def _with_digest(self, value: Any, *, again: bool) -> Any:
        if isinstance(value, list):
            return [self._with_digest(item, again=again) for item in value]
        if not isinstance(value, Artifact) or (value.digest and not again):
            return value
        try:
            return replace(value, digest=self.content(Path(value.uri.removeprefix("file://"))))
        except (OSError, ValueError):  # an address, or a file that cannot be read: its content is unknown
            return replace(value, digest="")

    def _file(self, path: Path) -> str:
        status = path.stat()
        known = (str(path), status.st_mtime_ns, status.st_size)
        if known not in self._files:
            self._files[known] = digest_of(path)
        return self._files[known]
