"""The folder that serves a version, for whoever takes it to a machine or into an image."""

from __future__ import annotations

from pathlib import Path

from kfnb.errors import BackendError, UsageError
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.services.targets import version_of


def pack(ref: str | ModelVersion, folder: str | Path) -> Path:
    """Write the folder that serves a version: its model folder with ``serve.py``, the same bytes that run everywhere.

    ``folder`` is new or empty. ``pip install -r requirements.txt`` and ``python serve.py`` serve it on any machine, and
    ``kfnb.serve(..., storage=)`` on a cluster from a volume or an image that holds it. Raises ``UsageError`` and
    ``BackendError``.
    """
    from kfnb.server import deployment  # which a kernel that serves nothing does without

    version, target = version_of(ref), Path(folder).expanduser()
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UsageError(
                f"{target} is there and is not an empty folder:", hint="name a new one", ref=str(target)
            )
        deployment.write(version.path(), target)
    except OSError as error:
        if isinstance(error, BackendError):
            raise
        raise BackendError(
            f"{target} cannot be written: {error.strerror or error}", ref=str(target)
        ) from None
    return target.absolute()
