"""Versions are exported as folders of other tools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from kfnb.errors import UsageError
from kfnb.resources.models.api import model
from kfnb.resources.models.foreign.to_mlflow import to_mlflow
from kfnb.resources.models.handle import ModelVersion

FORMATS = ("mlflow",)


def export_model(
    ref: str | ModelVersion,
    folder: str | Path,
    *,
    tool: str = "mlflow",
    notify: Callable[[str], None] = print,
) -> Path:
    """Write a version as an MLflow model folder, which must not exist yet or be empty; where it is.

    ``notify`` gets what is left out. Raises ``UsageError``, also for a model that the format has no place for, and
    ``BackendError``.
    """
    if tool not in FORMATS:
        raise UsageError(f"unknown format {tool!r}:", hint=f"known are {', '.join(FORMATS)}", ref=tool)
    version = model(ref)
    target = Path(folder).expanduser().absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} exists; give another path, or remove it first", ref=str(target))
    source = version.path()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as temporary:
            draft = Path(temporary, "model")
            draft.mkdir()
            to_mlflow(version.snapshot(), source, draft)
            draft.replace(target)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}", ref=str(target)) from None
    if version.snapshot().transform:
        notify(f"{version.ref} has a transform, which is not exported: the model takes what it returns")
    return target
