"""The cache of outputs, keyed by the inputs of a step.

The key covers the program, its packages, values, artifacts' bytes, and the environment variables that it reads.

An entry shares its files with the run that made them (``shared_files.share``), so that they use disk space once. A step
that writes into its input's file may change both: an entry whose files have changed is discarded. A run gets its own
copy of an entry.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kfnb.artifacts.digests import Digests
from kfnb.entities import Artifact, Purpose, Usage
from kfnb.jobs import private
from kfnb.resources.runs.events import decode, encode
from kfnb.resources.runs.local import shared_files
from kfnb.resources.runs.local.executor_io import TaskInvocation
from kfnb.resources.runs.local.spec import Container, PythonProgram
from kfnb.resources.runs.usage_data import usage_data, usage_of
from kfnb.text.variables import computes_names, defaulted_by, named_by, read_by

_FORMAT = 2
"""Increased when the layout of entries or the inputs of steps change: older entries are then not found."""
_STAMPS = "files.json"
_KEY = "cache.key"
_USAGE = "usage.json"
"""What the attempt that made the outputs occupied."""


class Cache:
    """The cache in ``folder``, shared by any number of runs. Entries appear atomically."""

    def __init__(self, folder: Path, digests: Digests | None = None) -> None:
        self._folder = folder
        self._digests = digests or Digests()

    def key(self, work: TaskInvocation, extra: str) -> str:
        """The name of the entry for this work, a program's or a container's; ``extra`` is the task's own cache key.

        Empty if an artifact cannot be read: there is no entry then.
        """
        with suppress(OSError):
            return self._key(work, extra)
        return ""

    def _key(self, work: TaskInvocation, extra: str) -> str:
        program = work.component.body
        assert isinstance(program, PythonProgram | Container)
        material: dict[str, Any] = {
            "format": _FORMAT,
            "program": program.identity,
            "python": sys.version_info[:2],
            "parameters": dict(work.parameters),
            "artifacts": {name: self._digest(value) for name, value in work.artifacts.items()},
            "outputs": sorted([*work.component.output_parameters, *work.component.output_artifacts]),
            "extra": extra,
        }
        names = _variables(program, work.parameters) if isinstance(program, PythonProgram) else set()
        if names:
            material["environment"] = self._digest_of_variables(names, {**work.supply.env, **program.env})
        return hashlib.sha256(json.dumps(material, sort_keys=True).encode()).hexdigest()

    def _digest_of_variables(self, names: Iterable[str], given: Mapping[str, str]) -> str:
        """A digest of what the step reads from its environment, with the ``given`` variables of this step.

        It is keyed, since a short secret could be guessed from a plain hash.
        """
        values = {name: given.get(name, os.environ.get(name)) for name in names}
        return hmac.new(
            self._secret(), json.dumps(values, sort_keys=True).encode(), hashlib.sha256
        ).hexdigest()

    def _secret(self) -> bytes:
        """The key of the digests of variables: one per home, created by the first process that needs it."""
        file = self._folder.with_name(_KEY)
        with suppress(FileNotFoundError):
            return file.read_bytes()
        private.make(file.parent)
        with TemporaryDirectory(prefix=f".{_KEY}-", dir=file.parent) as folder:  # only this user can read it
            draft = Path(folder) / _KEY
            draft.touch(mode=0o600)
            draft.write_bytes(os.urandom(32))
            draft.replace(file)
        return file.read_bytes()

    def find(self, key: str, work: TaskInvocation) -> dict[str, Any] | None:
        """The outputs kept under ``key``, their files copied to the task's folder; None if there are none."""
        if not key:
            return None
        entry = self._folder / key
        try:
            stored = decode(json.loads((entry / "outputs.json").read_text(encoding="utf-8")))
            if not _is_unchanged(entry) or any(_is_gone(value) for value in stored.values()):
                shutil.rmtree(entry)  # so that the new outputs are kept instead
                return None
            taken = {
                name: _moved(value, entry, work.folder, shared_files.clone) for name, value in stored.items()
            }
            return taken if _is_unchanged(entry) else None  # it may have been changed meanwhile
        except (OSError, ValueError):
            return None

    def saves(self, key: str) -> Usage | None:
        """What the step that made the entry ``key`` occupied; None if that is unknown."""
        try:
            usage = usage_of(json.loads((self._folder / key / _USAGE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, AttributeError):
            return None
        return replace(usage, purpose=Purpose.SAVED)

    def store(
        self, key: str, work: TaskInvocation, outputs: Mapping[str, Any], usage: Usage | None = None
    ) -> None:
        """Keep the outputs of ``work``, which occupied ``usage``. An existing entry, of another run, stays."""
        if not key or (self._folder / key).exists():
            return
        with suppress(OSError):  # another process was first, or the disk is full: neither affects the run
            private.shut(self._folder)
            with TemporaryDirectory(prefix=".draft-", dir=self._folder, ignore_cleanup_errors=True) as folder:
                draft = Path(folder)
                stored = {
                    name: _moved(value, work.folder, draft, shared_files.share)
                    for name, value in outputs.items()
                }
                relative = {name: _relative(value, draft) for name, value in stored.items()}
                private.write(draft / _STAMPS, json.dumps(shared_files.stamps(draft)))
                private.write(draft / "outputs.json", json.dumps(encode(relative)))
                if usage is not None:
                    private.write(draft / _USAGE, json.dumps(usage_data(usage)))
                draft.rename(self._folder / key)

    def _digest(self, value: Artifact | list[Artifact]) -> Any:
        if isinstance(value, list):
            return [self._digest(artifact) for artifact in value]
        return [value.type, dict(value.metadata), self._digests.content(Path(value.uri)) or value.uri]


def _variables(program: PythonProgram, parameters: Mapping[str, Any]) -> set[str]:
    """The environment variables that a program declares, and those that its parameters may name."""
    names = {*read_by(program.source), *defaulted_by(program.source)}
    if computes_names(program.source):
        names |= named_by(parameters, os.environ)
    return names


def _moved(value: Any, source: Path, target: Path, by: Callable[[Path, Path], None]) -> Any:
    """``value`` with the artifact files under ``source`` moved to the same place under ``target``."""
    if isinstance(value, list):
        return [_moved(item, source, target, by) for item in value]
    if not isinstance(value, Artifact) or "://" in value.uri:
        return value
    path = source / value.uri
    if not path.is_relative_to(source):
        return value
    copy = target / path.relative_to(source)
    if path.exists():
        shared_files.put(path, copy, by)
    return replace(value, uri=str(copy))


def _is_unchanged(entry: Path) -> bool:
    """Whether an entry's files are unchanged."""
    file = entry / _STAMPS
    if not file.exists():
        return True  # an older entry, which does not share its files
    stamps = json.loads(file.read_text(encoding="utf-8"))
    now = shared_files.stamps(entry)
    return all(tuple(stamp) == now.get(name) for name, stamp in stamps.items())


def _is_gone(value: Any) -> bool:
    """Whether an artifact that a step wrote elsewhere on this machine no longer exists."""
    if isinstance(value, list):
        return any(_is_gone(item) for item in value)
    return isinstance(value, Artifact) and Path(value.uri).is_absolute() and not Path(value.uri).exists()


def _relative(value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_relative(item, folder) for item in value]
    if isinstance(value, Artifact) and Path(value.uri).is_relative_to(folder):
        return replace(value, uri=os.path.relpath(value.uri, folder))
    return value
