"""Importers: an artifact that exists already, as a path here or at any address that fsspec opens."""

from __future__ import annotations

import re
from pathlib import Path

from kfnb.backends.local.faults import StepFault

_SCHEME = re.compile(r"^(?!file:)[A-Za-z][A-Za-z0-9+.-]*://")


def is_remote(uri: str) -> bool:
    """Whether ``uri`` must be fetched before a step can open it as a file."""
    return _SCHEME.match(uri) is not None


def local_path(uri: str, folder: Path) -> str:
    """The absolute path that ``uri`` names, a relative one starting at ``folder``. Raises ``StepFault``: none there."""
    path = folder / Path(uri.removeprefix("file://")).expanduser()
    if not path.exists():
        raise StepFault(f"it imports {uri}, and there is no {path}")
    return str(path.absolute())


def fetch(uri: str, target: Path) -> None:
    """Copy what lies at ``uri``, a file or a folder, to ``target``."""
    import fsspec

    # KFP says minio:// for what is S3 to everybody else
    filesystem, source = fsspec.core.url_to_fs(re.sub("^minio://", "s3://", uri))
    filesystem.get(source, str(target), recursive=filesystem.isdir(source))
