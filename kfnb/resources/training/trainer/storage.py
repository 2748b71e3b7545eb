"""The objects of a training in the cluster's store: its inputs, and what its ranks put out."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kfnb.entities import Artifact
from kfnb.errors import BackendError
from kfnb.remote.objects import ObjectAddress
from kfnb.resources.runs.kubeflow.objects import Store
from kfnb.resources.runs.kubeflow.pod_access import keys_of_pods, options_of_pods
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.resources.runs.kubeflow.store_session import StoreSession

_FOLDER = "kfnb-trainings"
_SMALL = 100_000
"""Bytes of all inputs, packed, that travel in the TrainJob: it is kept several times in etcd."""
_RATIO = 10
"""Inputs that are this much larger are not even packed."""
_HINT = (
    "the inputs and outputs of a training are kept in the object store of the namespace's runs: set it in the config"
    " map kfp-launcher, or %kf_config pipeline_root=s3://BUCKET/FOLDER (docs/training.md, 'On a cluster')"
)


@dataclass(frozen=True)
class PodAccess:
    """How pods reach the store: the ``options`` of obstore's store, and the ``env`` entries with its keys."""

    service: str
    options: Mapping[str, Any]
    env: tuple[Mapping[str, Any], ...]


class TrainingObjects:
    """The objects of all trainings of a namespace."""

    def __init__(self, storage: Storage, store: Store) -> None:
        self._storage, self._store = storage, store

    def folder(self) -> str:
        """The URI of the folder of all trainings. Raises ``BackendError`` where no store is known."""
        return f"{self._storage.root()[0]}/{_FOLDER}"

    def root(self, training: str) -> str:
        """The URI of a training's folder. Raises ``BackendError`` where no store is known that can be written to."""
        try:
            uri, files = self._store.root()
            folder = f"{uri}/{_FOLDER}/{training}"
            files.pipe_file(f"{ObjectAddress.parse(folder).path}/.kfnb", b"")
        except (BackendError, OSError) as error:
            raise BackendError(
                f"the training cannot use the cluster's object store: {error};", hint=_HINT
            ) from None
        return folder

    def access(self) -> PodAccess:
        """How pods reach the store, with keys in the namespace's own secret. Raises ``BackendError``."""
        uri, session = self._storage.root()
        address = ObjectAddress.parse(uri)
        return PodAccess(address.service, options_of_pods(address, session), _keys(session))

    def pack(self, inputs: Mapping[str, Artifact], root: str) -> dict[str, dict[str, Any]]:
        """The inputs as pods take them: in the TrainJob where they are small, else as objects, put there now."""
        local = {name: Path(one.uri) for name, one in inputs.items() if "://" not in one.uri}
        small = sum(map(_size, local.values())) <= _SMALL * _RATIO
        packed = {name: _packed(name, path) for name, path in local.items()} if small else {}
        inline = small and sum(map(len, packed.values())) <= _SMALL
        found: dict[str, dict[str, Any]] = {}
        for name, one in inputs.items():
            key = f"inputs/{name}"
            if name in local and not inline:
                self._send(local[name], f"{root}/{key}")
            elif name not in local:
                key = _below(one.uri, root)
            found[name] = {
                "type": one.type,
                "metadata": dict(one.metadata),
                "packed": packed[name] if name in local and inline else "",
                "key": key,
            }
        return found

    def results(self, root: str, digest: str) -> Mapping[str, Any] | None:
        """What rank 0 has put out: what its executor has ``written``, ``values``, and ``digests`` of its artifacts.

        None if that is not there. Without a ``digest`` to check it by, it has no digests. Raises ``BackendError`` if it
        was changed.
        """
        try:
            files, path = self._opened(f"{root}/outputs.json")
            text: bytes = files.cat_file(path)
        except FileNotFoundError:
            return None
        if digest and hashlib.sha256(text).hexdigest() != digest:
            raise BackendError(f"{root}/outputs.json was changed since the training wrote it")
        return {"digests": {}, **json.loads(text)} if digest else {**json.loads(text), "digests": {}}

    def opener(self) -> Callable[[str], tuple[Any, str]]:
        """What opens the artifacts: see ``Artifact.store``."""
        return self._opened

    def _opened(self, uri: str) -> tuple[Any, str]:
        return self._store.filesystem(self._storage.session_for(uri), uri)

    def _send(self, source: Path, uri: str) -> None:
        files, target = self._opened(uri)
        found = sorted(one for one in source.rglob("*") if one.is_file()) if source.is_dir() else [source]
        try:
            for one in found:
                beside = "" if one == source else f"/{one.relative_to(source).as_posix()}"
                files.put_file(str(one), target + beside)
        except OSError as error:
            raise BackendError(f"cannot store the inputs of the training: {error};", hint=_HINT) from None


def package() -> str:
    """What pods install to open the store."""
    return f"obstore=={version('obstore')}"


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(one.stat().st_size for one in files if one.is_file())


def _packed(name: str, path: Path) -> str:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as packed:
        packed.add(path, arcname=name)
    return base64.b64encode(held.getvalue()).decode()


def _below(uri: str, root: str) -> str:
    """The key of an object of the same bucket, as pods open it: relative to the training's folder."""
    ours, theirs = ObjectAddress.parse(root), ObjectAddress.parse(uri)
    if (ours.service, ours.bucket) != (theirs.service, theirs.bucket):
        raise BackendError(f"the pods of a training cannot read {uri}: it is not in the bucket of {root}")
    return f"/{theirs.key}"


def _keys(session: StoreSession) -> tuple[Mapping[str, Any], ...]:
    """The variables with the store's keys, which stay in their secret."""
    return tuple(
        {
            "name": f"KFNB_STORE_{name}",
            "valueFrom": {"secretKeyRef": {"name": session.secret, "key": key}},
        }
        for name, key in keys_of_pods(session).items()
    )
