"""The folder that serves a version, in the cluster's object store under the digest of its content."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from kfnb.errors import BackendError, Unreadable
from kfnb.remote.objects import ObjectAddress
from kfnb.resources.models.api import model
from kfnb.resources.models.digest import folder_digest
from kfnb.resources.services.kserve.predictor import FACTS
from kfnb.resources.services.kserve.runtimes import ServingRuntime, runtime_named
from kfnb.resources.services.model import Target


class FolderStore(Protocol):
    """Where folders are kept: ``kfnb.resources.models.kubeflow.folders.StoredFolders``."""

    def upload(self, folder: Path, digest: str) -> str:
        """Store a folder, and return its URI. What is there already is not sent again."""
        ...


def upload(folders: FolderStore, target: Target) -> str:
    """Store the folder that serves a version; the URI by which KServe fetches it. Raises ``BackendError``."""
    version = model(f"{target.registry}:{target.ref}")
    if version.digest != target.digest:
        message = f"{target.ref} has other content in the {target.registry} registry now"
        raise BackendError(message, hint="serve it again", ref=target.ref)
    source = version.path()
    with TemporaryDirectory(prefix="kfnb-deployment-") as made:
        folder = Path(made) / "folder"
        try:
            _write(source, folder, target)
            return served_uri(folders.upload(folder, folder_digest(folder)))
        except OSError as error:
            if isinstance(error, BackendError):
                raise
            why = error.strerror or error
            raise BackendError(
                f"the folder that serves {target.ref} cannot be made: {why}", ref=target.ref
            ) from None


def facts_of(target: Target) -> str:
    """The digest by which a pod knows that a folder is that of the version; empty for a runtime of KServe's."""
    if target.runtime:
        return ""
    return sha256((model(f"{target.registry}:{target.ref}").path() / FACTS).read_bytes()).hexdigest()


def _write(source: Path, folder: Path, target: Target) -> None:
    if not target.runtime:
        from kfnb.server import deployment  # which a kernel that serves nothing does without

        deployment.write(source, folder)
        return
    _of_runtime(source, folder, runtime_named(target.runtime), target)


def _of_runtime(source: Path, folder: Path, runtime: ServingRuntime, target: Target) -> None:
    """The model alone, under the name by which the runtime finds it."""
    name = runtime.files[target.format]
    if not name:
        shutil.copytree(source, folder)
        return
    facts = json.loads((source / FACTS).read_text(encoding="utf-8"))
    folder.mkdir()
    shutil.copyfile(source / Path(str(facts["file"])).name, folder / name)


def served_uri(uri: str) -> str:
    """A URI of the store as KServe's storage initializer reads it. Raises ``BackendError`` for one that it cannot."""
    try:
        address = ObjectAddress.parse(uri)
    except Unreadable as error:
        raise BackendError(f"KServe cannot read {uri}: {error}", ref=uri) from None
    if address.service == "az":
        if not address.account:
            hint = "name it: %kf_config pipeline_root=abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER"
            raise BackendError(
                f"KServe cannot read {uri}: it does not name the storage account;", hint=hint, ref=uri
            )
        return f"https://{address.account}.blob.core.windows.net/{address.path}"
    return f"{address.service}://{address.path}"
