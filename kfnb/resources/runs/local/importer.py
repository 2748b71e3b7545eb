"""Importers: an existing artifact, at a local path or at any address that fsspec opens."""

from __future__ import annotations

import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from kfnb.entities import Carried, stored
from kfnb.resources.runs.local.step_errors import StepFault

BESIDE = "beside"
"""The folder of links to files of the notebook's folder."""
_LONGEST = 200
"""Maximum characters of a file's name, which may have 255 bytes."""

_SCHEME = re.compile(r"^(?!file:)[A-Za-z][A-Za-z0-9+.-]*://")


def is_remote(uri: str) -> bool:
    """Whether ``uri`` must be downloaded before a step can open it as a file."""
    return _SCHEME.match(uri) is not None


def local_path(uri: str, folder: Path) -> str:
    """The absolute path of ``uri``, relative to ``folder``. Raises ``StepFault`` if it does not exist."""
    path = folder / Path(uri.removeprefix("file://")).expanduser()
    if not path.exists():
        raise StepFault(f"it imports {uri}: {path} does not exist")
    return str(path.absolute())


def linked(files: Carried, folder: Path, target: Path) -> str:
    """Make ``target`` a folder of links to ``files`` of the notebook's. Raises ``StepFault`` if a file is missing."""
    for path in files.paths:
        source, link = folder / path, target / stored(path)
        if not source.is_file():
            why = "is not a file" if source.exists() else "does not exist"
            raise StepFault(f"it reads {path}: {source} {why}")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(source)
    return str(target)


def absolute(uri: str, folder: Path) -> str:
    """``uri`` in absolute form: a relative path starts at ``folder``."""
    return uri if is_remote(uri) or uri.startswith("file:") else str(folder / uri)


def name_of(uri: str) -> str:
    """The name of a copy of the file or folder at ``uri``, without the query."""
    return Path(urlsplit(uri).path).name[-_LONGEST:] or "artifact"


def missing_opener(uri: str) -> str:
    """Why the address ``uri`` cannot be opened, and what to install; empty if it can."""
    if not is_remote(uri) or uri.startswith(("http://", "https://")):
        return ""
    from fsspec.registry import get_filesystem_class, known_implementations

    scheme = urlsplit(_for_fsspec(uri)).scheme
    package = str(known_implementations.get(scheme, {}).get("class", "fsspec")).partition(".")[0]
    if package != "fsspec":  # importing it would take long
        if find_spec(package) is not None:
            return ""
        return f"{scheme}:// needs the package {package}: pip install {package}"
    try:
        get_filesystem_class(scheme)
    except (ImportError, ValueError) as error:
        return f"cannot open {scheme}:// here: {error}"
    return ""


def fetch(uri: str, target: Path) -> None:
    """Copy the file or the folder at ``uri`` to ``target``."""
    if uri.startswith(("http://", "https://")):
        from urllib.request import urlopen  # fsspec would need another package

        with urlopen(uri) as source, target.open("wb") as copy:  # noqa: S310 - the scheme is known
            shutil.copyfileobj(source, copy)
        return
    import fsspec

    filesystem, path = fsspec.core.url_to_fs(_for_fsspec(uri))
    filesystem.get(path, str(target), recursive=filesystem.isdir(path))


def _for_fsspec(uri: str) -> str:
    """``uri`` for fsspec: KFP writes ``minio://`` for S3."""
    return re.sub("^minio://", "s3://", uri)
