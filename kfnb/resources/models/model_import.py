"""Models of other tools are imported as versions: MLflow's model folders, repositories of the Hugging Face Hub."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from kfnb.errors import UsageError
from kfnb.resources.models.api import registry_of
from kfnb.resources.models.checks import check_name
from kfnb.resources.models.foreign.from_mlflow import from_mlflow
from kfnb.resources.models.foreign.hugging_face import from_hub
from kfnb.resources.models.foreign.mlmodel import MLMODEL
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.models.model import ModelSource
from kfnb.resources.models.packer import Packing, packed
from kfnb.resources.models.registration import Registration, draft_of, register_draft
from kfnb.settings import owner
from kfnb.target import backend_name

_HUB, _MLFLOW = "hf://", "mlflow://"


def import_model(
    address: str | Path,
    name: str,
    *,
    pickle: bool = False,
    backend: str | None = None,
    notify: Callable[[str], None] = print,
) -> ModelVersion:
    """Register the model at an address as a version of the model ``name``, whose source is that address.

    ``address`` is ``mlflow://PATH``, an MLflow model folder; ``hf://ORG/NAME``, a repository of the Hugging Face Hub;
    or the path of such a folder, of a model folder or of a file. Nothing is loaded: files are copied as they are, with
    signature, input example and requirements. ``pickle`` allows a pickle, which executes code when it is loaded.
    ``backend`` is ``local``, the default, or ``kubeflow``. Raises ``UsageError``, ``BackendError``.
    """
    check_name(name)
    registry = registry_of(backend_name(backend) if backend else None)
    how = Packing(pickle=pickle)
    with TemporaryDirectory(prefix="kfnb-import-") as temporary:
        path, origin = _fetched(str(address), Path(temporary, "download"), pickle=pickle)
        if (path / MLMODEL).is_file():
            target = Path(temporary, "model")
            from_mlflow(path, target, how)
            path = target
        with packed(path, how) as folder:
            known = Registration(name=name, source=ModelSource("import", id=origin))
            kept, notes = register_draft(registry, draft_of(known, folder, owner()), folder)
    for text in how.remarks:
        warnings.warn(text, stacklevel=2)
    for note in notes:
        notify(note)
    return ModelVersion(registry, kept)


def _fetched(address: str, folder: Path, *, pickle: bool) -> tuple[Path, str]:
    """What an address means: a path on this machine, and the address that the version keeps."""
    if address.startswith(_HUB):
        found = from_hub(address, folder, pickle=pickle)
        return found.path, found.address
    scheme, separator, rest = address.partition("://")
    if separator and address != f"{_MLFLOW}{rest}":
        hint = "use mlflow://PATH, hf://ORG/NAME or a path"
        raise UsageError(f"{address}: unknown kind of address {scheme}://", hint=hint, ref=address)
    path = Path(rest if separator else address).expanduser().resolve()
    if separator and not (path / MLMODEL).is_file():
        hint = "a model of a tracking server is downloaded first: mlflow artifacts download"
        message = f"{path} is not an MLflow model folder: it has no {MLMODEL};"
        raise UsageError(message, code="file-not-found", hint=hint, ref=str(path))
    return path, f"{_MLFLOW if (path / MLMODEL).is_file() else ''}{path}"
