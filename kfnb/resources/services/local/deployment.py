"""The folder that serves a version: its model folder with the program, the same bytes as on a cluster."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from kfnb.errors import BackendError
from kfnb.jobs import private
from kfnb.resources.models.api import model
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.services.local.folder import ServiceFolder
from kfnb.resources.services.model import DesiredState, Target
from kfnb.server import deployment

_DRAFT = ".draft-"
_YOUNG = 3600.0
"""Seconds for which a folder that no revision needs is kept: another process may be about to need it."""


def deploy(folder: ServiceFolder, target: Target) -> None:
    """Write the folder that serves a version, unless it is there. Raises ``BackendError``."""
    place = folder.version(target.digest)
    if place.is_dir():
        return
    version = model(f"{target.registry}:{target.ref}")
    if version.digest != target.digest:
        message = f"{target.ref} has other content in the {target.registry} registry now"
        raise BackendError(message, hint="serve it again", ref=target.ref)
    source = _verified(version)
    try:
        private.make(place.parent)
        draft = Path(mkdtemp(prefix=_DRAFT, dir=place.parent))
        try:
            deployment.write(source, draft)
            with suppress(OSError):  # another process was faster
                draft.rename(place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise BackendError(f"{place} cannot be written: {error.strerror or error}", ref=str(place)) from None


def _verified(version: ModelVersion) -> Path:
    """Its model folder. Raises ``BackendError`` with its name, as the registry knows a folder by its digest alone."""
    try:
        return version.path()
    except BackendError as error:
        hint = "registering the same content again repairs it"
        raise BackendError(
            f"{version.ref} cannot be served: {error};", code=error.code, hint=hint, ref=version.ref
        ) from None


def clear(folder: ServiceFolder, desired: DesiredState) -> None:
    """Remove folders of versions that are no longer needed, not even for a rollback."""
    needed = {folder.version(one.digest) for one in (*desired.targets, *desired.earlier)}
    for place in folder.version("").glob("*"):
        with suppress(OSError):
            if place not in needed and time.time() - place.stat().st_mtime > _YOUNG:
                shutil.rmtree(place, ignore_errors=True)
