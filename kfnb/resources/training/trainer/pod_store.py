"""The object store as a pod of a training reaches it: its inputs, its outputs and its checkpoints.

The text of this file travels in the TrainJob with ``pod_program``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_STORE = "KFNB_STORE_"
"""What the names of the variables with the store's secrets begin with."""


class PodStore:
    """Objects of the training, below ``root``; ``access`` says how the store is reached, but for its secrets.

    The key of an object that is not below the root begins with a slash.
    """

    def __init__(self, root: str, access: Mapping[str, Any]) -> None:
        _install(access["package"], access["pip"])
        import obstore
        from obstore.store import AzureStore, GCSStore, S3Store

        self._objects = obstore
        _, _, path = root.partition("://")
        bucket, _, self._folder = path.partition("/")
        keys = {
            name[len(_STORE) :].lower(): os.environ.pop(name)
            for name in [*os.environ]
            if name.startswith(_STORE)
        }
        makers = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
        self._store = makers[access["service"]](bucket, **access["options"], **keys)

    def fetch(self, key: str, target: Path) -> None:
        """Copy an object, or all objects below a folder, to a path."""
        full = self._key(key)
        found = [one["path"] for page in self._objects.list(self._store, prefix=f"{full}/") for one in page]
        for one in found or [full]:
            file = target / one[len(full) + 1 :] if found else target
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as written:
                for part in self._objects.get(self._store, one).stream():
                    written.write(bytes(part))

    def send(self, source: Path, key: str) -> None:
        """Copy a file, or all files below a folder, to objects."""
        files = sorted(one for one in source.rglob("*") if one.is_file()) if source.is_dir() else [source]
        for one in files:
            beside = "" if one == source else f"/{one.relative_to(source).as_posix()}"
            self._objects.put(self._store, self._key(key) + beside, one)

    def write(self, key: str, text: str) -> None:
        """Write an object."""
        self._objects.put(self._store, self._key(key), text.encode())

    def has(self, key: str) -> bool:
        """Whether there is an object."""
        try:
            self._objects.head(self._store, self._key(key))
        except FileNotFoundError:
            return False
        return True

    def folders(self, key: str) -> list[str]:
        """The names of the folders below a folder, in order."""
        found = self._objects.list_with_delimiter(self._store, prefix=f"{self._key(key)}/")
        return sorted(one.rstrip("/").rpartition("/")[2] for one in found["common_prefixes"])

    def remove(self, key: str) -> None:
        """Remove all objects below a folder."""
        for page in self._objects.list(self._store, prefix=f"{self._key(key)}/"):
            self._objects.delete(self._store, [one["path"] for one in page])

    def _key(self, key: str) -> str:
        return key[1:] if key.startswith("/") else f"{self._folder}/{key}"


def _install(package: str, options: Sequence[str]) -> None:
    """Install what opens the store, apart from the training's own packages."""
    if importlib.util.find_spec(package.partition("=")[0]) is None:
        target = tempfile.mkdtemp(prefix="kfnb-packages-")
        words = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*words, "--target", target, *options, package], check=True)
        sys.path.insert(0, target)


def digest_of(path: Path) -> str:
    """The sha256 of a file, or of a folder's paths and files: the digest that artifacts have."""
    whole = hashlib.sha256()
    if path.is_dir():
        for one in sorted(one for one in path.rglob("*") if one.is_file()):
            whole.update(f"{one.relative_to(path)}\0{digest_of(one)}\n".encode())
        return whole.hexdigest()
    with path.open("rb") as opened:
        while block := opened.read(1 << 20):
            whole.update(block)
    return whole.hexdigest()


class Checkpoints:
    """Keeps the newest checkpoint of a training in the store, so that it outlives the pod."""

    def __init__(self, store: PodStore, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._sent: set[str] = set()

    def restore(self) -> None:
        """Fetch the newest checkpoint that is complete."""
        for name in reversed(self._store.folders("checkpoints")):
            if not self._store.has(f"checkpoints/{name}/complete"):  # the last object that is written
                continue
            draft = self._folder / f".fetched-{name}"
            self._store.fetch(f"checkpoints/{name}/content", draft)
            draft.rename(self._folder / name)
            self._sent.add(name)
            return

    def keep(self) -> None:
        """Send the newest checkpoint, and remove older ones."""
        there = sorted(one for one in self._folder.glob("[0-9]*") if one.is_dir())
        if not there or there[-1].name in self._sent:
            return
        name = there[-1].name
        self._sent.add(name)
        try:
            self._store.send(there[-1], f"checkpoints/{name}/content")
            self._store.write(f"checkpoints/{name}/complete", "")
            for old in self._store.folders("checkpoints"):
                if old < name:
                    self._store.remove(f"checkpoints/{old}")
        except Exception as error:  # a store that does not answer ends no training
            sys.stdout.write(f"warning: checkpoint {name} was not stored: {error}\n")
